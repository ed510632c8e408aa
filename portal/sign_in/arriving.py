"""The last step of every way in: the session begins, the trail says how, and the waiting is over."""

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django_otp.models import Device

from portal import admin_trail, expiry
from portal.models import User
from portal.sign_in import devices, sessions, waiting


def may_come_in(user: User) -> bool:
    """Whether the admin is for this account at all."""
    return expiry.may_act(user) and user.is_staff and not user.is_program


def by_password(request: HttpRequest, user: User) -> None:
    """The password was right and is enough. A second factor is recommended."""
    sessions.begin(request, user)
    admin_trail.note_sign_in(request, 200)
    link = format_html('<a href="{}" class="underline">{}</a>', reverse("admin:own_sign_in"), _("Your sign-in"))
    sentence = _("Whoever learns your password can sign in as you. Set up a second factor: {link}.")
    messages.warning(request, format_html(sentence, link=link))


def by_code(request: HttpRequest, user: User, device: Device) -> str:
    """After the password came the right code. Where to go."""
    leads_to = waiting.leads_to(request)
    waiting.forget(request)
    sessions.begin(request, user, device)
    admin_trail.note(request, "second_factor", 200, details={"by": device.model_label()})
    return leads_to


def by_passkey(request: HttpRequest, user: User, device: Device, leads_to: str) -> str:
    """The passkey was right, after the password or without one. Where to go."""
    action = "second_factor" if waiting.person(request) else "passkey_sign_in"
    waiting.forget(request)
    sessions.begin(request, user, device)
    admin_trail.note(request, action, 200, details={"by": "passkey"})
    return leads_to


def after_enrolment(request: HttpRequest, user: User, device: Device) -> str:
    """A second factor was set up: who waited for it is in, and whoever has no recovery codes gets some next."""
    if waiting.person(request) == user:
        leads_to = by_code(request, user, device)
    else:
        if getattr(request.user, "otp_device", None) is None:
            sessions.verify(request, device)
        leads_to = reverse("admin:own_sign_in")
    return leads_to if devices.codes_left(user) else reverse("admin:recovery_codes")
