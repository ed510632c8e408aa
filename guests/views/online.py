"""What comes after the code: on line, waiting for the sponsor, or neither."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guests import approvals, own_access, states
from guests import rules as rules_of
from guests.captive import forms
from guests.captive.arrivals import Arrival
from guests.models import Purpose, Registration, Stage
from guests.registration import showing
from guests.views import browser
from guests.views.page import page, said
from guests.views.stages import lost, send_on
from guests.views.watching import asks_again
from messaging import phones, whereabouts
from messaging.whereabouts import Where
from portal import clock, headers

#: Seconds until the page of who waits looks again.
PATIENCE = 15
#: Of the SMS with the credentials: nothing can be done about it here, and it follows by itself where it still can.
SENTENCES: dict[Where, str | Promise] = {
    Where.NO_WAY: _("The SMS cannot be sent at the moment; it follows as soon as it can."),
    Where.UNCONFIRMED: _("The operator has not confirmed yet that the SMS was sent."),
    Where.FAILED: _("The SMS could not be sent."),
}


@never_cache
@require_safe
def online(request: HttpRequest) -> HttpResponseBase:
    """User name and password, which is shown once, and until when they are good; or that they are good no more."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if own.stage != Stage.DONE or own.guest is None or own.purpose != Purpose.REGISTER:
        return send_on(own)
    state = states.of(own.guest)
    if state in states.OUT:
        return page(request, "off_line", standing=own_access.standing(own.guest), state=state.value)
    password = showing.password_to_show(own)
    arrival, hosts = Arrival.from_json(own.arrival), rules_of.current().redirect_hosts
    log_in = forms.form(arrival, own.guest.username, password, hosts) if password else None
    context: dict[str, Any] = {
        "guest": own.guest,
        "password": password,
        **_sms(own),
        "log_in": log_in,
        "onward": forms.onward(arrival, hosts),
    }
    response = page(request, "online", **context)
    headers.may_post_to(response, *(log_in.targets if log_in else ()))
    return response


@never_cache
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """What became of the SMS with the credentials, for the script of the page."""
    own = browser.own(request)
    shown = _sms(own) if own else {}
    return render(request, "guests/online_news.html", shown) if shown.get("sms") else HttpResponse(status=204)


@never_cache
@require_safe
def waiting(request: HttpRequest) -> HttpResponseBase:
    """The sponsor is asked. The page need not stay open."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if own.stage != Stage.APPROVAL:
        return send_on(own)
    question = approvals.waiting(own)
    return page(request, "waiting", phone=phones.spaced(own.phone), patience=PATIENCE, question=question)


@never_cache
@require_safe
def ended(request: HttpRequest) -> HttpResponseBase:
    """It came to nothing, and why."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if own.stage in {Stage.CODE, Stage.APPROVAL} or (own.stage == Stage.DONE and own.guest_id):
        return send_on(own)
    said(request)
    return page(request, "ended", own=own)


def _sms(own: Registration) -> dict[str, Any]:
    sms = whereabouts.of(own.credentials) if own.credentials else None
    if sms is None:
        return {}
    return {
        "sms": SENTENCES.get(sms.kind, sms.sentence),
        "is_lost": sms.kind.came_to_nothing,
        "polls": asks_again(sms, own.finished_at, clock.now()),
    }
