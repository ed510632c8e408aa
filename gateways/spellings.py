"""Every way in which software spells a text in a request or an answer: to find a secret wherever it stands."""

import json
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, quote_plus

#: A shorter text is no secret, and hiding it would show where it is not.
SHORTEST_SECRET = 4
#: Charsets in which providers percent-encode.
CHARSETS = ("utf-8", "windows-1251", "koi8-r")


def spellings_of(text: str) -> Iterator[str]:
    """The text as it is, and as JSON, a query, a form, XML, HTML, base64 and UCS-2 in hex have it."""
    yield from (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    yield from (escape(text), escape(text, quote=False))
    in_hex = text.encode("utf-16-be", "replace").hex()
    yield from (in_hex, in_hex.upper())
    for charset in CHARSETS:
        written = text.encode(charset, errors="replace")
        yield from (quote(written), quote(written, safe=""), quote_plus(written), b64encode(written).decode())
