"""What an API key or an OAuth2 client is for of all that its user may do: rights, gateways, networks, and until when.

Nothing given narrows nothing. Who may give how much is asked in `portal.key_makers`. What else both have is here, too:
a name, and a state.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, TypedDict, Unpack

from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from portal import permissions, registry
from portal.errors import Refusal
from portal.models import User
from portal.models.narrowed import Narrowed
from portal.permissions import Right, Scope


class Narrowing(TypedDict, total=False):
    """No `rights` are all that the user has at each moment, no `gateways` (by id) every one, no `networks` (CIDR) every
    address, and without `expires_at` it does not end.
    """

    rights: Collection[str]
    gateways: Collection[int]
    networks: Collection[str]
    expires_at: datetime | None


class State(StrEnum):
    """Whether a key or a client opens the API now, and if not, why."""

    VALID = "valid"
    ENDED = "ended"
    REVOKED = "revoked"
    #: It is good; its user is switched off or over.
    ASLEEP = "asleep"


#: The names of all of it.
COLUMNS = tuple(Narrowing.__annotations__)
LONGEST_NAME = 100
#: So many bits stand before an address of IPv4 that is written as one of IPv6.
MAPPED = 96


def checked(**given: Unpack[Narrowing]) -> dict[str, Any]:
    """The columns of a `Narrowed` for what was given.

    Raises Refusal (fields `rights`, `gateways`, `networks`, `expires_at`).
    """
    rights, gateways, networks = given.get("rights", ()), given.get("gateways", ()), given.get("networks", ())
    expires_at = given.get("expires_at")
    if unknown := sorted(set(rights) - set(Right)):
        raise Refusal(_("“%(name)s” is no right.") % {"name": unknown[0]}, field="rights")
    if gateways and not set(gateways) <= gateway_names().keys():
        raise Refusal(_("One of these gateways does not exist any more."), field="gateways")
    if any(not is_network(network) for network in networks):
        raise Refusal(_("List networks such as 192.168.10.0/24,10.0.0.5/32."), field="networks")
    if expires_at and expires_at <= timezone.now():
        raise Refusal(_("This time is over; name a later one, or none."), field="expires_at")
    return {
        "rights": sorted(rights),
        "gateways": sorted(gateways),
        "networks": [str(network_of(network)) for network in networks],
        "expires_at": expires_at,
    }


def check_name(name: str) -> str:
    """The name without blanks around it. Raises Refusal (field `name`)."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= LONGEST_NAME:
        raise Refusal(_("Give a name of 1 to %(most)s characters.") % {"most": LONGEST_NAME}, field="name")
    return stripped


def is_network(text: str) -> bool:
    """Whether it is an address or a network."""
    try:
        network_of(text)
    except ValueError:
        return False
    return True


def network_of(text: str) -> IPv4Network | IPv6Network:
    """The network, as callers come from it: those of IPv4 do so, however it is written. Raises ValueError."""
    found = ip_network(text, strict=False)
    if isinstance(found, IPv4Network) or found.network_address.ipv4_mapped is None or found.prefixlen < MAPPED:
        return found
    return IPv4Network((found.network_address.ipv4_mapped, found.prefixlen - MAPPED))


def gateway_names() -> dict[int, str]:
    """Of every gateway its name by its id, as the floor of gateways hands them down."""
    return {number: name for path in registry.GATEWAYS for number, name in import_string(path)().items()}


def in_time() -> Q:
    """Those that have not ended, as a condition."""
    return Q(expires_at=None) | Q(expires_at__gt=timezone.now())


def has_ended(narrowed: Narrowed) -> bool:
    """Whether its time is over."""
    return narrowed.expires_at is not None and narrowed.expires_at <= timezone.now()


def is_good_from(narrowed: Narrowed, address: str | None) -> bool:
    """Whether it may be used from this address."""
    if not narrowed.networks:
        return True
    if address is None:
        return False
    host = ip_address(address)
    return any(host in network_of(network) for network in narrowed.networks)


def narrow(user: User, narrowed: Narrowed) -> None:
    """From now on this user object may do what it is for and no more."""
    # Where all rights are unknown by now, none are left: no empty list that would be all of them.
    rights = frozenset(Right(name) for name in narrowed.rights if name in Right.__members__)
    gateways = frozenset(narrowed.gateways)
    permissions.narrow(user, Scope(rights if narrowed.rights else None, gateways or None))
