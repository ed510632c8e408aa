"""The pages before somebody is signed in: name and password, the second factor, and setting up the first one."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from portal import admin_trail
from portal.models import User
from portal.sign_in import arriving, codes, devices, origins, policy, waiting
from portal.sign_in.forms import CodeForm, SignInForm
from portal.sign_in.setting_up import AppSetUp


class PasswordStep(LoginView):
    """Name and password. Who owes a second factor waits for it, and is not signed in."""

    form_class = SignInForm
    template_name = "portal/sign_in/login.html"
    next_page = "admin:index"

    def form_valid(self, form: Any) -> HttpResponse:
        user: User = form.get_user()
        if devices.has_second_factor(user) or policy.is_required():
            waiting.remember(self.request, user, self.get_success_url())
            # 202: the password was accepted, and the sign-in goes on.
            admin_trail.note_sign_in(self.request, 202, user)
            return redirect("admin:second_factor" if devices.has_second_factor(user) else "admin:enrol")
        arriving.by_password(self.request, user)
        return HttpResponseRedirect(self.get_success_url())

    def form_invalid(self, form: Any) -> HttpResponse:
        # A form that lacks something was no try, and nobody blocks whoever sends it again and again.
        if form.non_field_errors():
            admin_trail.note_sign_in(self.request, 401)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(passkey_remedy=origins.remedy(self.request), **kwargs)


@never_cache
@sensitive_post_parameters("code")
def second_factor(request: HttpRequest) -> HttpResponse:
    """A code or a passkey, after the password."""
    user = waiting.person(request)
    if user is None:
        return _from_the_start(request)
    if not devices.has_second_factor(user):
        return redirect("admin:enrol" if policy.is_required() else "admin:login")
    form = CodeForm(request.POST or None)
    device = codes.checked(request, user, form) if form.is_valid() else None
    if device is not None:
        return redirect(arriving.by_code(request, user, device))
    context = {
        "title": _("Second step"),
        "form": form,
        "has_app": bool(devices.apps_of(user)),
        "has_passkey": bool(devices.passkeys_of(user)),
        "passkey_remedy": origins.remedy(request),
    }
    return page(request, "second_factor.html", context)


@never_cache
@sensitive_post_parameters("key", "code")
def enrol(request: HttpRequest) -> HttpResponse:
    """The first second factor, where nobody comes in without one."""
    user = waiting.person(request)
    if user is None:
        return _from_the_start(request)
    if devices.has_second_factor(user):
        return redirect("admin:second_factor")
    set_up = AppSetUp(request, user)
    device = set_up.device()
    if device is not None:
        return redirect(arriving.after_enrolment(request, user, device))
    context = {"title": _("Set up a second factor"), "passkey_remedy": origins.remedy(request), **set_up.context()}
    return page(request, "enrol.html", context)


@never_cache
def give_up(request: HttpRequest) -> HttpResponse:
    """Somebody else wants to sign in."""
    if request.method == "POST":
        waiting.forget(request)
    return redirect("admin:login")


def _from_the_start(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        messages.info(request, _("Please sign in with your password first."))
    return redirect("admin:login")


def page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page of the sign-in, which no cache keeps."""
    found = {**admin.site.each_context(request), **context}
    response = render(request, f"portal/sign_in/{template}", found)
    response["Cache-Control"] = "no-store"
    return response
