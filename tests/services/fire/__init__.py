"""The guarantee under fire: processes killed and frozen, servers crashed, answers lost; then both books are compared.

`python -m tests.services.fire` is `make fire`. The portal here is the real one, in processes of its own.
"""
