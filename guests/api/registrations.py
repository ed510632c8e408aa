"""`registrations` and its neighbours: self-registration for a network's own page, by the steps and limits of ours.

The network's server calls, with a token; whose browser it is, it says by `ip` and `mac`. Nobody is asked for a captcha
here: that is the calling page's to do.
"""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from guests import registration, terms
from guests.api.fields import Text
from guests.api.registration_shapes import ConfirmedShape, RegistrationShape, StartedShape, TermsShape
from guests.applying import Application, Visitor
from guests.captive.arrivals import arrival_of
from guests.models import GuestType, Origin, Registration, Stage, Terms
from guests.registration import showing, tokens
from portal.api.inputs import Input
from portal.api.views import ApiView, Example, Ref
from portal.errors import Refusal, Why
from portal.permissions import Right

TOKEN = "wVb0m3y2kq7R1l9cXxg5uQ4tB8nJ6sD0aZpKfEhOiTY"
ITEM: dict[str, Any] = {
    "stage": "code", "reason": "", "telephone": "+79161234567", "pid": None, "valid_until": None,
    "sms": {"where": "under_way", "sentence": "The SMS is being sent.", "at": None},
    "tries_left": 5, "resend_at": "2026-11-28T09:01:00Z", "expires_at": "2026-11-28T09:10:00Z",
}  # fmt: skip


class RegistrationInput(Input):
    """What the guest says, and where from."""

    telephone = serializers.CharField(
        max_length=100, help_text="In any usual way", style={"placeholder": "+79161234567"}
    )
    lang = serializers.ChoiceField(
        [code for code, _name in settings.LANGUAGES], default=settings.LANGUAGE_CODE, help_text="Of the guest's SMS"
    )
    name = Text(max_length=255)
    email = Text(max_length=254)
    company = Text(max_length=255)
    guest_type = Text(max_length=100, help_text="One that guests may choose; needed where there are several")
    accepted_terms = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="The id that `registrations/terms` answered"
    )
    sponsor = Text(max_length=254, help_text="The sponsor's e-mail address, where the type needs an approval")
    ip = serializers.IPAddressField(required=False, allow_null=True, default=None, help_text="The guest's address")
    mac = Text(max_length=32, help_text="The guest's device")
    ssid = Text(max_length=64)


class TokenInput(Input):
    """Which registration."""

    token = serializers.CharField(max_length=100, help_text="What `registrations` answered, once")


class CodeInput(TokenInput):
    """The code that the guest typed."""

    code = serializers.CharField(max_length=100)
    accepted_terms = serializers.IntegerField(required=False, allow_null=True, default=None)


class RegistrationView(ApiView):
    """A step of a registration; answers how it stands."""

    tag = "registrations"
    rights: ClassVar = {"POST": (Right.USERS_CREATE,)}
    of_all_gateways = True
    refusals: ClassVar = {"POST": (404, 409, 429, 503)}
    wire_names: ClassVar = {"phone": "telephone", "accepted": "accepted_terms", "sponsor_email": "sponsor"}

    def found(self, token: str) -> Registration:
        """The registration of this token, which is in the body and in no address. Raises Refusal (not found)."""
        row = tokens.of_token(token)
        if row is None:
            raise Refusal("There is no registration with this token.", field="token", why=Why.NOT_FOUND)
        self.audit_object = str(row.pk)
        return row

    def answer(self, row: Registration, *, status: int = 200, **more: Any) -> Response:
        """How it stands now."""
        return Response({"item": item(row) | more}, status=status, headers={"Cache-Control": "no-store"})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {"item": ref(RegistrationShape())}


class Registrations(RegistrationView):
    """Begin a registration."""

    inputs: ClassVar = {"POST": RegistrationInput}
    examples: ClassVar = {
        "POST": Example(
            {"item": {**ITEM, "token": TOKEN}, "status": 201},
            {
                "telephone": "+79161234567", "lang": "en", "name": "Grace Hopper", "guest_type": "Guest",
                "accepted_terms": 1, "ip": "192.0.2.7", "mac": "02:00:5e:10:00:01",
            },
            status=201,
        )
    }  # fmt: skip

    def post(self, request: Request) -> Response:
        """Have a code sent to a guest's phone, unless it has a good one. The token is answered this once."""
        asked = self.validated(RegistrationInput)
        application = Application(
            phone=asked["telephone"],
            language=asked["lang"],
            name=asked["name"],
            email=asked["email"],
            company=asked["company"],
            guest_type=_type(asked["guest_type"]),
            accepted=asked["accepted_terms"],
            sponsor_email=asked["sponsor"],
        )
        started = registration.start(application, _visitor(asked))
        self.audit_object = str(started.registration.pk)
        return self.answer(started.registration, status=201, token=started.token)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {"item": ref(StartedShape())}


