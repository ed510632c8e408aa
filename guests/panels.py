"""What the front page says of guests."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guests import accounts, limits, states
from guests import approvals as questions
from guests.approvals import links
from guests.limits import brake
from guests.look import branding
from guests.models import Approval, Branding, Guest, GuestType, Scope, Stage, Terms
from guests.states import State
from portal.admin.dashboard import Concern, Figure, Panel, Step
from portal.admin.display import moment
from portal.admin.rights import caller
from portal.permissions import Right, may


def guests(request: HttpRequest) -> Panel | None:
    """Guests by state, those that the user may see."""
    if not may(request.user, Right.USERS_READ_SPONSORED):
        return None
    counts = states.counts(accounts.visible_to(request.user))
    figures = [Figure(state.label, many, _listed(state)) for state, many in counts.items()]
    return Panel("guests", _("Guests"), figures=figures)


def _listed(state: State) -> str:
    return f"{reverse('admin:guests_guest_changelist')}?{urlencode({'state': state.value})}"


def first_guest(request: HttpRequest) -> Step | None:
    """Until there is one."""
    if not may(request.user, Right.USERS_CREATE):
        return None
    why = _("Credentials are sent to a guest's phone.")
    return Step(_("Create a guest"), why, reverse("admin:guests_guest_add"), Guest.objects.exists())


def approvals(request: HttpRequest) -> Iterator[Concern]:
    """Guests who wait for a sponsor, and what keeps sponsors from being asked."""
    if may(request.user, Right.SYSTEM_READ) and not links.can_be_made() and _some_need_approval():
        sentence = _("Sponsors cannot be sent a link: set PORTAL_URL. Until then their guests wait in the admin.")
        yield Concern(sentence, reverse("admin:system"), _("See the configuration"))
    if not may(request.user, Right.USERS_READ_SPONSORED, Right.USERS_UPDATE):
        return
    waiting = _waiting(request)
    if many := waiting.count():
        sentence = ngettext("%(count)s guest waits for approval.", "%(count)s guests wait for approval.", many)
        yield Concern(sentence % {"count": many}, _listed_approvals(), _("See who waits"), grave=False)
    if many := waiting.exclude(mail_fault="").count():
        sentence = ngettext(
            "%(count)s question to a sponsor could not be mailed.",
            "%(count)s questions to sponsors could not be mailed.",
            many,
        )
        yield Concern(sentence % {"count": many}, _listed_approvals(), _("See why"))


def _waiting(request: HttpRequest) -> QuerySet[Approval]:
    open_ones = Approval.objects.filter(decided_at=None, expires_at__gt=timezone.now())
    return questions.visible_to(caller(request), open_ones.filter(registration__stage=Stage.APPROVAL))


def _some_need_approval() -> bool:
    return GuestType.objects.filter(enabled=True, self_service=True, needs_approval=True).exists()


def _listed_approvals() -> str:
    return reverse("admin:guests_approval_changelist")


def first_terms(request: HttpRequest) -> Step | None:
    """Until there are some that guests agree to."""
    if not may(request.user, Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE):
        return None
    why = _("Guests who register themselves agree to them; without terms they are asked for nothing.")
    done = Terms.objects.filter(published_at__isnull=False).exists()
    return Step(_("Publish terms of use"), why, reverse("admin:guests_terms_changelist"), done)


def own_look(request: HttpRequest) -> Step | None:
    """Until somebody has said how they look."""
    if not may(request.user, Right.SYSTEM_READ, Right.SYSTEM_UPDATE):
        return None
    why = _("Your name, logo and colours, and whom guests may ask.")
    done = Branding.objects.filter(pk=branding.ROW).exists()
    return Step(_("Set the look of the guest pages"), why, reverse("admin:guests_branding_changelist"), done)


def concerns(request: HttpRequest) -> Iterator[Concern]:
    """The brake, and guests held back where a whole lobby may be."""
    if not may(request.user, Right.USERS_READ):
        return
    yield from _stopped()
    yield from _networks_held_back()


def _stopped() -> Iterator[Concern]:
    now, found = timezone.now(), brake.current()
    if brake.is_pulled(found, now):
        sentence = _("Registration is stopped until %(until)s: of %(sent)s codes %(entered)s were entered.")
        told = {"until": moment(found.until), "sent": found.sent, "entered": found.entered}
        yield Concern(sentence % told, _held_back(), _("See it and release it"))


def _networks_held_back() -> Iterator[Concern]:
    networks = (Scope.ADDRESS, Scope.NETWORK)
    many = limits.held_back().filter(scope__in=networks, refused__gt=0).values("key").distinct().count()
    if many:
        sentence = ngettext(
            "%(count)s address or network is held back. If it is your own, add it to GUEST_NETWORKS.",
            "%(count)s addresses or networks are held back. If they are your own, add them to GUEST_NETWORKS.",
            many,
        )
        asked = {"scope__in": ",".join(networks), "refused__gt": 0}
        yield Concern(sentence % {"count": many}, f"{_held_back()}?{urlencode(asked)}", _("See them"), grave=False)


def _held_back() -> str:
    return reverse("admin:guests_limitcount_changelist")
