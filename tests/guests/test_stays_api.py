"""POST /api/v1/user/{pid}/extend and its neighbours."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from guests import accounts, stays
from guests.models import CALLS, Guest, GuestType
from portal.models import AuditEvent, IdempotencyRecord, User
from tests.conftest import Api
from tests.guests.test_user_password import everything_stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guest")]

BODIES: dict[str, dict[str, Any]] = {
    "extend": {"duration": "3h"},
    "suspend": {"reason": "lost the badge"},
    "reinstate": {},
    "ban": {"reason": "sold the password"},
    "unban": {},
    "anonymise": {},
    "reset_password": {},
}


def path(call: str, pid: str = "bob") -> str:
    """Where the call is made."""
    return f"/api/v1/user/{pid}/{call}"


def test_extend_answers_the_guest_as_it_is_now(api: Api, receptionist: User, guest: Guest) -> None:
    answer = api(receptionist).post(path("extend"), {"duration": "3h"}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["message"], body["status"]) == ("bob", "'bob' extended", 200)
    assert parse_datetime(body["item"]["valid_until"]) == guest.valid_until + timedelta(hours=3)


def test_extend_takes_a_date(api: Api, receptionist: User, guest: Guest) -> None:
    until = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    answer = api(receptionist).post(path("extend"), {"valid_until": until.isoformat()}, format="json")
    assert answer.status_code == 200
    assert Guest.objects.get().valid_until == until


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "duration"),
        ({"duration": "soon"}, "duration"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
        ({"valid_until": "2199-01-01T00:00:00Z"}, "valid_until"),
    ],
)
def test_extend_names_the_field_at_fault(
    api: Api, receptionist: User, guest: Guest, visitor_type: GuestType, body: dict[str, str], field: str
) -> None:
    accounts.write(guest, guest_type=visitor_type)
    answer = api(receptionist).post(path("extend"), body, format="json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert Guest.objects.get().valid_until == guest.valid_until


def test_a_repeat_with_the_same_key_extends_once(api: Api, receptionist: User, guest: Guest) -> None:
    for _ in range(2):
        headers = {"Idempotency-Key": "once"}
        assert (
            api(receptionist).post(path("extend"), {"duration": "1h"}, format="json", headers=headers).status_code
            == 200
        )
    assert Guest.objects.get().valid_until == guest.valid_until + timedelta(hours=1)


def test_a_guest_is_suspended_reinstated_banned_and_unbanned(api: Api, receptionist: User) -> None:
    client = api(receptionist)
    states = []
    for call in ("suspend", "ban", "reinstate", "unban"):
        answer = client.post(path(call), BODIES[call], format="json")
        assert answer.status_code == 200, call
        item = answer.json()["item"]
        states.append((item["state"], item["suspended_why"], item["banned_why"]))
    assert states == [
        ("suspended", "lost the badge", ""),
        ("banned", "lost the badge", "sold the password"),
        ("banned", "", "sold the password"),
        ("created", "", ""),
    ]


@pytest.mark.parametrize("call", ["suspend", "ban"])
def test_a_reason_is_required(api: Api, receptionist: User, call: str) -> None:
    for body in ({}, {"reason": " "}):
        answer = api(receptionist).post(path(call), body, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")


def test_what_is_so_already_is_a_conflict(api: Api, receptionist: User) -> None:
    answer = api(receptionist).post(path("reinstate"), {}, format="json")
    assert (answer.status_code, answer.json()["message"]) == (409, "bob is not suspended.")


def test_a_ban_is_not_ended_by_a_change(api: Api, receptionist: User, guest: Guest) -> None:
    stays.ban(guest, why="sold the password")
    answer = api(receptionist).patch("/api/v1/user/bob", {"suspended": False, "banned": False}, format="json")
    assert answer.status_code in {200, 422}
    assert Guest.objects.get().banned


def test_anonymise_answers_the_new_pid(api: Api, receptionist: User) -> None:
    body = api(receptionist).post(path("anonymise"), {}, format="json").json()
    kept = Guest.objects.get()
    assert body["id"] == body["item"]["pid"] == kept.username != "bob"
    assert body["item"]["state"] == "anonymised"
    assert api(receptionist).get("/api/v1/user/bob").status_code == 404


class TestResettingThePassword:
    def test_it_is_answered_once_and_kept_nowhere(self, api: Api, receptionist: User) -> None:
        headers = {"Idempotency-Key": "once"}
        answer = api(receptionist).post(path("reset_password"), {}, format="json", headers=headers)
        assert answer.status_code == 200
        password = answer.json()["password"]
        assert "no-store" in answer.headers["Cache-Control"]
        assert Guest.objects.get().check_password(password)
        assert password not in everything_stored()
        assert not IdempotencyRecord.objects.exists()

    def test_each_one_is_another(self, api: Api, receptionist: User) -> None:
        client = api(receptionist)
        made = {client.post(path("reset_password"), {}, format="json").json()["password"] for _ in range(3)}
        assert len(made) == 3


@pytest.mark.parametrize("call", BODIES)
class TestEachCall:
    def test_it_needs_the_right_to_change_guests(self, api: Api, auditor: User, call: str) -> None:
        answer = api(auditor).post(path(call), BODIES[call], format="json")
        assert answer.status_code == 403
        assert "USERS_UPDATE" in answer.json()["message"]

    def test_it_is_written_down(self, api: Api, receptionist: User, call: str) -> None:
        answer = api(receptionist).post(path(call), BODIES[call], format="json")
        event = AuditEvent.objects.get()
        assert (event.action, event.object_id, event.status) == (f"user.{call}", "bob", answer.status_code)

    def test_an_unknown_guest_is_404(self, api: Api, receptionist: User, call: str) -> None:
        assert api(receptionist).post(path(call, "nobody"), BODIES[call], format="json").status_code == 404

    def test_a_pid_may_hold_slashes_and_never_the_name_of_a_call(self, api: Api, receptionist: User, call: str) -> None:
        accounts.create(username="floor/2", by=None)
        answer = api(receptionist).post(path(call, "floor/2"), BODIES[call], format="json")
        assert answer.status_code in {200, 409}
        taken = api(receptionist).post("/api/v1/users", {"pid": f"floor/{call}"}, format="json")
        assert (taken.status_code, taken.json()["errors"][0]["field"]) == (422, "pid")


def test_every_call_is_tested_here() -> None:
    assert set(BODIES) | {"password"} == set(CALLS)


class TestState:
    def test_a_list_shows_it_and_a_search_finds_it(self, api: Api, receptionist: User, guest: Guest) -> None:
        accounts.create(username="eve", by=None)
        stays.suspend(guest, why="lost the badge")
        items = api(receptionist).get("/api/v1/users?fields=pid,state").json()["items"]
        assert items == [{"pid": "bob", "state": "suspended"}, {"pid": "eve", "state": "created"}]
        query = {"op": "equals", "field": "state", "value": "suspended"}
        found = api(receptionist).post("/api/v1/users/search", {"query": query}, format="json").json()["items"]
        assert [item["pid"] for item in found] == ["bob"]
        ordered = api(receptionist).get("/api/v1/users?sort=state&fields=pid").json()["items"]
        assert [item["pid"] for item in ordered] == ["eve", "bob"]

    def test_a_type_is_given_by_its_name(self, api: Api, receptionist: User, visitor_type: GuestType) -> None:
        body = {"pid": "visitor", "guest_type": "Visitor"}
        assert api(receptionist).post("/api/v1/users", body, format="json").status_code == 201
        item = api(receptionist).get("/api/v1/user/visitor").json()["item"]
        assert item["guest_type"] == "Visitor"
        stay = parse_datetime(item["valid_until"]) - parse_datetime(item["valid_from"])  # type: ignore[operator]
        assert stay == visitor_type.default_stay
        answer = api(receptionist).post("/api/v1/users", {"pid": "x", "guest_type": "None such"}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "guest_type")
