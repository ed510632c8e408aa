"""What can be read by SMSmobileAPI's calls: what was sent, what came in, and through which phones, here gateways.

Its documentation is public of the parameters only; the rows have the names that its own programs read.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.request import Request

from gateways import routing
from gateways.models import Gateway
from messaging import finding, inbound
from messaging.dropin import fields
from messaging.dropin.door import Fields
from messaging.dropin.smsmobileapi.sends import MOMENT, NO_MOMENT, SmsMobileApiView, result
from messaging.guids import GUID, RECEIVED, guid_of, id_in
from messaging.known_gateways import gateway_of, reason_of
from messaging.models import InboundMessage, Message, State
from portal import permissions
from portal.api.views import Ref
from portal.errors import Refusal
from portal.permissions import Right

#: How many rows one answer has at most; `before` asks for the next.
MOST = 100
#: In how many messages a word is looked for: their texts are encrypted.
LOOKED_AT = 500

#: The phone has sent it, as far as the provider says. Whether it arrived, SMSmobileAPI does not tell.
SENT = (State.SUBMITTED, State.DELIVERED, State.NO_RECEIPT)
ERROR_OF_MOBILE = (State.UNDELIVERED, State.EXPIRED)
ERROR_OF_API = (State.FAILED, State.LAPSED, State.CANCELLED, State.SUPPRESSED)


class SmsMobileApiLogFields(Fields):
    """What `/log/sent/sms/` may carry."""

    guid_message = fields.text(max_length=64)
    keyword = fields.text(max_length=200, help_text="A phone, or words of the text")
    error_api = fields.text(help_text="0 or 1")
    error_mobile = fields.text(help_text="0 or 1")
    before = fields.text(max_length=64, help_text="Seconds of UNIX time, or a guid")


class SentLog(SmsMobileApiView):
    """What was sent, the newest first, as SMSmobileAPI's `/log/sent/sms/` shows it.

    The caller's own messages; all of them to whoever has MESSAGES_READ.
    """

    rights: ClassVar = {"GET": (), "POST": ()}
    audited: ClassVar = False
    parameters: ClassVar = {"GET": (SmsMobileApiLogFields,)}
    inputs: ClassVar = {"POST": SmsMobileApiLogFields}
    answer_shown: ClassVar = {
        "result": {
            "error": "",
            "sms": [
                {
                    "guid": guid_of(17), "number": "+79161234567", "message": "Wi-Fi is back",
                    "date": "2026-11-22", "hour": "15:00:00", "timestamp_unix": 1795348800,
                    "sIdentifiantPhone": "sandbox", "send_from_mobile": "1", "send_from_mobile_erreur": "",
                    "error_api": "", "state": "delivered",
                }
            ],
        }
    }  # fmt: skip

    def get(self, request: Request) -> HttpResponse:
        """What was sent, the newest first, as SMSmobileAPI's `/log/sent/sms/` shows it."""
        asked = self.validated(SmsMobileApiLogFields)
        found = self._holding(self._rows(asked), asked["keyword"])
        rows = [_sent(message, self.caller) for message in found]
        return result({"error": "", "sms": rows})

    post = get

    def _rows(self, asked: dict[str, Any]) -> QuerySet[Message]:
        rows = self.own_messages()
        if guid := asked["guid_message"]:
            rows = rows.filter(pk=id_in(guid) or 0)
        for name, states in (("error_api", ERROR_OF_API), ("error_mobile", ERROR_OF_MOBILE)):
            if asked[name] in {"0", "1"}:
                rows = rows.filter(state__in=states) if asked[name] == "1" else rows.exclude(state__in=states)
        return rows.filter(_before(asked["before"]))

    @staticmethod
    def _holding(rows: QuerySet[Message], keyword: str) -> Iterable[Message]:
        if not keyword:
            return rows[:MOST]
        if found := list(finding.find(rows, keyword)[:MOST]):
            return found
        sought = keyword.casefold()
        return islice((row for row in rows[:LOOKED_AT] if sought in (row.shown_text or "").casefold()), MOST)


class SmsMobileApiReceivedFields(Fields):
    """What `/getsms/` may carry."""

    after_timestamp_unix = fields.shaped(MOMENT, NO_MOMENT)
    onlyunread = fields.text(default="no", help_text="yes: what this user has not been given yet")
    sIdentifiantPhone = fields.text(  # noqa: N815 — as it is spelled there
        max_length=100, help_text="The name of a gateway"
    )


