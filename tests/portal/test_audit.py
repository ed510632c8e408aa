"""The audit trail: who, from where, what, on what, with what result, and no secret."""

from typing import Any

import pytest
from django.db import DatabaseError

from portal import audit
from portal.audit import MASK, Event, mask, mask_phone
from portal.models import AuditEvent, User
from tests.conftest import Api
from tests.portal.routes import Broken


@pytest.mark.urls("tests.portal.routes")
class TestCalls:
    def test_a_call_that_changes_something_is_written_down(self, api: Api, admin: User) -> None:
        body = {
            "name": "mia",
            "password": "hunter2",
            "phone_number": "+79161234567",
            "settings": {"url": "http://a.example"},
        }
        api(admin).post("/api/v1/members/?token=x", body, format="json", REMOTE_ADDR="192.0.2.7")
        event = AuditEvent.objects.get()
        assert (event.user, event.user_name, event.address) == (admin, "admin", "192.0.2.7")
        assert (event.action, event.object_id, event.method) == ("members", "mia", "POST")
        assert (event.path, event.status) == ("/api/v1/members/", 201)
        assert event.request == {
            "name": "mia", "password": MASK, "phone_number": "+7916•••••67", "settings": {"url": MASK},
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("method", "path", "body", "status", "object_id"),
        [
            ("POST", "/api/v1/members", "{}", 422, ""),
            ("POST", "/api/v1/members", '{"name": "mia", "staff": "x"}', 422, "mia"),
            ("POST", "/api/v1/members", '{"name": "xia"}', 422, "xia"),
            ("POST", "/api/v1/members", '{"name": ["mia"]}', 422, ""),
            ("POST", "/api/v1/members", "{", 400, ""),
            ("PATCH", "/api/v1/member/mia", "{}", 404, "mia"),
            ("DELETE", "/api/v1/members", "", 405, ""),
            ("POST", "/api/v1/broken", "", 500, ""),
            ("POST", "/api/v1/nowhere", "", 404, ""),
        ],
    )
    def test_failures_are_written_down_once(
        self,
        api: Api,
        admin: User,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        path: str,
        body: str,
        status: int,
        object_id: str,
    ) -> None:
        monkeypatch.setattr(Broken, "error", RuntimeError("x"))
        assert api(admin).generic(method, path, body).status_code == status
        event = AuditEvent.objects.get()
        assert (event.user, event.status, event.object_id, event.path) == (admin, status, object_id, path)

    def test_a_forbidden_call_is_written_down_with_what_was_tried(self, api: Api, nobody: User) -> None:
        api(nobody).post("/api/v1/members", {"name": "mia"}, format="json")
        event = AuditEvent.objects.get()
        assert (event.user, event.status, event.request) == (nobody, 403, {"name": "mia"})

    def test_a_strangers_call_is_written_down_without_what_it_sent(self, api: Api, db: None) -> None:
        api(None).post("/api/v1/members", {"name": "mia"}, format="json")
        event = AuditEvent.objects.get()
        assert (event.user, event.user_name, event.status, event.request) == (None, "", 401, {})

    def test_reading_is_not_written_down(self, api: Api, admin: User, nobody: User) -> None:
        for user in (admin, nobody, None):
            api(user).get("/api/v1/members")
            api(user).options("/api/v1/members")
            api(user).post("/api/v1/members/search", {}, format="json")
        assert not AuditEvent.objects.exists()

    def test_a_lost_event_does_not_spoil_a_good_answer(
        self, api: Api, admin: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise DatabaseError("disk full")

        monkeypatch.setattr(AuditEvent, "save", fail)
        answer = api(admin).post("/api/v1/members", {"name": "mia"}, format="json")
        assert answer.status_code == 201
        assert User.objects.filter(username="mia").exists()
        assert "members could not be written" in caplog.text


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (
            {"password": "x", "new_password": ["x"], "API_KEY": 5, "token": None},
            {"password": MASK, "new_password": MASK, "API_KEY": MASK, "token": MASK},
        ),
        ({"client_secret": {"a": 1}, "Authorization": "Bearer x"}, {"client_secret": MASK, "Authorization": MASK}),
        ({"code": "123456", "pin": 1234}, {"code": MASK, "pin": MASK}),
        ({"confirm-code": "abcd-efgh", "postcode": "101000"}, {"confirm-code": MASK, "postcode": "101000"}),
        ({"settings": {"url": "http://x", "deep": {"a": 1}}}, {"settings": {"url": MASK, "deep": MASK}}),
        ({"settings": "raw"}, {"settings": MASK}),
        ({"settings.url": "http://x", "settings_of": "a"}, {"settings.url": MASK, "settings_of": "a"}),
        ({"message": "secret text", "text": ""}, {"message": "11 characters", "text": "0 characters"}),
        ({"items": [{"password": "x", "pid": "bob"}]}, {"items": [{"password": MASK, "pid": "bob"}]}),
        ({"phone_number": "+79161234567"}, {"phone_number": "+7916•••••67"}),
        ({"to": "8 (916) 123-45-67 and 9161234567"}, {"to": "8 (91•••••67 and 91612•••••67"}),
        (
            {"value": 79161234567, "limit": 25, "ok": True, "part": 0.5, "none": None},
            {"value": "79161•••••67", "limit": 25, "ok": True, "part": 0.5, "none": None},
        ),
        (
            {"from": "2027-01-02T10:00:00+03:00", "until": "2027-01-02 10:00:00.123456", "day": "2027-01-02"},
            {"from": "2027-01-02T10:00:00+03:00", "until": "2027-01-02 10:00:00.123456", "day": "2027-01-02"},
        ),
        (
            {"values": ["2027-01-02T10:00:00Z", "12:30", "100", 100, "50.0", "25 000 000", -5]},
            {"values": ["2027-01-02T10:00:00Z", "12:30", "100", 100, "50.0", "25 000 000", -5]},
        ),
        ({"to": "2027-01-02 89161234567"}, {"to": "2027-01-02 89161•••••67"}),
        ({"to": "2027-01-02-345"}, {"to": "2027-•••••45"}),
        ({"name": "a\0b\ud800"}, {"name": "a\ufffdb\ufffd"}),
        ({"a\0": 1}, {audit.UNNAMED: MASK}),
        ({"+79161234567": "x", "79161234568": {"b": 1}}, {audit.UNNAMED: MASK}),
        ({"to_79161234567": 1}, {audit.UNNAMED: MASK}),
        ({"to.7916.123.45.67": 1}, {audit.UNNAMED: MASK}),
        ({"Your room is ready": 1}, {audit.UNNAMED: MASK}),
        ({"code_1_2_3_4_5": 1, "": 1}, {audit.UNNAMED: MASK}),
        ({"n" * 101: 1, "n" * 100: 2}, {audit.UNNAMED: MASK, "n" * 100: 2}),
        ({"settings": {"+79161234567": "x", "url": "y"}}, {"settings": {audit.UNNAMED: MASK, "url": MASK}}),
        ({"form-0-pid": "bob", "settings_of.a": 1}, {"form-0-pid": "bob", "settings_of.a": 1}),
        ([1, ("x",)], [1, ["x"]]),
    ],
)  # fmt: skip
def test_masking(value: Any, masked: Any) -> None:
    assert mask(value) == masked


def test_what_is_written_down_stays_small() -> None:
    deep: Any = "x"
    for _ in range(20):
        deep = {"a": deep}
    kept = mask({"long": "x" * 5000, "many": list(range(5000)), "deep": deep, **{f"k{n}": n for n in range(500)}})
    assert len(str(kept)) < 3000


@pytest.mark.parametrize(("phone", "shown"), [("+79161234567", "+7916•••••67"), ("112", "•••••"), ("", "•••••")])
def test_a_phone_keeps_its_ends_only(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


def test_an_event_of_anything_fits_the_table(db: None) -> None:
    audit.record(
        Event(
            "a" * 500,
            200,
            user_name="u\0" * 500,
            object_id="o" * 500,
            method="m" * 50,
            path="p\ud800" * 500,
            request={"x": "\0"},
        )
    )
    assert AuditEvent.objects.get().request == {"x": "\ufffd"}


def test_an_event_does_not_show_its_request_in_its_repr() -> None:
    assert "hunter2" not in repr(Event("a", 200, request={"password": "hunter2"}))
