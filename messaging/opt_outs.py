"""Who wants no more information, and the words by which a phone says so. What is asked for by a guest still goes."""

import re
import unicodedata
from collections.abc import Iterable

from django.db import transaction

from messaging import phones
from messaging.models import InboundMessage, Message, OptOut, Word
from portal import clock
from portal.bulk import selecting
from portal.bulk.together import Unless
from portal.errors import DUPLICATE, Refusal, Why
from portal.models import User

#: Whole messages. Plain «нет» and “no” are left out: they answer other questions too.
STOP_WORDS = frozenset({
    "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke",
    "стоп", "стоп все", "отписка", "отписать", "отписаться", "отпишите", "отпишите меня", "отказ", "отказаться",
    "отмена", "отменить",
})  # fmt: skip
START_WORDS = frozenset({
    "start", "unstop", "subscribe", "resubscribe", "optin", "opt in",
    "старт", "подписка", "подписать", "подписаться", "подпишите", "подпишите меня", "возобновить",
})  # fmt: skip

#: What a suppressed message says of itself.
REASON = "the phone asked for no more messages (STOP)"


def word_of(text: str) -> Word:
    """What the text asks for, if it is one of the words and nothing else; case, quotes and marks do not matter."""
    letters = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    bare = " ".join(re.findall(r"[^\W_]+", letters))
    if bare in STOP_WORDS:
        return Word.STOP
    return Word.START if bare in START_WORDS else Word.NONE


def has_opted_out(phone: str) -> bool:
    """Whether this E.164 phone gets no information."""
    return OptOut.objects.filter(phone=phone).exists()


def unless_opted_out(phone: str) -> Unless:
    """The same, to be asked by the statement that stores a message."""
    return Unless(OptOut, "phone", phone)


def among(written: Iterable[str]) -> set[str]:
    """Which of these E.164 phones get no information; one query for all."""
    return selecting.among(OptOut, "phone", set(written))


def obey(inbound: InboundMessage) -> None:
    """Does what a text asks for. A phone's latest word holds, in whatever order they come."""
    if inbound.opted == Word.NONE:
        return
    words = InboundMessage.objects.filter(phone=inbound.phone).exclude(opted=Word.NONE)
    if words.filter(at__gt=inbound.at).exists():
        return
    if inbound.opted == Word.STOP:
        opt_out(inbound.phone, inbound)
    else:
        opt_in(inbound.phone)


def opt_out(phone: str, inbound: InboundMessage | None = None) -> None:
    """Puts an E.164 phone on the list; one that is there stays as it is. Information that waits is not sent."""
    since = inbound.at if inbound else clock.now()
    OptOut.objects.get_or_create(phone=phone, defaults={"since": since, "inbound": inbound})
    Message.suppress_waiting(phone, REASON)


def opt_in(phone: str) -> None:
    """Takes an E.164 phone off the list, if it is there."""
    OptOut.objects.filter(phone=phone).delete()


@transaction.atomic
def add(phone: str, *, added_by: User | None, note: str = "") -> OptOut:
    """What staff do when somebody asks them. Raises Refusal (field `phone`; one that is there is a conflict)."""
    row, made = OptOut.objects.get_or_create(
        phone=phones.normalise(phone), defaults={"added_by": added_by, "note": note.strip()}
    )
    if not made:
        raise Refusal(DUPLICATE, field="phone", why=Why.CONFLICT)
    Message.suppress_waiting(row.phone, REASON)
    return row
