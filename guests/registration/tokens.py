"""What tells one browser's registration from others: its token, and the links in messages. Digests alone are kept."""

import hashlib
import secrets
from typing import NamedTuple

from guests.models import CodeMessage, Registration

#: For links in messages, where every character counts; 72 bits.
LINK_BYTES = 9
LINK = "/r/"


class Link(NamedTuple):
    """A link as it stands in the message, and what is kept of it; both empty where there is none."""

    address: str = ""
    digest: str = ""


def new() -> str:
    """For a browser; nobody guesses it."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token: they are random and long, so nothing slow is needed."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def of_token(token: str) -> Registration | None:
    """The registration of the browser that has this token."""
    rows = Registration.objects.select_related("code")
    return rows.filter(token_digest=digest(token)).first() if token else None


def new_link(root: str) -> Link:
    """A link that leads back; `root` is the portal's own address."""
    ending = secrets.token_urlsafe(LINK_BYTES)
    return Link(f"{root}{LINK}{ending}", digest(ending))


def linked(ending: str) -> CodeMessage | None:
    """The message that carried the link with this ending."""
    return CodeMessage.objects.select_related("registration", "code").filter(link_digest=digest(ending)).first()
