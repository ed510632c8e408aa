"""SMSC.ru's `send.php`: one text to one phone or many, now or later, or only what it would cost."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from gateways import routing
from gateways.models import Gateway
from messaging import sending
from messaging.dropin.door import GatewayFields
from messaging.dropin.numbers import each_once, phone_of, spelled
from messaging.dropin.reading import Call, body_of
from messaging.dropin.smsc.calls import JSON, NUMBERS, SmscFields, SmscView
from messaging.dropin.smsc.money import balance_of, price_of
from messaging.models import Batch, Door
from messaging.retries import Kind
from portal import clock
from portal.api.commit import Done
from portal.api.lenient_json import read_object
from portal.errors import Refusal
from portal.permissions import SENDING

MOSCOW = ZoneInfo("Europe/Moscow")
SEPARATORS = re.compile(r"[,;\s]+")
#: What is not an SMS, and what an SMS of ours cannot be.
OTHER_KINDS = ("push", "hlr", "bin", "ping", "mms", "mail", "soc", "viber", "whatsapp", "call", "bot", "tg", "list")
OFF = frozenset({"", "0"})
OWN_ID = r"^[\x21-\x7e]{1,100}$"
PRICE_ONLY = "1"
LIFE = r"^(?:[01][0-9]|2[0-4]):[0-5][0-9]$"


class SmscSendFields(SmscFields, GatewayFields):
    """What `send.php` may carry; the rest of what is documented there is passed over."""

    phones = serializers.CharField(style={"placeholder": "79161234567,79161234568"})
    mes = serializers.CharField(max_length=20_000, trim_whitespace=False)
    id = serializers.RegexField(
        OWN_ID, required=False, allow_blank=True, default="", help_text="A repeat with the same id sends nothing"
    )
    sender = serializers.CharField(required=False, allow_blank=True, default="")
    time = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text="DDMMYYhhmm, DD.MM.YY hh:mm, 0 and a UNIX time, or + and minutes",
    )
    tz = serializers.RegexField(
        r"^[+-]?[0-9]{1,2}$", required=False, allow_blank=True, default="", help_text="Hours from Moscow's time"
    )
    valid = serializers.RegexField(LIFE, required=False, allow_blank=True, default="", help_text="hh:mm")
    cost = serializers.ChoiceField(["0", "1", "2", "3"], required=False, default="0", allow_blank=True)
    op = serializers.CharField(required=False, allow_blank=True, default="0")
    err = serializers.CharField(required=False, allow_blank=True, default="0")


@dataclass(frozen=True)
class Wish:
    """What is to be sent: phones as they were written, each once."""

    phones: Sequence[str]
    text: str
    gateway: Gateway
    due_at: datetime | None
    no_later: datetime | None
    name: str


class Send(SmscView):
    """Send a text to one phone or many, as SMSC.ru's `send.php` does.

    With `id` a repeat within 48 hours gets the first answer and sends nothing.
    """

    rights: ClassVar = {"GET": SENDING, "POST": SENDING}
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
        wish = self._wish
        if self.asked["cost"] == PRICE_ONLY:
            segments = self._segments(len(wish.phones))
            told: dict[str, Any] = {"cost": price_of(wish.gateway, segments), "cnt": segments}
            return self.written(told, words=f"{told['cost']} ({segments} SMS)")
        items = self._items
        own_id = self.asked["id"]
        told = self.once(lambda: self._send(items), _key_of(own_id, wish) if own_id else None)
        if self.asked_format != NUMBERS:
            # There each has its place; elsewhere what is not known is left out.
            told = {name: value for name, value in told.items() if value is not None}
        costs = f", COST - {told['cost']}" if "cost" in told else ""
        return self.written(told, words=f"OK - {told['cnt']} SMS, ID - {told['id']}{costs}")

    post = get

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The fields of the call. Raises ValidationError, and Refusal for what is no SMS."""
        asked = self.validated(SmscSendFields)
        if other := next((name for name in OTHER_KINDS if self.fields.get(name, "") not in OFF), None):
            raise Refusal("The portal sends SMS and nothing else.", field=other)
        return asked

    @cached_property
    def _wish(self) -> Wish:
        asked = self.asked
        name = self.gateway_called(asked["sms_gateway"], asked["sender"])
        due_at = _due_at(asked["time"], asked["tz"])
        written = [one for one in SEPARATORS.split(asked["phones"]) if one]
        if len(written) > sending.MOST:
            raise Refusal(f"These are more than {sending.MOST} phones; send it in parts.", field="phones")
        return Wish(
            phones=each_once(written),
            text=asked["mes"],
            gateway=sending.wanted_gateway(name, self.caller) or routing.default(),
            due_at=due_at,
            no_later=_end_of(asked["valid"], due_at or clock.now()),
            name=name,
        )

    def _segments(self, count: int) -> int:
        return sending.measured(self.asked["mes"]).segments * count

    @cached_property
    def _reference(self) -> str:
        """What the caller calls them, or a number like those that SMSC gives."""
        return self.asked["id"] or str(secrets.randbelow(2**31 - 2) + 1)

    @cached_property
    def _items(self) -> Sequence[sending.Known | sending.Faulty]:
        """The messages, looked at before anything is locked."""
        wish = self._wish
        return sending.look_at([sending.Item(spelled(phone), wish.text, self._reference) for phone in wish.phones])

    def _send(self, items: Sequence[sending.Known | sending.Faulty]) -> Done:
        wish, reference = self._wish, self._reference
        wrong = self._send_one(wish) if len(wish.phones) == 1 else self._send_many(wish, items)
        taken = len(wish.phones) - len(wrong)
        segments = self._segments(taken)
        told: dict[str, Any] = {"id": int(reference) if _is_number(reference) else reference, "cnt": segments}
        if self.asked["cost"] in {"2", "3"}:
            told["cost"] = None if wish.gateway.segment_price is None else price_of(wish.gateway, segments)
        if self.asked["cost"] == "3":
            told["balance"] = balance_of(wish.gateway)
        if self.asked["op"] not in OFF or (wrong and self.asked["err"] not in OFF):
            told["phones"] = _phones_told(wish.phones, wrong, all_of_them=self.asked["op"] not in OFF)
        return Done(told, object_id=reference)

    def _send_one(self, wish: Wish) -> frozenset[str]:
        sending.send(
            phone=phone_of(wish.phones[0]),
            text=wish.text,
            kind=Kind.INFORMATION,
            gateway_name=wish.name,
            requested_by=self.caller,
            due_at=wish.due_at,
            no_later=wish.no_later,
            door=Door.SMSC,
            caller_reference=self._reference,
        )
        return frozenset()

    def _send_many(self, wish: Wish, items: Sequence[sending.Known | sending.Faulty]) -> frozenset[str]:
        batch = sending.send_many(
            items,
            name=f"SMSC.ru, {self._reference}",
            gateway_name=wish.name,
            requested_by=self.caller,
            due_at=wish.due_at,
            no_later=wish.no_later,
            door=Door.SMSC,
        )
        _refuse_empty(batch)
        return frozenset(wish.phones[one["place"] - 1] for one in batch.refused)


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
        """The fields of the JSON object, lists as texts with commas. Raises BadBody."""
        given = read_object(body_of(self.plain))
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


