"""The collection `held_back`, whoever has used up a limit of self-registration, and `brake`, which stops all of it."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from guests import limits
from guests.limits import brake
from guests.models import LimitCount
from portal.api.collection import ListView, ReadView, SearchView
from portal.api.commit import Done, commit
from portal.api.resources import Resource, moment, number, text
from portal.api.views import ApiView, Example, Ref
from portal.permissions import Right

READ = (Right.USERS_READ,)
RELEASE = (Right.USERS_READ, Right.USERS_UPDATE)

HELD_BACK = Resource(
    singular="held_back_count",
    key="id",
    rows=limits.held_back,
    ordering=("-refused", "-id"),
    columns={
        "id": number("id"),
        "counted": text("scope"),
        "of": text("key"),
        "minutes": number("minutes"),
        "since": moment("since"),
        "count": number("count"),
        "most": number("most"),
        "turned_away": number("refused"),
    },
    example={
        "id": 8, "counted": "phone", "of": "+79161234567", "minutes": 60, "since": "2026-11-28T12:00:00Z",
        "count": 3, "most": 3, "turned_away": 2,
    },
)  # fmt: skip


class HeldBackList(ListView):
    """Phones, addresses, networks, devices and number ranges whose limit is used up now.

    `counted` tells what `of` is; it is free again `minutes` after `since`.
    """

    resource = HELD_BACK
    tag = "held_back"
    rights: ClassVar = {"GET": READ}


class HeldBackSearch(SearchView):
    """Those held back that a query finds."""

    resource = HELD_BACK
    tag = "held_back"
    rights: ClassVar = {"POST": READ}


class HeldBackView(ReadView):
    """One limit that is used up."""

    resource = HELD_BACK
    tag = "held_back"
    rights: ClassVar = {"GET": READ, "DELETE": RELEASE}
    examples: ClassVar = {"DELETE": Example({"message": "Deleted 8 successfully", "status": 200})}

    def delete(self, request: Request, **named: str) -> Response:
        """Release it: the count begins anew."""
        return commit(self, self._released)

    def _released(self) -> Done:
        found: LimitCount = self.find()
        limits.release(found)
        return Done({"message": f"Deleted {found.pk} successfully"}, object_id=limits.name_to_keep(found))


class BrakeView(ApiView):
    """Whether registration is stopped because too few codes are entered."""

    tag = "held_back"
    rights: ClassVar = {"GET": READ, "DELETE": RELEASE}
    of_all_gateways = True
    examples: ClassVar = {
        "GET": Example(
            {"stopped": True, "until": "2026-11-28T13:00:00Z", "codes_sent": 57, "codes_entered": 9, "status": 200}
        ),
        "DELETE": Example({"message": "Registration goes on", "status": 200}),
    }

    def get(self, request: Request) -> Response:
        """Whether it is, until when, and the figures for which it was stopped last."""
        found = brake.current()
        stopped = brake.is_pulled(found, timezone.now())
        until = found.until if stopped else None
        return Response({"stopped": stopped, "until": until, "codes_sent": found.sent, "codes_entered": found.entered})

    def delete(self, request: Request) -> Response:
        """Let registration go on; the codes sent until now are not looked at again."""
        return commit(self, self._released)

    def _released(self) -> Done:
        brake.release(self.caller)
        return Done({"message": "Registration goes on"}, object_id=str(brake.ROW))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        if method != "GET":
            return super().answer_shape(method, ref)
        numbers = {name: {"type": "integer"} for name in ("codes_sent", "codes_entered")}
        until = {"type": "string", "format": "date-time", "nullable": True}
        return {"stopped": {"type": "boolean"}, "until": until} | numbers
