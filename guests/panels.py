"""What the front page says of guests."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guests import accounts, states
from guests import approvals as questions
from guests.approvals import links
from guests.models import Approval, Guest, GuestType, Stage
from guests.states import State
from portal.admin.dashboard import Concern, Figure, Panel, Step
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
