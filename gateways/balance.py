"""What is left on an account: asked for regularly, with a warning below the threshold, at half of it and at nothing."""

import logging
from datetime import timedelta
from decimal import Decimal

from django.db.models import F, Q
from django.utils.translation import gettext as _

from gateways import health, questions, sessions
from gateways.changes import Change, tell
from gateways.checking import NO_PROVIDER, SAVE_ANEW, Finding, finding_of
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import Balance, NotAccepted, Unreadable
from portal import clock
from portal.encryption import KeyMissing

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=30)
#: How many are asked in one turn, a minute: one that answers nothing holds a worker's thread until its time-out.
SOME = 8
#: What the columns hold.
LARGEST = Decimal("999999999999.99")


def gateways_to_ask() -> list[int]:
    """Gateways whose balance was last asked for too long ago; each is handed to one caller only."""
    now = clock.now()
    due = Q(balance_at=None) | Q(balance_at__lte=now - EVERY)
    healths = GatewayHealth.objects.filter(due, gateway__enabled=True, refused_at=None).select_related("gateway")
    longest_ago = healths.order_by(F("balance_at").asc(nulls_first=True), "pk")
    tried = (one for one in longest_ago if not health.is_untried(one.gateway, one))
    able = [one.pk for one in tried if one.gateway.abilities().can_tell_balance][:SOME]
    return [pk for pk in able if GatewayHealth.objects.filter(due, pk=pk).update(balance_at=now) == 1]


def ask(gateway_id: int) -> None:
    """Asks one provider; where it gives no answer the last known balance stays."""
    gateway = Gateway.objects.get(pk=gateway_id)
    try:
        left = questions.ask(
            gateway, lambda provider: provider.balance(), lambda provider, response: provider.read_balance(response)
        )
    except Exception as error:  # noqa: BLE001 — a provider's file, its settings or the network may fail in any way
        logger.warning("gateway %s: no balance (%s)", gateway_id, type(error).__name__)
        return
    record(gateway, left)


def ask_now(gateway: Gateway) -> Finding:
    """Asks at a person's wish, and says what came of it. Call it outside any transaction."""
    try:
        if not gateway.open().can_tell_balance:
            return Finding(None, _("this provider cannot be asked for its balance"))
        left = questions.ask(
            gateway, lambda provider: provider.balance(), lambda provider, response: provider.read_balance(response)
        )
    except (NotAccepted, Unreadable, sessions.Busy) as error:
        return finding_of(error)
    except KeyMissing as error:
        return Finding(False, str(error))
    except Exception:  # noqa: BLE001 — as above
        return Finding(False, str(NO_PROVIDER), str(SAVE_ANEW))
    record(gateway, left)
    return Finding(True, _("the balance is %(left)s") % {"left": f"{left.amount} {left.currency}".rstrip()})


def record(gateway: Gateway, left: Balance) -> None:
    """Keeps the balance, and warns when it has fallen to a lower level than the last warning was about."""
    amount = max(-LARGEST, min(LARGEST, left.amount)).quantize(Decimal("0.01"))
    level = warning_level(gateway, amount)
    warned = GatewayHealth.objects.filter(pk=gateway.pk, balance_warned__lt=level).update(balance_warned=level) == 1
    GatewayHealth.objects.filter(pk=gateway.pk).update(
        balance=amount, currency=left.currency[:10], balance_at=clock.now(), balance_warned=level
    )
    if warned:
        logger.warning("gateway %s: its balance is low (warning %s of 3)", gateway.pk, level)
        tell(gateway.pk, Change.BALANCE)


def warning_level(gateway: Gateway, amount: Decimal) -> int:
    """0: enough; 1: below the threshold; 2: below half of it; 3: nothing left, which warns without a threshold too."""
    if amount <= 0:
        return 3
    threshold = gateway.balance_warning
    if threshold is None or amount >= threshold:
        return 0
    return 1 if amount >= threshold / 2 else 2
