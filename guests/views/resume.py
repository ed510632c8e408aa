"""The link in the SMS: another browser, or the same one after it was closed, goes on where the first one was."""

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guests import registration
from guests.models import Stage
from guests.registration import tokens
from guests.registration.wrong_codes import CodeOver
from guests.views import browser
from guests.views.page import page
from guests.views.stages import SeeOther, send_on


@never_cache
@require_safe
def resume(request: HttpRequest, link: str) -> HttpResponseBase:
    """Whoever has a registration of this phone already goes on with that."""
    own, sent = browser.own(request), tokens.linked(link)
    is_own = own and sent and sent.registration and own.phone == sent.registration.phone
    if own and is_own and own.stage in {Stage.CODE, Stage.APPROVAL, Stage.DONE}:
        return send_on(own)
    try:
        started = registration.resume(link, browser.visitor_of(request))
    except CodeOver as refusal:
        return page(request, "unresumed", sentence=refusal.sentence)
    response = SeeOther(reverse("guest_code"))
    browser.keep_registration(response, started.token)
    browser.recognise(request, response)
    return response
