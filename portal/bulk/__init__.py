"""What the ORM has no single statement for: many rows at once, on either database."""
