"""What the ground itself has to say on the front page."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import defender, expiry, health
from portal.admin.dashboard import Concern, Figure, Panel
from portal.models import User
from portal.permissions import Right, may, rights_of


def workers(request: HttpRequest) -> Iterator[Concern]:
    """Without a worker messages are accepted and none is sent."""
    if rights_of(request.user) and not health.worker_is_alive():
        link = reverse("admin:portal_workerheartbeat_changelist") if may(request.user, Right.SYSTEM_READ) else ""
        sentence = _("No worker is alive: messages are accepted and none is sent. Start the worker.")
        yield Concern(sentence, link, _("See the workers") if link else "")


def accounts_that_end(request: HttpRequest) -> Iterator[Concern]:
    """An account that stops in silence takes a program along; who can move its end reads of it before."""
    if not may(request.user, Right.SYSTEM_READ):
        return
    if many := User.objects.filter(expiry.soon_over()).count():
        sentence = ngettext(
            "%(count)s account ends within %(days)s days.", "%(count)s accounts end within %(days)s days.", many
        )
        link = f"{reverse('admin:portal_user_changelist')}?ending=soon"
        yield Concern(sentence % {"count": many, "days": expiry.SOON.days}, link, _("See the accounts"))


def blocked_hosts(request: HttpRequest) -> Panel | None:
    """What the Defender keeps out."""
    if not may(request.user, Right.SYSTEM_READ):
        return None
    link = reverse("admin:portal_watchedhost_changelist")
    return Panel(
        "defender", _("Defender"), figures=[Figure(_("hosts and users blocked"), defender.blocked_now(), link)]
    )
