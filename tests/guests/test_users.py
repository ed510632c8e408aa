"""/api/v1/users: create and list guests, and /api/v1/users/search."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from guests import accounts
from guests.models import Guest
from portal.audit import MASK
from portal.models import AuditEvent, User
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PATH = "/api/v1/users"
CANARY = "canary-5up3r-s3cret"
DUPLICATE = (
    "An attempt to add a duplicate entry was stopped. Entry already exists and should be modified instead of created."
)


def page(api: Api, user: User, **arguments: str | int) -> Any:
    """One page of the list."""
    return api(user).get(PATH, arguments).json()


def fields_at_fault(answer: Any) -> list[str]:
    """The names in a 422's errors."""
    body = answer.json()
    assert (answer.status_code, body["status"]) == (422, 422)
    assert all(error["message"] for error in body["errors"])
    return [error["field"] for error in body["errors"]]


class TestCreating:
    def test_it_answers_in_the_documented_shape(self, api: Api, admin: User) -> None:
        answer = api(admin).post(PATH, {"pid": "bob"}, format="json")
        assert answer.status_code == 201
        assert answer.json() == {"id": "bob", "message": "'bob' created", "status": 201}
        assert answer["Location"] == "/api/v1/user/bob"

    def test_it_keeps_every_detail_under_its_wire_name(self, api: Api, admin: User, operator: User) -> None:
        plain = {
            "pid": "bob", "firstname": "Боб", "lastname": "Строитель", "email": "bob@example.org", "company": "Отель",
            "notes": "late\nriser", "lang": "ru", "sponsor": "operator", "suspended": True, "suspended_why": "unpaid",
        }  # fmt: skip
        stay = {"valid_from": "2026-12-01T12:00:00+03:00", "valid_until": "2026-12-02T12:00:00+03:00"}
        answer = api(admin).post(PATH, {"telephone": "8 916 123-45-67", **plain, **stay}, format="json")
        assert answer.status_code == 201
        item = api(admin).get("/api/v1/user/bob").json()["item"]
        assert {name: item[name] for name in plain} == plain
        assert item["telephone"] == "+79161234567"
        assert {name: datetime.fromisoformat(item[name]) for name in stay} == {
            name: datetime.fromisoformat(moment) for name, moment in stay.items()
        }

    def test_the_caller_is_the_sponsor_and_the_stay_31_days_unless_given(self, api: Api, admin: User) -> None:
        api(admin).post(PATH, {"pid": "bob"}, format="json")
        guest = Guest.objects.get()
        assert guest.sponsor == admin
        assert guest.valid_until - guest.valid_from == timedelta(days=31)

    def test_null_empties_a_text_and_means_no_sponsor(self, api: Api, admin: User) -> None:
        body = {"pid": "bob", "telephone": None, "company": None, "sponsor": None}
        assert api(admin).post(PATH, body, format="json").status_code == 201
        guest = Guest.objects.get()
        assert (guest.phone, guest.company, guest.sponsor) == ("", "", None)

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
    @pytest.mark.parametrize("path", [PATH, PATH + "/"])
    def test_any_content_type_and_a_trailing_comma_will_do(
        self, api: Api, admin: User, content_type: str, path: str
    ) -> None:
        raw = '{\n  "pid": "bob",\n  "telephone": "+79161234567",\n}'
        assert api(admin).generic("POST", path, raw, content_type=content_type).status_code == 201
        assert Guest.objects.get().phone == "+79161234567"

    @pytest.mark.parametrize(
        "pid", ["", " ", None, "bob\n", "bob+1", "боб", "a b", "bob;", "x" * 256, ["bob"], {"a": 1}, True, "a/password"]
    )
    def test_a_bad_pid_is_refused(self, api: Api, admin: User, pid: Any) -> None:
        answer = api(admin).post(PATH, {"pid": pid}, format="json")
        assert fields_at_fault(answer) == ["pid"]
        assert not Guest.objects.exists()

    def test_a_missing_pid_is_named(self, api: Api, admin: User) -> None:
        answer = api(admin).post(PATH, {"telephone": "+79161234567"}, format="json")
        assert answer.json() == {
            "message": "Missing required fields",
            "errors": [{"field": "pid", "message": "Required field missing"}],
            "status": 422,
        }

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("telephone", "12345"),
            ("telephone", "call me"),
            ("telephone", "+79161234567 ext. 5"),
            ("telephone", ["+79161234567"]),
            ("email", "bob"),
            ("lang", "fr"),
            ("lang", ["ru"]),
            ("company", "x" * 256),
            ("company", {}),
            ("notes", "x" * 10_001),
            ("sponsor", "nobody-known"),
            ("sponsor", {"a": 1}),
            ("valid_from", "yesterday"),
            ("valid_from", None),
            ("valid_from", "0001-01-01T00:00:00"),
            ("valid_from", "9999-12-31T23:59:59-12:00"),
            ("valid_until", "9999-12-31T23:59:59Z"),
            ("valid_until", "2020-01-01T00:00:00Z"),
            ("valid_until", 1),
            ("suspended", "perhaps"),
            ("suspended", None),
            ("password", ""),
            ("password", None),
            ("password", "x" * 129),
            ("has_password", True),
            ("phone", "+79161234567"),
            ("colour", "red"),
        ],
    )
    def test_a_wrong_or_unknown_field_is_named_and_no_guest_is_made(
        self, api: Api, admin: User, field: str, value: Any
    ) -> None:
        answer = api(admin).post(PATH, {"pid": "bob", field: value}, format="json")
        assert fields_at_fault(answer) == [field]
        assert not Guest.objects.exists()

    def test_a_stay_that_ends_before_it_begins_is_refused(self, api: Api, admin: User) -> None:
        body = {"pid": "bob", "valid_from": "2026-12-02T00:00:00Z", "valid_until": "2026-12-01T00:00:00Z"}
        assert fields_at_fault(api(admin).post(PATH, body, format="json")) == ["valid_until"]

    def test_a_taken_pid_is_a_conflict_in_the_documented_sentence(self, api: Api, admin: User, guest: Guest) -> None:
        answer = api(admin).post(PATH, {"pid": guest.username, "company": "Other"}, format="json")
        assert answer.status_code == 409
        assert (answer.json()["message"], answer.json()["status"]) == (DUPLICATE, 409)
        assert Guest.objects.get().company == ""

    @pytest.mark.parametrize("raw", ["{", '{"pid": "bob"', "[]", '"bob"', '{"pid": "b\\u0000b"}', '{"pid": "\\ud800"}'])
    def test_a_body_that_is_no_object_is_a_bad_request(self, api: Api, admin: User, raw: str) -> None:
        answer = api(admin).generic("POST", PATH, raw, content_type="application/json")
        assert (answer.status_code, answer.json()["status"]) == (400, 400)

    def test_a_password_may_come_along_and_only_its_hash_is_kept(self, api: Api, admin: User) -> None:
        answer = api(admin).post(PATH, {"pid": "bob", "password": f" {CANARY} "}, format="json")
        assert answer.status_code == 201
        assert CANARY not in answer.content.decode()
        guest = Guest.objects.get()
        assert guest.check_password(f" {CANARY} ")
        assert guest.password.startswith("argon2$argon2id$")

    def test_it_is_audited_without_the_password_and_with_the_phone_shortened(self, api: Api, admin: User) -> None:
        body = {"pid": "bob", "password": CANARY, "telephone": "+79161234567"}
        api(admin).post(PATH, body, format="json")
        event = AuditEvent.objects.get()
        assert (event.action, event.object_id, event.status, event.user) == ("users", "bob", 201, admin)
        assert event.request["password"] == MASK
        assert "9161234567" not in json.dumps(event.request)

    def test_a_refusal_is_audited_too(self, api: Api, admin: User) -> None:
        api(admin).post(PATH, {"pid": "bob", "telephone": "12345"}, format="json")
        event = AuditEvent.objects.get()
        assert (event.status, event.object_id) == (422, "bob")

    def test_the_same_key_makes_one_guest(self, api: Api, admin: User) -> None:
        answers = [api(admin).post(PATH, {"pid": "bob"}, format="json", HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert Guest.objects.count() == 1


class TestRights:
    @pytest.mark.parametrize(
        ("method", "path", "right"),
        [
            ("get", PATH, "USERS_READ"),
            ("post", PATH, "USERS_CREATE"),
            ("post", f"{PATH}/search", "USERS_READ"),
        ],
    )
    def test_the_missing_right_is_named(self, api: Api, operator: User, method: str, path: str, right: str) -> None:
        answer = getattr(api(operator), method)(path, {"pid": "bob"} if method == "post" else None, format="json")
        assert answer.status_code == 403
        assert answer.json() == {"message": f"Unauthorized access, lacking the {right} administrative role"}
        assert not Guest.objects.exists()

    def test_who_may_read_may_not_create(self, api: Api, auditor: User) -> None:
        assert api(auditor).get(PATH).status_code == 200
        assert api(auditor).post(PATH, {"pid": "bob"}, format="json").status_code == 403

    def test_a_token_is_needed(self, api: Api) -> None:
        assert api(None).get(PATH).status_code == 401
        assert api(None).post(PATH, {"pid": "bob"}, format="json").status_code == 401


class TestListing:
    @pytest.fixture(autouse=True)
    def _three(self, db: None) -> None:
        for name, phone in [("ann", "+79160000001"), ("bob", "+79160000002"), ("cid", "")]:
            accounts.create(username=name, by=None, phone=phone)

    def test_it_lists_by_pid_in_pages(self, api: Api, auditor: User) -> None:
        first = page(api, auditor, limit=2, with_total_count=1, fields="pid")
        assert first == {
            "items": [{"pid": "ann"}, {"pid": "bob"}],
            "prevCursor": 0,
            "nextCursor": 2,
            "total_count": 3,
            "status": 200,
        }
        last = page(api, auditor, limit=2, cursor=2, fields="pid")
        assert last["items"] == [{"pid": "cid"}]
        assert "nextCursor" not in last

    def test_no_item_has_a_password(self, api: Api, auditor: User) -> None:
        items = api(auditor).get(PATH).json()["items"]
        assert len(items) == 3
        assert all("password" not in item and item["has_password"] is False for item in items)

    def test_it_sorts(self, api: Api, auditor: User) -> None:
        items = api(auditor).get(PATH, {"sort": "telephone DESC", "fields": "pid"}).json()["items"]
        assert [item["pid"] for item in items] == ["bob", "ann", "cid"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"fields": "pid,password"}, "Invalid field(s) defined"),
            ({"sort": "password"}, "Invalid field(s) in sort"),
            ({"sort": "has_password"}, "Invalid field(s) in sort"),
        ],
    )
    def test_the_password_can_be_neither_shown_nor_sorted_by(
        self, api: Api, auditor: User, arguments: dict[str, str], message: str
    ) -> None:
        answer = api(auditor).get(PATH, arguments)
        assert (answer.status_code, answer.json()["message"]) == (422, message)

    def test_a_list_costs_the_same_number_of_queries_however_long(
        self, api: Api, auditor: User, admin: User, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(20):
            accounts.create(username=f"guest{number}", by=admin)
        client = api(auditor)
        with django_assert_max_num_queries(5):
            assert len(client.get(PATH).json()["items"]) == 23


class TestSearching:
    @pytest.fixture(autouse=True)
    def _two(self, db: None, admin: User) -> None:
        accounts.create(username="guest1", by=admin, phone="+79161234567", company="Отель")
        accounts.create(username="other", by=None, phone="+79169999999", suspended=True)

    def search(self, api: Api, user: User, **query: Any) -> Any:
        return api(user).post(f"{PATH}/search", {"fields": ["pid"], "query": query}, format="json")

    @pytest.mark.parametrize(
        ("op", "field", "value"),
        [
            ("contains", "pid", "GUE"),
            ("equals", "telephone", "+79161234567"),
            ("equals", "telephone", "8 (916) 123-45-67"),
            ("contains", "telephone", "12345"),
            ("ends_with", "telephone", "4567"),
            ("equals", "sponsor", "admin"),
            ("equals", "suspended", False),
            ("starts_with", "company", "Оте"),
            ("contains", "company", "отЕЛ"),
            ("not_equals", "pid", "other"),
        ],
    )
    def test_it_finds(self, api: Api, auditor: User, op: str, field: str, value: Any) -> None:
        answer = self.search(api, auditor, op=op, field=field, value=value)
        assert answer.status_code == 200
        assert answer.json()["items"] == [{"pid": "guest1"}]

    @pytest.mark.parametrize("field", ["password", "has_password", "username", "sponsor__password", None])
    def test_what_is_no_column_cannot_be_searched(self, api: Api, auditor: User, field: Any) -> None:
        answer = self.search(api, auditor, op="contains", field=field, value="argon2")
        assert (answer.status_code, answer.json()["message"]) == (422, "Invalid query")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
moments = st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
details = st.fixed_dictionaries(
    {"pid": st.from_regex(r"\A[a-zA-Z0-9\-_.@/\\]+\Z") | json_values},
    optional={
        "telephone": st.from_regex(r"\A\+?[0-9 ()-]{5,15}\Z") | json_values,
        "email": st.emails() | json_values,
        "lang": st.sampled_from(["ru", "en", "", "fr"]) | json_values,
        "sponsor": st.sampled_from(["admin"]) | json_values,
        "valid_from": moments | json_values,
        "valid_until": moments | json_values,
        "suspended": json_values,
        "notes": json_values,
        "firstname": json_values,
    },
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details)
def test_whatever_is_posted_it_is_created_or_refused_with_a_reason(api: Api, admin: User, body: dict[str, Any]) -> None:
    answer = api(admin).post(PATH, body, format="json")
    assert answer.status_code in {201, 400, 409, 422}, answer.content
    assert answer.json()["message"]
    if answer.status_code == 201:
        shown = api(admin).get(answer["Location"])
        assert shown.json()["item"]["pid"] == str(body["pid"])
        accounts.remove(Guest.objects.get())
