"""The audit trail in the admin: found, read, exported; and thrown away in time."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from gateways.models import Gateway
from messaging.models import MessageTemplate
from portal import audit, portions, registry
from portal.csv_cells import harmless
from portal.models import AuditEvent, Role, User
from portal.permissions import Right
from tests.conftest import PASSWORD, Api
from tests.gateways.admin_pages import save
from tests.portal.admin_pages import SECRET, page, rights_as_permissions, signed_in, staff_with

LIST = "/admin/portal/auditevent/"
#: Any: the stubs take an encrypted field for text.
SETTINGS: Any = {"api_key": SECRET}
ENGLISH = {"accept-language": "en"}
EXPORT = "/admin/portal/auditevent/export/"


def event(action: str, status: int = 200, **more: Any) -> AuditEvent:
    return AuditEvent.objects.create(action=action, status=status, **more)


def listed(client: Client, query: str) -> set[str]:
    """The actions of the events that the list shows."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return {event.action for event in answer.context["cl"].result_list}


@pytest.fixture
def several(auditor: User) -> None:
    event("login", 401, method="POST", address="10.0.0.7")
    event("sms_gateway", 200, method="PATCH", object_id="main", user=auditor, user_name="auditor")
    event("sms_gateways.send_sms", 500, method="POST")
    event("admin:guests_guest_delete", 200, method="POST", object_id="bob")
    event("admin:portal_auditevent_export", 200, method="POST")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=signing_in", {"login"}),
        ("kind=sending", {"sms_gateways.send_sms"}),
        ("kind=changing", {"sms_gateway"}),
        ("kind=deleting", {"admin:guests_guest_delete"}),
        ("kind=exporting", {"admin:portal_auditevent_export"}),
        ("result=refused", {"login"}),
        ("result=failed", {"sms_gateways.send_sms"}),
        ("door=admin", {"admin:guests_guest_delete", "admin:portal_auditevent_export"}),
        ("door=api&result=done", {"sms_gateway"}),
        ("with_method=PATCH", {"sms_gateway"}),
        ("q=10.0.0.7", {"login"}),
        ("q=main", {"sms_gateway"}),
        ("q=auditor", {"sms_gateway"}),
        ("object_id__exact=bob", {"admin:guests_guest_delete"}),
    ],
)
def test_events_are_found(several: None, auditor: User, query: str, found: set[str]) -> None:
    assert listed(signed_in(auditor), query) == found


def test_events_of_one_person_and_time_are_found(several: None, auditor: User) -> None:
    client = signed_in(auditor)
    assert listed(client, f"user__id__exact={auditor.pk}") == {"sms_gateway"}
    AuditEvent.objects.filter(action="login").update(at=timezone.now() - timedelta(days=3))
    day = timezone.localdate() - timedelta(days=2)
    assert listed(client, f"at_to_0={day}&at_to_1=00:00:00") == {"login"}
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ru"
    assert "login" not in listed(client, f"at_from_0={day:%d.%m.%Y}")
    assert listed(client, f"at_to_0={day - timedelta(days=1)}") == {"login"}
    assert len(listed(client, "at_from_0=nonsense")) == 5


