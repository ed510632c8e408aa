"""`inbound_messages` and `opt_outs` of the API, and their pages in the admin."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateways.models import Gateway
from gateways.outcomes import InboundSms
from messaging import inbound, opt_outs
from messaging.models import InboundMessage, OptOut
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.conftest import Api
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"
NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def written(sandbox: Gateway) -> list[InboundMessage]:
    """Three texts from two phones."""
    said = [
        InboundSms("79161234567", "Где Wi-Fi?", "1", NOON),
        InboundSms("79160000000", "спасибо", "2", NOON + timedelta(minutes=1)),
        InboundSms("79161234567", "СТОП", "3", NOON + timedelta(minutes=2)),
    ]
    for one in said:
        inbound.store(sandbox, [one])
    return list(InboundMessage.objects.order_by("id"))


class TestInboundMessages:
    def test_the_list_has_the_newest_first_with_its_text(
        self, api: Api, auditor: User, written: list[InboundMessage]
    ) -> None:
        body = api(auditor).get("/api/v1/inbound_messages?with_total_count=1&limit=2").json()
        assert [row["message"] for row in body["items"]] == ["СТОП", "спасибо"]
        assert (body["nextCursor"], body["total_count"]) == (2, 3)

    def test_one_is_shown_whole(self, api: Api, auditor: User, written: list[InboundMessage]) -> None:
        item = api(auditor).get(f"/api/v1/inbound_message/{written[2].pk}").json()["item"]
        assert datetime.fromisoformat(item.pop("received_at")) == written[2].received_at
        assert datetime.fromisoformat(item.pop("at")) == NOON + timedelta(minutes=2)
        assert item == {
            "id": written[2].pk, "sms_gateway": "sandbox", "phone_number": PHONE, "message": "СТОП", "opted": "stop",
            "reference": "3",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("field", "op", "value", "found"),
        [
            ("phone_number", "equals", "8 (916) 123-45-67", ["3", "1"]),
            ("phone_number", "ends_with", "0000", ["2"]),
            ("opted", "equals", "stop", ["3"]),
            ("sms_gateway", "equals", "sandbox", ["3", "2", "1"]),
            ("at", "greater_than", "2025-11-22T12:00:30Z", ["3", "2"]),
        ],
    )
    def test_a_search_finds(
        self, api: Api, auditor: User, written: list[InboundMessage], field: str, op: str, value: str, found: list[str]
    ) -> None:
        query = {"op": op, "field": field, "value": value}
        body = api(auditor).post("/api/v1/inbound_messages/search", {"query": query}, format="json").json()
        assert [row["reference"] for row in body["items"]] == found

    def test_the_text_cannot_be_searched(self, api: Api, auditor: User, written: list[InboundMessage]) -> None:
        query = {"op": "contains", "field": "message", "value": "x"}
        answer = api(auditor).post("/api/v1/inbound_messages/search", {"query": query}, format="json")
        assert answer.status_code == 422

    @pytest.mark.parametrize("identifier", ["999999", "x", "-1"])
    def test_what_is_not_there_is_not_found(self, api: Api, auditor: User, identifier: str) -> None:
        assert api(auditor).get(f"/api/v1/inbound_message/{identifier}").status_code == 404

    @pytest.mark.parametrize(("method", "path"), [("GET", "s"), ("POST", "s/search"), ("GET", "/1")])
    def test_reading_needs_its_right(self, api: Api, operator: User, method: str, path: str) -> None:
        answer = api(operator).generic(method, f"/api/v1/inbound_message{path}")
        assert answer.status_code == 403
        assert "MESSAGES_READ" in answer.json()["message"]

    def test_nobody_writes_them(self, api: Api, admin: User) -> None:
        assert api(admin).post("/api/v1/inbound_messages", {}, format="json").status_code == 405

    def test_staff_read_the_text_in_the_admin(self, auditor: User, written: list[InboundMessage]) -> None:
        client = signed_in(auditor)
        for address in (page(InboundMessage, "changelist"), page(InboundMessage, "change", written[0].pk)):
            assert "Где Wi-Fi?" in client.get(address).content.decode()

    def test_a_text_is_no_markup_in_the_admin(self, auditor: User, sandbox: Gateway) -> None:
        inbound.store(sandbox, [InboundSms("900", "<b onclick=x>", "1")])
        html = signed_in(auditor).get(page(InboundMessage, "changelist")).content.decode()
        assert "&lt;b onclick=x&gt;" in html
        assert "<b onclick" not in html

    @pytest.mark.parametrize("lookup", ["text__startswith", "fingerprint__startswith"])
    def test_a_list_cannot_be_filtered_by_what_it_hides(self, auditor: User, lookup: str) -> None:
        assert signed_in(auditor).get(page(InboundMessage, "changelist"), {lookup: "a"}).status_code == 400


class TestOptOuts:
    def add(self, api: Api, user: User, **body: Any) -> Any:
        return api(user).post("/api/v1/opt_outs", body, format="json")

    def test_a_phone_is_added_in_any_spelling(self, api: Api, admin: User) -> None:
        answer = self.add(api, admin, telephone="8 (916) 123-45-67", note="at the reception")
        row = OptOut.objects.get()
        assert (answer.status_code, answer.json()["id"]) == (201, row.pk)
        assert answer.headers["Location"] == f"/api/v1/opt_out/{row.pk}"
        item = api(admin).get(f"/api/v1/opt_out/{row.pk}").json()["item"]
        assert datetime.fromisoformat(item.pop("since")) == row.since
        assert item == {
            "id": row.pk, "telephone": PHONE, "inbound_message": None, "added_by": "admin", "note": "at the reception",
        }  # fmt: skip

    def test_a_phone_that_is_there_is_a_conflict(self, api: Api, admin: User) -> None:
        assert self.add(api, admin, telephone=PHONE).status_code == 201
        answer = self.add(api, admin, telephone="79161234567")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "telephone")

    @pytest.mark.parametrize(
        ("body", "field"),
        [({}, "telephone"), ({"telephone": "900"}, "telephone"), ({"telephone": PHONE, "phone": PHONE}, "phone")],
    )
    def test_what_is_wrong_is_named(self, api: Api, admin: User, body: dict[str, str], field: str) -> None:
        answer = self.add(api, admin, **body)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert not OptOut.objects.exists()

    def test_a_phone_is_taken_off_again(self, api: Api, admin: User) -> None:
        row = opt_outs.add(PHONE, added_by=admin)
        answer = api(admin).delete(f"/api/v1/opt_out/{row.pk}")
        assert (answer.status_code, answer.json()["message"]) == (200, f"Deleted {row.pk} successfully")
        assert not OptOut.objects.exists()
        assert api(admin).delete(f"/api/v1/opt_out/{row.pk}").status_code == 404

    def test_the_list_names_the_text_that_asked(self, api: Api, auditor: User, written: list[InboundMessage]) -> None:
        (item,) = api(auditor).get("/api/v1/opt_outs").json()["items"]
        assert (item["telephone"], item["inbound_message"], item["added_by"]) == (PHONE, written[2].pk, None)

    def test_a_search_finds_a_phone_however_it_is_written(self, api: Api, auditor: User) -> None:
        opt_outs.opt_out(PHONE)
        opt_outs.opt_out("+79160000000")
        query = {"op": "equals", "field": "telephone", "value": "8 916 123 45 67"}
        body = api(auditor).post("/api/v1/opt_outs/search", {"query": query}, format="json").json()
        assert [row["telephone"] for row in body["items"]] == [PHONE]

    @pytest.mark.parametrize(
        ("method", "path", "right"),
        [
            ("GET", "s", Right.USERS_READ),
            ("POST", "s", Right.USERS_CREATE),
            ("POST", "s/search", Right.USERS_READ),
            ("GET", "/1", Right.USERS_READ),
            ("DELETE", "/1", Right.USERS_DELETE),
        ],
    )
    def test_each_call_needs_its_right(self, api: Api, operator: User, method: str, path: str, right: Right) -> None:
        answer = api(operator).generic(method, f"/api/v1/opt_out{path}")
        assert answer.status_code == 403
        assert right in answer.json()["message"]

    def test_the_audit_trail_has_the_row_and_no_whole_phone(self, api: Api, admin: User) -> None:
        self.add(api, admin, telephone=PHONE)
        row = OptOut.objects.get()
        api(admin).delete(f"/api/v1/opt_out/{row.pk}")
        events = AuditEvent.objects.order_by("id")
        assert [(event.action, event.object_id) for event in events] == [
            ("opt_outs", str(row.pk)),
            ("opt_out", str(row.pk)),
        ]
        assert PHONE not in str(list(events.values()))

    def test_staff_add_and_remove_a_phone_in_the_admin(self) -> None:
        clerk = staff_with("clerk", Right.USERS_READ, Right.USERS_CREATE, Right.USERS_DELETE)
        client = signed_in(clerk)
        assert client.post(page(OptOut, "add"), {"phone": "8 (916) 123-45-67", "note": ""}).status_code == 302
        row = OptOut.objects.get()
        assert (row.phone, row.added_by) == (PHONE, clerk)
        assert client.get(page(OptOut, "change", row.pk)).status_code == 200
        assert client.post(page(OptOut, "delete", row.pk), {"post": "yes"}).status_code == 302
        assert not OptOut.objects.exists()

    @pytest.mark.parametrize("phone", [PHONE, "900", ""])
    def test_the_admin_shows_why_a_phone_is_not_added(self, admin: User, phone: str) -> None:
        opt_outs.opt_out(PHONE)
        response = signed_in(admin).post(page(OptOut, "add"), {"phone": phone, "note": ""})
        assert response.status_code == 200
        assert response.context["adminform"].form.errors["phone"]
        assert OptOut.objects.count() == 1

    def test_nobody_changes_a_row_in_the_admin(self, admin: User) -> None:
        row = opt_outs.add(PHONE, added_by=admin)
        assert signed_in(admin).post(page(OptOut, "change", row.pk), {"phone": "+79160000000"}).status_code == 403
