"""What a provider wrote, as it may be kept and shown: without the message's text and without secrets.

Providers echo what they were given, in whatever spelling their own software likes. Of a message whose text holds a
secret nothing that looks like a part of it stays.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from html import unescape

from gateways.http import HttpResponse, text_of
from gateways.outcomes import storable
from gateways.provider import BaseProvider
from gateways.spellings import SHORTEST_SECRET, spellings_of

#: How much of a provider's answer is kept for the operator.
KEPT_ANSWER = 2000
#: What comes behind it is not looked at; redaction makes a text shorter.
LOOKED_AT = 20_000
HIDDEN = "[…]"
#: What stands behind these words lets somebody in, whoever it was issued to.
CREDENTIALS = re.compile(r"(?i)\b(basic|bearer)[ :]+[^\s\"'<>,;]+")
#: Escapes of single characters, which PHP and others write where they need not.
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\([/\"])")


def secrets_of(provider: BaseProvider) -> list[str]:
    """The secrets of its settings, and what is made of them in a request."""
    settings, found = provider.settings, [provider.callback_url.rstrip("/").rpartition("/")[2]]
    for name in provider.secrets:
        secret = str(settings.get(name) or "")
        pair = f"{settings.get('login') or settings.get('client_id') or ''}:{secret}"
        found += [secret, b64encode(pair.encode()).decode()]
    return found


def pieces(text: str, shown: str) -> list[str]:
    """A text, its lines, and the words that are secret: a provider may cut it, or break it anew.

    `shown` is the text as people may read it; where that is empty, every word is secret.
    """
    secret = set(text.split()) - set(shown.split())
    return [text, *text.splitlines(), *secret]


def kept(provider: BaseProvider, response: HttpResponse, hidden: Iterable[str]) -> dict[str, object]:
    """The provider's answer without what is hidden, cut to what is stored."""
    try:
        text = text_of(response)
        # With a NUL it is UTF-16 that does not say so: XML is understood all the same, and nothing secret found in it.
        body = "" if "\0" in text else provider.redact(text[:LOOKED_AT])
    except Exception:  # noqa: BLE001 — what cannot be redacted is not kept
        body = ""
    return {"status": response.status, "body": storable(without(hidden, body), KEPT_ANSWER)}


def without(hidden: Iterable[str], written: str) -> str:
    """The same without the hidden pieces, however a provider spells them."""
    # No form is shorter than the piece, and most answers are shorter than the text.
    long_enough = {piece for piece in hidden if SHORTEST_SECRET <= len(piece) <= len(written)}
    forms = {form for piece in long_enough for form in spellings_of(piece)}
    for form in sorted(forms, key=len, reverse=True):
        written = written.replace(form, HIDDEN)
    written = CREDENTIALS.sub(rf"\g<1> {HIDDEN}", written)
    plain = _plain(written)
    if any(form in plain for form in forms):
        # Spelled in a way of its own: what is left of it cannot be told from the rest.
        return HIDDEN
    return written


def _plain(written: str) -> str:
    """As a person would read it."""
    return unescape(ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], written))
