"""Who may come in: guests and the credentials they are sent."""
