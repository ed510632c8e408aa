"""What may be told of where a message is: for a program that is let in for some gateways the others do not exist.

A message that another one took over is told of as if it were still at the gateway that had been asked for.
"""

from collections.abc import Iterable
from typing import TypeVar

from django.db.models import Case, F, Q, QuerySet, Value, When

from gateways.models import Gateway
from messaging.models import Attempt, DeliveryEvent, Message, State, Step, Wait
from portal.permissions import is_for_some_gateways, may_use_gateway, scope_of

Record = TypeVar("Record", Attempt, DeliveryEvent, Step)
#: Why a message came to one of these is said in our own words, and by no provider.
OUR_OWN = (State.LAPSED, State.SUPPRESSED)


def gateway_of(message: Message, reader: object) -> Gateway:
    """Where it is; for whom that gateway does not exist, the one that had been asked for."""
    return message.gateway if may_use_gateway(reader, message.gateway_id) else message.wanted or message.gateway


def wanted_of(message: Message, reader: object) -> Gateway | None:
    """The one that had been asked for, unless it does not exist for the reader."""
    return message.wanted if may_use_gateway(reader, message.wanted_id or 0) else None


def reason_of(message: Message, reader: object) -> str:
    """Why it is where it is; not in the words of a provider whose gateway does not exist for the reader."""
    return message.reason if message.state in OUR_OWN or may_use_gateway(reader, message.gateway_id) else ""


def with_names(rows: QuerySet[Message], reader: object) -> QuerySet[Message]:
    """The rows with the names of both, `known_gateway` and `known_wanted`, and `known_reason`: by these they can be
    searched and sorted.
    """
    scope = scope_of(reader)
    if scope is None or scope.gateways is None:
        return rows.annotate(known_gateway=F("gateway__name"), known_wanted=F("wanted__name"), known_reason=F("reason"))
    here = When(gateway__in=scope.gateways, then=F("gateway__name"))
    asked = When(wanted__in=scope.gateways, then=F("wanted__name"))
    said = When(Q(gateway__in=scope.gateways) | Q(state__in=OUR_OWN), then=F("reason"))
    return rows.annotate(
        known_gateway=Case(here, default=F("wanted__name")),
        known_wanted=Case(asked),
        known_reason=Case(said, default=Value("")),
    )


def named(message: Message, reader: object) -> Message:
    """The same for one message that has come from elsewhere than `with_names`, or has changed since."""
    wanted = wanted_of(message, reader)
    message.__dict__.update(
        known_gateway=gateway_of(message, reader).name,
        known_wanted=wanted.name if wanted else None,
        known_reason=reason_of(message, reader),
        reader=reader,
    )
    return message


def reader_of(message: Message) -> object:
    """For whom it was `named`; None for everybody who knows all gateways."""
    return message.__dict__.get("reader")


def known(records: Iterable[Record], message: Message) -> list[Record]:
    """What is on record of the message, in memory, as its reader may know it.

    What another gateway did happened at the one that the reader knows, and what its provider said to it is left out, as
    is how long it was paused. That the message went from one to the other did not happen.
    """
    reader = reader_of(message)
    if not is_for_some_gateways(reader):
        return list(records)
    return [_at_known(one, message, reader) for one in records if not _is_unknown_move(one, reader)]


def _is_unknown_move(record: Record, reader: object) -> bool:
    if not isinstance(record, Step) or record.came_from_id is None:
        return False
    return not (may_use_gateway(reader, record.came_from_id) and may_use_gateway(reader, record.gateway_id))


def _at_known(record: Record, message: Message, reader: object) -> Record:
    if not may_use_gateway(reader, record.gateway_id):
        record.gateway = gateway_of(message, reader)
        if isinstance(record, Attempt):
            record.detail, record.exchange = "", {}
        elif isinstance(record, DeliveryEvent):
            record.detail = ""
        elif record.state not in OUR_OWN:
            record.reason = ""
            record.until = None if record.waits_for == Wait.GATEWAY else record.until
    return record
