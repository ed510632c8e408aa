"""The SMS that a document of `/xml/` asks for, each with what is wrong with it before anything is looked up."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateways import xml
from messaging import sending
from messaging.dropin.numbers import phone_of
from messaging.dropin.targetsms import times, words
from messaging.dropin.targetsms.documents import Malformed, Told, one, text_of
from portal import clock
from portal.errors import Refusal

WHOLE_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
LONGEST_PHONE = 15
#: What SMS are; the platform has other things to send, and we have not.
SMS = ("", "sms")


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


def asked_in(document: xml.Element) -> list[Asked]:
    """All of them, in their order. Raises Malformed where there are none, and Told where there are too many."""
    messages = document.findall("message")
    # Before any phone is looked at, which takes its time.
    count = sum(len(message.findall("abonent")) for message in messages)
    if not count:
        raise Malformed
    if count > sending.MOST:
        raise Told(words.TOO_MANY_SMS.format(most=sending.MOST))
    return [asked for message in messages for asked in _asked_in(message)]


def _asked_in(message: xml.Element) -> Iterator[Asked]:
    # Two characters stand for a line break, which a document should not have.
    text = text_of(one(message, "text")).replace("\\n", "\n")
    sender, title = (text_of(one(message, name)).strip() for name in ("sender", "name_delivery"))
    for abonent in message.findall("abonent"):
        yield _read(abonent, text, sender, title, is_sms=message.get("type", "") in SMS)


def _read(abonent: xml.Element, text: str, sender: str, title: str, *, is_sms: bool) -> Asked:
    number = abonent.get("number_sms")
    phone = str(abonent.get("phone", "")).strip()
    nothing_yet = Terms(sender, title, None, None)
    try:
        name, terms = _name(abonent), Terms(sender, title, *_times(abonent))
        return Asked(_phone(phone), _checked(text, is_sms), number, name, terms)
    except _Wrong as wrong:
        return Asked(phone, text, number, "", nothing_yet, str(wrong))


def _checked(text: str, is_sms: bool) -> str:
    if not is_sms:
        raise _Wrong(words.CLOSED)
    if not text.strip():
        raise _Wrong(words.NO_TEXT)
    return text


def _phone(written: str) -> str:
    if sum(map(str.isdigit, written)) > LONGEST_PHONE:
        raise _Wrong(words.LONG_PHONE)
    try:
        return phone_of(written)
    except Refusal:
        raise _Wrong(words.NO_PHONE) from None


def _name(abonent: xml.Element) -> str:
    """`client_id_sms` as a number is written, empty without one."""
    written = str(abonent.get("client_id_sms", "")).strip()
    if not written:
        return ""
    if not WHOLE_NUMBER.fullmatch(written):
        raise _Wrong(words.BAD_NUMBER)
    return str(int(written))


def _times(abonent: xml.Element) -> tuple[datetime | None, datetime | None]:
    """When to send it, None for at once, which a time that is over means, too; and the time after which not to."""
    now = clock.now()
    due_at, no_later = _moment(abonent, "time_send"), _moment(abonent, "validity_period")
    if due_at and due_at > now + sending.LATEST:
        raise _Wrong(words.TOO_FAR.format(days=sending.LATEST.days))
    due_at = due_at if due_at and due_at > now else None
    if no_later and no_later <= (due_at or now):
        raise _Wrong(words.TOO_LATE)
    return due_at, no_later


def _moment(abonent: xml.Element, name: str) -> datetime | None:
    try:
        return times.moment(str(abonent.get(name, "")))
    except ValueError:
        raise _Wrong(words.BAD_TIME) from None
