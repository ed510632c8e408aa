"""Whom a guest may name: a sponsor of the list, or anybody whose e-mail address is at one of the listed domains."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from guests.applying import Application
from guests.approvals import throttle
from guests.models import Approval, Purpose, Registration, RegistrationRules, Sponsor
from portal.errors import Refusal


def needed(registration: Registration) -> bool:
    """Whether guests of this type come in only when a sponsor says so."""
    return registration.guest_type is not None and registration.guest_type.needs_approval


def offered() -> list[Sponsor]:
    """The sponsors whom a guest may name. Of what is kept of them guests are shown the names alone."""
    return list(Sponsor.objects.filter(enabled=True))


def named(application: Application, registration: Registration, rules: RegistrationRules) -> Approval | None:
    """Whom to ask, not stored yet; None where nobody need be.

    Raises Refusal (field `sponsor` or `sponsor_email`) where a guest of this type names nobody who may decide, and
    HeldBack where that person was asked too often.
    """
    if application.purpose != Purpose.REGISTER or not needed(registration):
        return None
    approval = _by_name(application.sponsor) if application.sponsor else _by_email(application.sponsor_email, rules)
    throttle.check(approval.email, registration.phone)
    return approval


def keep(approval: Approval | None, registration: Registration) -> None:
    """Stores whom this registration will be put before."""
    if approval is not None:
        approval.registration = registration
        approval.save(force_insert=True)


def copy(former: Registration, registration: Registration) -> None:
    """The registration names the same person as the former one."""
    there = Approval.objects.filter(registration=former).first()
    if there is not None:
        keep(Approval(sponsor=there.sponsor, email=there.email, phone=there.phone), registration)


def domain_of(raw: str) -> str:
    """A domain in the one spelling that is compared: lower case, other alphabets as `xn--`. Raises UnicodeError."""
    return raw.strip().lstrip("@").rstrip(".").lower().encode("idna").decode()


def _by_name(sponsor: Sponsor) -> Approval:
    if not sponsor.enabled:
        raise Refusal(_("This person approves no guests any more. Please name another one."), field="sponsor")
    return Approval(sponsor=sponsor, email=sponsor.email.lower(), phone=sponsor.phone)


def _by_email(raw: str, rules: RegistrationRules) -> Approval:
    if not raw.strip():
        raise Refusal(_("Please name the person whom you visit."), field="sponsor")
    email, domain = _read(raw)
    known = Sponsor.objects.filter(email__iexact=email).first()
    if known is not None and known.enabled:
        return _by_name(known)
    if known is not None or domain not in _domains(rules):
        raise Refusal(_("Nobody with this e-mail address can approve guests here."), field="sponsor_email")
    return Approval(email=email)


def _read(raw: str) -> tuple[str, str]:
    """The address in one spelling, and its domain. Raises Refusal."""
    name, _at, domain = raw.strip().lower().rpartition("@")
    try:
        email = f"{name}@{domain_of(domain)}"
        validate_email(email)
    except (UnicodeError, ValidationError):
        sentence = _("This is not an e-mail address; write it like name@example.org.")
        raise Refusal(sentence, field="sponsor_email") from None
    return email, domain_of(domain)


def _domains(rules: RegistrationRules) -> set[str]:
    """A sub-domain is a domain of its own. One that is none is nobody's."""
    found = set()
    for raw in rules.sponsor_domains:
        try:
            found.add(domain_of(str(raw)))
        except UnicodeError:
            continue
    return found
