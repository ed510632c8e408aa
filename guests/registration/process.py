"""Self-registration, as it is read from the top: start, news of the SMS, send it again, confirm. Knows no HTTP.

A registration is one browser's; the code is the phone's. So another browser of the same phone is asked for the same
code, without another message, and a stranger who types wrong codes ends nobody's registration but the own one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from guests import admitting, applying, approvals, events
from guests import rules as rules_of
from guests.applying import Application, Visitor
from guests.limits import HeldBack, brake
from guests.models import Code, Guest, Origin, Purpose, Registration, RegistrationRules, Stage
from guests.registration import codes, tokens, wrong_codes
from guests.registration.tokens import Link
from guests.registration.wrong_codes import WrongCode
from messaging.whereabouts import Whereabouts
from portal import counting
from portal.errors import Refusal

#: So many wrong codes end a registration.
TRIES = 5


class Started(NamedTuple):
    """A registration, and the token by which its browser is told from others. Only its digest is kept."""

    registration: Registration
    token: str


@dataclass(frozen=True)
class News:
    """Where the SMS is, when another may be asked for, how many codes may still be typed, until when it is good.

    `asked_at` is when the last message was accepted.
    """

    sms: Whereabouts | None
    again_at: datetime
    tries_left: int
    expires_at: datetime | None
    unsent: bool = False
    asked_at: datetime | None = None


def start(application: Application, visitor: Visitor) -> Started:
    """Begins a registration and has the code sent, unless the phone has a good one already.

    Raises Refusal: its field is one of Application's; too many (with `until`); no gateway can send now.
    """
    rules = rules_of.current()
    _check_open(application.purpose, rules)
    registration = applying.described(application, visitor, rules)
    asked = approvals.named(application, registration, rules)
    _check_brake(rules)
    _settle(registration, rules)
    token = tokens.new()
    registration.token_digest = tokens.digest(token)
    with _noting(), transaction.atomic():
        registration.save(force_insert=True)
        approvals.keep(asked, registration)
        writing = _writing(registration, visitor, rules)
        _point_at(registration, codes.sent_or_joined(registration, visitor.asker, rules, writing))
    _count("started")
    return Started(registration, token)


def resume(link: str, visitor: Visitor) -> Started:
    """A registration of its own for the browser that opened the link of an SMS: whoever opened the first one may be a
    stranger. The terms are to be accepted anew. Raises CodeOver where the code is good no more.
    """
    sent = tokens.linked(link)
    former = sent.registration if sent else None
    if sent is None or former is None or not sent.code.is_live(timezone.now()) or codes.is_crowded(sent.code):
        raise wrong_codes.link_over()
    # Elsewhere it is no device of whoever opens the link, and may be a stranger's.
    is_here = visitor.address == former.address
    token = tokens.new()
    registration = Registration.objects.create(
        token_digest=tokens.digest(token),
        origin=Origin.LINK,
        purpose=former.purpose,
        phone=former.phone,
        language=former.language,
        name=former.name,
        email=former.email,
        company=former.company,
        guest_type=former.guest_type,
        address=visitor.address,
        device=visitor.device,
        mac=visitor.mac or (former.mac if is_here else ""),
        arrival=visitor.arrival or (former.arrival if is_here else {}),
        code=sent.code,
    )
    approvals.copy(former, registration)
    _count("started")
    return Started(registration, token)


def news(registration: Registration) -> News:
    """What is known now. Where the SMS cannot be sent, it never will be, and is counted against nobody."""
    left, code = max(0, TRIES - registration.tries), _code_of(registration)
    if code is None:
        return News(None, timezone.now(), left, None)
    latest = codes.latest(code, rules_of.current())
    return News(latest.sms, latest.again_at, left, code.ended_at or code.expires_at, latest.unsent, latest.asked_at)


def resend(registration: Registration, visitor: Visitor) -> None:
    """The same code once more, or a new one where that cannot be. Raises Refusal as `start` does, and Ended."""
    rules = rules_of.current()
    _check_waits(registration)
    _check_open(registration.purpose, rules)
    _check_brake(rules)
    _settle(registration, rules)
    with _noting(), transaction.atomic():
        writing = _writing(registration, visitor, rules)
        _point_at(registration, codes.sent_again(registration, visitor.asker, rules, writing))


def confirm(registration: Registration, typed: str, *, accepted: int | None = None) -> Registration:
    """The code was typed: the guest is in, or waits for the sponsor. Doing it twice does it once.

    Returns the registration as it is then; its stage tells which. At most TRIES codes are judged, however many come at
    once. Raises WrongCode, CodeOver, Ended, and Refusal with the field `code`, `accepted` or `device`.
    """
    current = Registration.objects.select_related("guest_type", "code").get(pk=registration.pk)
    if current.stage != Stage.CODE:
        return _gone_on(current)
    digits = wrong_codes.digits(typed)
    if current.terms_id is None and current.purpose == Purpose.REGISTER:
        applying.accept_terms(current, accepted)
    code = codes.live(current.phone)
    if code is None:
        raise wrong_codes.over(current)
    if not _take_try(current):
        return _gone_on(_again(current))
    if not codes.take_try(code):
        codes.burn(code)
        raise wrong_codes.over(_again(current))
    if not codes.matches(code, digits):
        codes.burn(code)
        raise _wrong(current)
    return _proven(current, code)


def _proven(registration: Registration, code: Code) -> Registration:
    key = None if registration.purpose == Purpose.ACCESS else admitting.new_key(registration)
    with transaction.atomic():
        spent = codes.spend(code)
        if spent:
            _let_on(registration, key)
    if not spent:
        current = _again(registration)
        if current.stage == Stage.CODE:
            raise wrong_codes.over(current)
        return _gone_on(current)
    if registration.stage == Stage.APPROVAL:
        approvals.ask(registration)
    return registration


def _let_on(registration: Registration, key: admitting.Key | None) -> None:
    """What comes next for who has proved the phone."""
    registration.verified_at = now = timezone.now()
    Registration.objects.filter(pk=registration.pk).update(
        verified_at=now, terms=registration.terms, terms_accepted_at=registration.terms_accepted_at
    )
    account = admitting.account_of(registration.phone)
    if reason := admitting.why_not(registration.phone) or _why_closed(registration, account):
        moved = registration.move(Stage.DENIED, since=Stage.CODE, reason=reason)
    elif key is None:
        moved = registration.move(Stage.DONE, since=Stage.CODE, guest=account)
    elif approvals.needed(registration) and not admitting.is_in(account):
        moved = registration.move(Stage.APPROVAL, since=Stage.CODE)
    else:
        moved = admitting.admit(registration, key, since=Stage.CODE)
    if not moved:
        # Its last wrong code was typed at the same moment: nothing of this has happened.
        raise wrong_codes.too_many()
    if key is not None:
        events.tell_verified(registration)


def _why_closed(registration: Registration, account: Guest | None) -> str:
    """The type of guests may have been switched off, or removed, since it was chosen."""
    kind = registration.guest_type
    is_closed = kind is None or not kind.enabled
    is_new = registration.purpose == Purpose.REGISTER and not admitting.is_in(account)
    return str(rules_of.CLOSED) if is_new and is_closed else ""


def _check_open(purpose: str, rules: RegistrationRules) -> None:
    if purpose == Purpose.REGISTER:
        rules_of.check_open(rules)


@contextmanager
def _noting() -> Iterator[None]:
    """Who is turned away is noted once nothing is undone any more."""
    try:
        yield
    except HeldBack as held:
        held.note()
        _count("held_back")
        raise


def _check_brake(rules: RegistrationRules) -> None:
    try:
        brake.check(rules)
    except Refusal:
        _count("stopped")
        raise


def _count(outcome: str) -> None:
    """For `/metrics`; how it ends `Registration.move` counts."""
    counting.add("guest_registrations", outcome=outcome)


def _point_at(registration: Registration, code: Code) -> None:
    registration.code = code
    Registration.objects.filter(pk=registration.pk).update(code=code)


def _writing(registration: Registration, visitor: Visitor, rules: RegistrationRules) -> codes.Writing:
    link = tokens.new_link(visitor.root) if visitor.root and rules.resume_links else Link()
    return codes.Writing(registration.language, visitor.host, link.address, link.digest)


def _code_of(registration: Registration) -> Code | None:
    """The phone's live code, or the last one of this registration."""
    return codes.live(registration.phone) or registration.code


