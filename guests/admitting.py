"""Letting in who proved a phone: whose account it is, for how long, with which password. Knows no HTTP."""

import secrets
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from guests import accounts, credentials, devices, passwords, stays
from guests import rules as rules_of
from guests.models import Guest, Registration, Stage, usual_end
from messaging.models import Door
from portal.errors import Refusal
from portal.models import User

#: More accounts than that with one phone are nobody's.
MOST_WITH_A_PHONE = 100


class Key(NamedTuple):
    """A new password and its hash. Hashing takes its time: make one before the database is locked."""

    password: str
    password_hash: str


def new_key(registration: Registration) -> Key:
    """As the type of guests wants it."""
    password = passwords.generate(registration.guest_type)
    return Key(password, passwords.hash_password(password))


def account_of(phone: str) -> Guest | None:
    """The account of who has this E.164 phone: the one named after it, or else the only one that has it."""
    return _account_among(_with(phone), phone)


def why_not(phone: str) -> str:
    """Why nobody with this phone is let in, in words for the guest; empty where they are."""
    guests = _with(phone)
    if any(guest.banned for guest in guests):
        return _("Your access is blocked. Please ask at the reception.")
    account = _account_among(guests, phone)
    # Where several accounts have the phone and none is its own, a new one would get round the suspension.
    suspended = account.suspended if account else any(guest.suspended for guest in guests)
    return _("Your access is suspended. Please ask at the reception.") if suspended else ""


def _with(phone: str) -> list[Guest]:
    """Everybody who has this phone; those first that keep all of them out."""
    guests = Guest.objects.select_related("guest_type").filter(phone=phone, anonymised_at=None)
    return list(guests.order_by("-banned", "-suspended", "username")[:MOST_WITH_A_PHONE])


def _account_among(guests: list[Guest], phone: str) -> Guest | None:
    own = next((guest for guest in guests if guest.username == _username(phone)), None)
    return own or (guests[0] if len(guests) == 1 else None)


def is_in(guest: Guest | None) -> bool:
    """Whether the guest's stay goes on, so that nobody needs to be asked again."""
    return guest is not None and guest.valid_from <= timezone.now() < guest.valid_until


def admit(
    registration: Registration,
    key: Key,
    *,
    since: Stage,
    stay: timedelta | None = None,
    sponsor: User | None = None,
) -> bool:
    """The guest is in, with a new password that is shown once and sent. Call it inside a transaction.

    A stay that goes on, or was booked for later, keeps its end; `stay` is how long it lasts from now where a sponsor
    said so, and shortens no booking. False where the registration is not at `since` any more: undo the transaction
    then. Raises Refusal: too many devices.
    """
    account = account_of(registration.phone)
    booked = account.valid_until if account and account.valid_from > timezone.now() else None
    guest = _renewed(account, registration) if account else _created(registration, sponsor)
    devices.note_arrival(guest, registration)
    now = timezone.now()
    stays.note_sign_in(guest, now)
    values: dict[str, object] = {"password": key.password_hash, "verified_at": now}
    if stay is not None:
        values["valid_until"] = max(now + stay, booked or now)
    accounts.write(guest, **values)
    if not registration.move(Stage.DONE, since=since, guest=guest, password=key.password):
        return False
    # Whoever waited for a sponsor may have closed the page long ago.
    if since == Stage.APPROVAL or rules_of.current().sends_credentials:
        _send(registration, guest, key)
    return True


def _renewed(guest: Guest, registration: Registration) -> Guest:
    """The account as it was; what it did not say, the registration does.

    A stay that has ended begins anew; one that was booked for later begins now, as it is.
    """
    details: accounts.Details = {"language": registration.language}
    for name, said in _said(registration).items():
        if said and not getattr(guest, name):
            details[name] = said  # type: ignore[literal-required]
    beginning, kind = timezone.now(), registration.guest_type
    if guest.valid_from > beginning:
        details["valid_from"] = beginning
    elif guest.valid_until <= beginning:
        details |= {"guest_type": kind, "valid_from": beginning}
        details["valid_until"] = kind.end_of(beginning) if kind else usual_end()
        Guest.objects.filter(pk=guest.pk).update(first_sign_in=None)
    return accounts.change(guest, **details)


def _created(registration: Registration, sponsor: User | None) -> Guest:
    name = _username(registration.phone)
    if Guest.objects.filter(username=name).exists():
        # Somebody's account has this name and another phone.
        name = f"{name}-{secrets.token_hex(2)}"
    details: accounts.Details = {
        "phone": registration.phone,
        "language": registration.language,
        "guest_type": registration.guest_type,
        "sponsor": sponsor,
    }
    details |= _said(registration)  # type: ignore[typeddict-item]
    return accounts.create(username=name, by=None, **details)


def _said(registration: Registration) -> dict[str, str]:
    first, _space, last = registration.name.partition(" ")
    return {"first_name": first, "last_name": last, "email": registration.email, "company": registration.company}


def _send(registration: Registration, guest: Guest, key: Key) -> None:
    """The same by SMS. Where that cannot be, the guest has read it all the same."""
    try:
        message = credentials.send(guest, password=key.password, gateway_name="", by=None, door=Door.GUESTS)
    except Refusal:
        return
    registration.credentials = message
    Registration.objects.filter(pk=registration.pk).update(credentials=message)


def _username(phone: str) -> str:
    """A phone as a user name, which knows no +."""
    return phone.lstrip("+")
