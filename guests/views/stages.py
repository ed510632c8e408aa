"""Which page a registration has come to."""


from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from guests.models import Purpose, Registration, Stage
from guests.views.page import page

ACCESS = "/guest/access/"
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


def send_on(registration: Registration) -> HttpResponseBase:
    """To the page it has come to."""
    return SeeOther(address_of(registration))


def lost(request: HttpRequest) -> HttpResponse:
    """Nothing is known of this browser: it keeps no cookies, or it is long ago."""
    return page(request, "lost")


def arrive(registration: Registration) -> HttpResponseBase:
    """The code was right."""
    return send_on(registration)
