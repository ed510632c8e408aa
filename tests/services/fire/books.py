"""Both books, read straight from their files and databases: what the portal says, and what the provider has."""

from pathlib import Path

from tests.services.databases import rows, rows_of_file
from tests.services.fire.judging import Ours, Theirs

OURS = """
SELECT m.id, m.phone, g.name, m.kind, m.state,
       (SELECT count(*) FROM messaging_attempt a WHERE a.message_id = m.id),
       (SELECT count(*) FROM messaging_attempt a WHERE a.message_id = m.id AND a.outcome = 'ambiguous')
FROM messaging_message m JOIN gateways_gateway g ON g.id = m.gateway_id
"""
UNDER_WAY = """
SELECT count(*) FROM messaging_message WHERE state IN ('queued', 'held', 'claimed', 'submitting', 'unknown')
"""
IN_THE_AIR = "SELECT phone FROM messaging_message WHERE state = 'submitting'"


def ours(environment: dict[str, str]) -> list[Ours]:
    """Every message of this portal. Raises Away."""
    return [Ours(*row) for row in rows(environment, OURS)]


def under_way(environment: dict[str, str]) -> int:
    """How many messages have not come to an end. Raises Away."""
    return int(rows(environment, UNDER_WAY)[0][0])


def in_the_air(environment: dict[str, str]) -> set[str]:
    """The phones of messages that a worker is handing over. Raises Away."""
    return {phone for (phone,) in rows(environment, IN_THE_AIR)}


def theirs(book: Path) -> list[Theirs]:
    """Every handing-over."""
    return [Theirs(phone, bool(taken)) for phone, taken in rows_of_file(book, "SELECT phone, taken FROM handed")]
