"""The database: SQLite in a file, or PostgreSQL by its address."""

from pathlib import Path
from typing import Any

KEPT_OPEN = 300


def sqlite(folder: Path) -> dict[str, Any]:
    """Readers never wait, a writer queues at BEGIN instead of failing in the middle, and a commit is on disk."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "portal.sqlite3",
        "CONN_MAX_AGE": KEPT_OPEN,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


#: A process that freezes in the middle of a transaction keeps its rows locked, a gateway's pace among them, so that
#: nobody else can send there. PostgreSQL then ends its session.
POSTGRESQL = {
    "connect_timeout": 5,
    "options": "-c idle_in_transaction_session_timeout=2min",
    # A server that vanished without a word, or whose address moved, is missed within half a minute and not in hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def postgresql(address: dict[str, Any]) -> dict[str, Any]:
    """What DATABASE_URL says, with options of ours. Raises ValueError for another scheme or a missing name."""
    if address["ENGINE"] != "django.db.backends.postgresql" or not address["NAME"]:
        raise ValueError("not a PostgreSQL address")
    options = POSTGRESQL | address.get("OPTIONS", {})
    return address | {"CONN_MAX_AGE": KEPT_OPEN, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}
