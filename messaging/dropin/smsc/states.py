"""SMSC.ru's `status.php` and `balance.php`: where messages are, and what is left at a gateway's provider."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from gateways import health, routing
from messaging import sending
from messaging.dropin import fields
from messaging.dropin.door import GatewayFields
from messaging.dropin.numbers import spelled
from messaging.dropin.smsc.calls import SmscFields, SmscView
from messaging.dropin.smsc.money import balance_of, price_of
from messaging.known_gateways import gateway_of
from messaging.models import Message, State
from portal.errors import Refusal, Why
from portal.permissions import Right

NOT_FOUND = -3
NAMES = {
    NOT_FOUND: "Не найдено",
    -2: "Остановлено",
    -1: "Ожидает отправки",
    0: "Передано оператору",
    1: "Доставлено",
    3: "Просрочено",
    20: "Невозможно доставить",
    23: "Запрещено",
}
#: What is not here waits. Of an unresolved message nobody knows: it may be with the operator, and is not sent again.
STATUSES: Mapping[str, int] = {
    State.SUBMITTED: 0,
    State.NO_RECEIPT: 0,
    State.UNRESOLVED: 0,
    State.DELIVERED: 1,
    State.EXPIRED: 3,
    State.LAPSED: 3,
    State.UNDELIVERED: 20,
    State.FAILED: 20,
    State.CANCELLED: -2,
    State.SUPPRESSED: 23,
}
WAITING = -1
#: How many messages one call may ask about.
MOST = 100


class SmscStatusFields(SmscFields):
    """What `status.php` may carry. A comma at the end of both lists makes the answer a list."""

    phone = serializers.CharField(style={"placeholder": "79161234567"})
    id = serializers.CharField(help_text="Of the send, or the caller's own")
    all = fields.one_of("0", "1", "2")


class Status(SmscView):
    """Where messages are, as SMSC.ru's `status.php` tells it: the caller's own."""

    rights: ClassVar = {"GET": (), "POST": ()}
    audited: ClassVar = False
    parameters: ClassVar = {"GET": (SmscStatusFields,)}
    inputs: ClassVar = {"POST": SmscStatusFields}
    call_shown: ClassVar = {"phone": "79161234567", "id": "1234"}
    answer_shown: ClassVar = "Status = 1, check_time = 22.11.2026 15:00:02"
    gives_also: ClassVar = {
        "application/json": {
            "status": 1, "last_date": "22.11.2026 15:00:02", "last_timestamp": 1795348802, "err": 0,
        },
        "application/xml": "<result><status>1</status><err>0</err></result>",
    }  # fmt: skip

    def get(self, request: Request) -> HttpResponse:
        """Where messages are, as SMSC.ru's `status.php` tells it: the caller's own."""
        asked = self.validated(SmscStatusFields)
        whole = asked["all"] in {"1", "2"}
        phones, ids = asked["phone"].split(","), asked["id"].split(",")
        if len(phones) != len(ids) or len(ids) > MOST + 1:
            raise Refusal(f"Name as many phones as ids, {MOST} at most.", field="id")
        if len(ids) == 1:
            found = self._found(phones[0], ids[0])
            if found is None:
                raise Refusal("There is none of yours with this id to this phone.", field="id", why=Why.NOT_FOUND)
            row = self._row(found, whole)
            return self.written(row, words=_in_words(row))
        rows = [self._listed(phone, own, whole) for phone, own in zip(phones, ids, strict=True) if own]
        return self.written(rows, words="\n".join(map(_in_words, rows)))

    post = get

    def _listed(self, phone: str, own_id: str, whole: bool) -> dict[str, Any]:
        """In a list each says of which message it is, and one that is not there has a status for that."""
        found = self._found(phone, own_id)
        row = {"status": NOT_FOUND, **(UNKNOWN if whole else {})} if found is None else self._row(found, whole)
        return {**row, "id": int(own_id) if own_id.isdecimal() and len(own_id) <= 15 else own_id, "phone": phone}

    def _row(self, message: Message, whole: bool) -> dict[str, Any]:
        return _state(message) | (_whole(message, gateway_of(message, self.caller).sender) if whole else {})

    def _found(self, phone: str, own_id: str) -> Message | None:
        """The last message with this id to this phone: the caller's own, before any that others called so."""
        rows = self.own_messages().filter(caller_reference=own_id, phone=spelled(phone))
        return rows.filter(requested_by=self.caller).first() or rows.first()


class SmscBalanceFields(SmscFields, GatewayFields):
    """What `balance.php` may carry."""

    cur = fields.text(default="0", help_text="1: with the currency")


class Balance(SmscView):
    """What is left at the provider of a gateway, the default one unless named: as it was when last asked."""

    rights: ClassVar = {"GET": (Right.SMS_GATEWAY_READ,), "POST": (Right.SMS_GATEWAY_READ,)}
    audited: ClassVar = False
    parameters: ClassVar = {"GET": (SmscBalanceFields,)}
    inputs: ClassVar = {"POST": SmscBalanceFields}
    call_shown: ClassVar = {"cur": "1"}
    answer_shown: ClassVar = "100.50"
    gives_also: ClassVar = {
        "application/json": {"balance": "100.50"},
        "application/xml": "<result><balance>100.50</balance></result>",
    }

    def get(self, request: Request) -> HttpResponse:
        """What is left at the provider of a gateway, the default one unless named: as it was when last asked."""
        asked = self.validated(SmscBalanceFields)
        gateway = sending.wanted_gateway(asked["sms_gateway"], self.caller) or routing.default()
        left = balance_of(gateway)
        if left is None:
            raise Refusal(f"The provider of gateway “{gateway.name}” has not told what is left.")
        currency = health.of(gateway).currency or gateway.currency
        return self.written({"balance": left, **({"currency": currency} if asked["cur"] == "1" else {})}, words=left)

    post = get


#: What the rest of a row says of a message that is not there.
UNKNOWN: Mapping[str, Any] = {
    "last_date": None, "last_timestamp": None, "err": 0, "send_date": None, "send_timestamp": None, "phone": None,
    "cost": None, "sender_id": None, "status_name": NAMES[NOT_FOUND], "message": None,
}  # fmt: skip


def _state(message: Message) -> dict[str, Any]:
    last = message.finished_at or message.submitted_at or message.created
    return {
        "status": STATUSES.get(message.state, WAITING),
        "last_date": _date(last),
        "last_timestamp": int(last.timestamp()),
        "err": 0,
    }


def _whole(message: Message, sender: str) -> dict[str, Any]:
    """What the rest of the row says of it; what it cost is what it cost where it went."""
    return {
        "send_date": _date(message.created),
        "send_timestamp": int(message.created.timestamp()),
        "phone": message.phone.lstrip("+"),
        "cost": None if message.gateway.segment_price is None else price_of(message.gateway, message.segments),
        "sender_id": sender,
        "status_name": NAMES[STATUSES.get(message.state, WAITING)],
        "message": message.shown_text,
    }


def _in_words(row: Mapping[str, Any]) -> str:
    said = f"Status = {row['status']}, check_time = {row.get('last_date') or ''}"
    return said + (f", id = {row['id']}, phone = {row['phone']}" if "id" in row else "")


def _date(at: Any) -> str:
    return timezone.localtime(at).strftime("%d.%m.%Y %H:%M:%S")
