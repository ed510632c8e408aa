"""What is done in the admin is in the audit trail, and no secret is."""

import json

from django.test import Client
from django.urls import reverse

from messaging.models import MessageTemplate
from portal.models import AuditEvent, Role, User
from tests.conftest import PASSWORD
from tests.portal.admin_pages import page, signed_in

NEW = "another long secret"


def only_event() -> AuditEvent:
    """The one event, whose request holds no password in the clear."""
    event = AuditEvent.objects.get()
    assert NEW not in json.dumps(event.request)
    assert PASSWORD not in json.dumps(event.request)
    assert "csrf" not in json.dumps(event.request)
    return event


def test_an_addition_is_written_down(admin: User) -> None:
    signed_in(admin).post(page(Role, "add"), {"name": "Night shift", "csrfmiddlewaretoken": "t" * 64})
    event = only_event()
    assert (event.action, event.status, event.object_id) == ("admin:portal_role_add", 201, "Night shift")
    assert (event.user, event.user_name, event.address) == (admin, "admin", "127.0.0.1")
    assert (event.method, event.path) == ("POST", page(Role, "add"))
    assert event.request == {"name": "Night shift"}


def test_a_change_is_written_down_with_what_changed(admin: User) -> None:
    template = MessageTemplate.objects.get(kind="credentials", language="en")
    form = {"kind": "credentials", "language": "en", "text": "$portal $username $password"}
    signed_in(admin).post(page(MessageTemplate, "change", template.pk), form)
    event = only_event()
    assert (event.action, event.status) == ("admin:messaging_messagetemplate_change", 200)
    assert event.object_id == "credentials English"
    assert event.changes == {"text": [f"{len(template.text)} characters", "27 characters"]}
    assert event.request["text"] == "27 characters"


def test_a_deletion_is_written_down(admin: User) -> None:
    role = Role.objects.create(name="Night shift")
    signed_in(admin).post(page(Role, "delete", role.pk), {"post": "yes"})
    event = only_event()
    assert (event.action, event.status, event.object_id) == ("admin:portal_role_delete", 200, "Night shift")


def test_deleting_many_is_written_down_one_by_one(admin: User) -> None:
    roles = [Role.objects.create(name=name) for name in ("One", "Two")]
    form = {"action": "delete_selected", "_selected_action": [role.pk for role in roles], "post": "yes"}
    signed_in(admin).post(page(Role, "changelist"), form)
    assert set(AuditEvent.objects.values_list("action", "object_id")) == {
        ("admin:portal_role_delete", "One"),
        ("admin:portal_role_delete", "Two"),
    }


def test_a_password_set_for_somebody_is_written_down_without_it(admin: User, auditor: User) -> None:
    address = reverse("admin:auth_user_password_change", args=(auditor.pk,))
    form = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
    assert signed_in(admin).post(address, form).status_code == 302
    event = only_event()
    assert (event.status, event.object_id, event.path) == (200, "auditor", address)


def test_ones_own_password_change_is_written_down_without_it(admin: User) -> None:
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert signed_in(admin).post(reverse("admin:password_change"), form).status_code == 302
    event = only_event()
    assert (event.action, event.status, event.user) == ("admin:password_change", 200, admin)


def test_a_wrong_old_password_is_written_down(admin: User) -> None:
    form = {"old_password": "guess", "new_password1": NEW, "new_password2": NEW}
    assert signed_in(admin).post(reverse("admin:password_change"), form).status_code == 200
    event = only_event()
    assert (event.action, event.status) == ("admin:password_change", 422)


def test_what_is_forbidden_is_written_down(auditor: User) -> None:
    assert signed_in(auditor).post(page(Role, "add"), {"name": "Mine"}).status_code == 403
    event = only_event()
    assert (event.action, event.status, event.user) == ("admin:portal_role_add", 403, auditor)


def test_a_form_with_errors_is_written_down(admin: User) -> None:
    assert signed_in(admin).post(page(Role, "add"), {"name": ""}).status_code == 200
    assert only_event().status == 422


def test_looking_is_not_written_down(admin: User) -> None:
    client = signed_in(admin)
    client.get(page(Role, "changelist"))
    client.get(page(Role, "add"))
    assert not AuditEvent.objects.exists()


def test_a_sign_in_is_written_down(admin: User) -> None:
    response = Client().post(reverse("admin:login"), {"username": "admin", "password": PASSWORD, "next": "/admin/"})
    assert response.status_code == 302
    event = only_event()
    assert (event.action, event.status, event.user_name) == ("admin:login", 200, "admin")
    assert event.request == {}


def test_a_failed_sign_in_is_written_down(admin: User) -> None:
    response = Client().post(reverse("admin:login"), {"username": "admin", "password": "guess"})
    assert response.status_code == 200
    event = only_event()
    assert (event.action, event.status, event.user, event.user_name) == ("admin:login", 401, None, "admin")
