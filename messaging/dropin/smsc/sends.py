"""SMSC.ru's `send.php`: one text to one phone or many, now or later, or only what it would cost."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from gateways import routing
from gateways.models import Gateway
from messaging import sending
from messaging.dropin.door import still_to_come
from messaging.dropin.reading import Call, body_of
from messaging.dropin.smsc import times
from messaging.dropin.smsc.asked import BETWEEN_LINES, Sms, SmscSendFields, sms_in
from messaging.dropin.smsc.calls import CODES_OF_FIELDS, JSON, NUMBERS, PARAMETERS, SmscView
from messaging.dropin.smsc.money import balance_of, price_of
from messaging.dropin.smsc.times import OFF
from messaging.models import Batch, Door
from messaging.retries import Kind
from portal import audit, clock
from portal.api.commit import Done
from portal.api.lenient_json import read_object
from portal.api.repeats import refuse_again
from portal.errors import Refusal
from portal.permissions import SENDING

#: What is not an SMS, and what an SMS of ours cannot be.
OTHER_KINDS = ("push", "hlr", "bin", "ping", "mms", "mail", "soc", "viber", "whatsapp", "call", "bot", "tg")
#: What is refused, and why: without it something else would be sent than is asked for, or at another time.
NOT_DONE = {
    **dict.fromkeys(OTHER_KINDS, "The portal sends SMS and nothing else."),
    "nl": "The portal cannot tell the lines of a text from those of the list; write \\n for a line break in a text.",
    "period": "The portal does not spread messages over a time; send them in parts.",
    "imgcode": "The portal cannot tell whether this is what the picture shows.",
}
PRICE_ONLY = "1"
#: For so long a call without an id is refused again: the vendor's libraries make it anew where no answer comes.
REFUSED_AGAIN = timedelta(minutes=1)
#: Messages that were looked at.
Items = Sequence[sending.Known | sending.Faulty]


@dataclass(frozen=True)
class Wish:
    """What is to be sent."""

    sms: Sequence[Sms]
    gateway: Gateway
    due_at: datetime | None
    no_later: datetime | None
    name: str


class Send(SmscView):
    """Send a text to one phone or many, as SMSC.ru's `send.php` does.

    With `id` a repeat within 48 hours gets the first answer and sends nothing.
    """

    rights: ClassVar = {"GET": SENDING, "POST": SENDING}
    guesses: ClassVar = True
    parameters: ClassVar = {"GET": (SmscSendFields,)}
    inputs: ClassVar = {"POST": SmscSendFields}
    call_shown: ClassVar = {"phones": "79161234567", "mes": "Wi-Fi is back", "charset": "utf-8"}
    answer_shown: ClassVar[Any] = "OK - 1 SMS, ID - 1234"
    gives_also: ClassVar = {
        "application/json": {"id": 1234, "cnt": 1},
        "application/xml": "<result><id>1234</id><cnt>1</cnt></result>",
    }

    def get(self, request: Request) -> HttpResponse:
        """Send a text to one phone or many, as SMSC.ru's `send.php` does."""
        wish = self._wish()
        items = self._items(wish)
        if self.asked["cost"] == PRICE_ONLY:
            segments = _segments(items)
            if not segments:
                raise _first_refusal(items)
            told: dict[str, Any] = {"cost": price_of(wish.gateway, segments), "cnt": segments}
            return self.written(told, words=f"{told['cost']} ({segments} SMS)")
        told = self._accepted(wish, items)
        if self.asked_format != NUMBERS:
            # There each has its place; elsewhere what is not known is left out.
            told = {name: value for name, value in told.items() if value is not None}
        money = "".join(f", {name.upper()} - {told[name]}" for name in ("cost", "balance") if name in told)
        return self.written(told, words=f"OK - {told['cnt']} SMS, ID - {told['id']}{money}")

    post = get

    def _request_to_audit(self) -> dict[str, Any]:
        """Phones and texts are in one field here."""
        given = super()._request_to_audit()
        return {**given, "list": audit.MASK} if "list" in given else given

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The fields of the call. Raises ValidationError, and Refusal for what is not done here."""
        asked = self.validated(SmscSendFields)
        if name := next((name for name in NOT_DONE if self.fields.get(name, "") not in OFF), None):
            raise Refusal(NOT_DONE[name], field=name)
        return asked

    def _wish(self) -> Wish:
        asked = self.asked
        name = self.gateway_called(asked["sms_gateway"], asked["sender"])
        due_at = times.due_at(asked["time"], asked["tz"])
        return Wish(
            sms=sms_in(asked),
            gateway=sending.wanted_gateway(name, self.caller) or routing.default(),
            due_at=due_at,
            no_later=times.end_of(asked["valid"], due_at or clock.now()),
            name=name,
        )

    @cached_property
    def _reference(self) -> str:
        """What the caller calls them, or a number like those that SMSC gives."""
        return self.asked["id"] or str(secrets.randbelow(2**31 - 2) + 1)

    def _items(self, wish: Wish) -> Items:
        """The messages, looked at before anything is locked. Raises Refusal where there are none."""
        items = [sending.Item(one.phone, one.text, self._reference) for one in wish.sms]
        if not items:
            raise Refusal("This is not a phone number; write it like 79161234567.", field="phone")
        return sending.look_at(items)

    def _accepted(self, wish: Wish, items: Items) -> dict[str, Any]:
        """What is told of the messages once they are accepted."""
        if own_id := self.asked["id"]:
            return self.once(lambda: self._send(wish, items), _key_of(own_id, wish))
        again = _key_of(f"{self.asked['time']} {self.asked['tz']}", wish), REFUSED_AGAIN
        if len(wish.sms) > 1 or wish.due_at:
            return self.once(lambda: self._send(wish, items, again))
        return self.accept(lambda _message: self._told(wish, items), again, **self._alone(wish))

    def _send(self, wish: Wish, items: Items, again: tuple[str, timedelta] | None = None) -> Done:
        if again:
            refuse_again(self, *again)
        if len(wish.sms) > 1:
            return self._told(wish, items, self._send_many(wish, items))
        due_at = still_to_come(wish.due_at)
        sending.send(**self._alone(wish), kind=Kind.INFORMATION, requested_by=self.caller, due_at=due_at)
        return self._told(wish, items)

    def _told(self, wish: Wish, items: Items, wrong: Mapping[int, str] | None = None) -> Done:
        reference, wrong = self._reference, wrong or {}
        segments = _segments(one for place, one in enumerate(items) if place not in wrong)
        told: dict[str, Any] = {"id": int(reference) if _is_number(reference) else reference, "cnt": segments}
        if self.asked["cost"] in {"2", "3"}:
            told["cost"] = None if wish.gateway.segment_price is None else price_of(wish.gateway, segments)
        if self.asked["cost"] == "3":
            told["balance"] = balance_of(wish.gateway)
        if self.asked["op"] not in OFF or (wrong and self.asked["err"] not in OFF):
            told["phones"] = _phones_told(wish.sms, wrong, all_of_them=self.asked["op"] not in OFF)
        return Done(told, object_id=reference)

    def _alone(self, wish: Wish) -> dict[str, Any]:
        (one,) = wish.sms
        return {
            "phone": one.phone, "text": one.text, "gateway_name": wish.name, "no_later": wish.no_later,
            "door": Door.SMSC, "caller_reference": self._reference,
        }  # fmt: skip

    def _send_many(self, wish: Wish, items: Items) -> Mapping[int, str]:
        """The places of those that cannot be sent, and the error of each."""
        batch = sending.send_many(
            items,
            name=f"SMSC.ru, {self._reference}",
            gateway_name=wish.name,
            requested_by=self.caller,
            due_at=still_to_come(wish.due_at),
            no_later=wish.no_later,
            door=Door.SMSC,
        )
        _refuse_empty(batch)
        return {one["place"] - 1: self._error_of(one["field"]) for one in batch.refused}

    def _error_of(self, field: str) -> str:
        return str(CODES_OF_FIELDS.get(self.wire_names.get(field, field), PARAMETERS))


class SendJson(Send):
    """The same in JSON, as SMSC.ru's `/rest/send/` takes it."""

    rights: ClassVar = {"POST": SENDING}
    parameters: ClassVar = {}
    takes: ClassVar = ("application/json",)
    gives: ClassVar = "application/json"
    gives_also: ClassVar = {}
    error_shape: ClassVar = {"type": "object"}
    charset = "utf-8"
    answer_shown: ClassVar = {"id": 1234, "cnt": 1}
    http_method_names: ClassVar = ["post"]  # type: ignore[misc]

    @cached_property
    def call(self) -> Call:
        """The fields of the JSON object, arrays as texts with commas, or lines in `list`. Raises BadBody."""
        given = read_object(body_of(self.plain))
        if isinstance(given.get("list"), list):
            given["list"] = "\n".join(map(_line, given["list"]))
        return Call({}, {name: _as_written(value).encode() for name, value in given.items()})

    def charset_of(self, call: Call) -> str:
        """JSON is written in UTF-8, whatever `charset` says."""
        return self.charset

    @property
    def asked_format(self) -> str:
        return JSON

    def post(self, request: Request) -> HttpResponse:
        """Send a text to one phone or many, as SMSC.ru's `/rest/send/` does."""
        return self.get(request)


