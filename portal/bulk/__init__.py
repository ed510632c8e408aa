"""What the ORM has no single statement for, on either database: many rows at once, or several kinds of them."""
