"""The API of messages: sends.py accepts them, messages.py shows what became of them, inbound.py what came in."""
