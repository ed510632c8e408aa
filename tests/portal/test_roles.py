"""The roles that migrations make."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from portal.models import User
from portal.permissions import ROLES, Right, may

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_migrated() -> None:
    """Another test may have emptied the tables: the migrations' own functions make the roles anew."""
    Group.objects.all().delete()
    for migration in ("0002_roles", "0003_own_guests_only"):
        import_module(f"portal.migrations.{migration}").make_roles(apps, None)


def test_each_role_has_the_rights_of_the_catalogue() -> None:
    made = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.prefetch_related("permissions")
    }
    assert made == {role: {right.value for right in rights} for role, rights in ROLES.items()}


def test_every_right_is_one_permission() -> None:
    names = Permission.objects.filter(content_type__app_label="portal").values_list("codename", flat=True)
    assert sorted(names) == sorted(Right)


def test_an_operator_may_send_and_an_auditor_may_only_read(operator: User, auditor: User, nobody: User) -> None:
    assert may(operator, Right.SYSTEM_CREATE, Right.SMS_SEND_METHOD_AVAILABLE)
    assert not may(operator, Right.MESSAGES_READ)
    assert may(auditor, Right.MESSAGES_READ, Right.AUDITING_READ)
    assert not may(auditor, Right.SYSTEM_CREATE)
    assert not any(may(nobody, right) for right in Right)
