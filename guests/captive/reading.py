"""Single values as networks pass them, or as anybody wrote them: read strictly, or empty. Nothing here raises."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

#: Characters of any value.
LONGEST = 2000
#: IEEE 802.11: an SSID has at most 32 octets.
LONGEST_SSID = 32

PORTS = {"http": 80, "https": 443}

#: ASCII without blanks, control characters, quotes, angle brackets and the backslash, which browsers take for a slash.
_PLAIN = re.compile(r"[!#-;=?-\[\]-~]+")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
#: Where a name ends so, browsers read an IPv4 address in one of its many spellings.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAC = re.compile(r"[0-9a-f]{12}|[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")


class WebAddress(NamedTuple):
    """An address of the web in its parts, as every browser reads it."""

    scheme: str
    host: str
    port: int
    #: With the query.
    path: str

    @property
    def origin(self) -> str:
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    def __str__(self) -> str:
        return self.origin + self.path


def web_address(text: str) -> WebAddress | None:
    """None for whatever leads elsewhere than it seems: user names, odd characters and spellings, other schemes, IPv6.

    Names in other alphabets count in Punycode only, as browsers send them. IPv6 is left out because no policy of a page
    can name it.
    """
    if len(text) > LONGEST or not _PLAIN.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in PORTS or "@" in parts.netloc or not is_host(host) or port == 0:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return WebAddress(parts.scheme, host, port or PORTS[parts.scheme], (parts.path or "/") + query)


def is_host(text: str) -> bool:
    """A name in lower case, or an IPv4 address in its usual spelling."""
    if len(text) > 253 or not _HOST.fullmatch(text):
        return False
    return not _NUMBER.fullmatch(text.rpartition(".")[2]) or is_ipv4(text)


def is_ipv4(text: str) -> bool:
    """Four numbers with points, and nothing that is merely read as such."""
    try:
        return str(IPv4Address(text)) == text
    except ValueError:
        return False


def url(text: str) -> str:
    """The address of the web, or empty."""
    found = web_address(text)
    return str(found) if found else ""


def mac(text: str) -> str:
    """One device's MAC as `aa:bb:cc:dd:ee:ff`, from any usual spelling."""
    if not _MAC.fullmatch(text.lower()):
        return ""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    of_a_group = int(digits[:2], 16) & 1
    if of_a_group or not int(digits, 16):
        return ""
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def ip(text: str) -> str:
    """The address that one device may have in a network."""
    try:
        found = ip_address(text) if "%" not in text else None
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found is None or found.is_unspecified or found.is_loopback or found.is_multicast:
        return ""
    return str(found)


def ssid(text: str) -> str:
    """A network's name, where people can read it."""
    fits = text.isprintable() and len(text.encode()) <= LONGEST_SSID
    return text if fits and not text.isspace() else ""


def bounded(text: str) -> str:
    """A value of unknown kind that is not too long to keep, without control characters."""
    return text if len(text) <= LONGEST and text.isprintable() else ""
