"""From the queue to the provider: claim what is due, put the attempt on record, hand over, settle what lands.

No transaction and no idle connection is held while providers think.
"""

import logging
import time
from datetime import timedelta

from django.db import connection, transaction

from gateways import health, pace, sessions, transport
from gateways.http import HttpRequest
from gateways.models import Gateway
from gateways.outcomes import GatewayFault, NotAccepted, OutboundSms, Outcome, Refused
from messaging import failover, measures, retries, ringing, settling
from messaging.answers import Landed
from messaging.claiming import BATCH, anything_due, claim
from messaging.drains import drains
from messaging.models import Attempt, Message
from messaging.retries import Kind
from messaging.settling import DATABASE_AWAY, settle
from portal import clock
from portal.encryption import KeyMissing, unlocked
from portal.faults import Point, reach

logger = logging.getLogger(__name__)

#: How long a drain waits for answers before it looks for more to send; the bell wakes it at once.
PATIENCE = 1.0
#: Seconds between two bells by which a drain that cannot take all at once asks other workers to take their share.
SHARE_EVERY = 0.25
#: And how many it claims at once by then: fewer it hands over alone.
SHARED_FROM = 100
#: Seconds between two tries to write down an answer while the database is away.
TRY_AGAIN = 0.5


def drain(gateway_id: int) -> None:
    """Hands over everything that is due at a gateway, until nothing is left; one drain per gateway and process."""
    if not drains.begin(gateway_id):
        return
    try:
        while True:
            Drain(gateway_id).run()
            if drains.finished(gateway_id):
                return
    except BaseException:
        drains.abandon(gateway_id)
        raise


class Drain:
    """The messages of one gateway that this process has in the air."""

    def __init__(self, gateway_id: int) -> None:
        self.gateway_id = gateway_id
        self.flight = transport.Flight()
        #: By their ticket, which is the attempt's key.
        self.submissions: dict[int, tuple[Message, Attempt]] = {}
        #: What failed; what is in the air is brought home before anything else.
        self.trouble: Exception | None = None
        self._shared_at = -SHARE_EVERY

    def run(self) -> None:
        """Launches and settles until nothing is due and nothing in the air. Raises what kept it from going on."""
        drains.listen(self.gateway_id, self.flight.nudge)
        while True:
            drains.heard(self.gateway_id)
            claimed, next_in = self._launch_due()
            if self.flight.in_air:
                self._settle(self._landings(next_in, more=claimed == BATCH))
            elif self.trouble:
                raise self.trouble
            elif next_in:
                self.flight.rest(next_in)
            elif not claimed:
                return

    def _launch_due(self) -> tuple[int, float]:
        """How many were claimed, and the seconds until the gateway's pace allows more."""
        if drains.stopping or self.trouble:
            return 0, 0.0
        try:
            gateway = self._gateway()
            # What is in the air is brought home before a login, while it has its leases.
            may_log_in = not self.flight.in_air
            entry = _let_in(gateway, may_log_in) if gateway and anything_due(gateway) else None
            if gateway is None or entry is None:
                return 0, 0.0
            began = time.monotonic()
            # While it logged in somebody may have switched the gateway off.
            current = self._gateway() if entry.token else gateway
            if current is None:
                return 0, 0.0
            claimed, next_in = claim(current)
            for some in _codes_first(claimed):
                self._launch(gateway, some, entry)
        except sessions.Busy:
            return 0, sessions.LOOK_EVERY
        except Exception as error:  # noqa: BLE001 — whatever it is, it is raised once the others are home
            self.trouble = error
            return 0, 0.0
        if len(claimed) >= SHARED_FROM:
            self._share()
        if claimed:
            measures.batch(self.gateway_id, len(claimed), time.monotonic() - began)
        return len(claimed), next_in

    def _launch(self, gateway: Gateway, messages: list[Message], entry: sessions.Entry) -> None:
        started = begin(gateway, messages, entry)
        self.submissions |= {attempt.pk: (message, attempt) for message, attempt, _ in started}
        self.flight.launch([_call(*one) for one in started])

    def _gateway(self) -> Gateway | None:
        return Gateway.objects.select_related("health").filter(pk=self.gateway_id, enabled=True).first()

    def _share(self) -> None:
        """Much is due: another worker may take its share, where there is one."""
        if time.monotonic() - self._shared_at >= SHARE_EVERY:
            self._shared_at = time.monotonic()
            ringing.ring_soon(self.gateway_id)

    def _landings(self, next_in: float, *, more: bool) -> list[Landed]:
        """What landed; comes back empty-handed when there is something to claim or the bell rings."""
        until = time.monotonic() + (0 if more else next_in or PATIENCE)
        landings = self.flight.landed(until - time.monotonic())
        if not landings and not more and time.monotonic() >= until:
            _give_connection_back()
        return [(*self.submissions.pop(landing.ticket), landing) for landing in landings]

    def _settle(self, landed: list[Landed]) -> None:
        """While the leases last the answers are ours to write, however often the database has to be asked.

        What cannot be written for another reason is unclear when its lease is over.
        """
        while landed:
            began = time.monotonic()
            try:
                settle(landed)
            except DATABASE_AWAY as error:
                logger.warning("answers wait for the database (%s)", type(error).__name__)
                now = clock.now()
                landed = [one for one in landed if one[0].lease_until and one[0].lease_until > now]
                self.trouble = error
                _give_connection_back()
                time.sleep(TRY_AGAIN)
            except Exception as error:  # noqa: BLE001 — the others' answers are still to come
                self.trouble = error
                return
            else:
                measures.settled(self.gateway_id, time.monotonic() - began)
                return


