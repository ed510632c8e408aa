"""What a person does to many messages at once: outlook first, then the deed, some hundred at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from gateways import routing
from gateways.models import Gateway
from messaging import ringing
from messaging.models import CANCELLABLE, RESENDABLE, Batch, Message, State
from messaging.sending.again import Done, may_be_resent, resend_all
from portal.errors import Refusal
from portal.models import User

#: How many messages are dealt with in one transaction.
CHUNK = 500
#: How many of those that are skipped are named.
NAMED = 10


class Deed(StrEnum):
    """What may be done to many."""

    RESEND = "resend"
    CANCEL = "cancel"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Outlook:
    """What a deed would do: with how many of `total`; how many of these may then arrive twice; some that it skips."""

    total: int
    able: int
    risky: int
    skipped: list[Message]


def outlook(deed: Deed, rows: QuerySet[Message]) -> Outlook:
    """Looks at these messages without changing any."""
    able = rows.filter(_able(deed))
    others = rows.exclude(_able(deed)).select_related(None).defer(None).only("pk", "state", "phone")
    skipped = list(others.order_by("pk")[:NAMED])
    risky = 0 if deed is Deed.CANCEL else able.filter(state=State.UNRESOLVED).count()
    return Outlook(rows.count(), able.count(), risky, skipped)


def _able(deed: Deed) -> Q:
    waiting = Q(state__in=CANCELLABLE)
    match deed:
        case Deed.CANCEL:
            return waiting
        case Deed.RESEND:
            return may_be_resent()
        case _:
            return Q(only_here=False) & (waiting & Q(unclear=0) | may_be_resent())


def do_all(
    deed: Deed,
    rows: QuerySet[Message],
    *,
    by: User | None,
    gateway: Gateway | None = None,
    batch: Batch | None = None,
    without_risk: bool = False,
) -> Done:
    """Does it to each message that allows it. `gateway` is where to send them, `batch` the one that resent ones join.

    `without_risk` leaves out those that might arrive twice. Raises Refusal for a gateway that cannot be used.
    """
    if gateway:
        routing.named(gateway.name)
    if without_risk:
        rows = rows.exclude(state=State.UNRESOLVED)
    done = Done()
    for keys in _windows(rows):
        done.add(_do(deed, Message.objects.filter(pk__in=keys), by, gateway, batch))
    return done


def _windows(rows: QuerySet[Message]) -> Iterator[list[int]]:
    """The keys, some hundred at a time; what is added meanwhile is left out, and what drops out shifts nothing."""
    last, low = rows.aggregate(last=Max("pk"))["last"] or 0, 0
    while keys := list(rows.filter(pk__gt=low, pk__lte=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        yield keys
        low = keys[-1]


def _do(deed: Deed, rows: QuerySet[Message], by: User | None, gateway: Gateway | None, batch: Batch | None) -> Done:
    match deed:
        case Deed.CANCEL:
            return Done(Message.cancel_all(rows, by))
        case Deed.RESEND:
            return resend_all(rows, by=by, batch=batch)
        case Deed.ELSEWHERE if gateway:
            return _elsewhere(rows, by, gateway)
    raise Refusal(_("Choose the gateway to send through."), field="gateway")


@transaction.atomic
def _elsewhere(rows: QuerySet[Message], by: User | None, gateway: Gateway) -> Done:
    rows = rows.filter(only_here=False)
    done = Done()
    if gateway.prefixes:
        sentence = _("Gateway “%(name)s” may not send to this phone: its prefixes leave it out.")
        outside = rows.filter(_able(Deed.ELSEWHERE)).exclude(routing.served(gateway)).values_list("pk", flat=True)
        done.refused = dict.fromkeys(outside, sentence % {"name": gateway.name})
        rows = rows.exclude(pk__in=done.refused)
    done.add(resend_all(rows.filter(state__in=RESENDABLE), by=by, gateway=gateway))
    if moved := Message.move_all_to(rows, gateway, by):
        transaction.on_commit(partial(ringing.ring_soon, gateway.pk))
    done.count += moved
    return done
