"""Asking database and broker about themselves: the one place where SQLite and PostgreSQL, files and Redis differ."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal import health
from portal.broker import SUFFIX
from portal.state import broker_folder

QUEUE = "celery"


def database_version() -> str:
    """As the server says it."""
    return ".".join(map(str, connection.get_database_version()))


def database_size() -> int:
    """In bytes."""
    if connection.vendor == "postgresql":
        return int(_one("SELECT pg_database_size(current_database())"))
    name = Path(connection.settings_dict["NAME"])
    # What is written and not yet moved into the database's own file is beside it.
    files = (name, name.with_name(f"{name.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def connections() -> tuple[int, int] | None:
    """How many clients are connected, and how many may be; an embedded database has none."""
    if connection.vendor != "postgresql":
        return None
    used = _one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return int(used), int(_one("SHOW max_connections"))


def migrations_missing() -> list[str]:
    """Those that this version of the code has and the database has not seen."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def bells_waiting() -> int:
    """How many tasks no worker has taken yet. Raises redis.RedisError."""
    if settings.REDIS_URL:
        with health.redis() as client:
            return int(client.llen(QUEUE))
    return sum(1 for _file in broker_folder(settings.STATE_FOLDER).glob(f"*.{QUEUE}{SUFFIX}"))


def _one(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]
