"""Who is calling: the one owner of that question. A header is believed only where a proxy of ours wrote it."""

import ipaddress
import logging
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request

logger = logging.getLogger(__name__)

FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
FORWARDED_PROTO = "HTTP_X_FORWARDED_PROTO"
#: Whoever has one IPv6 address has all of its network.
IPV6_HOST = 64

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class ForwardedByOurProxies:
    """The first middleware: nobody but our own proxies says that a request came over HTTPS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.told = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_ours(_peer(request)):
            if FORWARDED_PROTO in request.META:
                # Of a list, what the nearest proxy said; before that anybody may have written.
                request.META[FORWARDED_PROTO] = request.META[FORWARDED_PROTO].rpartition(",")[2].strip()
        elif FORWARDED_FOR in request.META or FORWARDED_PROTO in request.META:
            request.META.pop(FORWARDED_PROTO, None)
            self._tell()
        return self.get_response(request)

    def _tell(self) -> None:
        if not self.told:
            self.told = True
            logger.warning("X-Forwarded headers came from an address that TRUSTED_PROXIES does not name: not believed")


def address_of(request: HttpRequest | Request) -> str | None:
    """The caller's address: the peer's, or behind our own proxies what they say. None where that is no address."""
    caller = _peer(request)
    if not is_ours(caller):
        return str(caller) if caller else None
    # Each proxy of ours appended one entry; what stands before those anybody may have written.
    for hop in reversed(str(request.META.get(FORWARDED_FOR, "")).split(",")):
        found = _address(hop)
        if found is None:
            break
        caller = found
        if not is_ours(found):
            break
    return str(caller)


def host_of(address: str | None) -> str:
    """The host that an address stands for, as the Defender names it: an IPv6 host is its whole /64."""
    found = _address(address or "")
    if isinstance(found, IPv6Address) and not found.is_loopback:
        return str(ipaddress.ip_network((found, IPV6_HOST), strict=False))
    return str(found) if found else ""


def is_ours(address: Address | None) -> bool:
    """Whether a proxy of ours has this address."""
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)


def _peer(request: HttpRequest | Request) -> Address | None:
    return _address(str(request.META.get("REMOTE_ADDR", "")))


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
