"""What comes after the code: on line, waiting for the sponsor, or neither."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guests import showing
from guests.models import Purpose, Stage
from guests.views import browser
from guests.views.page import page, said
from guests.views.stages import lost, send_on
from messaging import phones, whereabouts

#: Seconds until the page of who waits looks again.
PATIENCE = 15


@never_cache
@require_safe
def online(request: HttpRequest) -> HttpResponseBase:
    """User name and password, which is shown once, and until when they are good."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if own.stage != Stage.DONE or own.guest is None or own.purpose != Purpose.REGISTER:
        return send_on(own)
    sms = whereabouts.of(own.credentials) if own.credentials else None
    return page(request, "online", guest=own.guest, password=showing.password_of(own), sms=sms)


@never_cache
@require_safe
def waiting(request: HttpRequest) -> HttpResponseBase:
    """The sponsor is asked. The page need not stay open."""
    own = browser.own(request)
    if own is None:
        return lost(request)
    if own.stage != Stage.APPROVAL:
        return send_on(own)
    return page(request, "waiting", phone=phones.spaced(own.phone), patience=PATIENCE)


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
