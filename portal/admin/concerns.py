"""What the ground itself has to say on the front page."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from portal import health
from portal.admin.dashboard import Concern
from portal.permissions import Right, may, rights_of


def workers(request: HttpRequest) -> Iterator[Concern]:
    """Without a worker messages are accepted and none is sent."""
    if rights_of(request.user) and not health.worker_is_alive():
        link = reverse("admin:portal_workerheartbeat_changelist") if may(request.user, Right.SYSTEM_READ) else ""
        sentence = _("No worker is alive: messages are accepted and none is sent. Start the worker.")
        yield Concern(sentence, link, _("See the workers") if link else "")
