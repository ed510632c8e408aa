"""Which page a registration has come to."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from guests.models import Purpose, Registration, Stage
from guests.views import visits
from guests.views.page import page
from portal import clock

#: *My access*.
ACCESS = "/guest/access/"
#: A second tap on the code comes within this time.
JUST_NOW = timedelta(minutes=1)
PAGES = {
    Stage.CODE: "guest_code",
    Stage.APPROVAL: "guest_waiting",
    Stage.DONE: "guest_online",
}


class SeeOther(HttpResponseRedirect):
    """A form was taken: what comes next is a page of its own, which may be loaded anew."""

    status_code = 303


def address_of(registration: Registration) -> str:
    """Where its guest goes on."""
    if registration.stage == Stage.DONE and registration.purpose == Purpose.ACCESS and registration.guest_id:
        return ACCESS
    if registration.stage == Stage.DONE and not registration.guest_id:
        return reverse("guest_ended")
    return reverse(PAGES.get(Stage(registration.stage), "guest_ended"))


def send_on(registration: Registration) -> HttpResponse:
    """To the page it has come to."""
    return SeeOther(address_of(registration))


def lost(request: HttpRequest) -> HttpResponse:
    """Nothing is known of this browser: it keeps no cookies, or it is long ago."""
    return page(request, "lost")


def arrive(registration: Registration) -> HttpResponse:
    """The code was right. Whoever came for the own access is let in there, and nobody by a code of some time ago."""
    response = send_on(registration)
    finished_at = registration.finished_at
    is_of_now = finished_at is not None and clock.now() - finished_at < JUST_NOW
    if registration.purpose == Purpose.ACCESS and registration.guest is not None and is_of_now:
        visits.open(response, registration.guest)
    return response
