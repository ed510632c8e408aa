"""What is asked of the database while something runs; prepared statements too, which Django's own record leaves out."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def statements(work: Callable[[], object]) -> list[str]:
    """Every statement that the work sends."""
    sent: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return sent
