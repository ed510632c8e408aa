"""Celery: load, call once, nothing else."""

import logging

from celery import shared_task

from gateways import balance, sessions

logger = logging.getLogger(__name__)


@shared_task
def ask_balance(gateway_id: int) -> None:
    """Asks one provider what is left on the account."""
    balance.ask(gateway_id)


def keep_accounts() -> None:
    """Housekeeping, every minute: rings for balances to be asked for, and gives unused tokens back."""
    for gateway_id in balance.gateways_to_ask():
        try:
            ask_balance.delay(gateway_id)
        except Exception as error:  # noqa: BLE001 — the broker may fail in any way; the next turn comes
            logger.warning("the bell could not be rung (%s)", type(error).__name__)
    sessions.leave_unused()
