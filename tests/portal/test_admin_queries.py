"""A list in the admin asks as many questions of the database for many rows as for one."""

import pytest
from django.contrib import admin as django_admin
from django.db.models import Model

from gateways.models import Gateway
from guests.models import Branding, RegistrationRules
from messaging.models import TallyProgress
from portal.models import User
from tests.portal.admin_pages import MADE, page, questions, signed_in
from tests.portal.twins import twin

#: Of these there is a single row only.
SINGLE = {TallyProgress, RegistrationRules, Branding}
LISTED = [model for model in django_admin.site._registry if model not in SINGLE]


@pytest.mark.parametrize("model", LISTED, ids=lambda model: model.__name__)
def test_a_list_asks_no_more_for_five_rows_than_for_one(admin: User, sandbox: Gateway, model: type[Model]) -> None:
    client = signed_in(admin)
    row = MADE[model](sandbox)
    row.refresh_from_db()
    few = questions(client, page(model, "changelist"))
    for number in range(2, 6):
        twin(row, number)
    many = questions(client, page(model, "changelist"))
    assert model._default_manager.count() >= 5
    assert len(many) == len(few), "\n".join(sql for sql in many if sql not in few)
