"""Delivering: claim what is due for one webhook, call, write down what came back.

At least once: a worker that dies between the claim and the answer leaves a lease, and when that is over another worker
tells the same event under the same id. Nothing here is in the way of messages: it has threads of its own.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet

from messaging import retries
from messaging.drains import Busy, drains
from messaging.models import Delivered, Stop, Webhook, WebhookDelivery, WebhookTry, outbox
from messaging.webhooks import schedule
from messaging.webhooks.calling import GONE, Answer, call_all
from portal import clock, counting
from portal.bulk.updating import update_each

logger = logging.getLogger(__name__)

#: How many calls one webhook gets at once; one that fails gets one, until that succeeds.
AT_ONCE = 20
#: A claim holds this long, which is longer than any call takes.
LEASE = timedelta(seconds=schedule.TIMEOUT) + retries.LEASE_MARGIN

#: Seconds after which a webhook makes room for others; what is still due is rung for within a second.
LONGEST = 30.0

#: Webhooks that this process is busy with. Those that answer nothing hold a thread each, and never more than these.
deliveries = Busy(most=12)


def due() -> list[int]:
    """Webhooks that something waits for whose time has come.

    Those that answer come first, and of these whoever was told longest ago; then whoever has rested longest: there are
    fewer threads than there may be dead ones, or slow ones.
    """
    now = clock.now()
    able = [listener.webhook for listener in outbox.listeners() if not listener.paused]
    turns = (F(moment).asc(nulls_first=True) for moment in ("rest_until", "last_success"))
    rested = _rested().filter(pk__in=able).order_by(*turns, "pk").values_list("pk", flat=True) if able else []
    return [pk for pk in rested if _anything(_due(pk, now))]


def _due(webhook_id: int, now: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(webhook=webhook_id, due_at__lte=now)


def _anything(due: QuerySet[WebhookDelivery]) -> bool:
    """The first entry of their index. Asked without an order, PostgreSQL may look for it in the history instead."""
    return bool(due.order_by("due_at").values_list("pk")[:1])


def deliver(webhook_id: int) -> None:
    """Tells one webhook whatever is due, until nothing is or others may wait. One thread of a process does."""
    if not deliveries.begin(webhook_id):
        return
    finished, until = False, time.monotonic() + LONGEST
    try:
        while not finished and not drains.stopping:
            deliveries.heard(webhook_id)
            while not drains.stopping and _turn(webhook_id):
                if time.monotonic() >= until:
                    return
            finished = deliveries.finished(webhook_id)
    finally:
        if not finished:
            deliveries.abandon(webhook_id)


def _turn(webhook_id: int) -> bool:
    """One claim and its calls; whether there may be more."""
    webhook = _rested().filter(pk=webhook_id, enabled=True, paused_at=None).first()
    claimed, not_after = claim(webhook) if webhook else ([], clock.now())
    if webhook is None or not claimed:
        return False
    settle(webhook, call_all(webhook, claimed, not_after))
    return True


def _rested() -> QuerySet[Webhook]:
    return Webhook.objects.filter(Q(rest_until=None) | Q(rest_until__lte=clock.now()))


def claim(webhook: Webhook) -> tuple[list[WebhookDelivery], datetime]:
    """What is due, the longest first, under a lease; and until when it may be written to the receiver."""
    now = clock.now()
    found = _due(webhook.pk, now)
    # Looked at without writing first: nearly every bell after the first finds nothing.
    if not _anything(found):
        return [], now
    most = 1 if webhook.failing_since else AT_ONCE
    with transaction.atomic():
        locked = found.select_related("event").select_for_update(skip_locked=True, of=("self",))
        # By no second column: of thousands that became due at one moment PostgreSQL would sort all.
        rows = list(locked.order_by("due_at")[:most])
        for row in rows:
            row.tries, row.epoch = row.tries + 1, row.epoch + 1
        ordered = sorted(rows, key=lambda row: row.pk)
        update_each(
            WebhookDelivery,
            [row.pk for row in ordered],
            each={"tries": [row.tries for row in ordered], "epoch": [row.epoch for row in ordered]},
            all_to={"due_at": now + LEASE},
        )
    return rows, now + retries.LEASE_MARGIN


def settle(webhook: Webhook, answers: Sequence[Answer], *, again: bool = True) -> None:
    """Writes down what became of the calls; whoever lost the lease meanwhile writes nothing of it.

    `again`: what failed is told again, as the table says.
    """
    now = clock.now()
    ordered = sorted(answers, key=lambda answer: answer.delivery.pk)
    heard = [one for one in ordered if not one.hopeless]
    pauses = [
        schedule.pause_after(one.delivery.tries, one.asked_for) if again and not one.hopeless else None
        for one in ordered
    ]
    waits = [
        None if one.is_success or pause is None else now + pause for one, pause in zip(ordered, pauses, strict=True)
    ]
    states = [_state(one, due_at) for one, due_at in zip(ordered, waits, strict=True)]
    with transaction.atomic():
        written = update_each(
            WebhookDelivery,
            [one.delivery.pk for one in ordered],
            each={
                "state": states,
                "due_at": waits,
                "last_status": [one.status for one in ordered],
                "reason": [one.reason for one in ordered],
            },
            all_to={"answered_at": now},
            where_each={"epoch": [one.delivery.epoch for one in ordered]},
            where_in={"state": [Delivered.PENDING]},
        )
        WebhookTry.objects.bulk_create(_log(one, now) for one in ordered if one.delivery.pk in written)
        if again and heard:
            _note_health(webhook, heard, now)
        came_to = [(one, state) for one, state in zip(ordered, states, strict=True) if one.delivery.pk in written]
        transaction.on_commit(partial(_count, webhook.pk, came_to, again=again))


def _state(answer: Answer, due_at: datetime | None) -> Delivered:
    if answer.is_success:
        return Delivered.DELIVERED
    return Delivered.PENDING if due_at else Delivered.FAILED


def _count(webhook_id: int, came_to: Sequence[tuple[Answer, Delivered]], *, again: bool) -> None:
    """For `/metrics`. A test that nobody hears is no loss."""
    for one, state in came_to:
        if not one.hopeless:
            counting.add("webhook_calls", webhook=webhook_id, outcome=one.outcome)
        if again and state == Delivered.FAILED:
            counting.add("webhook_deliveries_lost", webhook=webhook_id)


def _log(answer: Answer, now: datetime) -> WebhookTry:
    return WebhookTry(
        delivery=answer.delivery,
        at=now,
        milliseconds=answer.milliseconds,
        status=answer.status,
        reason=answer.reason,
        answer=answer.excerpt,
    )


def _note_health(webhook: Webhook, answers: Sequence[Answer], now: datetime) -> None:
    """One success ends a row of failures; a long row of them, or a 410, ends the calls until a person looks.

    Whoever asks for time is given it for all that waits, also where others of these calls were answered well.
    """
    row = Webhook.objects.filter(pk=webhook.pk)
    failures = [answer for answer in answers if not answer.is_success]
    asked_for = max((schedule.heeded(answer.asked_for) for answer in failures), default=0.0)
    if any(answer.status == GONE for answer in failures):
        _switch_off(webhook, next(answer.reason for answer in failures if answer.status == GONE), now)
    elif len(failures) < len(answers):
        rest_until = now + timedelta(seconds=asked_for) if asked_for else None
        row.update(last_success=now, failing_since=None, rest_until=rest_until)
    else:
        since = _beginning(webhook, now)
        rest_until = now + schedule.rest_after(now - since, asked_for)
        # Whoever was told by it meanwhile, or resumed it, has ended the row of failures that this one would belong to.
        told = {"failing_since": since, "rest_until": rest_until, "last_failure": failures[-1].reason}
        counts = row.filter(failing_since=webhook.failing_since).update(**told)
        if counts and now - since >= schedule.PAUSED_AFTER:
            _pause(webhook, now)


def _beginning(webhook: Webhook, now: datetime) -> datetime:
    """Since when it has done nothing but fail. Where nothing was left to tell it for days, that was another row."""
    is_old = webhook.rest_until is not None and now - webhook.rest_until > schedule.NEXT_WITHIN
    return now if webhook.failing_since is None or is_old else webhook.failing_since


def _switch_off(webhook: Webhook, reason: str, now: datetime) -> None:
    """It wants to hear no more, unless it has another address by now: then somebody else said so."""
    current = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    if current is None or current.url != webhook.url:
        return
    gone = {"enabled": False, "paused_at": now, "paused_because": Stop.GONE, "last_failure": reason}
    Webhook.objects.filter(pk=webhook.pk).update(**gone)
    logger.warning("webhook %s is switched off: it answered 410 Gone", webhook.pk)
    transaction.on_commit(outbox.forget)


def _pause(webhook: Webhook, now: datetime) -> None:
    paused = Webhook.objects.filter(pk=webhook.pk, paused_at=None).update(paused_at=now, paused_because=Stop.FAILING)
    if paused:
        logger.warning("webhook %s is paused: nothing but failures for %s days", webhook.pk, schedule.PAUSED_AFTER.days)
        transaction.on_commit(outbox.forget)