def test_the_list_asks_as_often_however_many_events_there_are(
    several: None, auditor: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(auditor)
    client.get(LIST)
    for number in range(30):
        event(f"action {number}", user=auditor)
    with django_assert_max_num_queries(10):
        client.get(LIST)


def test_an_event_shows_old_and_new_values_side_by_side(admin: User) -> None:
    template = MessageTemplate.objects.get(kind="credentials", language="en")
    client = signed_in(admin)
    form = {"kind": "credentials", "language": "en", "text": "$portal $username $password"}
    client.post(page(MessageTemplate, "change", template.pk), form)
    html = client.get(page(AuditEvent, "change", AuditEvent.objects.get().pk)).content.decode()
    assert f"{len(template.text)} characters" in html
    assert "27 characters" in html
    assert template.text not in html


def test_rights_that_were_given_are_named(admin: User) -> None:
    role = Role.objects.create(name="Night shift")
    right = rights_as_permissions(Right.USERS_READ).get()
    signed_in(admin).post(page(Role, "change", role.pk), {"name": "Desk", "permissions": [right.pk]})
    assert AuditEvent.objects.get().changes == {"name": ["Night shift", "Desk"], "permissions": [[], ["Users - Read"]]}


def test_a_gateways_secret_is_masked_on_both_sides(admin: User) -> None:
    gateway = Gateway.objects.create(name="main", provider="sms_ru", settings=SETTINGS)
    assert save(signed_in(admin), gateway, priority="7", settings__api_key="another-one").status_code == 302
    event_of = AuditEvent.objects.get(action="admin:gateways_gateway_change")
    assert event_of.changes["priority"] == [100, 7]
    assert event_of.changes["settings.api_key"] == [audit.MASK, audit.MASK]
    assert SECRET not in str(event_of.request)
    assert "another-one" not in str(event_of.request)


def test_a_change_by_api_has_old_and_new_values_too(api: Api, admin: User, sandbox: Gateway) -> None:
    answer = api(admin).patch("/api/v1/sms_gateway/sandbox", {"priority": 7, "is_default": True}, format="json")
    assert answer.status_code == 200
    assert AuditEvent.objects.get(action="sms_gateway").changes == {"priority": [100, 7]}


def test_phones_are_shortened_in_old_and_new_values() -> None:
    changes = audit.mask_changes({"phone": ("+79161234567", "+79161234568"), "password": ("a", "b")})
    assert changes == {"phone": ["+7916•••••67", "+7916•••••68"], "password": [audit.MASK, audit.MASK]}


def test_an_object_leads_to_its_events(admin: User, sandbox: Gateway) -> None:
    client = signed_in(admin)
    history = reverse("admin:gateways_gateway_history", args=(sandbox.pk,))
    assert history in client.get(page(Gateway, "change", sandbox.pk)).content.decode()
    assert client.get(history).headers["Location"] == f"{LIST}?object_id__exact=sandbox"
    assert client.get(reverse("admin:gateways_gateway_history", args=(sandbox.pk + 1,))).status_code == 404


def test_whoever_may_not_read_the_trail_is_shown_no_way_to_it(sandbox: Gateway) -> None:
    clerk = signed_in(staff_with("clerk", Right.SMS_GATEWAY_READ))
    history = reverse("admin:gateways_gateway_history", args=(sandbox.pk,))
    assert history not in clerk.get(page(Gateway, "change", sandbox.pk)).content.decode()
    assert clerk.get(LIST).status_code == 403
    stranger = signed_in(staff_with("stranger", Right.AUDITING_READ))
    assert stranger.get(history).status_code == 403


def test_the_export_holds_what_the_list_shows_and_is_written_down(several: None, auditor: User) -> None:
    answer = signed_in(auditor).post(f"{EXPORT}?result=refused", headers=ENGLISH)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [(row["Action"], row["Result"], row["Address"]) for row in rows] == [("login", "401", "10.0.0.7")]
    noted = AuditEvent.objects.filter(action="admin:portal_auditevent_export").latest("id")
    assert (noted.user, noted.request) == (auditor, {"filters": {"result": "refused"}})


def test_the_export_is_for_those_who_may_read_the_trail(operator: User) -> None:
    client = signed_in(operator)
    assert client.post(EXPORT).status_code == 403
    assert client.get(EXPORT).status_code == 405
    assert AuditEvent.objects.get().status == 403


@pytest.mark.parametrize("cell", ["=1+1", "+7", "-1", "@SUM(A1)", "\t=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(auditor: User, cell: str) -> None:
    event("login", object_id=cell)
    text = b"".join(signed_in(auditor).post(EXPORT, headers=ENGLISH)).decode("utf-8-sig")
    assert f"'{cell}" in [row["Object"] for row in csv.DictReader(io.StringIO(text))]
    assert harmless("main") == "main"


def test_a_filter_that_makes_no_sense_leads_back_to_the_list(auditor: User) -> None:
    assert signed_in(auditor).post(f"{EXPORT}?nothing__such=1").headers["Location"] == LIST


def test_old_events_go_in_small_batches(settings: Settings, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUDIT_RETENTION_DAYS = 10
    for days in (9, 11, 12, 13, 14, 15):
        event(f"{days} days ago")
        AuditEvent.objects.filter(action=f"{days} days ago").update(at=timezone.now() - timedelta(days=days))
    monkeypatch.setattr(audit, "BATCH", 2)
    monkeypatch.setattr(portions, "LONGEST", 0.0)
    assert audit.drop_old_events() == 2
    assert AuditEvent.objects.count() == 4
    monkeypatch.undo()
    assert audit.drop_old_events() == 3
    assert AuditEvent.objects.get().action == "9 days ago"
    assert "portal.audit.drop_old_events" in registry.HOUSEKEEPING


def test_no_password_is_in_what_changed(admin: User, auditor: User) -> None:
    address = reverse("admin:auth_user_password_change", args=(auditor.pk,))
    form = {"password1": PASSWORD * 2, "password2": PASSWORD * 2, "usable_password": "true", "set-password": "1"}
    assert signed_in(admin).post(address, form).status_code == 302
    assert PASSWORD not in str(AuditEvent.objects.get().changes)