class RegistrationState(RegistrationView):
    """How a registration stands."""

    audited = False
    inputs: ClassVar = {"POST": TokenInput}
    examples: ClassVar = {"POST": Example({"item": ITEM, "status": 200}, {"token": TOKEN})}

    def post(self, request: Request) -> Response:
        """Where the SMS is, when another may be asked for, and how far the guest has come."""
        return self.answer(self.found(self.validated(TokenInput)["token"]))


class Resend(RegistrationView):
    """Send a code again."""

    inputs: ClassVar = {"POST": TokenInput}
    examples: ClassVar = RegistrationState.examples

    def post(self, request: Request) -> Response:
        """Send the same code once more, or a new one where it is good no more."""
        row = self.found(self.validated(TokenInput)["token"])
        visitor = Visitor(address=row.address, device=row.device, mac=row.mac, origin=Origin.API)
        registration.resend(row, visitor)
        return self.answer(row)


class Confirm(RegistrationView):
    """Type the code."""

    inputs: ClassVar = {"POST": CodeInput}
    examples: ClassVar = {
        "POST": Example(
            {
                "item": ITEM
                | {"stage": "done", "pid": "79161234567", "valid_until": "2026-11-29T09:00:30Z", "sms": None}
                | {"password": "river-stone-maple"},
                "status": 200,
            },
            {"token": TOKEN, "code": "483920"},
        )
    }

    def post(self, request: Request) -> Response:
        """Let the guest in. The password is answered as long as the guest pages would show it, and kept no longer."""
        asked = self.validated(CodeInput)
        row = registration.confirm(self.found(asked["token"]), asked["code"], accepted=asked["accepted_terms"])
        return self.answer(row, password=showing.password_to_show(row))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return {"item": ref(ConfirmedShape())}


class CurrentTerms(ApiView):
    """The terms that guests accept."""

    tag = "registrations"
    rights: ClassVar = {"GET": (Right.USERS_CREATE,)}
    examples: ClassVar = {
        "GET": Example(
            {"item": {"id": 1, "lang": "en", "version": 1, "digest": "9f86d08…", "text": "…"}, "status": 200}
        )
    }

    def get(self, request: Request) -> Response:
        """What a page must show; `?lang=` chooses the language. `item` is null where nothing is to be accepted."""
        shown = terms.shown_to(request.query_params.get("lang", settings.LANGUAGE_CODE))
        return Response({"item": shown and _terms(shown)})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        terms_or_none = {"allOf": [ref(TermsShape())], "nullable": True}
        return {"item": terms_or_none}


def item(row: Registration) -> dict[str, Any]:
    """A registration on the wire."""
    known: dict[str, Any] = {
        "stage": row.stage,
        "reason": row.reason,
        "telephone": row.phone,
        "pid": row.guest.username if row.guest else None,
        "valid_until": row.guest.valid_until if row.guest else None,
    }
    if row.stage != Stage.CODE:
        return known | {"sms": None, "tries_left": None, "resend_at": None, "expires_at": None}
    news = registration.news(row)
    sms = news.sms and {"where": news.sms.kind, "sentence": news.sms.sentence, "at": news.sms.at}
    left = {"tries_left": news.tries_left, "resend_at": news.again_at, "expires_at": news.expires_at}
    return known | {"sms": sms} | left


def _terms(shown: Terms) -> dict[str, Any]:
    told = {name: getattr(shown, name) for name in ("version", "digest", "text")}
    return {"id": shown.pk, "lang": shown.language} | told


def _visitor(asked: dict[str, Any]) -> Visitor:
    named = {name: asked[name] for name in ("mac", "ssid") if asked[name]} | (
        {"ip": asked["ip"]} if asked["ip"] else {}
    )
    arrival = arrival_of(named)
    if asked["mac"] and not arrival.mac:
        raise Refusal("Write the device like 02:00:5e:10:00:01.", field="mac")
    return Visitor(address=arrival.ip or asked["ip"], mac=arrival.mac, arrival=arrival.as_json(), origin=Origin.API)


def _type(name: str) -> GuestType | None:
    if not name:
        return None
    found = GuestType.objects.filter(name=name, enabled=True, self_service=True).first()
    if found is None:
        raise Refusal("Guests cannot choose a type of this name.", field="guest_type")
    return found
