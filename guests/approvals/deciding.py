"""The answer: approved for so long, or denied. The first one counts; whoever comes second reads what was decided."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests import accounts, admitting, devices, durations, guest_types
from guests.approvals import standing, telling, wording
from guests.models import USUAL_STAY, Approval, Guest, GuestType, Registration, Stage
from portal.errors import Refusal, Why
from portal.models import User
from portal.permissions import Right, rights_of

LONGEST_REASON = 100
#: Why nobody can let this guest in, by the field that `admitting` refuses.
UNFIT = {
    "device": gettext_lazy("The guest has as many devices here as are allowed, and must remove one first."),
    "guest_type": gettext_lazy("Guests of this type are let in no more; the guest must choose another one."),
}


def visible_to(user: User, approvals: QuerySet[Approval] | None = None) -> QuerySet[Approval]:
    """The questions this user may see and answer: who is kept to own guests, those that name the user as sponsor."""
    found = Approval.objects.all() if approvals is None else approvals
    return found.filter(sponsor__user=user) if accounts.sees_own_only(user) else found


def may_decide(user: User, approval: Approval) -> bool:
    """Whether a signed-in user may answer: who was asked, and who may change guests, not the own ones alone."""
    if approval.sponsor is not None and approval.sponsor.user_id == user.pk:
        return bool(user.is_active)
    return Right.USERS_UPDATE in rights_of(user) and not accounts.sees_own_only(user)


def usual(kind: GuestType | None) -> timedelta:
    """How long such a guest stays unless somebody says otherwise."""
    return kind.default_stay if kind else USUAL_STAY


def choices(kind: GuestType | None) -> list[tuple[str, str]]:
    """How long may be chosen, as it is written and in words: what is offered everywhere, within the longest stay."""
    offered = {durations.read(text) for text in durations.OFFERED} | {usual(kind)}
    fitting = sorted(stay for stay in offered if kind is None or stay <= kind.longest_stay)
    return [(durations.written(stay), durations.in_words(stay)) for stay in fitting]


def approve(approval: Approval, *, stay: timedelta, by: User | None, key: admitting.Key | None = None) -> Registration:
    """The guest is in for so long from now, and is sent user name and password. `by` None: who has the link.

    Give the `key` where the call stands in a transaction: hashing takes its time.

    Raises Refusal: field `duration` for a stay that is too long; a conflict where it was decided already, its time is
    over, or this guest cannot be let in.
    """
    _check_stay(approval.registration.guest_type, stay)
    key = key or admitting.new_key(approval.registration)
    with transaction.atomic():
        together = _asked_together(approval)
        _decide(approval, by, approved=True, stay=stay)
        registration = _registration_of(approval)
        _check_welcome(registration)
        _admit(registration, key, stay, approval.sponsor.user if approval.sponsor else None)
        for other in together:
            _decide(other, by, approved=True, stay=stay)
            _let_in_too(other.registration, registration)
    return registration


def deny(approval: Approval, *, why: str, by: User | None) -> None:
    """The guest is not let in, and is told so. Raises Refusal: field `reason`, or a conflict as `approve` does."""
    reason = _reason(why)
    with transaction.atomic():
        together = _asked_together(approval)
        _decide(approval, by, approved=False)
        registration = _registration_of(approval)
        registration.move(Stage.DENIED, since=Stage.APPROVAL, reason=reason)
        for other in together:
            _decide(other, by, approved=False)
            other.registration.move(Stage.DENIED, since=Stage.APPROVAL, reason=reason)
        telling.tell(registration, lambda: wording.denied(reason))


def _decide(approval: Approval, by: User | None, **values: Any) -> None:
    """A compare-and-set; the link opens nothing any more. Raises Refusal (a conflict)."""
    now = timezone.now()
    spent = {"link": None, "link_digest": "", "mail_at": None}
    # Conditions on this table alone: behind a join the database would judge by what it read before.
    still_open = Approval.objects.filter(pk=approval.pk, decided_at=None, expires_at__gt=now)
    if not still_open.update(decided_at=now, decided_by=by, **values, **spent):
        raise _too_late(approval)
    for name, value in {"decided_at": now, "decided_by": by, **values, **spent}.items():
        setattr(approval, name, value)


def _too_late(approval: Approval) -> Refusal:
    now_is = Approval.objects.select_related("sponsor", "decided_by").filter(pk=approval.pk).first()
    return Refusal(standing.decided(now_is or approval), why=Why.CONFLICT)


def _registration_of(approval: Approval) -> Registration:
    """As it is now. Raises Refusal (a conflict) where it waits no more."""
    found = Registration.objects.select_for_update(of=("self",)).select_related("guest_type")
    registration = found.get(pk=approval.registration_id)
    if registration.stage != Stage.APPROVAL:
        raise Refusal(standing.OVER, why=Why.CONFLICT)
    return registration


def _check_stay(kind: GuestType | None, stay: timedelta) -> None:
    if stay <= timedelta(0):
        raise Refusal(_("Say for how long."), field="duration")
    if stay > (kind.longest_stay if kind else USUAL_STAY):
        sentence = guest_types.too_long(kind) if kind else _("Choose a shorter stay.")
        raise Refusal(sentence, field="duration")


def _check_welcome(registration: Registration) -> None:
    """Whoever was banned since the question was put is not let in. The account stays as it is until we are done."""
    list(Guest.objects.select_for_update().filter(phone=registration.phone).order_by("pk"))
    if admitting.why_not(registration.phone):
        sentence = _("Somebody blocked this guest meanwhile, so that nobody can let them in from here.")
        raise Refusal(sentence, why=Why.CONFLICT)


def _admit(registration: Registration, key: admitting.Key, stay: timedelta, sponsor: User | None) -> None:
    try:
        moved = admitting.admit(registration, key, since=Stage.APPROVAL, stay=stay, sponsor=sponsor)
    except Refusal as refusal:
        if refusal.field not in UNFIT:
            raise
        raise Refusal(UNFIT[refusal.field], why=Why.CONFLICT) from None
    if not moved:
        raise Refusal(standing.OVER, why=Why.CONFLICT)


def _asked_together(approval: Approval) -> list[Approval]:
    """Other browsers of the same guest that wait for the same person. Locked in one order, with the question itself."""
    same = Approval.objects.select_for_update(of=("self",)).select_related("registration")
    same = same.filter(registration__phone=approval.registration.phone, email=approval.email, decided_at=None)
    waiting = same.filter(registration__stage=Stage.APPROVAL, expires_at__gt=timezone.now()).order_by("pk")
    return [other for other in waiting if other.pk != approval.pk]


def _let_in_too(other: Registration, first: Registration) -> None:
    """Another browser shows the same; its device comes along where there is room for it."""
    known = {"guest": first.guest, "password": first.password, "credentials": first.credentials}
    if other.move(Stage.DONE, since=Stage.APPROVAL, **known) and first.guest:
        try:
            devices.note_arrival(first.guest, other)
        except Refusal:
            return


def _reason(why: str) -> str:
    reason = " ".join(why.split())
    if not reason:
        raise Refusal(_("Say why; the guest will read it."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refusal(_("Give the reason in %(most)s characters.") % {"most": LONGEST_REASON}, field="reason")
    return reason
