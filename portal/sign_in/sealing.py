"""What a page gives its reader to carry to the next request, readable by nobody and good for one user and purpose."""

import base64
import json
import zlib
from typing import Any

from portal.encryption import KeyMissing, decrypt, encrypt
from portal.models import User
from portal.sign_in.sessions import now


class Broken(Exception):
    """The seal is another's, too old, or none of ours."""


def seal(purpose: str, user: User, value: Any) -> str:
    """The value, which JSON can hold, as text."""
    written = json.dumps([purpose, user.pk, now(), value]).encode()
    return encrypt(base64.b64encode(zlib.compress(written)).decode())


def unseal(purpose: str, user: User, text: str, longest: int) -> Any:
    """The value again, if it was sealed for this user at most `longest` seconds ago. Raises Broken."""
    try:
        written = zlib.decompress(base64.b64decode(decrypt(text)))
    except KeyMissing:
        raise Broken from None
    sealed_for, pk, at, value = json.loads(written)
    if (sealed_for, pk) != (purpose, user.pk) or now() - at >= longest:
        raise Broken
    return value
