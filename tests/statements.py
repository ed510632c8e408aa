"""What is asked of the database while something runs; prepared statements too, which Django's own record leaves out."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection


def know_content_types() -> None:
    """Those a process asks once, whatever asks for them first: before something is counted they are known."""
    ContentType.objects.get_for_models(*apps.get_models())


def statements(work: Callable[[], object]) -> list[str]:
    """Every statement that the work sends, in a process that knows the content types."""
    know_content_types()
    sent: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return sent
