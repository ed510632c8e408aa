"""The buttons of a gateway: which of the actions are offered to whom, and the address behind each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise

from gateways.admin.actions import ACTIONS
from gateways.admin.ordering import MOVES, NEEDED
from gateways.models import Gateway
from portal.admin.rights import demand
from portal.permissions import SENDING, may

#: What the permissions of actions ask for.
RIGHTS = {"change": NEEDED, "send": SENDING}
#: Comes from a button of the list, to which it leads back.
FROM_LIST = "from_list"


@dataclass(frozen=True)
class Button:
    """One that `asks` is a link to its page; another one acts at once."""

    name: str
    label: str | Promise
    icon: str
    address: str
    asks: bool


def buttons_of(request: HttpRequest, gateway: Gateway, names: tuple[str, ...] | None = None) -> list[Button]:
    """What this person may do with it now; of these names only, where any are given."""
    return [
        Button(action.__name__, action.short_description, action.icon, _address(gateway, action), action.asks)
        for action in _offered(request, gateway)
        if names is None or action.__name__ in names
    ]


def _offered(request: HttpRequest, gateway: Gateway) -> Iterator[Any]:
    for action in ACTIONS:
        if may(request.user, *_rights(action)) and action.fits(gateway):
            yield action


def _rights(action: Any) -> tuple[Any, ...]:
    return tuple(right for needed in action.allowed_permissions for right in RIGHTS[needed])


def _address(gateway: Gateway, action: Any) -> str:
    return reverse("admin:gateways_gateway_act", args=(gateway.pk, action.__name__))


def act(pages: Any, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
    """Does it to this gateway, and comes back. Raises PermissionDenied naming the right that is missing."""
    action = next((one for one in (*ACTIONS, *MOVES) if one.__name__ == name), None)
    if action is None:
        raise Http404
    demand(request, *_rights(action))
    if request.method != "POST" and not action.asks:
        return HttpResponseNotAllowed(["POST"])
    rows = pages.get_queryset(request).filter(pk=object_id)
    if not rows:
        gone: HttpResponseBase = pages._get_obj_does_not_exist_redirect(request, pages.opts, object_id)
        return gone
    answer: HttpResponseBase | None = action(pages, request, rows)
    return answer or HttpResponseRedirect(_back(request, object_id))


def _back(request: HttpRequest, object_id: str) -> str:
    if FROM_LIST in request.POST:
        return reverse("admin:gateways_gateway_changelist")
    return reverse("admin:gateways_gateway_change", args=(object_id,))
