"""How many of the guests who begin to register come in: a panel of the front page."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guests.models import Purpose, Registration, Stage
from portal.admin.dashboard import Cell, Grid, Panel
from portal.permissions import Right, may

#: What each step counts, by the name that the list's filter has for it; the first one is all.
STEPS = {
    "": Q(),
    "code": Q(code__sends__gt=0),
    "phone": Q(verified_at__isnull=False),
    "online": Q(stage=Stage.DONE),
}


def panel(request: HttpRequest) -> Panel | None:
    """Today and the last seven days; each figure is the length of the list behind it."""
    if not may(request.user, Right.USERS_READ):
        return None
    now = timezone.localtime()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=6)
    counted = _counted(today, week)
    labels = {"": _("Started"), "code": _("Code sent"), "phone": _("Phone proven"), "online": _("On line")}
    rows = [
        [
            Cell(labels[step]),
            Cell(counted[f"today_{step}"], _listed(today, step)),
            Cell(counted[f"week_{step}"], _listed(week, step)),
        ]
        for step in STEPS
    ]
    grid = Grid(_("Registrations"), [_("Step"), _("Today"), _("Last 7 days")], rows)
    note = _("Of earlier days only those who proved the phone are left: the others are erased after a day.")
    return Panel("funnel", _("Self-registration"), note, grids=[grid])


def _counted(today: datetime, week: datetime) -> dict[str, int]:
    """All figures by one question, whose index is that of the beginning."""
    figures = {f"week_{step}": Count("pk", filter=condition or None) for step, condition in STEPS.items()}
    figures |= {
        f"today_{step}": Count("pk", filter=condition & Q(created__gte=today)) for step, condition in STEPS.items()
    }
    found: dict[str, int] = Registration.objects.filter(purpose=Purpose.REGISTER, created__gte=week).aggregate(
        **figures
    )
    return found


def _listed(since: datetime, step: str) -> str:
    asked = {"created__gte": since.isoformat(sep=" "), "purpose__exact": Purpose.REGISTER.value}
    asked |= {"reached": step} if step else {}
    return f"{reverse('admin:guests_registration_changelist')}?{urlencode(asked)}"
