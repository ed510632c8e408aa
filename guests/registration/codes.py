"""One-time codes of guests: making one, sending it, judging what was typed. Knows no HTTP.

A code is the phone's and lives ten minutes. It is sent again as it is; one that a provider made cannot be, so that
another one takes its place.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from guests import limits
from guests.models import CODE_TRIES, Code, CodeMessage, Registration, RegistrationRules
from messaging import codes as sent_codes
from messaging import whereabouts
from messaging.models import Door
from messaging.retries import Kind
from messaging.whereabouts import Where, Whereabouts
from portal import clock, counting
from portal.errors import Refusal, Why

DIGITS = 6
#: So many browsers may be asked for one code: each is a row, and none of them costs a message.
BROWSERS = 20
#: The time between two messages doubles, up to this.
LONGEST_PAUSE = timedelta(minutes=5)
#: One that ends sooner would be over before it is typed: another one is sent in its place.
WORTH_SENDING = timedelta(minutes=2)
#: Messages that ended so long ago were looked at already.
LOOKED_AT = timedelta(hours=1)
CROWDED = _("This number is being registered in too many browsers at once.")
TOO_EARLY = _("The code was sent a moment ago. Wait for it a little longer.")


@dataclass(frozen=True)
class Writing:
    """How the message is written: the language, the host that browsers fill the code in for, and a link back."""

    language: str
    host: str = ""
    link: str = ""
    link_digest: str = ""


def live(phone: str) -> Code | None:
    """The code that this phone would be let in with now."""
    return Code.objects.filter(phone=phone, ended_at=None, expires_at__gt=timezone.now()).first()


def last_message(code: Code) -> CodeMessage | None:
    """The latest message that carried it."""
    return code.messages.select_related("message__gateway").first()


def sent_or_joined(registration: Registration, asker: limits.Asker, rules: RegistrationRules, writing: Writing) -> Code:
    """The live code of the phone, joined without another message where one is still good; else a new one is sent.

    Call it inside a transaction. Raises HeldBack, and Refusal as `messaging.codes.send` does.
    """
    code = live(registration.phone)
    if code is not None and _still_good(code):
        return _joined(code)
    charged = limits.charge(limits.limits_of(registration.phone, asker, rules))
    # Whoever held the counts until now may have made one.
    code = live(registration.phone)
    if code is not None and _still_good(code):
        limits.give_back(charged)
        return _joined(code)
    return _send(code, registration, charged, writing)


def sent_again(registration: Registration, asker: limits.Asker, rules: RegistrationRules, writing: Writing) -> Code:
    """The same code in one more message, or a new one where the former cannot be repeated.

    Call it inside a transaction. Raises Refusal (too many) with `until` where it is too early, else as
    `sent_or_joined` does.
    """
    charged = limits.charge(limits.limits_of(registration.phone, asker, rules))
    code = live(registration.phone)
    if code is not None and (wait := latest(code, rules).again_at) > timezone.now():
        raise TooEarly(wait)
    return _send(code, registration, charged, writing)


class TooEarly(Refusal):
    """The code was sent a moment ago."""

    def __init__(self, until: datetime) -> None:
        super().__init__(TOO_EARLY, why=Why.TOO_MANY, until=until)


@dataclass(frozen=True)
class Latest:
    """The last message with a code: where it is, whether it will never be sent, and when another may be asked for."""

    sms: Whereabouts | None
    unsent: bool
    again_at: datetime
    #: When it was accepted.
    asked_at: datetime | None = None


def latest(code: Code, rules: RegistrationRules) -> Latest:
    """What became of the last message. One that cannot be sent now never will be, and is counted against nobody."""
    last = last_message(code)
    if last is None:
        return Latest(None, unsent=False, again_at=timezone.now())
    sms = whereabouts.of(last.message)
    unsent = last.given_back or _given_back(last, sms)
    return Latest(sms, unsent, _again_at(code, last, sms, rules), last.at)


def _again_at(code: Code, last: CodeMessage, sms: Whereabouts, rules: RegistrationRules) -> datetime:
    """At once where the last one did not get away; else after a pause that grows."""
    if last.given_back or sms.kind.came_to_nothing:
        return timezone.now()
    first = timedelta(seconds=rules.resend_seconds)
    pause: timedelta = first * 2 ** min(max(code.sends - 1, 0), 10)
    return last.at + min(pause, max(LONGEST_PAUSE, first))


def _given_back(last: CodeMessage, sms: Whereabouts) -> bool:
    """Takes back what waits in vain; whether nothing was sent and nothing ever will be.

    A phone that providers refuse is no gateway's fault: that one is counted.
    """
    if sms.kind is Where.NO_WAY:
        whereabouts.give_up(last.message)
    elif sms.kind is not Where.FAILED:
        return False
    if not whereabouts.taken_by_nobody().filter(pk=last.message_id).exists():
        return False
    _give_back(last)
    return True


@transaction.atomic
def _give_back(sent: CodeMessage) -> bool:
    """A compare-and-set: once only."""
    if not CodeMessage.objects.filter(pk=sent.pk, given_back=False).update(given_back=True):
        return False
    Code.objects.filter(pk=sent.code_id, sends__gt=0).update(sends=F("sends") - 1)
    limits.give_back(sent.charged, taken_at=sent.at)
    return True


def give_back_unsent() -> int:
    """Housekeeping: messages that were never sent are counted against nobody, though no guest came to look."""
    ended = whereabouts.taken_by_nobody().filter(kind=Kind.CODE, finished_at__gt=clock.now() - LOOKED_AT)
    return sum(map(_give_back, CodeMessage.objects.filter(given_back=False, message__in=ended)))


def take_try(code: Code) -> bool:
    """One of the tries that all browsers have together; false where the code lives no more."""
    now = timezone.now()
    alive = Code.objects.filter(pk=code.pk, ended_at=None, expires_at__gt=now, tries__lt=CODE_TRIES)
    return alive.update(tries=F("tries") + 1) == 1


def matches(code: Code, typed: str) -> bool:
    """Whether this is the code; compared in constant time."""
    if code.made_by_provider:
        return sent_codes.matches([one.message for one in code.messages.select_related("message")], typed)
    return constant_time_compare(code.digest, _digest(code.phone, typed))


def spend(code: Code) -> bool:
    """It was entered, and nobody enters it again; false where somebody did already."""
    now = timezone.now()
    values = {"ended_at": now, "entered_at": now, "kept": None}
    return Code.objects.filter(pk=code.pk, ended_at=None, expires_at__gt=now).update(**values) == 1


def burn(code: Code) -> None:
    """Too many wrong ones were typed: it lives no more."""
    Code.objects.filter(pk=code.pk, ended_at=None, tries__gte=CODE_TRIES).update(ended_at=timezone.now(), kept=None)


def wipe_expired() -> int:
    """Housekeeping: codes whose time is over are kept readable no longer."""
    over = Code.objects.filter(ended_at=None, expires_at__lte=timezone.now())
    return over.update(ended_at=F("expires_at"), kept=None)


def is_crowded(code: Code) -> bool:
    """Whether as many browsers are asked for it as may be."""
    return code.registrations.count() >= BROWSERS


def _joined(code: Code) -> Code:
    if is_crowded(code):
        raise Refusal(CROWDED, why=Why.TOO_MANY, until=code.expires_at)
    return code


def _still_good(code: Code) -> bool:
    """Whether the phone has it, or may still get it, without another message."""
    last = last_message(code)
    if last is None or last.given_back:
        return False
    kind = whereabouts.of(last.message).kind
    # Of a code that its provider made nothing is known before the provider has answered.
    return not kind.came_to_nothing and not (code.made_by_provider and kind is Where.UNCONFIRMED)


def _send(code: Code | None, registration: Registration, charged: list[limits.Key], writing: Writing) -> Code:
    repeated = code if code is not None and code.kept and timezone.now() < code.expires_at - WORTH_SENDING else None
    digits = (repeated and repeated.kept) or "".join(secrets.choice("0123456789") for _digit in range(DIGITS))
    sent = sent_codes.send(
        phone=registration.phone,
        code=digits,
        language=writing.language,
        host=writing.host,
        link=writing.link,
        door=Door.GUESTS,
        without=_failed_at(code),
    )
    transaction.on_commit(partial(counting.add, "guest_codes_sent"))
    if repeated is None or sent.made_by_provider:
        repeated = _made(registration.phone, digits, by_provider=sent.made_by_provider)
    else:
        Code.objects.filter(pk=repeated.pk).update(sends=F("sends") + 1)
    CodeMessage.objects.create(
        code=repeated,
        message=sent.message,
        registration=registration if registration.pk else None,
        link_digest=writing.link_digest,
        charged=charged,
    )
    return repeated


def _made(phone: str, digits: str, *, by_provider: bool) -> Code:
    """A new code takes the place of any other of this phone."""
    Code.objects.filter(phone=phone, ended_at=None).update(ended_at=timezone.now(), kept=None)
    if by_provider:
        return Code.objects.create(phone=phone, made_by_provider=True, sends=1)
    return Code.objects.create(phone=phone, digest=_digest(phone, digits), kept=digits, sends=1)


def _failed_at(code: Code | None) -> list[int]:
    """Gateways at which the last message came to nothing."""
    last = last_message(code) if code else None
    return [last.message.gateway_id] if last and whereabouts.of(last.message).kind.came_to_nothing else []


def _digest(phone: str, digits: str) -> str:
    return salted_hmac(f"guests.codes.{phone}", digits, algorithm="sha256").hexdigest()
