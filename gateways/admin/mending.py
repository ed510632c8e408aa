"""What is wrong with a gateway, since when, and what mends it: by which buttons, or by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from gateways import configuration, health, providers, standing
from gateways.admin.settings import PREFIX
from gateways.admin.wording import in_their_words
from gateways.models import Gateway
from gateways.standing import Standing
from portal.admin.display import moment
from portal.encryption import KeyMissing, Locked


@dataclass(frozen=True)
class Trouble:
    """`level` is Unfold's word for the colour, `mends` are names of actions.

    `edits` is the element of the gateway's page that mends it, `rechooses` says that choosing its provider again does.
    """

    level: str
    what: str
    since: datetime | None = None
    remedy: str = ""
    mends: tuple[str, ...] = ()
    edits: str = ""
    rechooses: bool = False


def troubles_of(gateway: Gateway) -> list[Trouble]:
    """The worst first."""
    return list(_found(gateway))


def _found(gateway: Gateway) -> Iterator[Trouble]:
    if providers.find(gateway.provider) is None:
        yield _provider_gone(gateway)
    elif isinstance(gateway.settings, Locked):
        yield _locked()
    match standing.of(gateway):
        case Standing.CREDENTIALS_REFUSED:
            yield _refused(gateway)
        case Standing.PAUSED:
            yield _paused(gateway)
    if balance := _balance(gateway):
        yield balance


def _provider_gone(gateway: Gateway) -> Trouble:
    what = _("The file of its provider “%(provider)s” is missing or broken: nothing can be sent through this gateway.")
    remedy = _("Put the file back, and the gateway works with its settings as they were. Or choose another provider.")
    return Trouble("danger", what % {"provider": gateway.provider}, remedy=remedy, rechooses=True)


def _locked() -> Trouble:
    remedy = _(
        "Add the former key to ENCRYPTION_KEYS and restart: nothing is lost. "
        "Or choose the provider again and give the settings anew."
    )
    return Trouble("danger", in_their_words(str(KeyMissing())), remedy=remedy, rechooses=True)


def _refused(gateway: Gateway) -> Trouble:
    found = health.of(gateway)
    return Trouble(
        "danger",
        _("The provider refuses the gateway's credentials: %(error)s.") % {"error": _error(gateway)},
        found.refused_at,
        in_their_words(found.last_remedy),
        ("check_connection",),
        secret_field(gateway),
    )


def secret_field(gateway: Gateway) -> str:
    """The element of the page in which its first secret is replaced."""
    kept = configuration.stored_settings(gateway)
    keys = getattr(providers.find(gateway.provider), "secrets", ())
    given = [key for key in keys if kept.get(key)]
    return f"id_{PREFIX}{(given or list(keys) or ['url'])[0]}"


def _paused(gateway: Gateway) -> Trouble:
    found = health.of(gateway)
    what = _("Paused until %(until)s: %(error)s.")
    return Trouble(
        "warning",
        what % {"until": moment(found.open_until), "error": _error(gateway)},
        found.last_error_at,
        in_their_words(found.last_remedy) or _("Wait: then one message tries it. Or try it now."),
        ("try_again", "check_connection"),
    )


def _balance(gateway: Gateway) -> Trouble | None:
    found = health.of(gateway)
    warning = standing.BALANCE_WARNINGS.get(found.balance_warned)
    if found.balance is None or not warning:
        return None
    left = f"{found.balance} {found.currency}".rstrip()
    what = _("Little money is left on the account: %(left)s, %(warning)s.") % {"left": left, "warning": warning}
    level = "danger" if found.balance <= 0 else "warning"
    return Trouble(level, what, found.balance_at, _("Top up the account at the provider."), ("ask_balance",))


def _error(gateway: Gateway) -> str:
    return in_their_words(health.of(gateway).last_error).rstrip(".")
