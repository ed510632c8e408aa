"""The order in which gateways are tried: one step earlier or later by button, or all of it as rows were dragged."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways import accounts
from gateways.admin.actions import action
from portal import admin_trail
from portal.admin.rights import demand
from portal.errors import Refusal
from portal.permissions import Right

NEEDED = (Right.SMS_GATEWAY_READ, Right.SMS_GATEWAY_UPDATE)


@action(_("Try it earlier"), icon="arrow_upward", single=True)
def earlier(pages: Any, request: HttpRequest, queryset: Any) -> None:
    _move(pages, request, queryset, 1)


@action(_("Try it later"), icon="arrow_downward", single=True)
def later(pages: Any, request: HttpRequest, queryset: Any) -> None:
    _move(pages, request, queryset, -1)


#: Buttons of the list only.
MOVES = [earlier, later]


def moves() -> list[dict[str, Any]]:
    """The buttons, for the template of a row."""
    return [{"name": move.__name__, "label": move.short_description, "icon": move.icon} for move in MOVES]


def _move(pages: Any, request: HttpRequest, queryset: Any, places: int) -> None:
    for gateway in queryset:
        try:
            with transaction.atomic():
                accounts.move(gateway, places)
                pages.note(request, "move", 200, gateway, {"places": places})
        except Refusal as refusal:
            messages.error(request, refusal.sentence)


def order_view(request: HttpRequest) -> HttpResponseBase:
    """Takes `gateway` many times, in the wanted order."""
    demand(request, *NEEDED)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    given = [int(pk) for pk in request.POST.getlist("gateway") if pk.isdecimal()]
    try:
        with transaction.atomic():
            accounts.reorder(given)
            admin_trail.note(request, "gateways_gateway_order", 200)
    except Refusal as refusal:
        admin_trail.note(request, "gateways_gateway_order", 409)
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, gettext("The order is kept: gateways are tried from the top."))
    return HttpResponseRedirect(reverse("admin:gateways_gateway_changelist"))
