"""The collections `blocked_hosts`, whom the Defender lets in no more, and `allowed_networks`, whom it always does."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal import callers, defender
from portal.api.collection import CollectionView, ReadView, SearchView
from portal.api.commit import Done, commit
from portal.api.inputs import Input
from portal.api.resources import Resource, moment, number, text
from portal.api.views import Example
from portal.defender import allowed
from portal.models import AllowedNetwork, WatchedHost
from portal.permissions import Right

READ = (Right.SYSTEM_READ,)
CHANGE = (Right.SYSTEM_UPDATE,)

BLOCKED_HOSTS = Resource(
    singular="blocked_host",
    key="id",
    rows=lambda: WatchedHost.objects.blocked().select_related("blocked_by"),
    ordering=("-until", "-id"),
    columns={
        "id": number("id"),
        "host": text("host"),
        "username": text("username"),
        "refused": number("count"),
        "first_try": moment("first_try", nullable=True),
        "last_try": moment("last_try", nullable=True),
        "until": moment("until"),
        "reason": text("reason"),
        "blocked_by": text("blocked_by__username", nullable=True),
    },
    example={
        "id": 8, "host": "192.0.2.7", "username": "", "refused": 5, "first_try": "2026-11-22T12:00:00Z",
        "last_try": "2026-11-22T12:00:30Z", "until": "2026-11-22T12:15:30Z", "reason": "", "blocked_by": None,
    },
)  # fmt: skip

ALLOWED_NETWORKS = Resource(
    singular="allowed_network",
    key="id",
    rows=lambda: AllowedNetwork.objects.select_related("added_by"),
    ordering=("network",),
    columns={
        "id": number("id"),
        "network": text("network"),
        "note": text("note"),
        "since": moment("since"),
        "added_by": text("added_by__username", nullable=True),
    },
    example={
        "id": 2, "network": "192.168.10.0/24", "note": "the office", "since": "2026-11-22T12:00:00Z",
        "added_by": "admin",
    },
)  # fmt: skip


class BlockInput(Input):
    """A host to block; with a name, that user there only."""

    host = serializers.CharField(max_length=50, style={"placeholder": "192.0.2.7"})
    username = serializers.CharField(required=False, default="", allow_blank=True, max_length=150)
    minutes = serializers.IntegerField(required=False, default=60)
    reason = serializers.CharField(max_length=200)


class BlockedHosts(CollectionView):
    """Hosts, and users at hosts, that are blocked now: by the Defender or by hand.

    Without `username` the whole host is blocked. A name that belongs to no user is shown as a mark.
    """

    resource = BLOCKED_HOSTS
    rights: ClassVar = {"GET": READ, "POST": CHANGE}
    inputs: ClassVar = {"POST": BlockInput}
    examples: ClassVar = {
        "POST": Example(
            {"id": 8, "message": "'8' created", "status": 201},
            {"host": "192.0.2.7", "minutes": 60, "reason": "guesses passwords"},
            status=201,
        )
    }

    def create(self, fields: dict[str, Any]) -> WatchedHost:
        return defender.block(**fields, by=self.caller, own_address=callers.address_of(self.request))


class BlockedHostSearch(SearchView):
    """Blocked hosts that a query finds."""

    resource = BLOCKED_HOSTS
    rights: ClassVar = {"POST": READ}


class BlockedHostView(ReadView):
    """One blocked host, or user at a host."""

    resource = BLOCKED_HOSTS
    rights: ClassVar = {"GET": READ, "DELETE": CHANGE}
    examples: ClassVar = {"DELETE": Example({"message": "Deleted 8 successfully", "status": 200})}

    def delete(self, request: Request, **named: str) -> Response:
        """Unblock it; a whole host with all users there. What was counted is forgotten."""
        return commit(self, self._removed)

    def _removed(self) -> Done:
        found: WatchedHost = self.find()
        key = found.pk
        defender.unblock(found)
        return Done({"message": f"Deleted {key} successfully"}, object_id=str(found))


class AllowedNetworkInput(Input):
    """A network whose hosts are never blocked as a whole."""

    network = serializers.CharField(max_length=50, style={"placeholder": "192.168.10.0/24"})
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class AllowedNetworks(CollectionView):
    """Networks whose hosts are never blocked as a whole; one user at one of them still is.

    Those of the setting DEFENDER_ALLOWED_NETWORKS are not listed here.
    """

    resource = ALLOWED_NETWORKS
    rights: ClassVar = {"GET": READ, "POST": CHANGE}
    inputs: ClassVar = {"POST": AllowedNetworkInput}

    def create(self, fields: dict[str, Any]) -> AllowedNetwork:
        return allowed.allow(**fields, by=self.caller)


class AllowedNetworkSearch(SearchView):
    """Allowed networks that a query finds."""

    resource = ALLOWED_NETWORKS
    rights: ClassVar = {"POST": READ}


class AllowedNetworkView(ReadView):
    """One allowed network."""

    resource = ALLOWED_NETWORKS
    rights: ClassVar = {"GET": READ, "DELETE": CHANGE}
    examples: ClassVar = {"DELETE": Example({"message": "Deleted 2 successfully", "status": 200})}

    def delete(self, request: Request, **named: str) -> Response:
        """Take it off the list: its hosts may be blocked again."""
        return commit(self, self._removed)

    def _removed(self) -> Done:
        found: AllowedNetwork = self.find()
        key = found.pk
        allowed.disallow(found)
        return Done({"message": f"Deleted {key} successfully"}, object_id=str(found))
