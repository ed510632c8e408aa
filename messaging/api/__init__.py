"""The API of messages: sends.py accepts them, messages.py shows them and what became of them."""
