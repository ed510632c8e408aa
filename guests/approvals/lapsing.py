"""What happens when nobody answers: the registration has lapsed, and the guest is told."""

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from guests.approvals import telling, wording
from guests.models import Approval, Stage

AT_ONCE = 200


def lapse() -> int:
    """Housekeeping: ends what had its time; how many that were. A guest with several browsers is told once."""
    over = Approval.objects.filter(expires_at__lte=timezone.now(), decided_at=None)
    waiting = over.filter(registration__stage=Stage.APPROVAL).select_related("registration").order_by("pk")
    told: set[tuple[str, str]] = set()
    ended = [approval for approval in waiting[:AT_ONCE] if _lapse(approval, told)]
    return len(ended)


def _lapse(approval: Approval, told: set[tuple[str, str]]) -> bool:
    registration, question = approval.registration, (approval.registration.phone, approval.email)
    with transaction.atomic(), translation.override(registration.language):
        # In this order everywhere: first the question, then the registration.
        Approval.objects.filter(pk=approval.pk, decided_at=None).update(link=None, link_digest="", mail_at=None)
        if not registration.move(Stage.LAPSED, since=Stage.APPROVAL, reason=_("Nobody answered in time.")):
            return False
        if question not in told:
            telling.tell(registration, wording.lapsed)
            told.add(question)
    return True
