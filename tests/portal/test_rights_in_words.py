"""Rights as people read them: their names, what a person may do and why, and which role holds what."""

import re

import pytest
from django.test import Client
from django.utils import translation

from portal.admin import matrix
from portal.models import Role, User
from portal.permissions import GROUPS, ROLES, VERBS, Right, granted_to
from tests.portal.admin_pages import page, rights_as_permissions, signed_in, staff_with


def read(client: Client, address: str) -> str:
    """The page in English."""
    return client.get(address, headers={"accept-language": "en"}).content.decode()


def test_every_right_has_a_group_and_a_verb_that_people_read() -> None:
    for right in Right:
        assert f"{right.group}_{right.verb}" == right
        assert right.group in GROUPS
        assert right.verb in VERBS


def test_rights_are_spelled_as_the_documents_do() -> None:
    assert Right.SYSTEM_CREATE.documented == Right.SYSTEM_CREATE.label == "System - Create"
    assert Right.SMS_GATEWAY_READ.documented == "Sms Gateway - Read"


def test_their_names_in_the_database_do_not_depend_on_a_language() -> None:
    with translation.override("ru"):
        assert Right.SYSTEM_CREATE.documented == "System - Create"
        assert Right.SYSTEM_CREATE.label != "System - Create"


def allowed(user: User) -> dict[Right, matrix.Allowed]:
    """What is said of each right."""
    return {one.right: one for _label, found in matrix.may_do(user) for one in found}


def test_what_a_person_may_do_names_the_role_that_gives_it(operator: User) -> None:
    operator.user_permissions.set(rights_as_permissions(Right.USERS_READ))
    found = allowed(operator)
    assert set(found) == set(Right)
    assert found[Right.SYSTEM_CREATE] == matrix.Allowed(Right.SYSTEM_CREATE, True, ["SMS operator"], False)
    assert found[Right.USERS_READ] == matrix.Allowed(Right.USERS_READ, True, [], True)
    assert found[Right.USERS_DELETE] == matrix.Allowed(Right.USERS_DELETE, False, [], False)


@pytest.mark.parametrize("power", ["superuser", "role", "own", "nothing"])
def test_it_says_what_the_one_check_says(db: None, power: str) -> None:
    user = staff_with("somebody", *(Right if power == "own" else ()))
    user.is_superuser = power == "superuser"
    if power == "role":
        user.groups.add(Role.objects.get(name="Auditor"))
    assert {right for right, one in allowed(user).items() if one.held} == granted_to(user)


def test_an_account_that_is_switched_off_may_do_nothing_now(admin: User, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(is_active=False)
    html = read(signed_in(admin), page(User, "change", operator.pk))
    assert "Nothing now: the account is switched off or over." in html


def test_the_page_of_a_user_shows_it(admin: User, operator: User) -> None:
    html = read(signed_in(admin), page(User, "change", operator.pk))
    assert "by role: SMS operator" in html


def test_the_overview_holds_every_role_and_every_right(db: None) -> None:
    overview = matrix.overview()
    names = [column.name for column in overview["roles"]]
    held = {
        name: {right for _label, lines in overview["groups"] for right, holds in lines if holds[place]}
        for place, name in enumerate(names)
    }
    assert held == {name: set(rights) for name, rights in ROLES.items()}


def test_the_overview_costs_the_same_however_many_roles_there_are(
    admin: User, django_assert_max_num_queries: object
) -> None:
    client = signed_in(admin)
    client.get(page(Role, "changelist"))
    for number in range(20):
        Role.objects.create(name=f"Role {number}").permissions.set(rights_as_permissions(*Right))
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        assert "Role 19" in read(client, page(Role, "changelist"))


def test_a_role_is_chosen_box_by_box(admin: User) -> None:
    role = Role.objects.get(name="SMS operator")
    html = read(signed_in(admin), page(Role, "change", role.pk))
    assert html.count(' type="checkbox" name="permissions"') == len(Right)
    chosen = re.findall(r'name="permissions"[^>]*aria-label="([^"]*)" checked', html)
    assert sorted(chosen) == sorted(right.label for right in ROLES["SMS operator"])
