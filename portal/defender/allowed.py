"""Which hosts are never blocked as a whole: those of the settings, of the database, and our own proxies."""

import ipaddress

from django.conf import settings
from django.utils.translation import gettext as _

from portal import callers
from portal.defender import recent
from portal.errors import DUPLICATE, Refusal, Why
from portal.models import AllowedNetwork, User, WatchedHost


def is_allowed(host: str) -> bool:
    """Whether the host is never blocked as a whole. One that nobody can name ('') is everybody, and so is a proxy."""
    if not host:
        return True
    network = ipaddress.ip_network(host)
    if callers.is_ours(network.network_address):
        return True
    given = [ipaddress.ip_network(text) for text in AllowedNetwork.objects.values_list("network", flat=True)]
    return any(_holds(allowed, network) for allowed in [*settings.DEFENDER_ALLOWED_NETWORKS, *given])


def by_settings() -> list[str]:
    """The networks that the settings name: the allow-list and our own proxies."""
    return [str(network) for network in [*settings.DEFENDER_ALLOWED_NETWORKS, *settings.TRUSTED_PROXIES]]


def allow(network: str, *, note: str = "", by: User | None = None) -> AllowedNetwork:
    """Puts a network on the list. Raises Refusal (field `network`; one that is there is a conflict)."""
    try:
        found = ipaddress.ip_network(network.strip())
    except ValueError:
        sentence = _("Give an address or a network such as 192.168.10.0/24.")
        raise Refusal(sentence, field="network") from None
    row, made = AllowedNetwork.objects.get_or_create(
        network=str(found), defaults={"note": note.strip(), "added_by": by}
    )
    if not made:
        raise Refusal(DUPLICATE, field="network", why=Why.CONFLICT)
    _release(found)
    return row


def disallow(row: AllowedNetwork) -> None:
    """Takes a network off the list: its hosts may be blocked again."""
    row.delete()
    recent.forget()


def _release(network: callers.Network) -> None:
    """Hosts in there that are blocked as a whole are so no more."""
    whole = WatchedHost.objects.filter(username="")
    inside = [row.pk for row in whole if _holds(network, ipaddress.ip_network(row.host))]
    whole.filter(pk__in=inside).delete()
    recent.forget()


def _holds(allowed: callers.Network, host: callers.Network) -> bool:
    """An IPv6 host is a whole network, and one allowed address of it is enough."""
    return allowed.version == host.version and allowed.overlaps(host)
