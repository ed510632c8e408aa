"""The calls of `passkeys.js`: each ceremony begins with a challenge and is completed once.

Registering is for who may set up a second factor; with a passkey people sign in, give the second factor after the
password, or prove again who they are.
"""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django_otp_webauthn import exceptions
from django_otp_webauthn.helpers import WebAuthnCredential
from django_otp_webauthn.utils import rewrite_exceptions
from django_otp_webauthn.views import BaseWebAuthnView
from webauthn import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException

from portal import admin_trail, defender
from portal.models import User
from portal.sign_in import arriving, devices, enrolment, origins, passkeys, sessions, waiting
from portal.sign_in.refusals import refused

REGISTRATION = "passkey_registration"
ASSERTION = "passkey_assertion"
#: Seconds for which a challenge is good.
PATIENCE = 5 * 60


class NotHere(exceptions.OTPWebAuthnApiError):  # type: ignore[misc]
    """Passkeys do not work under the name in the address."""

    status_code = 422
    default_code = "not_here"


class NotAllowed(exceptions.OTPWebAuthnApiError):  # type: ignore[misc]
    """Nobody is there to whom the passkey could belong, or he may not come in."""

    status_code = 403
    default_code = "not_allowed"
    default_detail = gettext_lazy("Please sign in again.")


@method_decorator(never_cache, name="dispatch")
class Ceremony(BaseWebAuthnView):  # type: ignore[misc]
    """What all calls share. `request.data` is the JSON object that the browser sent."""

    http_method_names = ["post"]
    request: Any

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if not isinstance(self.request.data, dict):
            raise exceptions.MalformedRequest
        if not origins.relying_party(request):
            raise NotHere(origins.remedy(request))
        self.helper = passkeys.Helper(request)

    def handle_exception(self, exc: Exception) -> HttpResponse:
        if isinstance(exc, WebAuthnException | ValueError | TypeError | KeyError | AttributeError):
            # The browser's answer is none: the library reads it before it looks at what it holds.
            exc = exceptions.MalformedRequest()
        answer: HttpResponse = super().handle_exception(exc)
        return answer

    def keep(self, name: str, state: dict[str, Any]) -> None:
        """Keeps the challenge in the session; one that was made for nothing else does not outlive it."""
        if not self.request.session.keys():
            self.request.session.set_expiry(PATIENCE)
        self.request.session[name] = {**state, "at": sessions.now()}

    def take(self, name: str) -> dict[str, Any]:
        """The challenge, which is good for one try, whatever becomes of it."""
        state = self.request.session.pop(name, None)
        self.request.session.save()
        if not state or sessions.now() - state["at"] >= PATIENCE:
            raise exceptions.InvalidState
        return dict(state)


def signed_in(request: HttpRequest) -> User | None:
    """Who is in. An old session that lacks the second factor is nobody's: its owner is about to sign in."""
    return request.user if isinstance(request.user, User) and devices.is_satisfied(request.user) else None


class Registering(Ceremony):
    """For somebody signed in who has just proved who he is, and for who must set up the first second factor."""

    def person(self) -> User:
        """Whose the passkey will be."""
        user = signed_in(self.request)
        if user is not None:
            if not sessions.is_confirmed(self.request):
                raise NotAllowed(_("Please reload this page and confirm that it is you."))
            return user
        newcomer = waiting.person(self.request)
        if newcomer is None or devices.has_second_factor(newcomer):
            raise NotAllowed
        return newcomer


class BeginRegistration(Registering):
    """Options for `navigator.credentials.create`."""

    def post(self, request: HttpRequest) -> JsonResponse:
        options, state = self.helper.register_begin(user=self.person())
        self.keep(REGISTRATION, state)
        return JsonResponse(options)


class CompleteRegistration(Registering):
    """Keeps the public key that the browser made."""

    def post(self, request: HttpRequest) -> JsonResponse:
        user, state = self.person(), self.take(REGISTRATION)
        with rewrite_exceptions(), transaction.atomic():
            enrolment.prepare_first(user)
            device = self.helper.register_complete(user=user, state=state, data=self.request.data)
        admin_trail.note(request, "second_factor_add", 201, object_id=str(user), details={"by": "passkey"}, user=user)
        leads_to = arriving.after_enrolment(request, user, device)
        return JsonResponse({"leads_to": leads_to})


class Asserting(Ceremony):
    """For whoever is signed in or has given a password; without either it is a sign-in by passkey alone."""

    def person(self) -> User | None:
        """Who must own the passkey; None where it says who it is."""
        return signed_in(self.request) or waiting.person(self.request)


class BeginAssertion(Asserting):
    """Options for `navigator.credentials.get`."""

    def post(self, request: HttpRequest) -> JsonResponse:
        user = self.person()
        # Alone it stands for the password too, so its owner must be known to it by finger, face or PIN.
        options, state = self.helper.authenticate_begin(user=user, require_user_verification=user is None)
        self.keep(ASSERTION, {**state, "user": user.pk if user else None})
        return JsonResponse(options)


class CompleteAssertion(Asserting):
    """Lets the owner of the passkey in, or notes that he proved again who he is."""

    def post(self, request: HttpRequest) -> JsonResponse:
        user, state = self.person(), self.take(ASSERTION)
        if state["user"] != (user.pk if user else None):
            raise exceptions.InvalidState
        device = self._owned(user, state)
        if signed_in(request):
            sessions.confirm(request)
            admin_trail.note(request, "confirm", 200, details={"by": "passkey"})
            return JsonResponse({"leads_to": ""})
        return JsonResponse({"leads_to": arriving.by_passkey(request, device.user, device, self._wanted())})

    def _owned(self, user: User | None, state: dict[str, Any]) -> Any:
        """The passkey, which is its owner's and may be used. What is refused is reported."""
        owner = user or self._claimed()
        # Whoever guessed too often here hears the door's answer, with the right passkey too.
        if owner and not defender.may_try(self.request, owner.get_username()):
            raise NotAllowed
        try:
            return self._completed(user, state)
        except Exception:
            refused(self.request, owner, "passkey")
            raise

    def _completed(self, user: User | None, state: dict[str, Any]) -> Any:
        with rewrite_exceptions():
            device = self.helper.authenticate_complete(user=user, state=state, data=self.request.data)
        if not device.confirmed or not arriving.may_come_in(device.user):
            raise NotAllowed(_("This account cannot sign in to the admin."))
        return device

    def _claimed(self) -> User | None:
        """Whose passkey was shown, for the report of a refusal."""
        try:
            raw = base64url_to_bytes(str(self.request.data.get("rawId", "")))
            owner: User = WebAuthnCredential.get_by_credential_id(raw).user
        except (ValueError, WebAuthnCredential.DoesNotExist):
            return None
        return owner

    def _wanted(self) -> str:
        """Where the person wanted to go, if that is a page of ours."""
        wanted = str(self.request.GET.get("next", ""))
        host = self.request.get_host()
        if url_has_allowed_host_and_scheme(wanted, {host}, require_https=self.request.is_secure()):
            return wanted
        return waiting.leads_to(self.request) or reverse("admin:index")
