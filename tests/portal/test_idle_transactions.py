"""A process that freezes in the middle of a transaction holds its rows for two minutes, and not for ever."""

import environ
import pytest
from django.db import connection

from portal import databases


@pytest.mark.django_db
@pytest.mark.postgresql_only
def test_postgresql_ends_the_session_of_whoever_is_idle_in_a_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("2min",)


def test_whoever_says_otherwise_in_the_address_is_obeyed() -> None:
    own = "-c statement_timeout=5000"
    database = databases.postgresql(
        environ.Env.db_url_config(f"postgres://portal@127.0.0.1/portal?options={own.replace(' ', '%20')}")
    )
    assert database["OPTIONS"]["options"] == own
    assert database["OPTIONS"]["connect_timeout"] == 5
