"""How passwords of staff and guests are hashed, Argon2id at OWASP's minimum; and random ones that people can read."""

import secrets

from django.contrib.auth.hashers import Argon2PasswordHasher


class PortalPasswordHasher(Argon2PasswordHasher):
    """19 MiB, 2 passes, 1 lane: tens of milliseconds of CPU, where Django's default takes ten times that."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


#: Without letters and digits that look alike.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def readable_password() -> str:
    """Four groups of four: 79 bits."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))
