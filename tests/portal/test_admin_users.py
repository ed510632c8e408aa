"""Staff and roles in the admin: nobody gives what he does not hold or takes over who holds more."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from portal.models import AuditEvent, RecoveryCodes, Role, TotpDevice, User
from portal.permissions import ROLES, Right, rights_of
from portal.sign_in import enrolment
from tests.conftest import PASSWORD
from tests.portal.admin_pages import page, rights_as_permissions, signed_in, staff_with
from tests.portal.second_factors import with_app

SYSTEM = (Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE, Right.SYSTEM_DELETE)


@pytest.fixture
def clerk(db: None) -> User:
    """May keep accounts, and holds no other right."""
    return staff_with("clerk", *SYSTEM)


def reloaded(user: User) -> User:
    """As the database has it, with its rights read anew."""
    return User.objects.get(pk=user.pk)


def change(client: Client, user: User, **form: Any) -> int:
    """Submits the user's page; the status of the answer."""
    filled = {"username": user.username, "is_active": "on", "is_staff": "on"} | form
    return client.post(page(User, "change", user.pk), filled).status_code


def everything() -> dict[str, Any]:
    """A form that asks for all power."""
    return {
        "is_superuser": "on",
        "groups": list(Role.objects.values_list("pk", flat=True)),
        "user_permissions": list(rights_as_permissions(*Right).values_list("pk", flat=True)),
    }


@pytest.mark.parametrize("whose", ["own", "other"])
def test_rights_submitted_by_a_clerk_are_not_given(clerk: User, whose: str) -> None:
    target = clerk if whose == "own" else User.objects.create_user("plain", is_staff=True)
    before = rights_of(reloaded(target))
    assert change(signed_in(clerk), target, first_name="Vera", **everything()) == 302
    assert reloaded(target).first_name == "Vera"
    assert rights_of(reloaded(target)) == before
    assert not reloaded(target).is_superuser


def test_a_clerk_sees_no_choice_of_rights(clerk: User) -> None:
    html = signed_in(clerk).get(page(User, "change", clerk.pk)).content.decode()
    for name in ("is_superuser", "groups", "user_permissions"):
        assert f'name="{name}"' not in html
    assert "System - Create" in html


def test_an_administrator_by_role_gives_rights(db: None) -> None:
    chief = staff_with("chief", *Right)
    target = User.objects.create_user("plain")
    assert change(signed_in(chief), target, **everything()) == 302
    assert reloaded(target).is_superuser
    assert rights_of(reloaded(target)) == set(Right)


@pytest.mark.parametrize("power", ["superuser", "role", "right", "switched off"])
def test_a_clerk_cannot_touch_who_holds_more(clerk: User, power: str) -> None:
    target = User.objects.create_user("boss", password=PASSWORD, is_staff=True, is_superuser=power != "role")
    if power == "role":
        target.groups.add(Role.objects.get(name="Administrator"))
    if power == "right":
        User.objects.filter(pk=target.pk).update(is_superuser=False)
        target.user_permissions.set(rights_as_permissions(Right.AUDITING_READ))
    if power == "switched off":
        User.objects.filter(pk=target.pk).update(is_active=False)
    client = signed_in(clerk)
    new = {"password1": "another long secret", "password2": "another long secret", "usable_password": "true"}

    assert client.get(page(User, "change", target.pk)).status_code == 200
    assert change(client, target, first_name="Vera") == 403
    address = reverse("admin:auth_user_password_change", args=(target.pk,))
    assert client.get(address).status_code == 403
    assert client.post(address, new).status_code == 403
    assert client.post(page(User, "delete", target.pk), {"post": "yes"}).status_code == 403
    many = {"action": "delete_selected", "_selected_action": [target.pk], "post": "yes"}
    assert client.post(page(User, "changelist"), many).status_code == 403
    assert reloaded(target).check_password(PASSWORD)
    assert reloaded(target).first_name == ""


def test_a_clerk_keeps_the_accounts_of_those_who_hold_less(clerk: User) -> None:
    target = staff_with("reader", Right.SYSTEM_READ)
    client = signed_in(clerk)
    new = {"password1": "another long secret", "password2": "another long secret", "usable_password": "true"}
    assert change(client, target, first_name="Vera") == 302
    address = reverse("admin:auth_user_password_change", args=(target.pk,))
    assert client.post(address, new | {"set-password": "1"}).status_code == 302
    assert reloaded(target).check_password("another long secret")
    assert client.post(page(User, "delete", target.pk), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=target.pk).exists()


def test_an_account_added_by_a_clerk_has_no_rights(clerk: User) -> None:
    form = {
        "username": "fresh",
        "usable_password": "true",
        "password1": "another long secret",
        "password2": "another long secret",
    }
    assert signed_in(clerk).post(page(User, "add"), form | everything()).status_code == 302
    fresh = User.objects.get(username="fresh")
    assert fresh.check_password("another long secret")
    assert not rights_of(fresh)
    assert not fresh.is_superuser


