"""/api/v1/user/{pid}: one guest."""

from typing import Any
from urllib.parse import quote

import pytest

from gateways.models import Gateway
from guests import accounts, credentials, passwords
from guests.models import Guest
from messaging.models import State
from portal.models import AuditEvent, User
from tests.conftest import Api
from tests.guests.test_users import fields_at_fault

pytestmark = pytest.mark.django_db

PATH = "/api/v1/user/bob"
CANARY = "canary-5up3r-s3cret"
NOT_FOUND = {"message": "Unable to get resource with this identifier", "status": 404}
ALL_METHODS = ["get", "patch", "put", "delete"]


def test_it_shows_the_guest_and_never_the_password(api: Api, auditor: User, admin: User) -> None:
    accounts.create(username="bob", by=admin, phone="+79161234567", password_hash=passwords.hash_password(CANARY))
    answer = api(auditor).get(PATH)
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == 200
    assert set(body["item"]) == {
        "pid", "telephone", "firstname", "lastname", "email", "company", "notes", "lang", "sponsor", "valid_from",
        "valid_until", "suspended", "suspended_why", "has_password", "last_credentials", "created",
        "state", "guest_type", "banned", "banned_why", "verified", "first_sign_in", "anonymised",
    }  # fmt: skip
    assert body["item"]["has_password"] is True
    assert (body["item"]["sponsor"], body["item"]["telephone"]) == ("admin", "+79161234567")
    assert "argon2" not in answer.content.decode()


def test_it_shows_what_became_of_the_last_credentials(api: Api, auditor: User, guest: Guest, sandbox: Gateway) -> None:
    assert api(auditor).get(PATH).json()["item"]["last_credentials"] is None
    message = credentials.send(guest, password=CANARY, gateway_name="sandbox", by=None)
    answer = api(auditor).get(PATH)
    shown = answer.json()["item"]["last_credentials"]
    assert (shown["id"], shown["state"]) == (message.pk, State.QUEUED)
    assert CANARY not in answer.content.decode()


@pytest.mark.parametrize(
    "pid", ["a/b", "a/b/c", "/a", "a//b", "DOMAIN\\bob", "bob@hotel.example", "search", "password", "password/a", "..."]
)
@pytest.mark.parametrize("last_slash", ["", "/"])
def test_a_pid_with_any_documented_character_has_an_address(api: Api, admin: User, pid: str, last_slash: str) -> None:
    api(admin).post("/api/v1/users", {"pid": pid}, format="json")
    path = f"/api/v1/user/{quote(pid, safe='')}"
    assert api(admin).get(path + last_slash).json()["item"]["pid"] == pid
    assert api(admin).put(f"{path}/password", {"password": CANARY}, format="json").status_code == 200
    assert api(admin).get(path).json()["item"]["has_password"] is True
    assert api(admin).delete(path + last_slash).status_code == 200
    assert not Guest.objects.exists()


