"""What guests do themselves once they are in: a new password, their own data, erasing it. Knows no HTTP.

Extending is in `extending`, devices are in `devices`.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from guests import admitting, credentials, limits, passwords, states, stays
from guests import rules as rules_of
from guests.limits import Asker
from guests.models import Code, Device, Guest, Registration, Stage
from guests.own_access import extending
from guests.states import State
from messaging.models import Message
from portal.errors import Refusal, Why
from portal.models import User

#: So many messages are in an export, the newest.
MOST_MESSAGES = 1000
STANDING: dict[State, str | Promise] = {
    State.CREATED: gettext_lazy("You may be on line."),
    State.ACTIVE: gettext_lazy("You may be on line."),
    State.NOT_YET: gettext_lazy("Your access has not begun yet."),
    State.SUSPENDED: gettext_lazy("Your access is suspended. Please ask at the reception."),
    State.EXPIRED: gettext_lazy("Your access has ended."),
    State.BANNED: gettext_lazy("Your access is blocked. Please ask at the reception."),
    State.ANONYMISED: gettext_lazy("Your access was erased."),
}
MADE_ALREADY = gettext_lazy(
    "A new password was made already and sent to your phone. If you need another one, make it here."
)


def standing(guest: Guest) -> str:
    """The guest's state in plain words."""
    return str(STANDING[states.of(guest)])


def may_extend(guest: Guest) -> bool:
    """Whether the guest may extend the stay now."""
    now = timezone.now()
    found = extending.offer(guest, now)
    return found is not None and found.is_open(now)


def new_password(guest: Guest, asker: Asker, *, seen: int | None = None) -> str:
    """A new password, to be shown this once, and sent where there is a phone and a gateway.

    Counted as every message that a guest asks for. `seen` is what `credentials.latest` said when the page was opened.
    Raises Refusal (too many, with `until`; a conflict where one was sent since). Call it outside of transactions.
    """
    _check_comes_in(guest)
    if not guest.phone or not rules_of.current().sends_credentials:
        return passwords.reset(guest)
    charged = limits.charge_ahead(limits.limits_of(guest.phone, asker, rules_of.current()))
    try:
        return credentials.renew(guest, gateway_name="", by=None, seen=seen).password
    except Refusal as refusal:
        limits.give_back(charged)
        if refusal.field == "guest":
            raise Refusal(MADE_ALREADY, why=Why.CONFLICT) from None
    # No gateway takes it now; the guest reads it all the same.
    return passwords.reset(guest)


def export(guest: Guest) -> dict[str, Any]:
    """Everything that is kept of the guest, to be written as JSON; no password, code or text of a message."""
    return {
        "made": _time(timezone.now()),
        "account": _account(guest),
        "devices": [_device(device) for device in guest.devices.all()],
        "registrations": [_registration(one) for one in guest.registrations.select_related("terms", "guest_type")],
        "messages": [_message(message) for message in _messages(guest)],
    }


def erase(guest: Guest, *, by: User | None) -> Guest:
    """The account is made anonymous now, and everything goes that need not be kept. `by` of None is the guest.

    Registrations keep phone, device, address, times and terms until their time is over. Raises Refusal (a conflict):
    a guest who is kept out cannot get rid of that so.
    """
    if by is None:
        _check_comes_in(guest)
    phone = guest.phone if guest.phone and admitting.account_of(guest.phone) == guest else ""
    with transaction.atomic():
        gone = stays.anonymise(guest)
        if phone:
            _end_what_runs(phone)
    return gone


def _end_what_runs(phone: str) -> None:
    """No code and no sponsor's answer brings the account back."""
    now = timezone.now()
    Code.objects.filter(phone=phone, ended_at=None).update(ended_at=now, kept=None)
    waiting = Registration.objects.filter(phone=phone, stage__in=[Stage.CODE, Stage.APPROVAL])
    waiting.update(stage=Stage.LAPSED, finished_at=now, **stays.SAID)


def _check_comes_in(guest: Guest) -> None:
    if states.of(guest) in {State.SUSPENDED, State.BANNED}:
        raise Refusal(standing(guest), why=Why.CONFLICT)


def _messages(guest: Guest) -> QuerySet[Message]:
    """Those that name the guest, and all to a phone that the guest has proved to have."""
    named = Q(recipient_label=guest.username)
    wanted = named | Q(phone=guest.phone) if guest.phone and guest.verified_at else named
    return Message.objects.filter(wanted).order_by("-pk").defer("text", "masked_text")[:MOST_MESSAGES]


def _account(guest: Guest) -> dict[str, Any]:
    texts = ("username", "phone", "first_name", "last_name", "email", "company", "notes", "language")
    times = ("created", "valid_from", "valid_until", "first_sign_in", "verified_at")
    return {
        **{name: getattr(guest, name) for name in texts},
        **{name: _time(getattr(guest, name)) for name in times},
        "guest_type": guest.guest_type.name if guest.guest_type else None,
        "state": states.of(guest).value,
        "has_password": guest.has_password,
    }


def _device(device: Device) -> dict[str, Any]:
    times = {"first_seen": _time(device.first_seen), "last_seen": _time(device.last_seen)}
    return {"mac": device.mac, "ssid": device.ssid} | times


def _registration(one: Registration) -> dict[str, Any]:
    texts = ("phone", "name", "email", "company", "address", "mac", "arrival", "language", "purpose", "stage")
    agreed = one.terms and {
        "language": one.terms.language,
        "version": one.terms.version,
        "sha256": one.terms.digest,
        "accepted_at": _time(one.terms_accepted_at),
    }
    times = {name: _time(getattr(one, name)) for name in ("created", "verified_at", "finished_at")}
    return {**{name: getattr(one, name) for name in texts}, **times, "terms": agreed}


def _message(message: Message) -> dict[str, Any]:
    return {
        "phone": message.phone,
        "kind": message.kind,
        "state": message.state,
        "accepted_at": _time(message.created),
        "finished_at": _time(message.finished_at),
    }


def _time(at: Any) -> str | None:
    return timezone.localtime(at).isoformat() if at else None