def _settle(registration: Registration, rules: RegistrationRules) -> None:
    """What was never sent is not counted against the message that is asked for now, and will not come beside it."""
    if (code := _code_of(registration)) is not None:
        codes.latest(code, rules)


def _take_try(registration: Registration) -> bool:
    open_one = Registration.objects.filter(pk=registration.pk, stage=Stage.CODE, tries__lt=TRIES)
    return open_one.update(tries=F("tries") + 1) == 1


def _again(registration: Registration) -> Registration:
    return Registration.objects.select_related("guest_type", "code").get(pk=registration.pk)


def _wrong(registration: Registration) -> Refusal:
    current = _again(registration)
    left = TRIES - current.tries
    if left > 0:
        return WrongCode(left)
    current.move(Stage.ENDED, since=Stage.CODE)
    return wrong_codes.too_many()


def _gone_on(registration: Registration) -> Registration:
    """Where it is past the code. Raises Ended where it came to nothing."""
    if registration.stage in {Stage.CODE, Stage.ENDED}:
        raise wrong_codes.too_many()
    if registration.stage == Stage.LAPSED:
        raise wrong_codes.ended()
    return registration


def _check_waits(registration: Registration) -> None:
    if registration.stage != Stage.CODE or registration.tries >= TRIES:
        raise wrong_codes.ended()
