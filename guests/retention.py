"""What is kept of guests, and for how long: some rows in each turn of housekeeping, found through an index.

`docs/operations.md` has the table.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from guests import rules as rules_of
from guests import stays
from guests.models import Approval, Code, CodeMessage, Guest, Registration, Stage
from portal.errors import Refusal

#: So many rows in one run; accounts take more work.
SOME, SOME_GUESTS = 200, 50
#: Whoever has not proved the phone by then never will.
UNVERIFIED = timedelta(days=1)
UNFINISHED = (Stage.CODE, Stage.ENDED, Stage.LAPSED)
PERSONAL: dict[str, Any] = stays.SAID | {"phone": "", "address": None, "mac": "", "device": ""}


def erase_unverified() -> int:
    """Registrations of which nobody proved the phone, and their codes with the links in messages."""
    old = Registration.objects.filter(
        stage__in=UNFINISHED, created__lt=timezone.now() - UNVERIFIED, verified_at=None
    ).values_list("pk", flat=True)[:SOME]
    keys = list(old)
    if keys:
        with transaction.atomic():
            _drop_codes(keys)
            Registration.objects.filter(pk__in=keys, verified_at=None).delete()
    return len(keys)


def anonymise_registrations() -> int:
    """The journal is kept for so many days; then nobody can tell who registered, from where and with what."""
    old = Registration.objects.filter(created__lt=_before(), anonymised_at=None).order_by("created")
    keys = list(old.values_list("pk", flat=True)[:SOME])
    if keys:
        with transaction.atomic():
            _drop_codes(keys)
            Approval.objects.filter(registration__in=keys).update(email="", phone="", link=None, link_digest="")
            Registration.objects.filter(pk__in=keys).update(**PERSONAL, anonymised_at=timezone.now())
    return len(keys)


def anonymise_guests() -> int:
    """Accounts of whom the stay ended as long ago. Whoever is banned stays known until the ban is lifted."""
    old = Guest.objects.filter(valid_until__lt=_before(), anonymised_at=None, banned=False).order_by("valid_until")
    return sum(_anonymise(guest) for guest in old[:SOME_GUESTS])


def drop_old_codes() -> int:
    """Codes that belong to no registration any more."""
    old = list(Code.objects.filter(created__lt=_before()).order_by("created").values_list("pk", flat=True)[:SOME])
    if old:
        Code.objects.filter(pk__in=old).delete()
    return len(old)


def _drop_codes(registrations: list[int]) -> None:
    """The codes of these, but for those that a registration which stays has to do with."""
    codes = _codes_of(Registration.objects.filter(pk__in=registrations), Q(registration__in=registrations))
    stay = Registration.objects.filter(code__in=codes).exclude(pk__in=registrations)
    sent = Q(code__in=codes, registration__isnull=False) & ~Q(registration__in=registrations)
    Code.objects.filter(pk__in=codes - _codes_of(stay, sent)).delete()


def _codes_of(registrations: QuerySet[Registration], sent: Q) -> set[int]:
    """Those they wait for, and those in messages that were sent for them."""
    waited_for = registrations.exclude(code=None).values_list("code", flat=True)
    return {*waited_for, *CodeMessage.objects.filter(sent).values_list("code", flat=True)}


def _anonymise(guest: Guest) -> int:
    try:
        stays.anonymise(guest)
    except Refusal:
        # Somebody else did, or removed the guest.
        return 0
    return 1


def _before() -> datetime:
    return timezone.now() - timedelta(days=rules_of.current().journal_days)
