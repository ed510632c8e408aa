"""`/sendsmsjson.php`: texts, states, the balance and the like in JSON; the `type` of a call says what it comes for.

Source: the SMSGate platform's JSON API, https://github.com/smsgate/jsonGateDoc. All values are texts, as there.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from messaging.dropin.carried import Carried
from messaging.dropin.targetsms import documents, known, words
from messaging.dropin.targetsms.asked import Asked, Written
from messaging.dropin.targetsms.errands import Errands
from messaging.dropin.targetsms.fates import Fate, outcome
from messaging.dropin.targetsms.known import Errand
from messaging.dropin.targetsms.view import TEXT, several
from portal.api.views import Ref
from portal.permissions import SENDING

Answer = dict[str, Any]


def texts(*names: str, **inside: Any) -> dict[str, Any]:
    """An object of texts as OpenAPI has it, with others inside."""
    return {"type": "object", "properties": {**dict.fromkeys(names, TEXT), **inside}}


SECURITY = texts("login", "password")
ABONENT = texts("phone", "number_sms", "client_id_sms", "time_send", "validity_period")
MESSAGE = texts("type", "sender", "text", "name_delivery", "translite", abonent=several(ABONENT))
#: Of what was accepted and of what came in.
SMS = texts(
    *("number_sms", "id_sms", "parts", "action", "error"),
    *("date_receive", "originator", "prefix", "phone", "text_sms"),
)


class JsonCall(Errands):
    """Send texts, or tell where they are and what is known of the account: as `type` says.

    `sms` sends: several messages, each with several phones, 10,000 altogether. What is wrong with one stops no other. A
    `client_id_sms` that the same user has used before sends nothing and is answered with the earlier `id_sms`. `state`
    tells where the messages in `get_state` are, `balance` what the default gateway's provider said is left,
    `originator` the senders, `incoming` what came in within `time`, and `time` what time it is here; each for who has
    the rights that the same call in XML needs.
    """

    rights: ClassVar = {"POST": SENDING}
    takes: ClassVar = ("application/json",)
    gives: ClassVar = "application/json"
    http_method_names: ClassVar = ["post"]  # type: ignore[misc]
    worded: ClassVar = words.OF_STATUS_IN_JSON
    error_shape: ClassVar[Mapping[str, Any]] = texts("error")
    call_shown: ClassVar = {
        "security": {"login": "hotel-desk", "password": "••••••••"},
        "type": "sms",
        "message": [
            {
                "type": "sms",
                "sender": "Hotel",
                "text": "Wi-Fi is back",
                "abonent": [
                    {"phone": "79161234567", "number_sms": "1", "client_id_sms": "101"},
                    {"phone": "12", "number_sms": "2"},
                ],
            }
        ],
    }
    answer_shown: ClassVar = {
        "sms": [
            {"number_sms": "1", "id_sms": "17", "parts": "1", "action": words.SEND},
            {"number_sms": "2", "action": words.NO_PHONE, "error": words.NO_PHONE},
        ]
    }

    def body_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        kind = {"type": "string", "enum": [one.value for one in Errand]}
        period = texts("start", "end")
        inside = {"security": SECURITY, "type": kind, "message": several(MESSAGE), "time": period}
        return texts(**inside, get_state=several(TEXT)) | {"required": ["type"]}

    def whole_answer(self, method: str, ref: Ref) -> dict[str, Any]:
        return texts(
            *("error", "any_originator", "time"),
            sms=several(SMS),
            state=several(texts("id_sms", "time", "state", "num_parts", "price")),
            money=texts("currency", "value"),
            list_originator=several(texts("state", "originator")),
        )

    def post(self, request: Request) -> HttpResponse:
        """Send texts, or tell where they are and what is known of the account: as `type` says."""
        return _answer(ANSWERS[self.errand](self))

    def error(self, said: str, status: int) -> HttpResponse:
        return _answer({"error": said}, status)

    def carried(self) -> Carried:
        """Raises Malformed and Told."""
        security = documents.within(self.document, "security")
        return Carried("", documents.scalar(security.get("login")), documents.scalar(security.get("password")))

    @cached_property
    def document(self) -> dict[str, Any]:
        """What is asked. Raises Malformed and Told."""
        return documents.object_of(self.plain)

    @property
    def errand(self) -> Errand:
        """Raises Malformed and Told."""
        try:
            return Errand(documents.scalar(self.document.get("type")))
        except ValueError:
            raise documents.Told(words.UNKNOWN_TYPE.format(known=", ".join(Errand))) from None

    def written(self) -> list[Written]:
        return [one for message in documents.objects(self.document, "message") for one in _written_in(message)]

    @property
    def body(self) -> dict[str, Any]:
        return super().body if self.errand is Errand.SMS else {}


def _written_in(message: Mapping[str, Any]) -> Iterator[Written]:
    text, sender, title, kind = (documents.scalar(message.get(n)) for n in ("text", "sender", "name_delivery", "type"))
    for one in documents.objects(message, "abonent"):
        named = {name: documents.scalar(one.get(name)) for name in ABONENT["properties"]}
        yield Written(
            phone=named["phone"],
            text=text,
            sender=sender,
            title=title,
            number=named["number_sms"] if one.get("number_sms") is not None else None,
            client_id=named["client_id_sms"],
            time_send=named["time_send"],
            validity_period=named["validity_period"],
            kind=kind,
        )


def _sms(view: JsonCall) -> Answer:
    return {"sms": [_sent(asked, fate) for asked, fate in zip(view.asked, view.fates(), strict=True)]}


def _sent(asked: Asked, fate: Fate) -> Answer:
    """Accepted, with what it is called here; or the error alone, twice.

    It is documented to be the `action`; programs for TargetSMS look for an `error`, and take what has none for sent.
    """
    number = {} if asked.number is None else {"number_sms": asked.number}
    message, said = outcome(fate)
    if message is None:
        return {**number, "action": said, "error": said}
    return {**number, "id_sms": str(message.pk), "parts": str(message.segments), "action": said}


def _state(view: JsonCall) -> Answer:
    named = [documents.scalar(one) for one in documents.listed(view.document, "get_state")]
    return {"state": [_row(told) for told in known.states(view.own_messages(), named)]}


def _balance(view: JsonCall) -> Answer:
    """How many SMS that is for which operators, nobody here knows; programs find a list all the same."""
    return {"money": _row(known.money(view.caller)), "sms": []}


def _senders(view: JsonCall) -> Answer:
    rows = [{"state": "completed", "originator": name} for name in known.senders(view.caller)]
    return {"any_originator": "FALSE", "list_originator": rows}


def _inbound(view: JsonCall) -> Answer:
    period = documents.within(view.document, "time")
    start, end = (documents.scalar(period.get(name)) for name in ("start", "end"))
    return {"sms": [_row(told) for told in known.inbound(view.caller, start, end)]}


ANSWERS: Mapping[Errand, Callable[[JsonCall], Answer]] = {
    Errand.SMS: _sms,
    Errand.STATE: _state,
    Errand.BALANCE: _balance,
    Errand.SENDERS: _senders,
    Errand.INBOUND: _inbound,
    Errand.TIME: lambda _view: {"time": known.now()},
}


def _row(told: NamedTuple) -> dict[str, str]:
    """What is known of it."""
    return {name: str(value) for name, value in told._asdict().items() if value is not None}


def _answer(told: Answer, status: int = 200) -> HttpResponse:
    return JsonResponse(
        told,
        status=status,
        content_type="application/json; charset=utf-8",
        json_dumps_params={"ensure_ascii": False},
    )
