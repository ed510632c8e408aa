"""What the front page says of guests."""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests.models import Guest
from portal.admin.dashboard import Figure, Panel, Step
from portal.permissions import Right, may


class GuestState(NamedTuple):
    """Where a guest stands, and what his row then says: the question of the count and of the list's address."""

    key: str
    label: str | Promise
    asks: dict[str, str]


def states(now: datetime) -> list[GuestState]:
    """Every guest is in one of them."""
    at = now.isoformat(sep=" ")
    free = {"suspended__exact": "0"}
    return [
        GuestState("valid", gettext_lazy("valid"), free | {"valid_from__lte": at, "valid_until__gt": at}),
        GuestState("early", gettext_lazy("not yet valid"), free | {"valid_from__gt": at}),
        GuestState("expired", gettext_lazy("expired"), free | {"valid_until__lte": at}),
        GuestState("suspended", gettext_lazy("suspended"), {"suspended__exact": "1"}),
    ]


def guests(request: HttpRequest) -> Panel | None:
    """Guests by state."""
    if not may(request.user, Right.USERS_READ):
        return None
    # Whole minutes, so that the page says the same until the next one.
    found = states(timezone.now().replace(second=0, microsecond=0))
    counts = Guest.objects.aggregate(**{one.key: Count("pk", filter=Q(**_typed(one.asks))) for one in found})
    figures = [Figure(one.label, counts[one.key], _listed(one.asks)) for one in found]
    return Panel("guests", _("Guests"), figures=figures)


def _typed(asks: dict[str, str]) -> dict[str, str | bool]:
    return {name: value == "1" if name.startswith("suspended") else value for name, value in asks.items()}


def _listed(asks: dict[str, str]) -> str:
    return f"{reverse('admin:guests_guest_changelist')}?{urlencode(asks)}"


def first_guest(request: HttpRequest) -> Step | None:
    """Until there is one."""
    if not may(request.user, Right.USERS_CREATE):
        return None
    why = _("Credentials are sent to a guest's phone.")
    return Step(_("Create a guest"), why, reverse("admin:guests_guest_add"), Guest.objects.exists())
