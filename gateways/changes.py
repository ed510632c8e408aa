"""What is told of a gateway whose state has changed, and to whom. Apps above name their listeners as dotted strings."""

import logging
from enum import StrEnum
from functools import partial

from django.db import transaction
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


class Change(StrEnum):
    """What happened to a gateway."""

    SETTINGS = "settings"  # a person changed it, or found it well: what waited may be tried
    RECOVERED = "recovered"  # after a pause a message went through
    PAUSED = "paused"  # its account is at fault, or it does not answer
    REFUSED = "credentials_refused"  # its login, password, key or token is not accepted
    BALANCE = "balance"  # a warning was given of what is left on the account


#: Dotted names of functions called with a gateway's id and the Change, once it is committed.
LISTENERS: list[str] = []


def tell(gateway_id: int, change: Change) -> None:
    """Tells every listener after the commit; one that fails stops neither the others nor the caller."""
    for listener in LISTENERS:
        transaction.on_commit(partial(_call, listener, gateway_id, change))


def _call(listener: str, gateway_id: int, change: Change) -> None:
    # Django's own `robust` names the function that failed, and fails itself where that is a partial without a name.
    try:
        import_string(listener)(gateway_id, change)
    except Exception as error:  # noqa: BLE001 — whatever ails a listener, what it would have been told is written
        logger.error("%s was not told of gateway %s: %s", listener, gateway_id, type(error).__name__)  # noqa: TRY400