class TestChanging:
    def test_patch_changes_what_is_given(self, api: Api, admin: User, guest: Guest) -> None:
        accounts.change(guest, company="Отель", suspended=True)
        answer = api(admin).patch(PATH, {"telephone": "8 916 765-43-21", "lang": "en"}, format="json")
        assert answer.status_code == 200
        assert (answer.json()["message"], answer.json()["status"]) == ("'bob' updated", 200)
        changed = Guest.objects.get()
        assert (changed.phone, changed.language, changed.company, changed.suspended) == (
            "+79167654321", "en", "Отель", True,
        )  # fmt: skip

    def test_patch_with_nothing_changes_nothing(self, api: Api, admin: User, guest: Guest) -> None:
        before = Guest.objects.values().get()
        assert api(admin).patch(PATH, {}, format="json").status_code == 200
        assert Guest.objects.values().get() == before

    def test_put_empties_texts_that_are_left_out_and_keeps_stay_sponsor_and_suspension(
        self, api: Api, admin: User, guest: Guest
    ) -> None:
        before = accounts.change(guest, company="Отель", suspended=True, sponsor=admin)
        assert api(admin).put(PATH, {"firstname": "Bob"}, format="json").status_code == 200
        after = Guest.objects.get()
        assert (after.first_name, after.company, after.phone) == ("Bob", "", "")
        assert (after.suspended, after.sponsor, after.valid_until) == (True, admin, before.valid_until)

    def test_a_suspension_says_why_and_can_be_ended(self, api: Api, admin: User, guest: Guest) -> None:
        api(admin).patch(PATH, {"suspended": True, "suspended_why": "unpaid"}, format="json")
        assert Guest.objects.filter(suspended=True, suspended_why="unpaid").exists()
        api(admin).patch(PATH, {"suspended": False, "suspended_why": ""}, format="json")
        assert Guest.objects.filter(suspended=False, suspended_why="").exists()

    @pytest.mark.parametrize("method", ["patch", "put"])
    def test_the_pid_may_be_repeated_and_cannot_be_changed(
        self, api: Api, admin: User, guest: Guest, method: str
    ) -> None:
        change = getattr(api(admin), method)
        assert change(PATH, {"pid": "bob"}, format="json").status_code == 200
        assert fields_at_fault(change(PATH, {"pid": "rob"}, format="json")) == ["pid"]
        assert Guest.objects.get().username == "bob"

    @pytest.mark.parametrize("method", ["patch", "put"])
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("telephone", "12345"),
            ("email", "bob"),
            ("lang", "fr"),
            ("sponsor", "nobody-known"),
            ("valid_until", "2001-01-01T00:00:00Z"),
            ("valid_from", "2199-01-01T00:00:00Z"),
            ("password", CANARY),
            ("colour", "red"),
        ],
    )
    def test_a_wrong_or_unknown_field_is_named_and_nothing_changes(
        self, api: Api, admin: User, guest: Guest, method: str, field: str, value: Any
    ) -> None:
        before = Guest.objects.values().get()
        answer = getattr(api(admin), method)(PATH, {"company": "New", field: value}, format="json")
        assert fields_at_fault(answer)[0] in {field, "valid_until"}
        assert CANARY not in answer.content.decode()
        assert Guest.objects.values().get() == before

    @pytest.mark.parametrize("method", ["patch", "put"])
    def test_what_get_answered_can_be_put_back_and_changes_nothing(
        self, api: Api, admin: User, guest: Guest, sandbox: Gateway, method: str
    ) -> None:
        credentials.send(guest, password=CANARY, gateway_name="sandbox", by=None)
        accounts.change(guest, company="Отель", sponsor=admin, suspended=True, suspended_why="unpaid")
        before = Guest.objects.values().get()
        item = api(admin).get(PATH).json()["item"]
        assert getattr(api(admin), method)(PATH, item, format="json").status_code == 200
        assert Guest.objects.values().get() == before

    def test_what_is_only_shown_cannot_be_set(self, api: Api, admin: User, guest: Guest) -> None:
        before = Guest.objects.values().get()
        body = {"has_password": True, "created": "2001-01-01T00:00:00Z"}
        assert api(admin).patch(PATH, body, format="json").status_code == 200
        assert Guest.objects.values().get() == before

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
    def test_any_content_type_and_a_trailing_comma_will_do(
        self, api: Api, admin: User, guest: Guest, content_type: str
    ) -> None:
        answer = api(admin).generic("PATCH", PATH, '{"company": "Отель",}', content_type=content_type)
        assert answer.status_code == 200
        assert Guest.objects.get().company == "Отель"


def test_delete_removes_the_guest(api: Api, admin: User, guest: Guest) -> None:
    answer = api(admin).delete(PATH)
    assert answer.status_code == 200
    assert answer.json() == {"message": "Deleted bob successfully", "status": 200}
    assert not Guest.objects.exists()
    assert AuditEvent.objects.get().object_id == "bob"


@pytest.mark.parametrize("method", ALL_METHODS)
def test_an_unknown_pid_is_not_found(api: Api, admin: User, method: str) -> None:
    answer = getattr(api(admin), method)("/api/v1/user/nobody", format="json")
    assert answer.status_code == 404
    assert answer.json() == NOT_FOUND


def test_a_pid_is_found_in_its_own_case_only(api: Api, admin: User, guest: Guest) -> None:
    assert api(admin).get("/api/v1/user/BOB").status_code == 404


@pytest.mark.parametrize(
    ("method", "right"),
    [("get", "USERS_READ"), ("patch", "USERS_UPDATE"), ("put", "USERS_UPDATE"), ("delete", "USERS_DELETE")],
)
def test_the_missing_right_is_named(api: Api, operator: User, guest: Guest, method: str, right: str) -> None:
    before = Guest.objects.values().get()
    answer = getattr(api(operator), method)(PATH, {"company": "x"}, format="json")
    assert answer.status_code == 403
    assert answer.json() == {"message": f"Unauthorized access, lacking the {right} administrative role"}
    assert Guest.objects.values().get() == before


def test_a_weak_caller_does_not_learn_which_pids_exist(api: Api, operator: User, guest: Guest) -> None:
    assert api(operator).get(PATH).status_code == api(operator).get("/api/v1/user/nobody").status_code == 403


def test_options_describes_the_fields(api: Api, auditor: User, guest: Guest) -> None:
    meta = api(auditor).options(PATH).json()["meta"]
    assert meta["telephone"] == {
        "type": "string",
        "required": False,
        "default": "",
        "placeholder": "+79161234567",
    }
    assert meta["suspended"]["type"] == "boolean"
    assert "password" not in meta
