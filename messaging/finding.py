"""Finding messages by whatever a person has: a phone in any spelling or its last digits, a pid, a reference, an id.

What was typed decides which columns it may be in; each has an index. Nothing is looked for in the middle of a text.
"""

import re

from django.db import connection
from django.db.models import Q, QuerySet

from gateways.models import Gateway
from messaging import phones
from messaging.models import Attempt, Message
from messaging.models.numbering import id_of
from messaging.models.row import TAIL
from portal.errors import Refusal

#: The keys that providers are given.
KEY = re.compile(r"portal-[0-9]{14}-([0-9]{1,18})")
LARGEST_ID = 2**63 - 1
#: How many messages of one reference are looked at; there is one, unless a provider counts anew.
SOME = 100


def matching(typed: str) -> Q:
    """The messages that may be meant, as a condition whose every part has an index."""
    typed = typed.strip()
    if not typed:
        return Q()
    if "\0" in typed:
        # No column can hold it, and PostgreSQL does not even take the question.
        return Q(pk__in=[])
    found = Q(reference=typed) | Q(recipient_label=typed) | Q(caller_reference=typed) | Q(pk__in=_by_reference(typed))
    found |= _begins("recipient_label", typed)
    if key := KEY.fullmatch(typed):
        found |= Q(pk=int(key[1]))
    return found | _by_digits(typed)


def find(rows: QuerySet[Message], typed: str) -> QuerySet[Message]:
    """Those of the rows that may be meant."""
    return rows.filter(matching(typed))


def _by_digits(typed: str) -> Q:
    """By a phone however it is written, by its beginning after a plus or its last digits, by an id."""
    digits = phones.bare(typed)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return Q()
    found = Q()
    try:
        found |= Q(phone=phones.normalise(typed))
    except Refusal:
        if digits.startswith("+"):
            found |= _begins("phone", digits)
        elif len(digits) >= TAIL:
            found |= Q(phone_tail=digits[-TAIL:], phone__endswith=digits)
    if digits.isdecimal() and int(digits) <= LARGEST_ID:
        found |= Q(pk=int(digits)) | Q(pk=id_of(int(digits)))
    return found


def _by_reference(typed: str) -> list[int]:
    """By what a provider calls it, compared as receipts are."""
    keys = Q()
    for gateway in Gateway.objects.all():
        if key := gateway.abilities().canonical(typed):
            keys |= Q(gateway=gateway, reference_key=key)
    return list(Attempt.objects.filter(keys).order_by().values_list("message", flat=True)[:SOME]) if keys else []


def _begins(column: str, typed: str) -> Q:
    """Texts that begin so. SQLite finds them by its index as a range only, PostgreSQL by its index for LIKE."""
    if connection.vendor == "sqlite":
        return Q(**{f"{column}__gte": typed, f"{column}__lt": f"{typed}\U0010ffff"})
    return Q(**{f"{column}__startswith": typed})
