"""Approval by a sponsor: whom a guest names, the question, and the answer. Knows no HTTP."""

from django.db.models import Q
from django.utils.translation import gettext as _

from guests.applying import Application
from guests.models import Approval, Purpose, Registration, RegistrationRules, Sponsor
from portal.errors import Refusal


def needed(registration: Registration) -> bool:
    """Whether guests of this type come in only when a sponsor says so."""
    return registration.guest_type is not None and registration.guest_type.needs_approval


def offered() -> list[Sponsor]:
    """The sponsors whom a guest may name."""
    return list(Sponsor.objects.filter(enabled=True))


def named(application: Application, registration: Registration, rules: RegistrationRules) -> Approval | None:
    """Whom to ask, not stored yet; None where nobody need be.

    Raises Refusal (field `sponsor` or `sponsor_email`) where a guest of this type names nobody who may decide.
    """
    if application.purpose != Purpose.REGISTER or not needed(registration):
        return None
    email = application.sponsor_email.strip().lower()
    sponsor = application.sponsor or Sponsor.objects.filter(enabled=True, email__iexact=email).exclude(email="").first()
    if sponsor is not None and sponsor.enabled:
        return Approval(sponsor=sponsor, email=sponsor.email, phone=sponsor.phone)
    if not email:
        raise Refusal(_("Please name the person whom you visit."), field="sponsor")
    if email.rpartition("@")[2] not in rules.sponsor_domains:
        raise Refusal(_("Nobody with this e-mail address can approve guests here."), field="sponsor_email")
    return Approval(email=email)


def keep(approval: Approval | None, registration: Registration) -> None:
    """Stores whom this registration will be put before."""
    if approval is not None:
        approval.registration = registration
        approval.save(force_insert=True)


def copy(former: Registration, registration: Registration) -> None:
    """The registration names the same person as the former one."""
    named_there = Approval.objects.filter(Q(registration=former)).first()
    if named_there is not None:
        keep(Approval(sponsor=named_there.sponsor, email=named_there.email, phone=named_there.phone), registration)


def ask(registration: Registration) -> None:
    """The phone is proven: the sponsor is asked."""