def test_who_may_add_and_not_change_adds_no_account(operator: User) -> None:
    assert signed_in(operator).post(page(User, "add"), {"username": "fresh"}).status_code == 403


def test_a_clerk_cannot_change_roles(clerk: User) -> None:
    role = Role.objects.create(name="Night shift")
    client = signed_in(clerk)
    form = {"name": "Mine", "permissions": list(rights_as_permissions(*Right).values_list("pk", flat=True))}
    assert client.post(page(Role, "add"), form).status_code == 403
    assert client.post(page(Role, "change", role.pk), form).status_code == 403
    assert client.post(page(Role, "delete", role.pk), {"post": "yes"}).status_code == 403
    many = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}
    client.post(page(Role, "changelist"), many)
    role.refresh_from_db()
    assert role.name == "Night shift"
    assert not role.permissions.exists()


def test_an_administrator_makes_a_role(admin: User) -> None:
    wanted = rights_as_permissions(*ROLES["SMS operator"])
    form = {"name": "Night shift", "permissions": list(wanted.values_list("pk", flat=True))}
    assert signed_in(admin).post(page(Role, "add"), form).status_code == 302
    assert set(Role.objects.get(name="Night shift").permissions.all()) == set(wanted)


def test_the_choice_of_rights_is_the_portals_own_under_their_labels(admin: User) -> None:
    response = signed_in(admin).get(page(Role, "add"))
    offered = response.context["adminform"].form.fields["permissions"].choices
    assert {label for _value, label in offered} == {right.label for right in Right}


def test_a_permission_that_is_no_right_of_ours_cannot_be_given(admin: User) -> None:
    foreign = Role.permissions.field.related_model.objects.exclude(content_type__app_label="portal").first()  # type: ignore[attr-defined]
    assert foreign is not None
    response = signed_in(admin).post(page(Role, "add"), {"name": "Mine", "permissions": [foreign.pk]})
    assert response.status_code == 200
    assert not Role.objects.filter(name="Mine").exists()


def test_a_password_is_only_said_to_be_there(admin: User, auditor: User) -> None:
    client = signed_in(auditor)
    html = client.get(page(User, "change", admin.pk), headers={"accept-language": "en"}).content.decode()
    assert "is set" in html
    assert "argon2" not in html
    assert reverse("admin:auth_user_password_change", args=(admin.pk,)) not in html


def factors_of(user: User) -> str:
    return reverse("admin:portal_user_second_factors", args=(user.pk,))


def test_a_lost_phone_is_mended_by_who_may_change_the_account(clerk: User) -> None:
    target = staff_with("reader", Right.SYSTEM_READ)
    with_app(target)
    enrolment.make_codes(target)
    client = signed_in(clerk)
    assert factors_of(target) in client.get(page(User, "change", target.pk)).content.decode()
    assert "phone" in client.get(factors_of(target)).content.decode()
    assert client.post(factors_of(target)).status_code == 302
    assert not TotpDevice.objects.exists()
    assert not RecoveryCodes.objects.exists()
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.object_id) == ("admin:portal_user_second_factors_remove", clerk, "reader")


def test_nobody_takes_the_second_factor_of_who_holds_more(clerk: User, admin: User, auditor: User) -> None:
    with_app(admin)
    for user in (clerk, auditor):
        client = signed_in(user)
        assert client.get(factors_of(admin)).status_code == 200
        assert client.post(factors_of(admin)).status_code == 403
    assert TotpDevice.objects.exists()


def test_who_may_not_see_accounts_sees_no_second_factors(operator: User, admin: User) -> None:
    assert signed_in(operator).get(factors_of(admin)).status_code == 403


def test_taking_it_and_setting_a_password_are_confirmed_first(admin: User, auditor: User) -> None:
    with_app(auditor)
    new = {"password1": "another long secret", "password2": "another long secret", "usable_password": "true"}
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        client = signed_in(admin)
        clock.shift(600)
        addresses = {factors_of(auditor): {}, reverse("admin:auth_user_password_change", args=(auditor.pk,)): new}
        for address, form in addresses.items():
            assert "Confirm that it is you" in client.post(address, form).content.decode()
    assert TotpDevice.objects.exists()
    assert reloaded(auditor).check_password(PASSWORD)


def test_an_administrator_allows_the_password_at_the_api_again(admin: User, auditor: User) -> None:
    with_app(auditor)
    assert not reloaded(auditor).password_opens_api
    assert change(signed_in(admin), auditor, password_opens_api="on") == 302
    assert reloaded(auditor).password_opens_api