def _codes_first(claimed: list[Message]) -> list[list[Message]]:
    """In which portions they leave: a code does not wait until hundreds of others are ready."""
    codes = [message for message in claimed if message.kind == Kind.CODE]
    others = [message for message in claimed if message.kind != Kind.CODE]
    return [some for some in (codes, others) if some]


def _give_connection_back() -> None:
    """Providers think; the database need not wait with us."""
    if not connection.in_atomic_block:
        connection.close()


def _call(message: Message, attempt: Attempt, request: HttpRequest) -> transport.Call:
    timeout = attempt.gateway.timeout
    lease_until = message.lease_until or clock.now()
    return transport.Call(
        ticket=attempt.pk,
        request=request,
        timeout=timeout,
        # The whole call must be over before the lease is, so that no other worker takes over while it runs.
        not_after=min(lease_until - timedelta(seconds=timeout) - retries.LEASE_MARGIN / 2, message.valid_until),
    )


def _let_in(gateway: Gateway, may_log_in: bool) -> sessions.Entry | None:
    """The way in, before any message is taken. Without one the messages wait, or go through another gateway."""
    if not health.limit_by(gateway, health.of(gateway)):
        return None
    try:
        return sessions.enter(gateway, may_log_in=may_log_in)
    except (sessions.Busy, *DATABASE_AWAY):
        raise
    except NotAccepted:
        # The gateway's health knows already.
        return None
    except Exception as error:  # noqa: BLE001 — a provider's file may fail in any way
        reason = _reason("the gateway cannot be opened", error)
        logger.error("gateway %s: %s", gateway.pk, reason)  # noqa: TRY400 — a trace may hold its settings
        health.record_fault(gateway.pk, GatewayFault(reason), asked_as=gateway)
        return None


def begin(
    gateway: Gateway, messages: list[Message], entry: sessions.Entry
) -> list[tuple[Message, Attempt, HttpRequest]]:
    """Builds each request and puts each attempt on record; only what this returns may leave."""
    tried = [(message, _build(entry, message)) for message in messages]
    built = [(message, request) for message, request in tried if isinstance(request, HttpRequest)]
    moved_on = sum(request is True for _message, request in tried)
    with transaction.atomic():
        now = clock.now()
        leaving = Message.mark_submitting(sorted((message for message, _request in built), key=lambda one: one.pk), now)
        ready = [(message, request) for message, request in built if message.pk in leaving]
        attempts = Attempt.begin_all(gateway, [message for message, _request in ready], now)
        # What was lost meanwhile is counted by whoever took it; what is late is taken off when its lease is over.
        pace.uncount(gateway.pk, moved_on, pace.today())
    reach(Point.ATTEMPTED)
    for attempt in attempts:
        attempt.token_issued_at = entry.issued_at
    return [(message, attempt, request) for (message, request), attempt in zip(ready, attempts, strict=True)]


def _build(entry: sessions.Entry, message: Message) -> HttpRequest | bool:
    """The provider's request. Where this message has none, others may: it is tried again, and they go ahead.

    Then true where that is on record, and false where the message is no longer this worker's.
    """
    try:
        return entry.sign(
            entry.provider.submit(
                OutboundSms(
                    key=message.key,
                    number=message.number,
                    phone=message.phone,
                    text=unlocked(message.text),
                    sender=entry.provider.sender,
                    valid_until=message.valid_until,
                    former=settling.former_of(message, entry.provider),
                    parts=message.segments,
                )
            )
        )
    except Refused as refused:
        return _refused_at_home(message, refused)
    except Exception as error:  # noqa: BLE001 — a provider's file may fail in any way
        reason = _reason("no request can be built", error)
        logger.error("message %s: %s", message.pk, reason)  # noqa: TRY400 — a trace may hold its text
        return message.postpone(reason, retries.backoff(message.kind, message.failures + 1))


def _refused_at_home(message: Message, refused: Refused) -> bool:
    """The provider's file itself says that the message cannot go through there; nothing was sent."""
    now, here = clock.now(), message.gateway_id
    with transaction.atomic():
        given_up = failover.give_up_here(message, refused)
        if given_up:
            Attempt.objects.create(
                message=message,
                gateway_id=here,
                epoch=message.epoch,
                key=message.key,
                started_at=now,
                finished_at=now,
                outcome=Outcome.REFUSED,
                detail=refused.reason,
            )
    return given_up


def _reason(what: str, error: Exception) -> str:
    return str(error) if isinstance(error, KeyMissing) else f"{what} ({type(error).__name__})"
