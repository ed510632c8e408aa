"""The API of messages: sends.py accepts them, batches.py thousands at once; messages.py shows what became of them,
inbound.py what came in.
"""
