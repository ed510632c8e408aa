"""A form that is sent twice, by a second tap or after a step back: it leads to where it led the first time.

What it says must be the same. Whoever has corrected something begins another registration.
"""

from collections.abc import Mapping

from django.utils import timezone

from guests import applying
from guests import rules as rules_of
from guests.models import LIVES, Approval, Purpose, Registration, Stage
from guests.registration import codes, process, tokens
from guests.registration.process import Started
from portal.errors import Refusal


def is_one(own: Registration, said: Mapping[str, str], purpose: Purpose = Purpose.REGISTER) -> bool:
    """Whether this registration says the same and still waits for a code that may arrive.

    `said` has texts by the names of Application's fields, and the keys of rows.
    """
    return own.purpose == purpose and own.phone == _phone(said) and _says(own, said) and _waits(own)


def by_device(device: str, said: Mapping[str, str], purpose: Purpose = Purpose.REGISTER) -> Started | None:
    """The one that this browser began a moment ago; its token is a new one, for the browser has not got the first."""
    phone = _phone(said)
    if not device or not phone:
        return None
    latest = Registration.objects.select_related("code").filter(
        phone=phone, device=device, purpose=purpose, stage=Stage.CODE, created__gt=timezone.now() - LIVES
    )
    found = latest.first()
    if found is None or not _says(found, said) or not _waits(found):
        return None
    token = tokens.new()
    Registration.objects.filter(pk=found.pk).update(token_digest=tokens.digest(token))
    return Started(found, token)


def _phone(said: Mapping[str, str]) -> str:
    try:
        return rules_of.phone_to_write_to(said.get("phone", ""), rules_of.current())
    except Refusal:
        return ""


def _says(own: Registration, said: Mapping[str, str]) -> bool:
    details = all(said[name].strip() == getattr(own, name) for name in applying.FIELDS if name in said)
    kind = said.get("guest_type")
    return details and (not kind or kind == str(own.guest_type_id)) and _names_the_same(own, said)


def _names_the_same(own: Registration, said: Mapping[str, str]) -> bool:
    key, email = said.get("sponsor", ""), said.get("sponsor_email", "").strip().lower()
    if not key and not email:
        return True
    asked = Approval.objects.filter(registration=own).first()
    return asked is None or str(asked.sponsor_id) == key or asked.email.lower() == email


def _waits(own: Registration) -> bool:
    if own.stage != Stage.CODE or codes.live(own.phone) is None:
        return False
    news = process.news(own)
    is_on_its_way = news.sms is not None and not news.sms.kind.came_to_nothing and not news.unsent
    return is_on_its_way and news.tries_left > 0
