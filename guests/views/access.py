"""*My access*: the ways in, and what a guest finds there."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from guests import credentials, own_access, registration, states
from guests import rules as rules_of
from guests.applying import Application
from guests.forms.access import BY_PASSWORD, BY_PHONE, PasswordForm, PhoneForm
from guests.models import Guest, Purpose
from guests.own_access import entering, extending
from guests.states import State
from guests.views import browser, taps, visits
from guests.views.page import page, said, try_again
from guests.views.stages import SeeOther
from messaging import phones
from portal import callers
from portal.errors import Refusal


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def access(request: HttpRequest) -> HttpResponseBase:
    """How it stands, for who is in; else the two ways in."""
    if request.method == "POST":
        return _by_password(request) if BY_PASSWORD in request.POST else _by_phone(request)
    guest = visits.guest_of(request)
    return _entrance(request) if guest is None else _standing(request, guest)


def _standing(request: HttpRequest, guest: Guest) -> HttpResponse:
    now, state, offer = timezone.now(), states.of(guest), extending.offer(guest)
    said_now = said(request)
    response = page(
        request,
        "access",
        guest=guest,
        phone=phones.spaced(guest.phone) if guest.phone else "",
        done=said_now.pop("done", ""),
        errors=said_now,
        standing=own_access.standing(guest),
        is_well=state in {State.CREATED, State.ACTIVE},
        is_over=state == State.EXPIRED,
        begins=guest.valid_from if state == State.NOT_YET else None,
        left=timeuntil(guest.valid_until, now) if guest.valid_until > now else "",
        offer=offer,
        may_extend=offer is not None and offer.is_open(now),
        devices=guest.devices.all(),
        seen=credentials.latest(),
        ends=guest.valid_until.isoformat(),
    )
    visits.go_on(request, response, guest)
    return response


def _by_phone(request: HttpRequest) -> HttpResponseBase:
    """Has a code sent, as for registering. Sent twice, the form leads to where it led the first time."""
    form = _phone_form(request)
    if known := taps.begun_before(request, form, Purpose.ACCESS):
        return known
    if not form.is_valid():
        return taps.first_tap(request, form, Purpose.ACCESS) or _entrance(request, phone_form=form)
    application = Application(form.cleaned_data["phone"], get_language() or "", Purpose.ACCESS)
    try:
        return taps.on_with(registration.start(application, browser.visitor_of(request)))
    except Refusal as refusal:
        form.refuse(refusal, *try_again(refusal))
        return _entrance(request, phone_form=form)


def _by_password(request: HttpRequest) -> HttpResponseBase:
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _entrance(request, password_form=form)
    given = form.cleaned_data
    try:
        guest = entering.enter(given["username"], given["password"], callers.address_of(request))
    except Refusal as refusal:
        form.refuse(refusal, *try_again(refusal))
        return _entrance(request, password_form=form)
    response = SeeOther(reverse("guest_access"))
    visits.open(response, guest)
    return response


def _entrance(
    request: HttpRequest, *, phone_form: PhoneForm | None = None, password_form: PasswordForm | None = None
) -> HttpResponse:
    # Whoever has the cookie of a visit was in here before.
    was_in = bool(request.COOKIES.get(visits.COOKIE)) and request.method != "POST"
    response = page(
        request,
        "access_entrance",
        form=phone_form or password_form,
        phone_form=phone_form or _phone_form(request, bound=False),
        password_form=password_form or PasswordForm(),
        by_phone=BY_PHONE,
        by_password=BY_PASSWORD,
        done=said(request).get("done", ""),
        was_in=was_in,
    )
    if was_in:
        visits.close(response)
    browser.recognise(request, response)
    return response


def _phone_form(request: HttpRequest, *, bound: bool = True) -> PhoneForm:
    form = PhoneForm(request.POST if bound else None, captcha=rules_of.current().captcha)
    hint = _("For example %(phone)s. You will get an SMS with a code.")
    form.fields["phone"].help_text = hint % {"phone": phones.example()}
    return form
