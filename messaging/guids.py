"""Ids as SMSmobileAPI has them, for its calls that others make to us and for its webhook: 40 hexadecimal digits.

They say the id of a row, and then what shows that none of them was mistyped.
"""

import hashlib
import re

GUID, OF_ID = re.compile(r"[0-9a-f]{40}"), 16
#: What the rows are, in the digits that show a mistake.
SENT, RECEIVED = "sent", "received"


def guid_of(key: int, of: str = SENT) -> str:
    """The guid of a message, or `of` what else it is."""
    check = hashlib.sha256(f"SMSmobileAPI {of} {key}".encode()).hexdigest()
    return f"{key:0{OF_ID}x}{check[: 40 - OF_ID]}"


def id_in(guid: str) -> int | None:
    """The id that a guid of a sent message says; None where it is no such guid."""
    if not GUID.fullmatch(guid.lower()):
        return None
    key = int(guid[:OF_ID], 16)
    return key if guid_of(key) == guid.lower() else None
