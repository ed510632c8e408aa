"""What the front page says of gateways: how each fares, and which of them needs a person."""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from gateways import health, standing
from gateways.models import Gateway
from gateways.standing import Standing
from portal.admin.dashboard import Cell, Concern, Grid, Panel, Step
from portal.admin.display import NOTHING, moment
from portal.permissions import Right, may


def gateways(request: HttpRequest) -> Panel | None:
    """Each gateway with its state, breaker, balance and last error."""
    if not may(request.user, Right.SMS_GATEWAY_READ):
        return None
    headers = [_("Gateway"), _("State"), _("Breaker"), _("Balance"), _("Last error"), _("When")]
    rows = [_row(gateway) for gateway in _all()]
    return Panel("gateways", _("Gateways"), grids=[Grid(_("Gateways"), headers, rows)])


def _all() -> list[Gateway]:
    # Settings are secrets that cost time to decrypt, and nothing here asks for them.
    return list(Gateway.objects.select_related("health").defer("settings", "callback_key"))


def _row(gateway: Gateway) -> list[Cell]:
    found, stands, link = health.of(gateway), standing.of(gateway), page_of(gateway)
    breaker = health.breaker(found)
    return [
        Cell(gateway.name, link),
        Cell(stands.label, link, alarming=stands is Standing.CREDENTIALS_REFUSED),
        Cell(breaker.label, link, alarming=breaker is not health.Breaker.CLOSED),
        Cell(_left(gateway), link if found.balance is not None else "", alarming=found.balance_warned > 0),
        Cell(found.last_error or NOTHING, link if found.last_error else ""),
        Cell(moment(found.last_error_at)),
    ]


def page_of(gateway: Gateway) -> str:
    """Where it is mended."""
    return reverse("admin:gateways_gateway_change", args=(gateway.pk,))


def _left(gateway: Gateway) -> str:
    found = health.of(gateway)
    return NOTHING if found.balance is None else f"{found.balance} {found.currency}".rstrip()


def concerns(request: HttpRequest) -> Iterator[Concern]:
    """Gateways that stopped, pause or run out of money; and a default one that reaches nobody."""
    if not may(request.user, Right.SMS_GATEWAY_READ):
        return
    found = _all()
    yield from _default_is_missing(found)
    for gateway in found:
        yield from _concerns_of(gateway)


def _default_is_missing(found: list[Gateway]) -> Iterator[Concern]:
    default = next((gateway for gateway in found if gateway.is_default), None)
    listed = reverse("admin:gateways_gateway_changelist")
    if default is None or not default.enabled:
        sentence = _("No default gateway is switched on: messages that name no gateway are refused.")
        yield Concern(sentence, listed, _("Choose one"))
    elif default.provider == "sandbox" and settings.PRODUCTION:
        sentence = _("The default gateway “%(name)s” is a sandbox: its messages reach nobody.")
        yield Concern(sentence % {"name": default.name}, listed, _("Choose another one"))


def _concerns_of(gateway: Gateway) -> Iterator[Concern]:
    found, stands = health.of(gateway), standing.of(gateway)
    told = {"name": gateway.name, "error": found.last_error, "until": moment(found.open_until)}
    if stands is Standing.CREDENTIALS_REFUSED:
        sentence = _("The provider refuses the credentials of gateway “%(name)s”: %(error)s")
        yield Concern(sentence % told, page_of(gateway), _("Correct them"))
    elif stands is Standing.PAUSED:
        sentence = _("Gateway “%(name)s” is paused until %(until)s: %(error)s")
        yield Concern(sentence % told, page_of(gateway), _("See the gateway"), grave=False)
    if gateway.enabled and found.balance_warned:
        sentence = _("The balance of gateway “%(name)s” is %(balance)s: %(level)s.")
        told |= {"balance": _left(gateway), "level": str(standing.BALANCE_WARNINGS[found.balance_warned])}
        yield Concern(sentence % told, page_of(gateway), _("See the gateway"))


def first_gateway(request: HttpRequest) -> Step | None:
    """Until there is one that reaches real phones."""
    if not may(request.user, Right.SMS_GATEWAY_CREATE):
        return None
    done = Gateway.objects.exclude(provider="sandbox").exists()
    why = _("The sandbox reaches no real phone.")
    return Step(_("Add a gateway"), why, reverse("admin:gateways_gateway_add"), done)
