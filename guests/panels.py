"""What the front page says of guests."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from guests import accounts, states
from guests.models import Guest
from guests.states import State
from portal.admin.dashboard import Figure, Panel, Step
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
