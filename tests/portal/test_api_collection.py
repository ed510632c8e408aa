"""The documented list, search and item, on any resource."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from portal.api.envelope import InvalidArguments
from portal.api.search import OPS, condition, from_body
from portal.models import User
from tests.conftest import Api
from tests.portal.routes import MEMBERS

pytestmark = pytest.mark.urls("tests.portal.routes")

URL = "/api/v1/members"


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    return api(admin)


@pytest.fixture
def members(db: None) -> list[User]:
    return [
        User.objects.create(
            username=f"m{number}",
            last_name=["Lee", "Ray"][number % 2],
            is_staff=number < 2,
            date_joined=datetime(2026, 1, number + 1, tzinfo=UTC),
            last_login=datetime(2026, 2, number + 1, tzinfo=UTC) if number > 2 else None,
        )
        for number in range(5)
    ]


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["name"] for item in answer.json()["items"]]


def search(client: APIClient, **body: Any) -> Any:
    return client.post(URL + "/search", body, format="json")


class TestList:
    def test_it_answers_items_cursors_and_status(self, client: APIClient, members: list[User]) -> None:
        answer = client.get(URL).json()
        assert set(answer) == {"items", "prevCursor", "status"}
        assert set(answer["items"][0]) == set(MEMBERS.columns)
        assert answer["items"][0]["joined"] == "2026-01-01T00:00:00Z"
        assert answer["items"][0]["initial"] == "m"

    def test_pages_follow_each_other_without_gap_or_repeat(self, client: APIClient, members: list[User]) -> None:
        seen: list[str] = []
        cursor: int | None = 0
        while cursor is not None:
            answer = client.get(URL, {"limit": "2", "cursor": str(cursor), "sort": "surname"})
            seen += names(answer)
            cursor = answer.json().get("nextCursor")
        assert sorted(seen) == ["m0", "m1", "m2", "m3", "m4"]

    @pytest.mark.parametrize(
        ("cursor", "previous", "following"), [(0, 0, 2), (1, 0, 3), (2, 0, 4), (3, 1, None), (4, 2, None), (9, 7, None)]
    )
    def test_cursors(
        self, client: APIClient, members: list[User], cursor: int, previous: int, following: int | None
    ) -> None:
        answer = client.get(URL, {"limit": 2, "cursor": cursor}).json()
        assert (answer["prevCursor"], answer.get("nextCursor")) == (previous, following)

    def test_the_usual_page_has_25_rows(self, client: APIClient) -> None:
        User.objects.bulk_create(User(username=f"m{number:02}") for number in range(26))
        answer = client.get(URL).json()
        assert (len(answer["items"]), answer["nextCursor"]) == (25, 25)

    @pytest.mark.parametrize(("asked", "shown"), [("1", True), ("true", True), ("0", False), ("false", False)])
    def test_the_total_is_counted_when_asked(
        self, client: APIClient, members: list[User], asked: str, shown: bool
    ) -> None:
        answer = client.get(URL, {"limit": "2", "with_total_count": asked}).json()
        assert answer.get("total_count") == (5 if shown else None)

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("name DESC", ["m4", "m3", "m2", "m1", "m0"]),
            ("name", ["m0", "m1", "m2", "m3", "m4"]),
            ("surname desc,joined DESC", ["m3", "m1", "m4", "m2", "m0"]),
            ("surname ASC, name DESC", ["m4", "m2", "m0", "m3", "m1"]),
            ("left", ["m0", "m1", "m2", "m3", "m4"]),
            ("left DESC", ["m4", "m3", "m0", "m1", "m2"]),
        ],
    )
    def test_it_sorts_rows_without_a_value_first_on_every_database(
        self, client: APIClient, members: list[User], sort: str, expected: list[str]
    ) -> None:
        assert names(client.get(URL, {"sort": sort})) == expected

    def test_it_answers_only_the_fields_asked_for(self, client: APIClient, members: list[User]) -> None:
        item = client.get(URL, {"fields": "surname, name"}).json()["items"][0]
        assert item == {"surname": "Lee", "name": "m0"}

    @pytest.mark.parametrize(
        ("query", "message", "scope"),
        [
            ({"fields": "name,password"}, "Invalid field(s) defined", "fields"),
            ({"sort": "password"}, "Invalid field(s) in sort", "sort"),
            ({"sort": "name SIDEWAYS"}, "Invalid field(s) in sort", "sort"),
            ({"sort": "initial"}, "Invalid field(s) in sort", "sort"),
            ({"sort": "name,"}, "Invalid input", "sort"),
            ({"limit": "0"}, "Invalid input", "limit"),
            ({"limit": "1001"}, "Invalid input", "limit"),
            ({"limit": "x"}, "Invalid input", "limit"),
            ({"cursor": "-1"}, "Invalid input", "cursor"),
            ({"cursor": "9" * 30}, "Invalid input", "cursor"),
            ({"with_total_count": "perhaps"}, "Invalid input", "with_total_count"),
        ],
    )
    def test_a_wrong_argument_is_422(
        self, client: APIClient, members: list[User], query: dict[str, str], message: str, scope: str
    ) -> None:
        answer = client.get(URL, query)
        assert (answer.status_code, answer.json()["message"]) == (422, message)
        assert answer.json()["errors"][0]["scope"] == scope
        assert set(answer.json()["errors"][0]) == {"scope", "value", "message"}

    def test_the_largest_page_is_answered(self, client: APIClient, members: list[User]) -> None:
        assert len(names(client.get(URL, {"limit": 1000}))) == 5


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (None, "m0 m1 m2 m3 m4"),
            ({}, "m0 m1 m2 m3 m4"),
            ({"op": "equals", "field": "name", "value": "m3"}, "m3"),
            ({"op": "equals", "field": "staff", "value": True}, "m0 m1"),
            ({"op": "equals", "field": "left", "value": None}, "m0 m1 m2"),
            ({"op": "not_equals", "field": "left", "value": None}, "m3 m4"),
            ({"op": "not_equals", "field": "surname", "value": "Lee"}, "m1 m3"),
            ({"op": "not_equals", "field": "left", "value": "2026-02-04T00:00:00Z"}, "m0 m1 m2 m4"),
            ({"op": "greater_than", "field": "joined", "value": "2026-01-03T00:00:00Z"}, "m3 m4"),
            ({"op": "greater_than_equals", "field": "joined", "value": "2026-01-03T00:00:00Z"}, "m2 m3 m4"),
            ({"op": "less_than", "field": "name", "value": "m2"}, "m0 m1"),
            ({"op": "less_than_equals", "field": "name", "value": "m2"}, "m0 m1 m2"),
            ({"op": "contains", "field": "surname", "value": "EE"}, "m0 m2 m4"),
            ({"op": "contains", "field": "surname", "value": "%"}, ""),
            ({"op": "starts_with", "field": "surname", "value": "ra"}, "m1 m3"),
            ({"op": "ends_with", "field": "name", "value": "4"}, "m4"),
            ({"op": "between", "field": "name", "values": ["m1", "m3"]}, "m1 m2 m3"),
            ({"op": "not_between", "field": "name", "values": ["m1", "m3"]}, "m0 m4"),
            (
                {
                    "op": "and",
                    "values": [
                        {"op": "contains", "field": "name", "value": "m"},
                        {
                            "op": "or",
                            "values": [
                                {"op": "equals", "field": "name", "value": "m1"},
                                {"op": "equals", "field": "surname", "value": "Lee"},
                            ],
                        },
                        {"op": "not_equals", "field": "name", "value": "m0"},
                    ],
                },
                "m1 m2 m4",
            ),
        ],
    )
    def test_every_operator(self, client: APIClient, members: list[User], query: Any, expected: str) -> None:
        assert names(search(client, query=query)) == expected.split()

    @pytest.mark.parametrize("value", ["2026-01-03T09:00:00", "2026-01-03T09:00:00+09:00", "2026-01-03T00:00:00Z"])
    def test_a_moment_without_an_offset_is_meant_in_the_portals_time_zone(
        self, client: APIClient, members: list[User], value: str
    ) -> None:
        with timezone.override("Asia/Tokyo"):
            answer = search(client, query={"op": "equals", "field": "joined", "value": value})
        assert [(item["name"], item["joined"]) for item in answer.json()["items"]] == [("m2", "2026-01-03T00:00:00Z")]

    def test_it_pages_sorts_and_counts_as_a_list_does(self, client: APIClient, members: list[User]) -> None:
        query = {"op": "equals", "field": "surname", "value": "Lee"}
        answer = search(
            client, cursor=1, limit=1, sort=["name DESC"], fields=["name"], with_total_count=True, query=query
        )
        assert answer.json() == {
            "items": [{"name": "m2"}], "prevCursor": 0, "nextCursor": 2, "total_count": 3, "status": 200,
        }  # fmt: skip

    @pytest.mark.parametrize(
        "query",
        [
            {"op": "like", "field": "name", "value": "m"},
            {"op": ["and"], "values": []},
            {"field": "name", "value": "m"},
            {"op": "equals", "field": "password", "value": "m"},
            {"op": "equals", "field": "initial", "value": "m"},
            {"op": "equals", "field": ["name"], "value": "m"},
            {"op": "equals", "value": "m"},
            {"op": "equals", "field": "name"},
            {"op": "equals", "field": "name", "value": {"a": 1}},
            {"op": "greater_than", "field": "joined", "value": "yesterday"},
            {"op": "greater_than", "field": "joined", "value": None},
            {"op": "greater_than", "field": "left", "value": None},
            {"op": "between", "field": "left", "values": [None, "2026-01-03T00:00:00Z"]},
            {"op": "equals", "field": "staff", "value": "perhaps"},
            {"op": "equals", "field": "number", "value": "x"},
            {"op": "equals", "field": "number", "value": 10**30},
            {"op": "contains", "field": "number", "value": "1"},
            {"op": "contains", "field": "joined", "value": "2026"},
            {"op": "between", "field": "name", "values": ["m1"]},
            {"op": "between", "field": "name", "value": "m1"},
            {"op": "between", "field": "number", "values": [1, "x"]},
            {"op": "and", "values": []},
            {"op": "and", "values": {"op": "equals"}},
            {"op": "or", "values": ["m"]},
            {"op": "and"},
            [1],
            "name = m",
            5,
        ],
    )
    def test_a_bad_query_is_422(self, client: APIClient, members: list[User], query: Any) -> None:
        answer = search(client, query=query)
        assert (answer.status_code, answer.json()["message"]) == (422, "Invalid query")
        assert answer.json()["errors"][0]["scope"] == "query"

    def test_an_operator_that_is_not_known_is_answered_with_those_that_are(self, client: APIClient) -> None:
        answer = search(client, query={"op": "like", "field": "name", "value": "m"})
        assert all(op in answer.json()["errors"][0]["message"] for op in OPS)

    @pytest.mark.parametrize(("depth", "width", "status"), [(5, 1, 200), (6, 1, 422), (1, 99, 200), (1, 100, 422)])
    def test_a_query_is_bounded(self, client: APIClient, depth: int, width: int, status: int) -> None:
        query: dict[str, Any] = {"op": "equals", "field": "name", "value": "m"}
        for _ in range(depth):
            query = {"op": "or", "values": [query] * width}
        assert search(client, query=query).status_code == status

    @pytest.mark.parametrize(
        ("body", "scope"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": None}, "limit"),
            ({"sort": "name"}, "sort"),
            ({"sort": [5, {}]}, "sort"),
            ({"fields": {}}, "fields"),
            ({"qeury": {}}, "qeury"),
        ],
    )
    def test_a_wrong_argument_is_422(self, client: APIClient, body: dict[str, Any], scope: str) -> None:
        answer = search(client, **body)
        assert (answer.status_code, answer.json()["errors"][0]["scope"]) == (422, scope)

    def test_it_changes_nothing_and_is_not_audited(self, client: APIClient, members: list[User]) -> None:
        from_before = User.objects.count()
        search(client, query={})
        assert User.objects.count() == from_before


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text("m0%_'\\é-:T", max_size=6)
LEAVES = st.fixed_dictionaries(
    {
        "op": st.sampled_from(OPS),
        "field": st.sampled_from([*MEMBERS.columns]),
        "value": VALUES,
        "values": st.lists(VALUES, max_size=3),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    query=st.recursive(
        LEAVES,
        lambda inner: st.fixed_dictionaries(
            {"op": st.sampled_from(["and", "or"]), "values": st.lists(inner, max_size=3)}
        ),
        max_leaves=5,
    )
)
def test_no_query_makes_the_database_fail(members: list[User], query: Any) -> None:
    with contextlib.suppress(InvalidArguments):
        assert MEMBERS.rows().filter(condition(MEMBERS, query)).count() <= 5


def test_the_arguments_have_their_documented_defaults() -> None:
    found = from_body({})
    assert (found.limit, found.cursor, found.sort, found.with_total_count, found.query) == (25, 0, [], False, None)


class TestItem:
    def test_create_is_201_with_its_location(self, client: APIClient) -> None:
        answer = client.post(URL, {"name": "m b/c"}, format="json")
        assert (answer.status_code, answer.json()) == (
            201,
            {"id": "m b/c", "message": "'m b/c' created", "status": 201},
        )
        assert answer.headers["Location"] == "/api/v1/member/m%20b%2Fc"
        assert client.get(answer.headers["Location"]).json()["item"]["name"] == "m b/c"

    def test_a_second_of_the_same_name_is_409(self, client: APIClient, members: list[User]) -> None:
        answer = client.post(URL, {"name": "m1"}, format="json")
        assert (answer.status_code, answer.json()["status"]) == (409, 409)

    def test_get_answers_the_item(self, client: APIClient, members: list[User]) -> None:
        answer = client.get("/api/v1/member/m1/").json()
        assert set(answer) == {"item", "status"}
        assert answer["item"]["name"] == "m1"

    @pytest.mark.parametrize("method", ["patch", "put"])
    def test_update_is_200_and_says_so(self, client: APIClient, members: list[User], method: str) -> None:
        answer = getattr(client, method)("/api/v1/member/m1", {"name": "m1", "surname": "Fox"}, format="json")
        assert (answer.status_code, answer.json()["message"]) == (200, "'m1' updated")
        assert User.objects.get(username="m1").last_name == "Fox"

    def test_put_needs_every_required_field_and_patch_does_not(self, client: APIClient, members: list[User]) -> None:
        assert client.put("/api/v1/member/m1", {"surname": "Fox"}, format="json").status_code == 422
        assert client.patch("/api/v1/member/m1", {"surname": "Fox"}, format="json").status_code == 200

    def test_delete_is_200_and_says_so(self, client: APIClient, members: list[User]) -> None:
        answer = client.delete("/api/v1/member/m1")
        assert (answer.status_code, answer.json()) == (200, {"message": "Deleted m1 successfully", "status": 200})
        assert client.delete("/api/v1/member/m1").status_code == 404

    @pytest.mark.parametrize("name", ["nobody", "%00", "m1%00", "%ff", "m" * 500, "%D0%BF"])
    @pytest.mark.parametrize("method", ["get", "patch", "delete"])
    def test_what_is_not_there_is_404(self, client: APIClient, members: list[User], name: str, method: str) -> None:
        answer = client.generic(method.upper(), f"/api/v1/member/{name}", "{}")
        message = "Unable to get resource with this identifier"
        assert (answer.status_code, answer.json()) == (404, {"message": message, "status": 404})
