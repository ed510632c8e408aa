"""What guests and sponsors fill in."""