class ReceivedSms(SmsMobileApiView):
    """What people wrote to us, the oldest first, as SMSmobileAPI's `/getsms/` shows it."""

    rights: ClassVar = {"GET": (Right.MESSAGES_READ,), "POST": (Right.MESSAGES_READ,)}
    audited: ClassVar = False
    parameters: ClassVar = {"GET": (SmsMobileApiReceivedFields,)}
    inputs: ClassVar = {"POST": SmsMobileApiReceivedFields}
    answer_shown: ClassVar = {
        "result": {
            "error": "",
            "sms": [
                {
                    "id": 5, "sIdentifiantPhone": "main", "timestamp_unix": 1795348801, "date": "2026-11-22",
                    "hour": "15:00:01", "time_received": "2026-11-22 15:00:00", "message": "STOP",
                    "number": "+79161234567", "guid": guid_of(5, RECEIVED), "alias": None,
                }
            ],
        }
    }  # fmt: skip

    def get(self, request: Request) -> HttpResponse:
        """What people wrote to us, the oldest first, as SMSmobileAPI's `/getsms/` shows it."""
        asked = self.validated(SmsMobileApiReceivedFields)
        rows = InboundMessage.objects.select_related("gateway").filter(self._of_gateways(asked["sIdentifiantPhone"]))
        if after := asked["after_timestamp_unix"]:
            rows = rows.filter(received_at__gt=_moment(after, "after_timestamp_unix"))
        unread = asked["onlyunread"].lower() in {"yes", "1", "true"}
        # The newest of them where there are too many, unless the caller goes on from where it was.
        order = ("received_at", "pk") if unread or after else ("-received_at", "-pk")
        found = list((inbound.unread_by(rows, self.caller) if unread else rows).order_by(*order)[:MOST])
        inbound.mark_read(found, self.caller)
        oldest_first = sorted(found, key=lambda row: (row.received_at, row.pk))
        return result({"error": "", "sms": [_received(row) for row in oldest_first]})

    post = get

    def _of_gateways(self, name: str) -> Q:
        ours = permissions.of_its_gateways(self.caller, "gateway")
        return ours & Q(gateway__name=name) if name else ours


class Phones(SmsMobileApiView):
    """The gateways, as SMSmobileAPI's `/gateway/mobile/list/` shows phones. It tells whether a key is good."""

    rights: ClassVar = {"GET": (Right.SMS_GATEWAY_READ,), "POST": (Right.SMS_GATEWAY_READ,)}
    audited: ClassVar = False
    inputs: ClassVar = {"POST": Fields}
    answer_shown: ClassVar = {
        "success": True, "connected_available": 1, "connected_limit": 1, "connected_now": 1, "filters": {},
        "items": [{"sid": "sandbox", "name": "sandbox", "connected": "1"}], "note": "",
    }  # fmt: skip

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        whole = {"type": "integer"}
        return {
            "success": {"type": "boolean"},
            "connected_available": whole,
            "connected_limit": whole,
            "connected_now": whole,
            "filters": {"type": "object"},
            "items": {"type": "array", "items": {"type": "object"}},
            "note": {"type": "string"},
        }

    def get(self, request: Request) -> HttpResponse:
        """The gateways, as SMSmobileAPI's `/gateway/mobile/list/` shows phones."""
        everyone = Gateway.objects.select_related("health").filter(enabled=True)
        ours = [one for one in everyone if permissions.may_use_gateway(self.caller, one.pk)]
        items = [
            {"sid": one.name, "name": one.name, "connected": "1" if routing.may_be_used(one) else "0"} for one in ours
        ]
        return JsonResponse(
            {
                "success": True,
                "connected_available": len(items),
                "connected_limit": len(items),
                "connected_now": sum(item["connected"] == "1" for item in items),
                "filters": {},
                "items": items,
                "note": "",
            }
        )

    post = get


def _sent(message: Message, reader: object) -> dict[str, Any]:
    reason = reason_of(message, reader) or message.state
    return {
        "guid": guid_of(message.pk),
        "number": message.phone,
        "message": message.shown_text or "",
        **_date_and_hour(message.created),
        "timestamp_unix": int(message.created.timestamp()),
        "sIdentifiantPhone": gateway_of(message, reader).name,
        "send_from_mobile": "1" if message.state in SENT else "0",
        "send_from_mobile_erreur": reason if message.state in ERROR_OF_MOBILE else "",
        "error_api": reason if message.state in ERROR_OF_API else "",
        "state": message.state,
    }


def _received(row: InboundMessage) -> dict[str, Any]:
    return {
        "id": row.pk,
        "sIdentifiantPhone": row.gateway.name,
        "timestamp_unix": int(row.received_at.timestamp()),
        **_date_and_hour(row.received_at),
        "time_received": timezone.localtime(row.at).strftime("%Y-%m-%d %H:%M:%S"),
        "message": row.text,
        "number": row.phone,
        "guid": guid_of(row.pk, RECEIVED),
        "alias": None,
    }


def _date_and_hour(at: datetime) -> dict[str, str]:
    local = timezone.localtime(at)
    return {"date": f"{local:%Y-%m-%d}", "hour": f"{local:%H:%M:%S}"}


def _before(written: str) -> Q:
    """Raises Refusal."""
    if not written:
        return Q()
    if GUID.fullmatch(written.lower()) and not written.isdecimal():
        return Q(pk__lt=id_in(written) or 0)
    return Q(created__lt=_moment(written, "before"))


def _moment(seconds: str, field: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal("This is no time; give seconds of UNIX time.", field=field) from None
