"""Sending guests their credentials: a given password, or a new one that is made, set and sent, to one or to many.

Knows no HTTP. A new password is hashed before the database is locked, because a hash costs tens of milliseconds.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils.translation import gettext as _

from guests import accounts, passwords
from guests.models import Guest
from messaging import sending, texts
from messaging.models import Batch, Door, Message, MessageTemplate
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User

#: What the portal shows in the place of a password, whatever its length.
HIDDEN_PASSWORD = "•" * 8
#: So many at once are a matter of seconds for one request.
MOST_AT_ONCE = 300
#: So many are hashed, then written in one transaction: others get at the database in between.
CHUNK = 20
#: Hashing leaves Python's lock, so threads share the processors.
HASHERS = 4


class Renewed(NamedTuple):
    """A message with a new password. Show the password once and keep it nowhere."""

    message: Message
    password: str


@dataclass(frozen=True)
class Outcome:
    """What became of one guest of many: a message, or why there is none."""

    guest: Guest
    message: Message | None = None
    refused: str = ""


class Renewals(NamedTuple):
    """What became of many: a batch of the messages, and of each guest the outcome."""

    batch: Batch
    outcomes: list[Outcome]


def send(
    guest: Guest,
    *,
    password: str,
    gateway_name: str,
    by: User | None,
    password_hash: str = "",
    door: Door = Door.UNSAID,
    batch: Batch | None = None,
    seen: int | None = None,
) -> Message:
    """Sends the user name and this password to the guest's phone, in the guest's language.

    The password is part of the message's text and kept nowhere else. Where `password_hash` is given, the guest has
    that password from now on, together with the message or not at all. `seen` is what `latest` said when somebody
    decided to send: where credentials went out since, these do not.
    Raises Refusal with the field `guest`, `password`, `gateway` or `text`.
    """
    check_reachable(guest)
    if not password:
        raise Refusal(passwords.EMPTY_PASSWORD, field="password")
    with transaction.atomic():
        # A hash takes its time: who was banned or got another phone meanwhile is told by the row alone.
        current = accounts.locked(guest)
        check_reachable(current)
        _refuse_second(current, seen)
        template = _template(current)
        message = sending.send(
            phone=current.phone,
            text=_text(template, current, password),
            masked_text=_text(template, current, HIDDEN_PASSWORD),
            kind=Kind.CREDENTIALS,
            gateway_name=gateway_name,
            requested_by=by,
            recipient_label=current.username,
            door=door,
            batch=batch,
        )
        accounts.write(guest, last_credentials=message, **({"password": password_hash} if password_hash else {}))
    return message


def latest() -> int:
    """The last message there is now; later ones are those that a form did not know of when it was opened."""
    return int(Message.objects.aggregate(last=Max("pk"))["last"] or 0)


def _refuse_second(guest: Guest, seen: int | None) -> None:
    """The same form sent twice makes one password, and so do two people with the same thought."""
    if seen is not None and (guest.last_credentials_id or 0) > seen:
        sentence = _("Credentials were sent to %(name)s since this page was opened; open it anew to send others.")
        raise Refusal(sentence % {"name": guest.username}, field="guest", why=Why.CONFLICT)


def follow(former: Collection[int]) -> None:
    """Credentials that are sent again are the guest's last ones: what becomes of them is shown, not of the former."""
    again = Message.objects.filter(resend_of=OuterRef("last_credentials")).values("pk")
    Guest.objects.filter(last_credentials__in=former).update(last_credentials=Subquery(again))


def renew(guest: Guest, *, gateway_name: str, by: User | None, seen: int | None = None) -> Renewed:
    """Makes a password as the guest's type wants it, sets it and sends it. Raises Refusal as `send` does."""
    check_reachable(guest)
    password, password_hash = passwords.make(guest)
    message = send(
        guest,
        password=password,
        gateway_name=gateway_name,
        by=by,
        password_hash=password_hash,
        door=Door.PAGES,
        seen=seen,
    )
    return Renewed(message, password)


def renew_many(
    guests: Sequence[Guest],
    *,
    gateway_name: str,
    by: User | None,
    seen: int | None = None,
    tell: Callable[[Outcome], None] = lambda _outcome: None,
) -> Renewals:
    """The same for many guests, one after another; who is refused keeps the old password and stops nobody.

    `tell` hears of each outcome as soon as it is committed, so that what was done is known if the rest is cut off.
    Raises Refusal where there are too many, or no such gateway. Call it outside of transactions.
    """
    check_count(guests)
    batch = sending.open_batch(_("Credentials"), len(guests), gateway_name=gateway_name, requested_by=by)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(HASHERS) as hashers:
        for start in range(0, len(guests), CHUNK):
            part = guests[start : start + CHUNK]
            done = _renewed(part, hashers, batch=batch, gateway_name=gateway_name, by=by, seen=seen)
            outcomes += done
            for outcome in done:
                tell(outcome)
    return Renewals(batch, outcomes)


def _renewed(guests: Sequence[Guest], hashers: ThreadPoolExecutor, *, batch: Batch, **how: Any) -> list[Outcome]:
    made = ["" if _unreachable(guest) else passwords.generate(guest.guest_type) for guest in guests]
    hashes = list(hashers.map(lambda password: password and passwords.hash_password(password), made))
    with transaction.atomic():
        # In one order everywhere, so that no two of us wait for each other.
        list(Guest.objects.select_for_update().filter(pk__in=[guest.pk for guest in guests]).order_by("pk"))
        outcomes = [
            _one_of_many(guest, password=password, password_hash=password_hash, door=Door.PAGES, batch=batch, **how)
            for guest, password, password_hash in zip(guests, made, hashes, strict=True)
        ]
        refused = [(outcome.guest.username, outcome.refused) for outcome in outcomes if outcome.refused]
        sending.go_on(batch, len(guests), refused)
    return outcomes


def _one_of_many(guest: Guest, **how: Any) -> Outcome:
    try:
        return Outcome(guest, send(guest, **how))
    except Refusal as refusal:
        return Outcome(guest, refused=refusal.sentence)


def check_count(guests: Sequence[Guest]) -> None:
    """Raises Refusal (field `guest`) where these are more than one request should take on."""
    if len(guests) > MOST_AT_ONCE:
        sentence = _("Choose %(most)s guests at most; these are %(many)s.")
        raise Refusal(sentence % {"most": MOST_AT_ONCE, "many": len(guests)}, field="guest")


def check_reachable(guest: Guest) -> None:
    """Raises Refusal (field `guest`) where credentials cannot or must not be sent."""
    accounts.refuse_anonymised(guest)
    if reason := _unreachable(guest):
        raise Refusal(reason, field="guest")


def _unreachable(guest: Guest) -> str:
    sentence = ""
    if guest.banned:
        sentence = _("%(name)s is banned; lift the ban before sending credentials.")
    elif guest.suspended:
        sentence = _("%(name)s is suspended; end that before sending credentials.")
    elif not guest.phone:
        sentence = _("%(name)s has no phone number; add one before sending credentials.")
    return sentence % {"name": guest.username}


def _template(guest: Guest) -> str:
    text = MessageTemplate.text_in(Kind.CREDENTIALS, guest.language)
    if text is None:
        raise Refusal(_("There is no text for credentials; write one under Message templates."))
    return text


def _text(template: str, guest: Guest, password: str) -> str:
    return texts.fill(template, username=guest.username, password=password, portal=settings.PORTAL_NAME)
