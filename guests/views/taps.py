"""A form that has a code sent and was sent twice: the second tap leads to where the first one led."""

import threading
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from guests.captcha.forms import NAME as CAPTCHA
from guests.captcha.verdicts import Verdict
from guests.forms.access import PhoneForm
from guests.forms.welcome import WelcomeForm
from guests.models import Purpose
from guests.registration import Started, repeats
from guests.views import browser
from guests.views.stages import SeeOther, send_on

#: How often a second tap looks whether the first is through, and after how many seconds again.
LOOKS, LOOKS_AGAIN = 15, 0.1
#: At most a quarter of the web's threads wait so; whoever comes then looks once. A robot may send one answer often.
waiters = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 4))

AskingForm = WelcomeForm | PhoneForm


def begun_before(request: HttpRequest, form: AskingForm, purpose: Purpose) -> HttpResponse | None:
    """To the code of this phone, where the browser asked for it a moment ago and it is still good."""
    said = form.said()
    own = browser.own(request)
    if own is not None and repeats.is_one(own, said, purpose):
        return send_on(own)
    # The second tap comes before the cookie that answers the first.
    twin = repeats.by_device(browser.device_of(request), said, purpose)
    return on_with(twin) if twin else None


def first_tap(request: HttpRequest, form: AskingForm, purpose: Purpose) -> HttpResponse | None:
    """Where the other tap led. It has taken the captcha and may still be at work: then this one waits for it."""
    may_come = form.has_error(CAPTCHA, Verdict.USED.value) and bool(browser.device_of(request))
    if not may_come or not waiters.acquire(blocking=False):
        return begun_before(request, form, purpose)
    try:
        for _look in range(LOOKS):
            if known := begun_before(request, form, purpose):
                return known
            time.sleep(LOOKS_AGAIN)
    finally:
        waiters.release()
    return None


def on_with(started: Started) -> HttpResponse:
    """To the page that asks for the code, as the browser of this registration."""
    response = SeeOther(reverse("guest_code"))
    browser.keep_registration(response, started.token)
    return response
