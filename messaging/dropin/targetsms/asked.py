"""The SMS that a call asks for, each with what is wrong with it before anything is looked up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from messaging import sending
from messaging.dropin.numbers import phone_of
from messaging.dropin.targetsms import times, words
from messaging.dropin.targetsms.documents import Malformed, Told
from portal import clock
from portal.errors import Refusal

WHOLE_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
LONGEST_PHONE = 15
#: What SMS are; the platform has other things to send, and we have not.
SMS = ("", "sms")


class Written(NamedTuple):
    """One SMS as it is written in a call, be it in XML, in JSON or in an address."""

    phone: str
    text: str
    sender: str
    title: str
    #: None where it has none, and none is echoed.
    number: str | None = None
    client_id: str = ""
    time_send: str = ""
    validity_period: str = ""
    kind: str = ""


class Terms(NamedTuple):
    """What is the same of all SMS that are sent together."""

    sender: str
    title: str
    due_at: datetime | None
    no_later: datetime | None


@dataclass(frozen=True)
class Asked:
    """One SMS: `number` is echoed, `name` is what its caller calls it, and `error` why it cannot be sent."""

    phone: str
    text: str
    number: str | None
    name: str
    terms: Terms
    error: str = ""


class _Wrong(Exception):
    """It cannot be sent; its argument says why, in the words of the system."""


def asked_of(written: Sequence[Written]) -> list[Asked]:
    """All of them, in their order. Raises Malformed where there are none, and Told where there are too many."""
    if not written:
        raise Malformed
    refuse_too_many(written)
    return list(map(_read, written))


def refuse_too_many(asked: Sequence[Any]) -> None:
    """Before any phone is looked at, which takes its time. Raises Told."""
    if len(asked) > sending.MOST:
        raise Told(words.TOO_MANY_SMS.format(most=sending.MOST))


def _read(one: Written) -> Asked:
    phone, sender, title = one.phone.strip(), one.sender.strip(), one.title.strip()
    try:
        name, terms = _name(one.client_id), Terms(sender, title, *_times(one))
        return Asked(_phone(phone), _checked(one), one.number, name, terms)
    except _Wrong as wrong:
        return Asked(phone, one.text, one.number, "", Terms(sender, title, None, None), str(wrong))


def _checked(one: Written) -> str:
    if one.kind not in SMS:
        raise _Wrong(words.CLOSED)
    if not one.text.strip():
        raise _Wrong(words.NO_TEXT)
    return one.text


def _phone(written: str) -> str:
    if sum(map(str.isdigit, written)) > LONGEST_PHONE:
        raise _Wrong(words.LONG_PHONE)
    try:
        return phone_of(written)
    except Refusal:
        raise _Wrong(words.NO_PHONE) from None


def _name(client_id: str) -> str:
    """`client_id_sms` as a number is written, empty without one, which a 0 means, too."""
    written = client_id.strip()
    if not written:
        return ""
    if not WHOLE_NUMBER.fullmatch(written):
        raise _Wrong(words.BAD_NUMBER)
    return str(int(written) or "")


def _times(one: Written) -> tuple[datetime | None, datetime | None]:
    """When to send it, None for at once, which a time that is over means, too; and the time after which not to.

    Whether it is too late for it already is not asked here: what was sent under its name is told all the same.
    """
    now = clock.now()
    due_at, no_later = _moment(one.time_send), _moment(one.validity_period)
    if due_at and due_at > now + sending.LATEST:
        raise _Wrong(words.TOO_FAR.format(days=sending.LATEST.days))
    return due_at if due_at and due_at > now else None, no_later


def _moment(written: str) -> datetime | None:
    try:
        return times.moment(written)
    except ValueError:
        raise _Wrong(words.BAD_TIME) from None
