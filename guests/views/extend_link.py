"""The link in the notice before a stay ends: a page with one button, so that nothing happens by looking at it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guests import notice
from guests.notice import LinkOver
from guests.own_access import extending
from guests.views.noting import note
from guests.views.page import page, said, say_next
from guests.views.stages import SeeOther
from portal.errors import Refusal


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def extend_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Asks, and extends the stay once."""
    if request.method == "POST":
        return _extend(request, token)
    said_now = said(request)
    done = said_now.pop("done", "")
    try:
        guest = notice.guest_of(token)
    except LinkOver as over:
        until = over.guest.valid_until if over.guest and over.guest.valid_until > timezone.now() else None
        return page(request, "extend_over", done=done, sentence=over.sentence, until=until)
    return page(request, "extend", guest=guest, offer=extending.offer(guest), errors=said_now)


def _extend(request: HttpRequest, token: str) -> HttpResponseBase:
    """What became of it is on the page that may be loaded again."""
    try:
        extended = notice.extend(token)
    except LinkOver:
        pass
    except Refusal as refusal:
        say_next(request, refusal)
    else:
        note(request, "extend", extended, path=f"{notice.LINK}…", until=extended.valid_until.isoformat())
        messages.success(request, _("Your stay was extended."), extra_tags="done")
    return SeeOther(request.path)
