"""What staff do to guests: create, change, remove, set a password, send credentials. Knows no HTTP."""

from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests.models import USUAL_STAY, Guest
from messaging import phones, sending, texts
from messaging.models import Message, MessageTemplate
from messaging.retries import Kind
from portal.errors import DUPLICATE, Refusal, Why
from portal.models import User

#: What the portal shows in the place of a password, whatever its length.
HIDDEN_PASSWORD = "•" * 8
#: Stays beyond these are slips of the pen, and some calendars and databases cannot even hold them.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
EMPTY_PASSWORD = gettext_lazy("A password cannot be empty.")


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
    valid_from: datetime
    valid_until: datetime
    suspended: bool
    suspended_why: str


def hash_password(password: str) -> str:
    """What is kept of a password. Costs tens of milliseconds of CPU: call it before the database is locked.

    Raises Refusal for an empty one.
    """
    if not password:
        raise Refusal(EMPTY_PASSWORD, field="password")
    return make_password(password)


def named(username: str) -> Guest:
    """The guest with this user name. Raises Refusal (not found, field `guest`)."""
    guest = Guest.objects.filter(username=username).first()
    if guest is None:
        sentence = _("There is no guest “%(name)s”.") % {"name": username}
        raise Refusal(sentence, field="guest", why=Why.NOT_FOUND)
    return guest


def create(*, username: str, by: User | None, password_hash: str = "", **details: Unpack[Details]) -> Guest:
    """A new guest, sponsored by `by` and valid for 31 days where `details` do not say otherwise.

    Raises Refusal; the one for a user name that is taken is a conflict.
    """
    guest = Guest(username=username, sponsor=by, password=password_hash)
    _describe(guest, **details)
    if "valid_until" not in details:
        guest.valid_until = min(guest.valid_from, LATEST) + USUAL_STAY
    _check(guest)
    try:
        with transaction.atomic():
            guest.save(force_insert=True)
    except IntegrityError:
        raise Refusal(DUPLICATE, field="username", why=Why.CONFLICT) from None
    return guest


@transaction.atomic
def change(guest: Guest, **details: Unpack[Details]) -> Guest:
    """Writes the given details and nothing else; returns the guest as it is now. Raises Refusal."""
    current = Guest.objects.select_for_update().filter(pk=guest.pk).first()
    if current is None:
        raise _gone(guest)
    _describe(current, **details)
    _check(current)
    current.save(update_fields=list(details))
    return current


def remove(guest: Guest) -> None:
    """Forgets the guest. Messages that went to the phone stay on record."""
    guest.delete()


def set_password(guest: Guest, password_hash: str) -> None:
    """The guest has this password from now on."""
    _write(guest, password=password_hash)


def clear_password(guest: Guest) -> None:
    """The guest has no password any more."""
    set_password(guest, "")


def send_credentials(
    guest: Guest, *, password: str, gateway_name: str, by: User | None, password_hash: str = ""
) -> Message:
    """Sends the user name and this password to the guest's phone, in the guest's language.

    The password is part of the message's text and kept nowhere else. Where `password_hash` is given, the guest has
    that password from now on, together with the message or not at all.
    Raises Refusal with the field `guest`, `password`, `gateway` or `text`.
    """
    _check_reachable(guest)
    if not password:
        raise Refusal(EMPTY_PASSWORD, field="password")
    template = _credentials_template(guest)
    with transaction.atomic():
        message = sending.send(
            phone=guest.phone,
            text=_credentials(template, guest, password),
            masked_text=_credentials(template, guest, HIDDEN_PASSWORD),
            kind=Kind.CREDENTIALS,
            gateway_name=gateway_name,
            requested_by=by,
            recipient_label=guest.username,
        )
        _write(guest, last_credentials=message, **({"password": password_hash} if password_hash else {}))
    return message


def _write(guest: Guest, **values: Any) -> None:
    if not Guest.objects.filter(pk=guest.pk).update(**values):
        raise _gone(guest)
    for name, value in values.items():
        setattr(guest, name, value)


def _gone(guest: Guest) -> Refusal:
    return Refusal(_("%(name)s was removed in the meantime.") % {"name": guest.username}, why=Why.NOT_FOUND)


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
        guest.clean_fields(exclude=["sponsor", "last_credentials", "password"])
    except ValidationError as error:
        field, found = next(iter(error.message_dict.items()))
        raise Refusal(" ".join(found), field=field) from None


def _check_reachable(guest: Guest) -> None:
    if not guest.phone:
        sentence = _("%(name)s has no phone number; add one before sending credentials.")
        raise Refusal(sentence % {"name": guest.username}, field="guest")
    if guest.suspended:
        sentence = _("%(name)s is suspended; end that before sending credentials.")
        raise Refusal(sentence % {"name": guest.username}, field="guest")


def _credentials_template(guest: Guest) -> str:
    """In the guest's language, or where that text is missing in the portal's."""
    languages = [guest.language, settings.LANGUAGE_CODE]
    rows = MessageTemplate.objects.filter(kind=Kind.CREDENTIALS, language__in=languages)
    found = dict(rows.values_list("language", "text"))
    text = next((found[language] for language in languages if language in found), None)
    if text is None:
        raise Refusal(_("There is no text for credentials; write one under Message templates."))
    return text


def _credentials(template: str, guest: Guest, password: str) -> str:
    return texts.fill(template, username=guest.username, password=password, portal=settings.PORTAL_NAME)
