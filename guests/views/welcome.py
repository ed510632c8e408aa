"""The first page: the phone, what else is asked, and the captcha."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guests import registration, states, terms
from guests import rules as rules_of
from guests.applying import offered_types
from guests.captive.arrivals import Arrival
from guests.forms.welcome import WelcomeForm
from guests.limits import brake
from guests.models import Purpose, Registration, Stage
from guests.views import browser, taps
from guests.views.page import page, try_again
from guests.views.stages import address_of
from messaging import phones
from portal.errors import Refusal

#: What is typed once only: a guest who begins anew finds it filled in.
TYPED = ("phone", "name", "email", "company")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, site: str = "") -> HttpResponseBase:
    """Asks who comes in; `site` is UniFi's name for the network."""
    form, arrival = _form(request, {}), browser.arrival_of(request, site)
    if request.method == "POST":
        return _begin(request, form, arrival)
    response = _page(request, form, begun=browser.own(request))
    browser.keep_arrival(response, arrival)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponseBase:
    """The same with what was typed before, of which something was wrong."""
    former = browser.own(request)
    form = _form(request, {name: getattr(former, name) for name in TYPED} if former else {})
    return _begin(request, form, browser.arrival_of(request)) if request.method == "POST" else _page(request, form)


def _form(request: HttpRequest, initial: dict[str, str]) -> WelcomeForm:
    return WelcomeForm(
        request.POST if request.method == "POST" else None,
        rules=rules_of.current(),
        terms=terms.shown_to(_language()),
        initial=initial,
    )


def _begin(request: HttpRequest, form: WelcomeForm, arrival: Arrival) -> HttpResponseBase:
    """Has the code sent. A form that was sent twice leads to where it led the first time, whatever its captcha says."""
    if known := taps.begun_before(request, form, Purpose.REGISTER):
        return known
    if not form.is_valid():
        return taps.first_tap(request, form, Purpose.REGISTER) or _page(request, form)
    try:
        started = registration.start(form.application(_language()), browser.visitor_of(request, arrival))
    except Refusal as refusal:
        form.refuse(refusal, *try_again(refusal))
        return _page(request, form)
    return taps.on_with(started)


def _page(request: HttpRequest, form: WelcomeForm, begun: Registration | None = None) -> HttpResponse:
    is_open = rules_of.current().is_open and bool(offered_types())
    paused = [] if form.errors else _paused()
    response = page(
        request, "welcome", form=form, is_open=is_open, closed=rules_of.CLOSED, paused=paused, **_begun(begun)
    )
    browser.recognise(request, response)
    return response


def _paused() -> list[str]:
    """Whoever opens the page while registration is stopped reads so before typing anything."""
    refusal = brake.now_stopped()
    return [refusal.sentence, *try_again(refusal)] if refusal else []


def _begun(own: Registration | None) -> dict[str, Any]:
    """What is said of a registration that the browser has come back to."""
    if own is None or own.purpose != Purpose.REGISTER or not _can_go_on(own):
        return {}
    return {"begun": own, "phone": phones.spaced(own.phone), "goes": address_of(own)}


def _can_go_on(own: Registration) -> bool:
    if own.stage == Stage.CODE:
        return own.code is not None and own.code.is_live(timezone.now())
    if own.stage == Stage.DONE:
        return own.guest is not None and states.of(own.guest) not in states.OUT
    return own.stage == Stage.APPROVAL


def _language() -> str:
    return get_language() or ""
