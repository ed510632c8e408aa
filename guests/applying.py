"""What somebody says who wants to come in, and from where: the shapes that every door fills in for registration."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _

from guests import guest_types, terms
from guests import rules as rules_of
from guests.limits import Asker
from guests.models import Asked, GuestType, Origin, Purpose, Registration, RegistrationRules, Sponsor, Terms
from portal.errors import Refusal, Why

FIELDS = {"name": "ask_name", "email": "ask_email", "company": "ask_company"}


@dataclass(frozen=True)
class Application:
    """What the guest says. `phone` may be written in any usual way; `accepted` is the id of the terms agreed to."""

    phone: str
    language: str
    purpose: Purpose = Purpose.REGISTER
    name: str = ""
    email: str = ""
    company: str = ""
    guest_type: GuestType | None = None
    accepted: int | None = None
    sponsor: Sponsor | None = None
    sponsor_email: str = ""


@dataclass(frozen=True)
class Visitor:
    """Where it comes from. `device` is a digest; `host` is the one that browsers fill the code in for, `root` the
    address before `/r/…` in links; both may be empty.
    """

    address: str | None = None
    device: str = ""
    mac: str = ""
    arrival: dict[str, Any] = field(default_factory=dict)
    origin: Origin = Origin.PAGES
    host: str = ""
    root: str = ""

    @property
    def asker(self) -> Asker:
        """For the limits, the device by what is harder to change."""
        return Asker(self.address, self.mac or self.device)


def described(application: Application, visitor: Visitor, rules: RegistrationRules) -> Registration:
    """A registration that says this; nothing is stored. Raises Refusal, whose field is one of Application's."""
    registration = Registration(
        purpose=application.purpose,
        origin=visitor.origin,
        phone=rules_of.phone_to_write_to(application.phone, rules),
        language=application.language,
        address=visitor.address,
        device=visitor.device,
        mac=visitor.mac,
        arrival=visitor.arrival,
    )
    if application.purpose == Purpose.REGISTER:
        _describe(registration, application, rules)
        accept_terms(registration, application.accepted)
    return registration


def offered_types() -> list[GuestType]:
    """The types that guests may choose themselves."""
    return list(GuestType.objects.filter(enabled=True, self_service=True))


def accept_terms(registration: Registration, accepted: int | None) -> None:
    """Puts on the registration which terms were agreed to. Raises Refusal (field `accepted`)."""
    wanted = terms.shown_to(registration.language)
    if wanted is None:
        return
    if accepted is None:
        raise Refusal(_("Please read the terms of use and accept them."), field="accepted")
    if accepted != wanted.pk:
        raise Refusal(_("The terms of use have changed. Please read them and accept them."), field="accepted")
    note_acceptance(registration, wanted)


def note_acceptance(registration: Registration, agreed: Terms) -> None:
    """The version, and with it the digest of its text, the time; the address is the registration's."""
    registration.terms, registration.terms_accepted_at = agreed, timezone.now()


def _describe(registration: Registration, application: Application, rules: RegistrationRules) -> None:
    for name, rule in FIELDS.items():
        asked, said = getattr(rules, rule), getattr(application, name).strip()
        if asked == Asked.REQUIRED and not said:
            raise Refusal(_("Please fill in this field."), field=name)
        setattr(registration, name, "" if asked == Asked.NO else said)
    _check_email(registration.email)
    registration.guest_type = _chosen_type(application.guest_type)
    guest_types.check_open_now(registration.guest_type)


def _check_email(said: str) -> None:
    """Now: once the code is typed, no guest could put it right."""
    try:
        if said:
            validate_email(said)
    except ValidationError:
        raise Refusal(_("This is not an e-mail address; write it like name@example.org."), field="email") from None


def _chosen_type(chosen: GuestType | None) -> GuestType:
    offered = offered_types()
    if not offered:
        raise Refusal(rules_of.CLOSED, why=Why.CONFLICT)
    if chosen is None and len(offered) > 1:
        raise Refusal(_("Please choose what you come for."), field="guest_type")
    kind = chosen or offered[0]
    if kind not in offered:
        raise Refusal(_("Please choose what you come for."), field="guest_type")
    return kind
