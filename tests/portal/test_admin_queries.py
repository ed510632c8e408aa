"""A list in the admin asks as many questions of the database for many rows as for one."""

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateways.models import Gateway
from portal.models import User
from tests.portal.admin_pages import MADE, page, signed_in
from tests.portal.twins import twin


def questions(client: Client, model: type[Model]) -> list[str]:
    """What the list asks of the database."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(page(model, "changelist")).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


@pytest.mark.parametrize("model", list(django_admin.site._registry), ids=lambda model: model.__name__)
def test_a_list_asks_no_more_for_five_rows_than_for_one(admin: User, sandbox: Gateway, model: type[Model]) -> None:
    client = signed_in(admin)
    row = MADE[model](sandbox)
    row.refresh_from_db()
    few = questions(client, model)
    for number in range(2, 6):
        twin(row, number)
    many = questions(client, model)
    assert model._default_manager.count() >= 5
    assert len(many) == len(few), "\n".join(sql for sql in many if sql not in few)
