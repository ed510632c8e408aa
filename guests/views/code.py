"""The second page: the code from the SMS, what became of that SMS, and sending it again."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from guests import moments, registration, terms
from guests.models import Purpose, Registration, Stage
from guests.registration import TRIES, News
from guests.views import browser
from guests.views.page import page, said, say_next
from guests.views.stages import ACCESS, address_of, arrive, lost, send_on
from guests.views.watching import asks_again
from messaging import phones
from messaging.whereabouts import CANNOT_BE_SENT, Where
from portal.errors import Refusal

#: For so long a page without scripts loads itself again to tell what became of the SMS.
WATCHED = timedelta(seconds=15)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponseBase:
    """Asks for the code, and judges it. What is wrong with it is said on a page that may be loaded again."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if request.method == "POST":
        return _judge(request, own)
    return page(request, "code", **_shown(request, own)) if own.stage == Stage.CODE else send_on(own)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def resend(request: HttpRequest) -> HttpResponseBase:
    """Has it sent once more; whoever only looks here is led back."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if request.method == "POST":
        try:
            registration.resend(own, browser.visitor_of(request))
        except Refusal as refusal:
            say_next(request, refusal)
    return send_on(own)


@never_cache
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes, for its script."""
    own = browser.own(request)
    if own is None:
        return HttpResponse(status=204)
    return render(request, "guests/code_news.html", _news(own))


def _judge(request: HttpRequest, own: Registration) -> HttpResponseBase:
    accepted = request.POST.get("accepted", "")
    version = int(accepted) if accepted.isdecimal() and len(accepted) < 10 else None
    try:
        done = registration.confirm(own, request.POST.get("code", ""), accepted=version)
    except Refusal as refusal:
        say_next(request, refusal)
        own.refresh_from_db(fields=["stage"])
        return send_on(own)
    return arrive(done)


def _shown(request: HttpRequest, own: Registration) -> dict[str, Any]:
    errors = said(request)
    elsewhere = ACCESS if own.purpose == Purpose.ACCESS else reverse("guest_again")
    context = _news(own) | {"errors": errors, "elsewhere": elsewhere}
    if own.terms_id is None and own.purpose == Purpose.REGISTER:
        context["terms"] = terms.shown_to(own.language)
    if errors:
        # Nobody wants the page to change while reading what was wrong.
        context["reloads"] = False
    return context


def _news(own: Registration) -> dict[str, Any]:
    found = registration.news(own)
    now = timezone.now()
    sentence = CANNOT_BE_SENT if found.unsent else found.sms.sentence if found.sms else ""
    has_failed = found.unsent or (found.sms is not None and found.sms.kind.came_to_nothing)
    expires_at, is_over = found.expires_at, found.expires_at is None or found.expires_at <= now
    return {
        "sentence": sentence,
        "has_failed": has_failed,
        "is_over": is_over,
        "good_until": None if is_over or has_failed else expires_at,
        "tries_left": found.tries_left if found.tries_left < TRIES else None,
        "again_at": moments.when_again(found.again_at) if found.again_at > now else "",
        "again_in": max(0, -int((now - found.again_at).total_seconds() // 1)),
        "polls": asks_again(None if found.unsent else found.sms, found.asked_at, now),
        "reloads": _is_under_way(found) and found.asked_at is not None and now - found.asked_at < WATCHED,
        "goes": address_of(own) if own.stage != Stage.CODE else "",
        "phone": phones.spaced(own.phone),
    }


def _is_under_way(found: News) -> bool:
    return not found.unsent and found.sms is not None and found.sms.kind is Where.UNDER_WAY
