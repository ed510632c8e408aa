"""How providers sign their calls to us, so that nobody else can make them. Compared in constant time."""

import hmac
import time
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import urlsplit

#: Seconds that clocks may differ, and that a call may be old; an older one may have been recorded by somebody.
LONGEST_SKEW = 300


def signs_moment_and_body(secret: str, moment: str, body: bytes, given: str) -> bool:
    """Whether it is, in hex, the HMAC-SHA256 of a unix time, a dot and the body; and the time is now."""
    expected = hmac.new(secret.encode(), moment.encode(errors="replace") + b"." + body, "sha256").hexdigest()
    is_now = moment.isascii() and moment.isdecimal() and abs(time.time() - int(moment[:20])) <= LONGEST_SKEW
    return _same(expected.encode(), given) and is_now


def signs_address_and_form(secret: str, url: str, pairs: Iterable[tuple[str, str]], given: str) -> bool:
    """Whether it is, in base64, the HMAC-SHA1 of the address followed by the form's names and values in order.

    A port in the address may have been left out.
    """
    form = "".join(name + value for name, value in sorted(set(pairs)))
    addresses = {url, url.replace(f":{urlsplit(url).port}/", "/", 1)}
    signed = [
        hmac.digest(secret.encode(), f"{address}{form}".encode(errors="replace"), "sha1") for address in addresses
    ]
    return any(_same(b64encode(one), given) for one in signed)


def _same(expected: bytes, given: str) -> bool:
    return hmac.compare_digest(expected, given.encode(errors="replace"))
