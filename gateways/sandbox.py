"""What the sandbox phone does with a request of `providers/sandbox.py`: its inbox, its receipts, its magic numbers.

| phone        | outcome                                                                         |
|--------------|---------------------------------------------------------------------------------|
| +79990000001 | delivered                                                                       |
| +79990000002 | not delivered                                                                   |
| +79990000003 | refused                                                                         |
| +79990000004 | not sent: the connection is refused every time                                  |
| +79990000005 | unclear: accepted, but the first answer is lost                                 |
| +79990000006 | slow: accepted, answered after 5 seconds                                        |
| +79990000007 | delivered, and the receipt comes after 60 seconds                               |
| +79990000008 | unclear: the first request is lost on its way; its repeat is accepted           |
| +79990000009 | expired                                                                         |

Any other phone: delivered. An ordinary receipt is there half a second after acceptance.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, SandboxSms
from gateways.outcomes import ReceiptState
from portal import clock

SCHEME = "sandbox:"
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Behaviour:
    """What the phone with a magic number does; `label` explains it on the page."""

    label: str | Promise
    state: ReceiptState = ReceiptState.DELIVERED
    settles_after: timedelta = timedelta(seconds=0.5)
    answers_after: float = 0.0
    refuses: bool = False
    unreachable: bool = False
    loses_first_answer: bool = False
    loses_first_request: bool = False


ORDINARY = Behaviour(_("delivered"))
MAGIC: dict[str, Behaviour] = {
    "+79990000001": ORDINARY,
    "+79990000002": Behaviour(_("not delivered"), ReceiptState.UNDELIVERED),
    "+79990000003": Behaviour(_("refused"), refuses=True),
    "+79990000004": Behaviour(_("not sent: the connection is refused every time"), unreachable=True),
    "+79990000005": Behaviour(_("unclear: accepted, but the first answer is lost"), loses_first_answer=True),
    "+79990000006": Behaviour(_("slow: answered after 5 seconds"), answers_after=5.0),
    "+79990000007": Behaviour(_("delivered, reported after 60 seconds"), settles_after=timedelta(seconds=60)),
    "+79990000008": Behaviour(_("unclear: the first request is lost, its repeat accepted"), loses_first_request=True),
    "+79990000009": Behaviour(_("expired"), ReceiptState.EXPIRED),
}


@dataclass(frozen=True)
class Reply:
    """How a request ends: an answer after `delay` seconds, or none; `written` says whether the request arrived."""

    response: HttpResponse | None
    delay: float = 0.0
    written: bool = True


def answer_all(requests: Sequence[HttpRequest]) -> list[Reply]:
    """One reply for each request, in order. All are recorded in one transaction or none is."""
    asked = [_Asked.of(request) for request in requests]
    with transaction.atomic():
        # The lock keeps two workers with the same key from both finding no such message.
        gateways = {
            gateway.name: gateway
            for gateway in Gateway.objects.select_for_update(no_key=True)
            .filter(name__in={one.gateway for one in asked}, provider="sandbox")
            .order_by("pk")
        }
        inbox = _Inbox([(gateways[one.gateway], one.arguments["key"]) for one in asked if one.submits(gateways)])
        landed = [inbox.take(gateways[one.gateway], one.arguments) if one.submits(gateways) else None for one in asked]
        inbox.save()
        return [
            submitted.reply() if submitted else _answer(gateways.get(one.gateway), one)
            for one, submitted in zip(asked, landed, strict=True)
        ]


def arrived() -> QuerySet[SandboxSms]:
    """What the phone shows: every message but those whose only request was lost on its way."""
    return SandboxSms.objects.filter(times_submitted__gt=0)


def forget_old_sandbox_messages() -> int:
    """Deletes what the phone received more than KEPT ago; how many that was."""
    deleted, _by_model = SandboxSms.objects.filter(received__lt=clock.now() - KEPT).delete()
    return deleted


@dataclass(frozen=True)
class _Asked:
    """A request of `providers/sandbox.py`, read."""

    gateway: str
    what: str
    arguments: dict[str, Any]

    @classmethod
    def of(cls, request: HttpRequest) -> "_Asked":
        name, _slash, what = request.url.removeprefix(SCHEME).partition("/")
        return cls(unquote(name), what, json.loads(request.body))

    def submits(self, gateways: Mapping[str, Gateway]) -> bool:
        return self.what == "submit" and self.gateway in gateways


@dataclass(frozen=True)
class _Submitted:
    """What became of one submit: the message it made or repeated, if any, and whether its key is new."""

    behaviour: Behaviour
    sms: SandboxSms | None
    is_first: bool

    def reply(self) -> Reply:
        """To be asked once the inbox is saved, because the reference is the message's id."""
        if self.behaviour.unreachable:
            return Reply(None, written=False)
        if self.sms is None:
            return _json(422, {"refused": "the sandbox refuses this phone"})
        if self.is_first and (self.behaviour.loses_first_answer or self.behaviour.loses_first_request):
            return Reply(None)
        return _json(200, {"reference": str(self.sms.pk)}, delay=self.behaviour.answers_after)


