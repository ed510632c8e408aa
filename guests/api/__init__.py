"""The API of guests, which calls them users: users.py the collection, passwords.py, and credentials.py sends."""
