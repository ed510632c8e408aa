"""What a sponsor reads, by SMS and by e-mail, and what a guest reads of the answer. Guests wrote some of it themselves,
so that no address in it can be followed.
"""

import re
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from guests import moments
from guests.models import Approval
from messaging import texts

#: Stands in texts that the portal shows for what a link ends in.
HIDDEN = "…"
#: A text for a phone that costs more is made shorter.
SEGMENTS = 2
LONGEST_SAID, LONGEST_IN_SMS = 60, 20
#: What makes a link of a word.
_LINKING = re.compile(r"[/\\:@<>]|\.(?=\S)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Mail(NamedTuple):
    """One e-mail, as plain text."""

    subject: str
    body: str


def language_of(approval: Approval) -> str:
    """The sponsor's; of whom no language is known, the portal's."""
    return (approval.sponsor.language if approval.sponsor else "") or settings.LANGUAGE_CODE


def said(text: str, longest: int = LONGEST_SAID) -> str:
    """What a guest wrote, as one line without links."""
    plain = " ".join(_UNPRINTABLE.sub(" ", _LINKING.sub(_spaced, text)).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def sms(approval: Approval, link: str) -> str:
    """The question in two segments, with the guest's name where there is room for it."""
    registration = approval.registration
    name = said(registration.name, LONGEST_IN_SMS)
    whole = _question(approval, f"{name} {registration.phone}".strip(), link)
    return whole if fits(whole) else _question(approval, registration.phone, link)


def mail(approval: Approval, link: str) -> Mail:
    """The question in full."""
    registration = approval.registration
    context = {
        "portal": settings.PORTAL_NAME,
        "reminds": approval.reminded_at is not None,
        "name": said(registration.name),
        "phone": registration.phone,
        "company": said(registration.company),
        "asked": moments.moment(registration.verified_at or registration.created),
        "until": _until(approval),
        "link": link,
    }
    guest = context["name"] or registration.phone
    subject = _("%(portal)s: %(guest)s asks to be let in") % {"portal": settings.PORTAL_NAME, "guest": guest}
    return Mail(" ".join(subject.split()), render_to_string("guests/approval_mail.txt", context))


def denied(reason: str) -> str:
    """For the guest; the reason is left out where it makes the text too long."""
    known = {"portal": settings.PORTAL_NAME, "reason": said(reason, len(reason))}
    whole = _("%(portal)s: your access was not approved: %(reason)s") % known
    return whole if reason and fits(whole) else _("%(portal)s: your access was not approved.") % known


def lapsed() -> str:
    """For the guest."""
    sentence = _("%(portal)s: nobody answered your request. Please register again or ask at the reception.")
    return sentence % {"portal": settings.PORTAL_NAME}


def fits(text: str) -> bool:
    """Whether it costs no more than it should."""
    return texts.measure(text).segments <= SEGMENTS


def _question(approval: Approval, guest: str, link: str) -> str:
    known = {
        "portal": settings.PORTAL_NAME,
        "guest": guest,
        "until": _until(approval),
        "link": link,
    }
    return _("%(portal)s: %(guest)s asks to be let in. Answer by %(until)s: %(link)s") % known


def _until(approval: Approval) -> str:
    return moments.moment(approval.expires_at) if approval.expires_at else ""


def _spaced(found: re.Match[str]) -> str:
    return ". " if found[0] == "." else " "
