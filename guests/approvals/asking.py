"""Putting the question to the sponsor, and repeating it once. What goes out by SMS is accepted in the transaction that
writes down that it was asked; e-mail is only noted there, so that no mail server keeps a guest waiting.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation

from guests import limits
from guests import rules as rules_of
from guests.approvals import links, mailing, throttle, wording
from guests.limits import HeldBack
from guests.models import Approval, Registration, Stage
from messaging import sending
from messaging.models import Door, Message
from messaging.retries import Kind
from portal.errors import Refusal

#: So many are looked at in one turn of housekeeping.
AT_ONCE = 200


def ask(registration: Registration) -> None:
    """The phone is proven: the sponsor is asked, where there is one and a link can be made.

    Whoever named nobody, because the type demanded no sponsor then, waits for the staff. Another registration of the
    same phone that waits for the same person joins: what is decided of one is decided of both.
    """
    approval = Approval.objects.get_or_create(registration=registration)[0]
    _set_end(approval)
    _put(approval.pk)


def ask_waiting() -> None:
    """Housekeeping: questions that were not put yet, because somebody was asked too often or a process died."""
    waiting = _unasked(timezone.now()).filter(registration__stage=Stage.APPROVAL)
    begun = Q(expires_at__isnull=False)
    waiting = waiting.exclude(begun, email="", phone="") if links.can_be_made() else waiting.exclude(begun)
    for approval in list(waiting.order_by("pk")[:AT_ONCE]):
        _set_end(approval)
        _put(approval.pk)


def remind() -> None:
    """Housekeeping: who has not answered after a while is asked once more, and then no more."""
    now = timezone.now()
    since = now - timedelta(minutes=rules_of.current().reminder_minutes)
    silent = _open(now).filter(asked_at__lte=since, reminded_at=None, link__isnull=False)
    for pk in list(silent.filter(registration__stage=Stage.APPROVAL).values_list("pk", flat=True)[:AT_ONCE]):
        _remind(pk, now)


def _open(now: datetime) -> QuerySet[Approval]:
    return Approval.objects.filter(decided_at=None, expires_at__gt=now)


def _unasked(now: datetime) -> QuerySet[Approval]:
    """Those without an end yet are the ones of a process that died."""
    open_ones = Approval.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), decided_at=None, asked_at=None)
    return open_ones.filter(Q(ask_at=None) | Q(ask_at__lte=now))


def _set_end(approval: Approval) -> None:
    end = timezone.now() + timedelta(hours=rules_of.current().approval_hours)
    if Approval.objects.filter(pk=approval.pk, expires_at=None).update(expires_at=end):
        approval.expires_at = end


def _put(pk: int) -> None:
    """One question. Whoever has it in hand meanwhile is waited for, and then there is nothing left to do."""
    try:
        with transaction.atomic():
            approval = _unasked(timezone.now()).select_for_update().filter(pk=pk).first()
            if approval is None or _join(approval) or not _can_be_put(approval):
                return
            limits.charge(throttle.limits_of(approval.email, approval.registration.phone))
            _first_time(approval)
    except HeldBack as held:
        held.note()
        Approval.objects.filter(pk=pk, asked_at=None).update(ask_at=held.until)
        return
    mailing.ring(pk)


def _can_be_put(approval: Approval) -> bool:
    return bool(approval.email or approval.phone) and links.can_be_made()


def _join(approval: Approval) -> bool:
    """Whether the same question about the same phone is open already: nobody is asked it twice."""
    same = _open(timezone.now()).filter(
        registration__phone=approval.registration.phone,
        registration__stage=Stage.APPROVAL,
        email=approval.email,
        pk__lt=approval.pk,
    )
    earlier = same.order_by("pk").first()
    if earlier is None:
        return False
    Approval.objects.filter(pk=approval.pk).update(expires_at=earlier.expires_at, asked_at=earlier.asked_at)
    return True


def _first_time(approval: Approval) -> None:
    token, now = links.new(), timezone.now()
    approval.link, approval.link_digest, approval.asked_at, approval.ask_at = token, links.digest(token), now, None
    approval.sms = _sms(approval, token)
    approval.mail_at = now if approval.email else None
    approval.save(update_fields=["link", "link_digest", "asked_at", "ask_at", "sms", "mail_at"])


def _remind(pk: int, now: datetime) -> None:
    """The compare-and-set is what makes it once, whatever number of workers there are."""
    with transaction.atomic():
        unreminded = Approval.objects.filter(pk=pk, decided_at=None, reminded_at=None, expires_at__gt=now)
        if not unreminded.update(reminded_at=now):
            return
        approval = Approval.objects.select_related("registration", "sponsor").get(pk=pk)
        approval.sms = _sms(approval, approval.link or "") or approval.sms
        approval.mail_at = now if approval.email else None
        approval.save(update_fields=["sms", "mail_at"])
    mailing.ring(pk)


def _sms(approval: Approval, token: str) -> Message | None:
    """The question as an SMS. Where it cannot be sent, the e-mail remains, and the list in the admin."""
    if not approval.phone or not token:
        return None
    try:
        with translation.override(wording.language_of(approval)), transaction.atomic():
            return sending.send(
                phone=approval.phone,
                text=wording.sms(approval, links.address(token)),
                masked_text=wording.sms(approval, links.address(wording.HIDDEN)),
                kind=Kind.INFORMATION,
                gateway_name="",
                requested_by=None,
                door=Door.GUESTS,
            )
    except Refusal:
        return None
