"""What a guest does in *My access*: each a form of its own, after which the page says what was done."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from guests import devices, own_access
from guests.forms.access import EraseForm
from guests.models import Guest
from guests.own_access import extending
from guests.views import browser, visits
from guests.views.noting import note
from guests.views.page import page, say_next, try_again
from guests.views.stages import SeeOther
from portal.errors import Refusal

#: Marks what is said of something that was done.
DONE = "done"

View = Callable[..., HttpResponseBase]


def _for_who_is_in(view: View) -> View:
    """Calls the view with the guest; sends everybody else to the ways in."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        guest = visits.guest_of(request)
        return _back() if guest is None else view(request, guest, *args, **kwargs)

    return answer


@never_cache
@require_POST
@_for_who_is_in
def extend(request: HttpRequest, guest: Guest) -> HttpResponseBase:
    """The stay lasts longer."""
    try:
        extended = extending.extend(guest, seen=_moment(request.POST.get("ends", "")) or guest.valid_until)
    except Refusal as refusal:
        say_next(request, refusal)
        return _back()
    note(request, "extend", guest, until=extended.valid_until.isoformat())
    _say(request, _("Your stay was extended."))
    return _back()


@never_cache
@require_POST
@_for_who_is_in
def new_password(request: HttpRequest, guest: Guest) -> HttpResponseBase:
    """Shown in this answer and nowhere else; loaded again, it makes no second one."""
    seen = request.POST.get("seen", "")
    known = int(seen) if seen.isdecimal() and len(seen) < 19 else None
    try:
        password = own_access.new_password(guest, browser.visitor_of(request).asker, seen=known)
    except Refusal as refusal:
        say_next(request, refusal)
        return _back()
    guest.refresh_from_db()
    note(request, "new_password", guest)
    sent = guest.last_credentials_id is not None and guest.last_credentials_id > (known or 0)
    response = page(request, "access_password", guest=guest, password=password, is_sent=sent)
    visits.open(response, guest)
    return response


@never_cache
@require_POST
@_for_who_is_in
def forget_device(request: HttpRequest, guest: Guest, pk: int) -> HttpResponseBase:
    """There is room for another one."""
    devices.forget(guest, pk)
    note(request, "forget_device", guest)
    _say(request, _("The device was removed."))
    return _back()


@never_cache
@require_safe
@_for_who_is_in
def own_data(_request: HttpRequest, guest: Guest) -> HttpResponseBase:
    """Everything that is kept of the guest, as a file."""
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return JsonResponse(
        own_access.export(guest), headers=headers, json_dumps_params={"ensure_ascii": False, "indent": 2}
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_for_who_is_in
def erase(request: HttpRequest, guest: Guest) -> HttpResponseBase:
    """Asks, and forgets the guest."""
    form = EraseForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return page(request, "access_erase", form=form)
    try:
        erased = own_access.erase(guest, by=None)
    except Refusal as refusal:
        form.refuse(refusal, *try_again(refusal))
        return page(request, "access_erase", form=form)
    note(request, "erase", erased)
    _say(request, _("Your data was erased."))
    return _left()


@never_cache
@require_POST
def leave(_request: HttpRequest) -> HttpResponseBase:
    """Ends the visit in this browser."""
    return _left()


def _left() -> HttpResponse:
    response = _back()
    visits.close(response)
    return response


def _back() -> HttpResponse:
    return SeeOther(reverse("guest_access"))


def _say(request: HttpRequest, sentence: str) -> None:
    messages.success(request, sentence, extra_tags=DONE)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
