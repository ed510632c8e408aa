"""What staff do to guests: see, create, change, remove. Stays, passwords and credentials have files of their own.

Knows no HTTP. `by` is who asks; None is the portal itself, which no limit binds.
"""

from copy import copy
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from guests import events, guest_types
from guests.models import USUAL_STAY, Guest, GuestType, Registration
from messaging import phones
from portal.errors import DUPLICATE, Refusal, Why
from portal.models import User
from portal.permissions import Caller, Right, rights_of

#: Stays beyond these are slips of the pen, and some calendars and databases cannot even hold them.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
#: What `clean_fields` need not look at: no form or body can set it to anything wrong.
UNCHECKED = ("sponsor", "last_credentials", "password", "guest_type")


class Details(TypedDict, total=False):
    """What may be said of a guest besides the user name. `phone` may be written in any usual way."""

    phone: str
    first_name: str
    last_name: str
    email: str
    company: str
    notes: str
    language: str
    sponsor: User | None
    guest_type: GuestType | None
    valid_from: datetime
    valid_until: datetime
    suspended: bool
    suspended_why: str


def sees_own_only(user: Caller) -> bool:
    """Whether the user is kept to the guests that name the user as their sponsor."""
    held = rights_of(user)
    return Right.USERS_READ_SPONSORED in held and Right.USERS_READ not in held


def visible_to(user: Caller, guests: QuerySet[Guest] | None = None) -> QuerySet[Guest]:
    """The guests this user may see and act on, once a right lets the user do so at all."""
    found = Guest.objects.all() if guests is None else guests
    return found.filter(sponsor_id=user.pk) if sees_own_only(user) else found


def named(username: str, seen_by: User | None = None) -> Guest:
    """The guest with this user name, among those the user may see. Raises Refusal (not found, field `guest`)."""
    guests = Guest.objects.select_related("guest_type").filter(username=username)
    guest = (visible_to(seen_by, guests) if seen_by else guests).first()
    if guest is None:
        sentence = _("There is no guest “%(name)s”.") % {"name": username}
        raise Refusal(sentence, field="guest", why=Why.NOT_FOUND)
    return guest


def create(*, username: str, by: User | None, password_hash: str = "", **details: Unpack[Details]) -> Guest:
    """A new guest, sponsored by `by` where `details` do not say otherwise.

    Unless they say when the stay ends, its type does; without a type it is 31 days.
    Raises Refusal; the one for a user name that is taken is a conflict.
    """
    guest = Guest(username=username, sponsor=by, password=password_hash)
    _describe(guest, **details)
    if "valid_until" not in details:
        beginning = min(guest.valid_from, LATEST)
        guest.valid_until = guest.guest_type.end_of(beginning) if guest.guest_type else beginning + USUAL_STAY
    _check(guest)
    _check_limits(guest, by, details)
    try:
        with transaction.atomic():
            guest.save(force_insert=True)
    except IntegrityError:
        raise Refusal(DUPLICATE, field="username", why=Why.CONFLICT) from None
    return guest


@transaction.atomic
def change(guest: Guest, *, by: User | None = None, **details: Unpack[Details]) -> Guest:
    """Writes the given details; returns the guest as it is now. Another phone is not proven. Raises Refusal."""
    current = locked(guest)
    former = copy(current)
    _describe(current, **details)
    _check(current)
    _check_limits(current, by, details, former)
    proof = ["verified_at"] if current.phone != former.phone else []
    if proof:
        current.verified_at = None
    current.save(update_fields=[*details, *proof])
    return current


def remove(guest: Guest) -> None:
    """Forgets the guest, with what webhooks were told. Messages that went to the phone stay on record."""
    key = guest.pk
    with transaction.atomic():
        guest.delete()
        events.forget(key)


def write(guest: Guest, **values: Any) -> None:
    """Writes these values. Raises Refusal where the guest was removed or made anonymous.

    With another password, no page shows the former one any more.
    """
    if not Guest.objects.filter(pk=guest.pk, anonymised_at=None).update(**values):
        locked(guest)
    if "password" in values:
        # After the guest's row, which is locked first everywhere.
        Registration.objects.filter(guest=guest, password__isnull=False).update(password=None)
    for name, value in values.items():
        setattr(guest, name, value)


def locked(guest: Guest) -> Guest:
    """The guest as it is now, locked until the transaction ends. Raises Refusal; one made anonymous is a conflict."""
    current = Guest.objects.select_for_update().filter(pk=guest.pk).first()
    if current is None:
        raise gone(guest)
    refuse_anonymised(current)
    return current


def gone(guest: Guest) -> Refusal:
    """The refusal for a guest who was removed while somebody had the page open."""
    return Refusal(_("%(name)s was removed in the meantime.") % {"name": guest.username}, why=Why.NOT_FOUND)


def refuse_anonymised(guest: Guest) -> None:
    """Raises Refusal (a conflict): what was made anonymous is nobody's account any more."""
    if guest.anonymised_at is not None:
        sentence = _("%(name)s was made anonymous; create a new guest instead.")
        raise Refusal(sentence % {"name": guest.username}, field="guest", why=Why.CONFLICT)


def _describe(guest: Guest, **details: Unpack[Details]) -> None:
    for name, value in details.items():
        setattr(guest, name, value)
    if details.get("phone"):
        guest.phone = phones.normalise(details["phone"])


def _check(guest: Guest) -> None:
    for field in ("valid_from", "valid_until"):
        if not EARLIEST <= getattr(guest, field) <= LATEST + USUAL_STAY:
            sentence = _("Name a moment from %(first)s to %(last)s.")
            raise Refusal(sentence % {"first": EARLIEST.year, "last": LATEST.year}, field=field)
    if guest.valid_until <= guest.valid_from:
        raise Refusal(_("The stay must end after it begins."), field="valid_until")
    try:
        # The database itself refuses what is not unique: a look beforehand would prove nothing.
        guest.clean_fields(exclude=UNCHECKED)
    except ValidationError as error:
        field, found = next(iter(error.message_dict.items()))
        raise Refusal(" ".join(found), field=field) from None


def _check_limits(guest: Guest, by: User | None, details: Details, former: Guest | None = None) -> None:
    """What this user may say of a guest: whose guest it is, of what type, and how long."""
    if by and "sponsor" in details and sees_own_only(by) and details["sponsor"] != by:
        raise Refusal(_("You may sponsor your own guests only; leave the sponsor out."), field="sponsor")
    if former is None or former.guest_type_id != guest.guest_type_id:
        guest_types.check_given(guest.guest_type, by, instead_of=former.guest_type if former else None)
    if {"guest_type", "valid_from", "valid_until"} & set(details):
        guest_types.check_end(guest, by, former)
