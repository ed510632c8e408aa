"""Which of many values a table has; the same on both databases."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.bulk.selecting import among
from portal.models import AuditEvent, User

pytestmark = pytest.mark.django_db


def test_it_gives_those_that_are_there() -> None:
    for name in ("anna", "Анна", "o'neil", "a\\b"):
        User.objects.create(username=name)
    asked = ["anna", "Anna", "Анна", "o'neil", "a\\b", "", "%"]
    assert among(User, "username", asked) == {"anna", "Анна", "o'neil", "a\\b"}


def test_numbers_too_and_each_once() -> None:
    for status in (200, 200, 422):
        AuditEvent.objects.create(action="x", status=status)
    assert among(AuditEvent, "status", [200, 201]) == {200}


def test_thousands_are_one_statement_and_none_are_none() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert among(User, "username", [f"user{number}" for number in range(40_000)]) == set()
        assert among(User, "username", []) == set()
    assert len(queries) == 1
