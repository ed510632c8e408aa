"""`Your sign-in`: everybody's own second factors, to be added, removed and replaced by those signed in."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp.models import Device

from portal import admin_trail
from portal.models import User
from portal.sign_in import arriving, devices, enrolment, origins, policy, sessions
from portal.sign_in.confirming import confirmed, confirmed_to_read
from portal.sign_in.entrance import page
from portal.sign_in.setting_up import AppSetUp


def own_sign_in(request: HttpRequest) -> HttpResponse:
    """What the signed-in user comes in with."""
    user = _own(request)
    context = {
        "title": _("Your sign-in"),
        "apps": devices.apps_of(user),
        "passkeys": devices.passkeys_of(user),
        "codes_left": devices.codes_left(user),
        "codes_in_all": enrolment.HOW_MANY_CODES,
        "required": policy.is_required(),
        "this_device": getattr(request.user, "otp_device", None),
        "passkey_remedy": origins.remedy(request),
    }
    return page(request, "own.html", context)


@confirmed_to_read
def add_app(request: HttpRequest) -> HttpResponseBase:
    """Another authenticator app, or the first."""
    return _add_app(request)


@sensitive_post_parameters("key", "code")
def _add_app(request: HttpRequest) -> HttpResponse:
    user = _own(request)
    set_up = AppSetUp(request, user)
    device = set_up.device()
    if device is None:
        return page(request, "add_app.html", {"title": _("Add an authenticator app"), **set_up.context()})
    messages.success(request, _("The authenticator app is set up."))
    return redirect(arriving.after_enrolment(request, user, device))


@confirmed_to_read
def add_passkey(request: HttpRequest) -> HttpResponseBase:
    """The page whose script asks the browser for a passkey."""
    context = {"title": _("Add a passkey"), "passkey_remedy": origins.remedy(request)}
    return page(request, "add_passkey.html", context)


@confirmed
@require_POST
def remove(request: HttpRequest, kind: str, pk: int) -> HttpResponseBase:
    """Takes one of the user's own away."""
    user = _own(request)
    device = _find(user, kind, pk)
    if policy.is_required() and len(devices.apps_of(user)) + len(devices.passkeys_of(user)) == 1:
        messages.error(request, _("This is your only second factor, and one is required. Add another one first."))
        return redirect("admin:own_sign_in")
    opened_by = getattr(request.user, "otp_device", None)
    is_this = opened_by is not None and opened_by.persistent_id == device.persistent_id
    details = {"by": kind, "name": device.name}
    with transaction.atomic():
        enrolment.remove(user, device)
        admin_trail.note(request, "second_factor_remove", 200, object_id=str(user), details=details)
    if is_this or not devices.has_second_factor(user):
        _go_on_without(request, user)
    messages.success(request, _("“%s” was removed.") % device.name)
    return redirect("admin:own_sign_in")


@confirmed
def recovery_codes(request: HttpRequest) -> HttpResponseBase:
    """Asks before it makes new codes, and shows them in its answer: once, and never again."""
    user = _own(request)
    if not devices.has_second_factor(user):
        return redirect("admin:own_sign_in")
    codes: list[str] = []
    if request.method == "POST":
        with transaction.atomic():
            codes = enrolment.make_codes(user)
            admin_trail.note(request, "recovery_codes_make", 201, object_id=str(user), details={})
    context = {"title": _("Recovery codes"), "codes": codes, "codes_left": devices.codes_left(user)}
    return page(request, "recovery_codes.html", context)


def _find(user: User, kind: str, pk: int) -> Any:
    found = devices.apps_of(user) if kind == "app" else devices.passkeys_of(user)
    device: Device | None = next((device for device in found if device.pk == pk), None)
    if device is None:
        raise Http404
    return device


def _go_on_without(request: HttpRequest, user: User) -> None:
    """The session was verified by the device that is gone: another of the user's stands in, where there is one."""
    others = [*devices.apps_of(user), *devices.passkeys_of(user)]
    if others:
        sessions.verify(request, others[0])
    else:
        sessions.forget_second_factor(request)


def _own(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 — admin_view lets nobody else in
    return user
