"""Which addresses a provider may have: those of the internet, and those in GATEWAY_ALLOWED_NETWORKS.

Whoever may set up a gateway could otherwise reach every server near the portal. Asked twice: every address that a name
resolves to is looked at, and the one that is connected to is looked at again, which catches addresses written as such.
"""

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import AddrInfoType, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

Address = IPv4Address | IPv6Address

NAT64 = IPv6Network("64:ff9b::/96")
#: Set aside by IANA after Python 3.11 came out, and taken for public by its first releases.
ALSO_PRIVATE = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")))


class PrivateNetwork(Exception):
    """A host that must not be connected to. It does not say where the host is: that would draw a map of the LAN."""

    def __init__(self) -> None:
        super().__init__("the address is in a private network; add it to GATEWAY_ALLOWED_NETWORKS if it is yours")


def check(host: str) -> None:
    """Raises PrivateNetwork unless this address, and every one that is wrapped in it, may be connected to."""
    for address in _unwrapped(ip_address(host)):
        if not (_is_public(address) or any(address in network for network in settings.GATEWAY_ALLOWED_NETWORKS)):
            raise PrivateNetwork


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or (address.version == 6 and address.is_site_local)
    return address.is_global and not special and not any(address in network for network in ALSO_PRIVATE)


def _unwrapped(address: Address) -> Iterator[Address]:
    """The addresses where a packet may end: IPv6 has several ways to carry one of IPv4."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in NAT64:
        yield IPv4Address(address.packed[-4:])
    else:
        yield address
        yield from filter(None, (address.sixtofour, *(address.teredo or ())))


class GuardedResolver(AbstractResolver):
    """Looks names up as usual; one private address among several refuses them all."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            check(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


class GuardedResolverOfStrangers(GuardedResolver):
    """Looks up names that others may write, and so as many as they like for which nobody answers: few at once.

    A look-up cannot be stopped and goes on when nobody waits for it any more, so its turn lasts as long as it does. One
    whose turn has not come in `patience` seconds is never begun, and raises TimeoutError.
    """

    def __init__(self, at_once: int, patience: float) -> None:
        super().__init__()
        self._turns = asyncio.Semaphore(at_once)
        self._patience = patience

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        async with asyncio.timeout(self._patience):
            await self._turns.acquire()
        try:
            return await super().resolve(host, port, family)
        finally:
            self._turns.release()


def open_socket(target: AddrInfoType) -> socket.socket:
    """The socket for this very address, which is not looked up again."""
    family, kind, protocol, _, address = target
    check(address[0])
    return socket.socket(family, kind, protocol)
