"""How passwords of staff and guests are hashed: Argon2id at OWASP's minimum."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class PortalPasswordHasher(Argon2PasswordHasher):
    """19 MiB, 2 passes, 1 lane: tens of milliseconds of CPU, where Django's default takes ten times that."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
