"""What guests and their phones are shown. Each view makes one call into the domain, and no page needs JavaScript."""
