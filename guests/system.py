"""What self-registration tells the system page: whether guests may come in, and which networks are the venue's own."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from guests import applying, rules
from guests.limits import brake
from portal.admin.display import moment
from portal.system import Line, State


def lines() -> Iterator[Line]:
    """Open or not, and why; the networks whose guests share an address."""
    yield _registration()
    about = "GUEST_NETWORKS"
    if settings.GUEST_NETWORKS:
        yield Line(about, ", ".join(map(str, settings.GUEST_NETWORKS)))
    else:
        remedy = _("Where a whole lobby has one address, list it there; else its guests are held back together.")
        yield Line(about, _("none"), State.OK, remedy)


def _registration() -> Line:
    about, found = _("Guests may register themselves"), brake.current()
    if not rules.current().is_open:
        return Line(about, _("no: closed by the rules"))
    if brake.is_pulled(found, timezone.now()):
        shown = _("stopped until %(until)s: too few codes are entered") % {"until": moment(found.until)}
        return Line(about, shown, State.WARNING, _("See the page “Held back” and release the brake there."))
    if not applying.offered_types():
        remedy = _("Let guests choose a guest type themselves: on its page.")
        return Line(about, _("no: no guest type is theirs to choose"), State.WARNING, remedy)
    return Line(about, _("yes"))