def _line(item: Any) -> str:
    """One of `list`, whose own line breaks are those of its text."""
    return BETWEEN_LINES.sub(r"\\n", str(item).strip("\r\n"))


def _as_written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _key_of(name: str, wish: Wish) -> str:
    """The same for the same messages under the same id, or for the same time; the same id for others is no repeat."""
    said = json.dumps([name, wish.name, [(one.phone, one.text) for one in wish.sms]])
    return hashlib.sha256(said.encode()).hexdigest()


def _segments(items: Iterable[sending.Known | sending.Faulty]) -> int:
    return sum(one.segments for one in items if isinstance(one, sending.Known))


def _first_refusal(items: Iterable[sending.Known | sending.Faulty]) -> Refusal:
    first = next(one for one in items if isinstance(one, sending.Faulty))
    return Refusal(first.sentence, field=first.field)


def _refuse_empty(batch: Batch) -> None:
    """Where no message of a batch can be accepted, nothing is kept of it, and the first says why. Raises Refusal."""
    if len(batch.refused) == batch.total:
        first = batch.refused[0]
        raise Refusal(first["message"], field=first["field"])


def _phones_told(sms: Sequence[Sms], wrong: Mapping[int, str], *, all_of_them: bool) -> list[dict[str, str]]:
    rows = [
        {"phone": one.written, **({"error": wrong[place]} if place in wrong else {"status": "-1"})}
        for place, one in enumerate(sms)
    ]
    return rows if all_of_them else [row for row in rows if "error" in row]


def _is_number(reference: str) -> bool:
    return reference.isdecimal() and reference.isascii() and len(reference) <= 15 and str(int(reference)) == reference
