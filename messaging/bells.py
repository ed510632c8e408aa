"""Bells: what wakes a worker for a gateway. One that nobody hears costs a second, until the sweep rings again.

None expires: a worker whose clock is fast would take every bell for an old one, and send nothing. One that is heard
late finds nothing to do, and costs nothing.
"""

import logging

from portal.celery import app

logger = logging.getLogger(__name__)

#: Tasks are named, because what they call rings too.
DRAIN = "messaging.tasks.drain"


def ring(gateway_id: int) -> None:
    """Wakes a worker that hands over what is due."""
    publish(DRAIN, gateway_id)


def publish(task: str, gateway_id: int) -> None:
    """A bell that cannot be rung is no failure, whatever ails the broker: what is due is in the database."""
    try:
        app.send_task(task, (gateway_id,))
    except Exception as error:  # noqa: BLE001 — the message is accepted, and its sender must be told so
        logger.warning("the bell could not be rung (%s); the sweep finds what is due", type(error).__name__)
