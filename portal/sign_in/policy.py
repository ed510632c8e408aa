"""Whether the admin asks for a second factor: decided by settings and by where the web listens, never by a request."""

from collections.abc import Iterable
from ipaddress import ip_address

from django.conf import settings

REQUIRED = "required"
OPTIONAL = "optional"

#: Where this process really listens, told by its server at the start. A server that tells nothing may be anywhere.
LISTENING: list[str] = []


def listens_at(addresses: Iterable[str]) -> None:
    """Told once by the server, before the first request."""
    LISTENING[:] = addresses


def is_required() -> bool:
    """Whether nobody comes into the admin without a second factor."""
    return decide(
        settings.ADMIN_2FA, production=settings.PRODUCTION, proxies=len(settings.TRUSTED_PROXIES), addresses=LISTENING
    )


def decide(choice: str, *, production: bool, proxies: int, addresses: Iterable[str]) -> bool:
    """What was chosen; without a choice, required unless only this machine can reach the embedded set-up."""
    if choice:
        return choice == REQUIRED
    return can_be_reached(production=production, proxies=proxies, addresses=addresses)


def can_be_reached(*, production: bool, proxies: int, addresses: Iterable[str]) -> bool:
    """Whether anybody but this machine's own users may reach the sign-in page."""
    known = list(addresses)
    return production or proxies > 0 or not known or not all(map(is_loopback, known))


def is_loopback(address: str) -> bool:
    """Whether nobody from outside can connect to it. A socket in the file system is there for a proxy."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
