"""What messaging tells the system page: what providers report, how late, and what nobody can place."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from django.conf import settings
from django.utils.translation import gettext as _

from gateways.models import Gateway
from messaging.models import DeliveryEvent
from portal import clock
from portal.counting import last_counted
from portal.system import Line, State, ago, seconds

#: The lag is that of the newest receipts, so many of all gateways together.
NEWEST = 500
#: Receipts that come later than this say that they are fetched too seldom, or held up somewhere.
LATE = timedelta(minutes=10)
A_DAY = timedelta(days=1)


def lines() -> Iterator[Line]:
    """Whether providers can call, and what came of each gateway."""
    if settings.PORTAL_URL:
        yield Line(_("Providers call"), f"{settings.PORTAL_URL}/callbacks/…")
    else:
        remedy = _("Set PORTAL_URL where the internet reaches the portal, and receipts come sooner.")
        yield Line(_("Providers call"), _("never: they are only asked"), State.OK, remedy)
    called = last_counted("callbacks", "gateway")
    lags = lags_of_each_gateway()
    for pk, name in Gateway.objects.filter(enabled=True).values_list("pk", "name"):
        yield _gateway(name, called.get(str(pk)), lags.get(pk))
    yield _unmatched()


def lags_of_each_gateway() -> dict[int, float]:
    """Seconds from what a provider says was the time to when it was heard here, in the middle of the newest."""
    newest = DeliveryEvent.objects.order_by("-id").values_list("gateway", "at", "received_at")[:NEWEST]
    found: dict[int, list[float]] = defaultdict(list)
    for gateway, at, received in newest:
        if at is not None:
            found[gateway].append((received - at).total_seconds())
    return {gateway: median(lags) for gateway, lags in found.items()}


def _gateway(name: str, called: datetime | None, lag: float | None) -> Line:
    late = lag is not None and lag > LATE.total_seconds()
    remedy = _("Receipts come late: look whether the provider can call the portal, and at its own state.")
    shown = _("last call %(called)s; receipts come after %(lag)s") % {
        "called": ago(called),
        "lag": "—" if lag is None else seconds(lag),
    }
    return Line(name, shown, State.WARNING if late else State.OK, remedy if late else "")


def _unmatched() -> Line:
    number = DeliveryEvent.objects.filter(message=None, received_at__gte=clock.now() - A_DAY).count()
    remedy = _("Another program uses the same account, or a backup was restored: the receipts are kept and do no harm.")
    about = _("Receipts of the last 24 hours that belong to no message")
    return Line(about, str(number), State.WARNING if number else State.OK, remedy if number else "")
