"""Telling: look at messages of which a report is wanted, call, write down what came back.

A worker that dies between the claim and the answer leaves a lease; when that is over another worker tells the same.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from gateways.http import HttpRequest
from messaging import addresses, retries
from messaging.drains import Busy, drains
from messaging.known_gateways import OUR_OWN
from messaging.models import DeliveryReport, Message
from messaging.reporting.escapes import filled
from messaging.reporting.in_air import InAir, Told
from messaging.reporting.kinds import Happened, is_over, next_of
from messaging.reporting.resting import Resting
from messaging.webhooks import schedule
from messaging.webhooks.formats import ENOUGH
from portal import audit, clock
from portal.encryption import KeyMissing, unlocked
from portal.version import version

logger = logging.getLogger(__name__)

#: How many reports one turn looks at.
SOME = 50
#: Seconds for one call.
TIMEOUT = 10.0
#: Seconds in which most programs answer. The calls of one that takes longer stay in the air while others get theirs.
MOMENT = 1.0
#: How many calls may be in the air.
MOST_IN_AIR = 4 * SOME
#: A host that has not answered so many calls since the last turn gets no more; SOME of them wait for so long, and the
#: next ones for as long again: else thousands would be put off at every turn.
A_FEW, BEHIND = 5, timedelta(seconds=5)
LEASE = timedelta(seconds=TIMEOUT) + retries.LEASE_MARGIN
#: A message is looked at again after a tenth of the time for which its report has been wanted, within these bounds.
SOONEST, LATEST = timedelta(seconds=1), timedelta(minutes=5)
#: A process has one thread that tells.
busy = Busy(most=1)
resting = Resting()
_ONE = 0


def is_due() -> bool:
    """Whether there is a report to look at."""
    return DeliveryReport.objects.filter(due_at__lte=clock.now()).exists()


def tell_due() -> None:
    """Looks at all that is due, tells what has happened, and returns when nothing is."""
    if not busy.begin(_ONE):
        return
    air = InAir()
    try:
        while not drains.stopping and (_turn(air) or air):
            pass
    finally:
        # Whatever failed: who was called is told no second time for that.
        try:
            while air:
                _settle(air, TIMEOUT)
        finally:
            busy.abandon(_ONE)


def _turn(air: InAir) -> bool:
    """One claim and its calls, of which none is waited for longer than a moment; whether there may be more."""
    looked_at, claimed = _claim() if len(air) < MOST_IN_AIR else (0, [])
    first = _call(air, claimed)
    if not air.is_in_air(first):
        # Whoever has just been put off is no reason to wait: behind them may be others.
        return _settle(air, 0 if looked_at else MOMENT) or bool(looked_at)
    end = time.monotonic() + MOMENT
    while air.is_in_air(first) and (left := end - time.monotonic()) > 0:
        _settle(air, left)
    return True


def _call(air: InAir, claimed: Sequence[tuple[DeliveryReport, Happened]]) -> int:
    """Calls whoever may be called, puts off the others; the first ticket of these calls."""
    not_after = clock.now() + retries.LEASE_MARGIN
    called = air.hosts()
    slow = {host for host, unanswered in called.items() if unanswered >= A_FEW}
    air.forget_behind(slow)
    calls, waiting = list[tuple[Told, HttpRequest]](), list[tuple[Told, datetime]]()
    for report, happened in claimed:
        request = _request(report, happened)
        told = Told(report, happened, _host_of(request.url) if request else "")
        if request is None:
            _failed(report, happened)
        elif _must_wait(told.host, called):
            waiting.append((told, resting.until(told.host, clock.now()) or clock.now() + LEASE))
        elif told.host in slow:
            waiting.append((told, clock.now() + min(BEHIND * (1 + air.one_more_behind(told.host) // SOME), LATEST)))
        else:
            called[told.host] += 1
            calls.append((told, request))
    with transaction.atomic():
        for told, until in waiting:
            _put_off(told.report, told.happened, until)
    return air.launch(calls, TIMEOUT, not_after)


def _settle(air: InAir, wait: float) -> bool:
    """Writes down what came back; whether anything did."""
    landed = air.landed(wait)
    for told, response in landed:
        resting.note(told.host, clock.now(), answered=response is not None)
        good = response is not None and 200 <= response.status < 300
        (_done if good else _failed)(told.report, told.happened)
    return bool(landed)


def _host_of(url: str) -> str:
    """With its port. What is filled in may make an address of one no more, which then fails at its call."""
    parts = addresses.parts_of(url)
    return parts.netloc if parts else url


def _must_wait(host: str, called: Collection[str]) -> bool:
    """Whether it gives no answer, as far as is known, and is not due to be tried, or is being tried already."""
    return resting.until(host, clock.now()) is not None or (resting.is_tried(host) and host in called)


def _claim() -> tuple[int, list[tuple[DeliveryReport, Happened]]]:
    """How many were looked at, and those of which something is to be told, under a lease."""
    now = clock.now()
    due = DeliveryReport.objects.filter(due_at__lte=now)
    if not due.exists():
        return 0, []
    with transaction.atomic():
        locked = due.select_for_update(skip_locked=True, of=("self",))
        whole = locked.select_related("message__gateway", "message__requested_by", "known_gateway")
        rows = list(whole.order_by("due_at", "pk")[:SOME])
        telling = [(row, next_of(row.message.state, row.mask, row.told)) for row in rows]
        claimed = [(row, happened) for row, happened in telling if happened is not None]
        for row, _happened in claimed:
            row.epoch, row.tries, row.due_at = row.epoch + 1, row.tries + 1, now + LEASE
        DeliveryReport.objects.bulk_update([row for row, _happened in claimed], ["epoch", "tries", "due_at"])
        _look_again([row for row, happened in telling if happened is None], now)
    return len(rows), claimed


def _look_again(rows: Sequence[DeliveryReport], now: datetime) -> None:
    """Later, or never where nothing more can be told or nobody has known anything for so long."""
    over = [row for row in rows if is_over(row.message.state, row.mask, row.told) or _is_given_up(row, now)]
    DeliveryReport.objects.filter(pk__in=[row.pk for row in over]).delete()
    later = [row for row in rows if row not in over]
    for row in later:
        row.due_at = now + min(max((now - row.made) / 10, SOONEST), LATEST)
    DeliveryReport.objects.bulk_update(later, ["due_at"])


def _is_given_up(row: DeliveryReport, now: datetime) -> bool:
    """While a message is valid, which may begin days after it was accepted, something may yet happen to it."""
    return now - max(row.made, row.message.valid_until) > schedule.GIVEN_UP_AFTER


def _request(report: DeliveryReport, happened: Happened) -> HttpRequest | None:
    try:
        url = filled(unlocked(report.url), _said(report, happened))
    except KeyMissing:
        return None
    return HttpRequest("GET", url, {"user-agent": f"guest-sms-portal/{version()}"}, enough=ENOUGH)


def _done(report: DeliveryReport, happened: Happened) -> None:
    """This was told, or will never be: the next thing is looked for at once."""
    _own(report).update(told=report.told | happened, tries=0, due_at=clock.now())


def _failed(report: DeliveryReport, happened: Happened) -> None:
    pause = schedule.pause_after(report.tries)
    if pause is None:
        _give_up(report, happened)
    else:
        _own(report).update(due_at=clock.now() + pause)


def _put_off(report: DeliveryReport, happened: Happened, until: datetime) -> None:
    """Nobody was called, which is no try."""
    if _is_given_up(report, clock.now()):
        _give_up(report, happened)
    else:
        _own(report).update(tries=report.tries - 1, due_at=until)


def _give_up(report: DeliveryReport, happened: Happened) -> None:
    logger.warning("message %s: its delivery report could not be told and is given up", report.message_id)
    _done(report, happened)


def _own(report: DeliveryReport) -> QuerySet[DeliveryReport]:
    return DeliveryReport.objects.filter(pk=report.pk, epoch=report.epoch)


def _said(report: DeliveryReport, happened: Happened) -> Mapping[str, str]:
    """What each escape stands for."""
    message: Message = report.message
    at = (message.submitted_at if happened is Happened.SUBMITTED else message.finished_at) or clock.now()
    phone, sender, words = message.phone, report.sender, _words(report, happened)
    return {
        "d": str(int(happened)),
        "T": str(int(at.timestamp())),
        "t": at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "p": phone, "q": phone, "P": sender, "Q": sender,
        "A": words, "a": words, "b": words, "k": words.partition(" ")[0], "r": "", "s": "", "S": "",
        "i": (report.known_gateway or message.gateway).name, "I": str(message.pk), "F": message.reference,
        "n": message.requested_by.get_username() if message.requested_by else "",
        "c": "-1", "C": "UTF-8", "M": "-1", "f": "", "o": "", "B": "", "D": "", "u": "",
    }  # fmt: skip


def _words(report: DeliveryReport, happened: Happened) -> str:
    """As Kannel quotes the operator. Whoever is called need not learn the phone by it, which a provider may name."""
    if happened is Happened.SUBMITTED:
        return "ACK/"
    reason = str(audit.mask(_known_reason(report)))
    return f"NACK/{reason}" if happened is Happened.REJECTED else reason


def _known_reason(report: DeliveryReport) -> str:
    """Not in the words of a provider whose gateway does not exist for whoever asked."""
    message: Message = report.message
    is_known = report.known_gateway_id in {None, message.gateway_id}
    return message.reason if is_known or message.state in OUR_OWN else ""
