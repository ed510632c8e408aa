"""/api/v1/user/{pid}/password: whether a guest has a password, another one, or none."""

from datetime import datetime

import pytest
from django.db import connection

from guests import passwords
from guests.models import Guest
from portal.audit import MASK
from portal.models import AuditEvent, User
from tests.conftest import Api
from tests.guests.test_users import DUPLICATE, fields_at_fault

pytestmark = pytest.mark.django_db

PATH = "/api/v1/user/bob/password"
CANARY = "canary-5up3r-s3cret"
BODY = {"password": CANARY}


@pytest.fixture
def known(guest: Guest) -> Guest:
    """A guest with a password."""
    passwords.put(guest, passwords.hash_password("the old one"))
    return guest


class TestWithoutAPassword:
    def test_post_sets_one(self, api: Api, admin: User, guest: Guest) -> None:
        answer = api(admin).post(PATH, BODY, format="json")
        assert answer.status_code == 201
        assert answer.json() == {"id": "bob", "message": "'bob' created", "status": 201}
        assert answer["Location"] == PATH
        assert Guest.objects.get().check_password(CANARY)

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_put_and_patch_set_one_too(self, api: Api, admin: User, guest: Guest, method: str) -> None:
        assert getattr(api(admin), method)(PATH, BODY, format="json").status_code == 200
        assert Guest.objects.get().check_password(CANARY)

    @pytest.mark.parametrize("method", ["get", "delete"])
    def test_there_is_nothing_to_show_or_remove(self, api: Api, admin: User, guest: Guest, method: str) -> None:
        assert getattr(api(admin), method)(PATH).status_code == 404


class TestWithAPassword:
    def test_get_says_how_long_it_holds_and_not_what_it_is(self, api: Api, auditor: User, known: Guest) -> None:
        answer = api(auditor).get(PATH)
        assert answer.status_code == 200
        assert set(answer.json()["item"]) == {"pid", "valid_from", "expiration"}
        assert "argon2" not in answer.content.decode()

    def test_post_is_a_conflict_in_the_documented_sentence(self, api: Api, admin: User, known: Guest) -> None:
        answer = api(admin).post(PATH, BODY, format="json")
        assert answer.status_code == 409
        assert answer.json() == {"message": DUPLICATE, "status": 409}
        assert Guest.objects.get().check_password("the old one")

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_put_and_patch_set_another_one(self, api: Api, admin: User, known: Guest, method: str) -> None:
        answer = getattr(api(admin), method)(PATH, BODY, format="json")
        assert answer.status_code == 200
        assert answer.json() == {"id": "bob", "message": "'bob' updated", "status": 200}
        assert Guest.objects.get().check_password(CANARY)

    def test_delete_removes_it_and_keeps_the_guest(self, api: Api, admin: User, known: Guest) -> None:
        assert api(admin).delete(PATH).json() == {"message": "Deleted bob successfully", "status": 200}
        assert not Guest.objects.get().has_password

    def test_patch_may_move_the_stay_alone(self, api: Api, admin: User, known: Guest) -> None:
        body = {"expiration": "2030-01-01T00:00:00Z"}
        assert api(admin).patch(PATH, body, format="json").status_code == 200
        guest = Guest.objects.get()
        assert guest.valid_until == datetime.fromisoformat("2030-01-01T00:00:00+00:00")
        assert guest.check_password("the old one")

    def test_a_stay_that_is_refused_leaves_the_password(self, api: Api, admin: User, known: Guest) -> None:
        body = {**BODY, "expiration": "2001-01-01T00:00:00Z"}
        assert fields_at_fault(api(admin).put(PATH, body, format="json")) == ["expiration"]
        assert Guest.objects.get().check_password("the old one")


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize("password", ["", None, "x" * 129, ["x"], {}, True])
def test_what_is_no_password_is_refused(api: Api, admin: User, guest: Guest, method: str, password: object) -> None:
    answer = getattr(api(admin), method)(PATH, {"password": password}, format="json")
    assert fields_at_fault(answer) == ["password"]
    assert not Guest.objects.get().has_password


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_missing_password_is_named(api: Api, admin: User, guest: Guest, method: str) -> None:
    assert fields_at_fault(getattr(api(admin), method)(PATH, {}, format="json")) == ["password"]


def test_spaces_at_its_ends_belong_to_it(api: Api, admin: User, guest: Guest) -> None:
    api(admin).put(PATH, {"password": " x "}, format="json")
    kept = Guest.objects.get()
    assert kept.check_password(" x ")
    assert not kept.check_password("x")


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_unknown_pid_is_not_found(api: Api, admin: User, method: str) -> None:
    body = BODY if method in {"post", "put", "patch"} else None
    answer = getattr(api(admin), method)("/api/v1/user/nobody/password", body, format="json")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


@pytest.mark.parametrize(
    ("method", "right"),
    [
        ("get", "USERS_READ"),
        ("post", "USERS_UPDATE"),
        ("put", "USERS_UPDATE"),
        ("patch", "USERS_UPDATE"),
        ("delete", "USERS_UPDATE"),
    ],
)
def test_the_missing_right_is_named(api: Api, operator: User, known: Guest, method: str, right: str) -> None:
    answer = getattr(api(operator), method)(PATH, BODY, format="json")
    assert answer.status_code == 403
    assert answer.json() == {"message": f"Unauthorized access, lacking the {right} administrative role"}
    assert Guest.objects.get().check_password("the old one")


def test_any_content_type_and_a_trailing_comma_will_do(api: Api, admin: User, guest: Guest) -> None:
    raw = f'{{"password": "{CANARY}",}}'
    assert api(admin).generic("POST", PATH, raw, content_type="text/plain").status_code == 201
    assert Guest.objects.get().check_password(CANARY)


def test_the_password_is_in_no_table_no_answer_and_no_log(
    api: Api, admin: User, guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(admin)
    answers = [
        client.post(PATH, BODY, format="json", HTTP_IDEMPOTENCY_KEY="once"),
        client.post(PATH, BODY, format="json"),
        client.put(PATH, {**BODY, "colour": "red"}, format="json"),
        client.put(PATH, BODY, format="json"),
    ]
    assert [answer.status_code for answer in answers] == [201, 409, 422, 200]
    assert AuditEvent.objects.count() == 4
    assert {event.request["password"] for event in AuditEvent.objects.all()} == {MASK}
    assert not any(CANARY in answer.content.decode() for answer in answers)
    assert CANARY not in caplog.text
    assert CANARY not in everything_stored()


def everything_stored() -> str:
    """Every row of every table, as the database holds it."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [str(row) for row in cursor.fetchall()]
    assert any("bob" in row for row in found)
    return "\n".join(found)
