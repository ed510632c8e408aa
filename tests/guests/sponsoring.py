"""How tests put guests before a sponsor: a type that needs one, a guest who proves the phone, and the link."""

import re
from datetime import timedelta
from typing import Any

from django.db.models import F

from guests import registration, rules
from guests.applying import Application, Visitor
from guests.models import Approval, GuestType, LimitCount, Registration, RegistrationRules, Sponsor
from messaging.models import Message
from messaging.retries import Kind

PHONE, SPONSORS_PHONE = "+79161234567", "+79161110000"
PORTAL = "https://portal.example.org"
LINK = re.compile(rf"{PORTAL}/guest/approve/([\w-]+)")


def visitors() -> GuestType:
    """Guests of a day, two at most, whom a sponsor must approve."""
    GuestType.objects.update(self_service=False)
    return GuestType.objects.create(
        name="Visitor", needs_approval=True, self_service=True, longest_stay=timedelta(days=2)
    )


def ada(**changes: Any) -> Sponsor:
    """Vouches for guests, and reads English."""
    known = {"name": "Ada Lovelace", "email": "ada@example.org", "phone": SPONSORS_PHONE, "language": "en"}
    return Sponsor.objects.create(**known | changes)


def change_rules(**values: Any) -> None:
    """As the administrator would."""
    RegistrationRules.objects.update_or_create(pk=rules.ROW, defaults=values)


def begin(sponsor: Sponsor | None = None, phone: str = PHONE, **said: Any) -> Registration:
    """Somebody types a phone and names a sponsor."""
    application = Application(phone=phone, language="en", sponsor=sponsor, **said)
    number = Registration.objects.count()
    return registration.start(application, Visitor(address=f"192.0.2.{number + 1}", device=f"{number}")).registration


def prove(begun: Registration) -> Registration:
    """The code is typed."""
    sent = Message.objects.filter(kind=Kind.CODE, phone=begun.phone).latest("pk")
    found = re.search(r"\b\d{6}\b", sent.text or "")
    assert found, sent.text
    return registration.confirm(begun, found[0])


def waits(sponsor: Sponsor | None = None, phone: str = PHONE, **said: Any) -> Approval:
    """A guest has proved the phone and waits for the sponsor."""
    return Approval.objects.get(registration=prove(begin(sponsor, phone, **said)))


def token_in(text: str) -> str:
    """What a link in a text ends in."""
    found = LINK.search(text)
    assert found, text
    return found[1]


def sms_to(phone: str) -> list[Message]:
    """What went to a phone beside codes and credentials."""
    return list(Message.objects.filter(phone=phone, kind=Kind.INFORMATION).order_by("pk"))


def let_time_pass(**span: float) -> None:
    """As if everything had been asked so much earlier."""
    shift = timedelta(**span)
    for name in ("ask_at", "asked_at", "reminded_at", "mail_at", "expires_at"):
        Approval.objects.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - shift})
    LimitCount.objects.update(since=F("since") - shift)