class _Inbox:
    """The messages that one list of requests is about; read once, changed in memory, written once.

    A request that is lost on its way is remembered as a message submitted 0 times, which `arrived` leaves out.
    """

    def __init__(self, expected: Sequence[tuple[Gateway, str]]) -> None:
        known = SandboxSms.objects.filter(
            gateway__in={gateway.pk for gateway, _key in expected}, key__in={key for _gateway, key in expected}
        )
        # From the newest to the oldest: the first message with a key is the one that its repeats raise.
        self._first = {(sms.gateway_id, sms.key): sms for sms in known.order_by("-pk")}
        self._new: list[SandboxSms] = []
        self._changed: dict[int, SandboxSms] = {}
        self._now = clock.now()

    def take(self, gateway: Gateway, submit: Mapping[str, Any]) -> _Submitted:
        behaviour = MAGIC.get(submit["phone"], ORDINARY)
        if behaviour.unreachable or behaviour.refuses:
            return _Submitted(behaviour, None, is_first=True)
        first = self._first.get((gateway.pk, submit["key"]))
        if first and (submit["knows_keys"] or not first.times_submitted):
            return _Submitted(behaviour, self._repeat(first, behaviour), is_first=False)
        sms = SandboxSms(
            gateway=gateway,
            times_submitted=0 if behaviour.loses_first_request and first is None else 1,
            state=behaviour.state,
            settles_at=self._now + behaviour.settles_after,
            **{name: submit[name] for name in ("key", "phone", "sender", "text")},
        )
        self._new.append(sms)
        self._first.setdefault((gateway.pk, sms.key), sms)
        return _Submitted(behaviour, sms, is_first=first is None)

    def _repeat(self, sms: SandboxSms, behaviour: Behaviour) -> SandboxSms:
        if not sms.times_submitted:
            sms.received, sms.settles_at = self._now, self._now + behaviour.settles_after
        sms.times_submitted += 1
        if sms.pk:
            self._changed[sms.pk] = sms
        return sms

    def save(self) -> None:
        SandboxSms.objects.bulk_create(self._new)
        SandboxSms.objects.bulk_update(self._changed.values(), ["times_submitted", "received", "settles_at"])


def _json(status: int, answer: Mapping[str, Any], delay: float = 0.0) -> Reply:
    body = json.dumps(answer).encode()
    return Reply(HttpResponse(status, {"content-type": "application/json"}, body), delay)


def _answer(gateway: Gateway | None, asked: _Asked) -> Reply:
    """The reply to anything but a submit; a gateway that is gone cannot be reached."""
    if gateway is None:
        return Reply(None, written=False)
    inbox = arrived().filter(gateway=gateway)
    if asked.what == "query":
        return _json(200, {"states": _states(inbox, asked.arguments["references"])})
    if asked.what == "look_up":
        return _json(200, {"found": _found(inbox, asked.arguments["keys"])})
    return _json(404, {})


def _states(inbox: QuerySet[SandboxSms], references: Sequence[str]) -> dict[str, str]:
    asked = inbox.filter(pk__in=[reference for reference in references if reference.isdecimal()])
    return {str(sms.pk): sms.reported().value for sms in asked.defer("text")}


def _found(inbox: QuerySet[SandboxSms], keys: Sequence[str]) -> dict[str, str | None]:
    known = dict(inbox.filter(key__in=keys).order_by("-pk").values_list("key", "pk"))
    return {key: str(known[key]) if key in known else None for key in keys}
