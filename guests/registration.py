"""Self-registration, as it is read from the top: start, news of the SMS, send it again, confirm. Knows no HTTP.

A registration is one browser's; the code is the phone's. So another browser of the same phone is asked for the same
code, without another message, and a stranger who types wrong codes ends nobody's registration but the own one.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guests import admitting, applying, approvals, codes
from guests import rules as rules_of
from guests.applying import Application, Visitor
from guests.limits import HeldBack, brake
from guests.models import Code, CodeMessage, Origin, Purpose, Registration, RegistrationRules, Stage
from messaging import phones
from messaging.whereabouts import Whereabouts
from portal import counting
from portal.errors import Refusal, Why

#: So many wrong codes end a registration.
TRIES = 5
#: For links in messages, where every character counts; 72 bits.
LINK_BYTES = 9
LINK = "/r/"


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


class WrongCode(Refusal):
    """Not this one; `left` more may be tried."""

    def __init__(self, left: int) -> None:
        sentence = ngettext(
            "This code is wrong. You can try %(left)d more time.",
            "This code is wrong. You can try %(left)d more times.",
            left,
        )
        super().__init__(sentence % {"left": left}, field="code")
        self.left = left


class CodeOver(Refusal):
    """No code of this phone is good any more: another one may be asked for."""


class Ended(Refusal):
    """This registration goes no further; a new one may be started."""


def start(application: Application, visitor: Visitor) -> Started:
    """Begins a registration and has the code sent, unless the phone has a good one already.

    Raises Refusal: its field is one of Application's; too many (with `until`); no gateway can send now.
    """
    rules = rules_of.current()
    if application.purpose == Purpose.REGISTER:
        rules_of.check_open(rules)
    registration = applying.described(application, visitor, rules)
    asked = approvals.named(application, registration, rules)
    _check_brake(rules)
    token = secrets.token_urlsafe(32)
    registration.token_digest = digest(token)
    with _noting(), transaction.atomic():
        registration.save(force_insert=True)
        approvals.keep(asked, registration)
        _point_at(
            registration, codes.sent_or_joined(registration, visitor.asker, rules, _writing(registration, visitor))
        )
    _count("started")
    return Started(registration, token)


def of_token(token: str) -> Registration | None:
    """The registration of the browser that has this token."""
    rows = Registration.objects.select_related("code", "guest__guest_type", "guest_type", "terms", "credentials")
    return rows.filter(token_digest=digest(token)).first() if token else None


def linked(link: str) -> CodeMessage | None:
    """The message that carried this link."""
    return CodeMessage.objects.select_related("registration", "code").filter(link_digest=digest(link)).first()


def resume(link: str, visitor: Visitor) -> Started:
    """A registration of its own for the browser that opened the link of an SMS: whoever opened the first one may be a
    stranger. The terms are to be accepted anew. Raises CodeOver where the code is good no more.
    """
    sent = linked(link)
    former = sent.registration if sent else None
    if sent is None or former is None or codes.live(former.phone) is None:
        raise CodeOver(_("This link is good no more. Please type your number again."))
    token = secrets.token_urlsafe(32)
    registration = Registration.objects.create(
        token_digest=digest(token),
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
        mac=visitor.mac or former.mac,
        arrival=visitor.arrival or former.arrival,
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
    _check_brake(rules)
    if (code := _code_of(registration)) is not None:
        # What was never sent is not counted against this one.
        codes.latest(code, rules)
    with _noting(), transaction.atomic():
        _point_at(registration, codes.sent_again(registration, visitor.asker, rules, _writing(registration, visitor)))


def confirm(registration: Registration, typed: str, *, accepted: int | None = None) -> Registration:
    """The code was typed: the guest is in, or waits for the sponsor. Doing it twice does it once.

    Returns the registration as it is then; its stage tells which. At most TRIES codes are judged, however many come at
    once. Raises WrongCode, CodeOver, Ended, and Refusal with the field `code`, `accepted` or `device`.
    """
    current = Registration.objects.select_related("guest_type", "code").get(pk=registration.pk)
    if current.stage != Stage.CODE:
        return _gone_on(current)
    digits = _digits(typed)
    if current.terms_id is None and current.purpose == Purpose.REGISTER:
        applying.accept_terms(current, accepted)
    code = codes.live(current.phone)
    if code is None:
        raise _over(current)
    if not _take_try(current):
        return _gone_on(_again(current))
    if not codes.take_try(code):
        codes.burn(code)
        raise _over(_again(current))
    if not codes.matches(code, digits):
        codes.burn(code)
        raise _wrong(current)
    return _proven(current, code)


def digest(token: str) -> str:
    """What is kept of a token: they are random and long, so nothing slow is needed."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _proven(registration: Registration, code: Code) -> Registration:
    key = None if registration.purpose == Purpose.ACCESS else admitting.new_key(registration)
    with transaction.atomic():
        spent = codes.spend(code)
        if spent:
            _let_on(registration, key)
    if not spent:
        current = _again(registration)
        if current.stage == Stage.CODE:
            raise _over(current)
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
    if reason := admitting.why_not(registration.phone):
        moved = registration.move(Stage.DENIED, since=Stage.CODE, reason=reason)
    elif key is None:
        moved = registration.move(Stage.DONE, since=Stage.CODE, guest=account)
    elif approvals.needed(registration) and not admitting.is_in(account):
        moved = registration.move(Stage.APPROVAL, since=Stage.CODE)
    else:
        moved = admitting.admit(registration, key, since=Stage.CODE)
    if not moved:
        # Its last wrong code was typed at the same moment: nothing of this has happened.
        raise _ended()


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


def _writing(registration: Registration, visitor: Visitor) -> codes.Writing:
    link = secrets.token_urlsafe(LINK_BYTES) if visitor.root and rules_of.current().resume_links else ""
    return codes.Writing(
        language=registration.language,
        host=visitor.host,
        link=f"{visitor.root}{LINK}{link}" if link else "",
        link_digest=digest(link) if link else "",
    )


def _code_of(registration: Registration) -> Code | None:
    """The phone's live code, or the last one of this registration."""
    return codes.live(registration.phone) or registration.code


def _digits(typed: str) -> str:
    """What was typed, in any digits there are. Raises Refusal: that costs no try."""
    bare = phones.bare(typed)
    digits = "".join(str(int(character)) for character in bare if character.isdecimal())
    if not bare or len(digits) != len(bare) or not 4 <= len(digits) <= 10:
        raise Refusal(_("Type the digits of the code from the SMS."), field="code")
    return digits


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
    return _ended()


def _ended() -> Ended:
    return Ended(_("There were too many wrong codes. Please type your number again."), field="code", why=Why.CONFLICT)


def _gone_on(registration: Registration) -> Registration:
    """Where it is past the code. Raises Ended where it came to nothing."""
    if registration.stage in {Stage.ENDED, Stage.LAPSED} or registration.stage == Stage.CODE:
        raise _ended()
    return registration


def _check_waits(registration: Registration) -> None:
    if registration.stage != Stage.CODE or registration.tries >= TRIES:
        raise Ended(_("This registration is over. Please type your number again."), why=Why.CONFLICT)


def _over(registration: Registration) -> CodeOver:
    """Expired is told apart from used and from used up."""
    code = registration.code
    if code is not None and code.entered_at:
        sentence = _("This code was used already. Ask for a new one.")
    elif code is not None and code.tries >= codes.TRIES:
        sentence = _("This code was guessed at too often and is good no more. Ask for a new one.")
    else:
        sentence = _("This code has expired. Ask for a new one.")
    return CodeOver(sentence, field="code", why=Why.CONFLICT)
