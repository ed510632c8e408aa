"""The API of guests, which calls them users.

users.py is the collection, passwords.py and stays.py what is done to one of them, and credentials.py sends.
"""