def _as_written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _key_of(own_id: str, wish: Wish) -> str:
    """The same for the same message under the same id; the same id for another message is no repeat."""
    said = "\n".join([own_id, wish.text, wish.name, *wish.phones])
    return hashlib.sha256(said.encode()).hexdigest()


def _refuse_empty(batch: Batch) -> None:
    """Where no message of a batch can be accepted, nothing is kept of it, and the first says why. Raises Refusal."""
    if len(batch.refused) == batch.total:
        first = batch.refused[0]
        raise Refusal(first["message"], field=first["field"])


def _phones_told(written: Sequence[str], wrong: frozenset[str], *, all_of_them: bool) -> list[dict[str, str]]:
    rows = [{"phone": one, **({"error": "7"} if one in wrong else {"status": "-1"})} for one in written]
    return rows if all_of_them else [row for row in rows if "error" in row]


def _is_number(reference: str) -> bool:
    return reference.isdecimal() and reference.isascii() and len(reference) <= 15 and str(int(reference)) == reference


def _due_at(written: str, tz: str) -> datetime | None:
    """When to send; None for at once, which a time that is over means as well. Raises Refusal."""
    if written.strip() in OFF:
        return None
    try:
        at = _moment(written, tz)
    except (ValueError, OverflowError, OSError):
        raise Refusal("This is no time that is understood here.", field="schedule") from None
    return at if at > clock.now() else None


def _moment(written: str, tz: str) -> datetime:
    # A plus in an address may come as a space.
    if written[0] in "+ ":
        return clock.now() + timedelta(minutes=int(written[1:]))
    if re.fullmatch(r"0[0-9]{10,11}", written):
        return datetime.fromtimestamp(int(written), timezone.get_current_timezone())
    shape = "%d%m%y%H%M" if written.isdecimal() else "%d.%m.%y %H:%M"
    named = datetime.strptime(written, shape)  # noqa: DTZ007 — its zone comes next
    if not tz:
        return timezone.make_aware(named)
    return named.replace(tzinfo=MOSCOW) - timedelta(hours=int(tz))


def _end_of(life: str, begin: datetime) -> datetime | None:
    """After which it must not be sent any more."""
    hours, minutes = map(int, life.split(":")) if life else (0, 0)
    return begin + timedelta(hours=hours, minutes=minutes) if hours or minutes else None
