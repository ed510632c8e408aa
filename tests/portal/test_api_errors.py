"""What an error looks like on the wire."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError, connection
from django.http import Http404, UnreadablePostError
from django.test import RequestFactory
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound, Throttled, ValidationError

from portal.api.envelope import answer_exception, server_error
from portal.errors import Refusal, Why
from portal.logs import WithoutRows
from portal.models import User
from tests.conftest import Api
from tests.portal.routes import Broken

pytestmark = pytest.mark.urls("tests.portal.routes")

CASES: list[tuple[Exception, int, dict[str, Any]]] = [
    (Refusal("Too late"), 422, {"message": "Too late"}),
    (
        Refusal("It has no phone", field="pid"),
        422,
        {"message": "Invalid input", "errors": [{"field": "pid", "message": "It has no phone"}]},
    ),
    (
        Refusal("Unknown gateway", field="gateway", why=Why.NOT_FOUND),
        404,
        {"message": "Unknown gateway", "errors": [{"field": "gateway", "message": "Unknown gateway"}]},
    ),
    (Refusal("It is sent already", why=Why.CONFLICT), 409, {"message": "It is sent already"}),
    (ValidationError("Not like this"), 422, {"message": "Not like this"}),
    (
        ValidationError({"settings": {"url": ["Enter a valid URL."]}, "items": [{}, {"pid": ["Wrong"]}]}),
        422,
        {
            "message": "Invalid input",
            "errors": [
                {"field": "settings.url", "message": "Enter a valid URL."},
                {"field": "items.1.pid", "message": "Wrong"},
            ],
        },
    ),
    (
        DjangoValidationError({"phone": ["Not a phone"]}),
        422,
        {"message": "Invalid input", "errors": [{"field": "phone", "message": "Not a phone"}]},
    ),
    (DjangoValidationError("Not so"), 422, {"message": "Not so"}),
    (Http404("No User matches the given query."), 404, {"message": "Unable to get resource with this identifier"}),
    (NotFound("Unknown path /x"), 404, {"message": "Unknown path /x"}),
    (UnreadablePostError("reset"), 400, {"message": "Bad Request. The body broke off."}),
    (
        OperationalError("database is locked"),
        503,
        {"message": "The database is busy or away. Try again."},
    ),
    (RuntimeError("secret"), 500, {"message": "Internal Server Error. Check server side logs for details"}),
]


@pytest.mark.parametrize(("error", "status", "body"), CASES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_error_has_its_documented_shape(
    api: Api, nobody: User, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, body: Any, method: str
) -> None:
    monkeypatch.setattr(Broken, "error", error)
    answer = getattr(api(nobody), method)("/api/v1/broken")
    assert (answer.status_code, answer.json()) == (status, {**body, "status": status})
    assert not User.objects.filter(username="half-done").exists()


def test_a_forbidden_answer_has_one_key(api: Api, nobody: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "error", DjangoPermissionDenied("Not you"))
    answer = api(nobody).get("/api/v1/broken")
    assert (answer.status_code, answer.json()) == (403, {"message": "Not you"})


def test_an_unexpected_error_is_logged_and_not_shown(
    api: Api, nobody: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Broken, "error", RuntimeError("the reason"))
    answer = api(nobody).get("/api/v1/broken")
    assert "the reason" not in answer.content.decode()
    assert "the reason" in caplog.text


@pytest.mark.parametrize("error", [Throttled(wait=7), OperationalError("gone")])
def test_come_back_later_says_when(api: Api, nobody: User, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(Broken, "error", error)
    answer = api(nobody).get("/api/v1/broken")
    assert answer.status_code in {429, 503}
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_database_that_is_away_is_no_failure_of_ours(api: Api, nobody: User, method: str) -> None:
    """Who calls cannot be found out, and the audit trail does not ask again."""
    caller = api(nobody)
    with connection.execute_wrapper(away):
        answer = getattr(caller, method)("/api/v1/broken")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def away(*_: Any) -> Any:
    """Instead of any statement."""
    raise OperationalError("gone")


def test_a_refusals_field_is_translated_to_its_wire_name(api: Api, admin: User) -> None:
    answer = api(admin).post("/api/v1/members", {"name": "xerxes"}, format="json")
    assert answer.json()["errors"] == [{"field": "name", "message": "Names begin with m"}]


def test_missing_fields_are_named_in_the_documented_words(api: Api, admin: User) -> None:
    answer = api(admin).post("/api/v1/members", {}, format="json")
    assert (answer.status_code, answer.json()) == (
        422,
        {
            "message": "Missing required fields",
            "errors": [{"field": "name", "message": "Required field missing"}],
            "status": 422,
        },
    )


def test_every_field_at_fault_is_named_at_once(api: Api, admin: User) -> None:
    body = {"nmae": "mia", "staff": "perhaps", "settings": {"url": "no", "uri": "x"}}
    answer = api(admin).post("/api/v1/members", body, format="json").json()
    known = "name, surname, staff, settings, password, phone_number"
    assert answer["message"] == "Invalid input"
    assert {error["field"]: error["message"] for error in answer["errors"]} == {
        "nmae": f"Unknown field. Known: {known}",
        "name": "Required field missing",
        "staff": "Must be a valid boolean.",
        "settings.url": "Enter a valid URL.",
        "settings.uri": "Unknown field. Known: url",
    }


def test_the_api_speaks_english_whatever_the_caller_prefers(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(admin)
    answer = client.post("/api/v1/members", {"name": "m" * 21}, format="json", HTTP_ACCEPT_LANGUAGE="ru")
    assert answer.json()["errors"][0]["message"] == "Ensure this field has no more than 20 characters."
    monkeypatch.setattr(Broken, "error", Refusal(gettext_lazy("user")))
    answer = client.get("/api/v1/broken", HTTP_ACCEPT_LANGUAGE="ru")
    assert answer.json()["message"] == "user"


def test_success_repeats_its_status_too(api: Api, admin: User) -> None:
    assert api(admin).get("/api/v1/members").json()["status"] == 200


def test_an_answer_that_cannot_be_written_is_json_too(api: Api, nobody: User) -> None:
    client = api(nobody)
    client.raise_request_exception = False
    answer = client.get("/api/v1/unshowable")
    message = "Internal Server Error. Check server side logs for details"
    assert (answer.status_code, answer.json()) == (500, {"message": message, "status": 500})


def test_a_failed_page_is_a_page(rf: RequestFactory) -> None:
    assert server_error(rf.get("/admin/")).headers["Content-Type"].startswith("text/html")


def test_a_view_without_wire_names_is_answered_too() -> None:
    answer = answer_exception(Refusal("No", field="phone"), {})
    assert answer.data["errors"][0]["field"] == "phone"


@pytest.mark.parametrize("path", ["members", "members?limit=0", "member/nobody", "nowhere", "login", "unshowable"])
def test_an_answer_says_that_it_is_english_whatever_the_browser_prefers(api: Api, admin: User, path: str) -> None:
    client = api(admin)
    client.raise_request_exception = False
    answer = client.get(f"/api/v1/{path}", HTTP_ACCEPT_LANGUAGE="ru")
    assert answer.headers["Content-Language"] == "en"


def test_an_error_that_is_its_own_cause_is_logged_and_comes_to_an_end() -> None:
    error = OperationalError("away")
    error.__cause__ = error
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "it failed", (), (OperationalError, error, None))
    assert "away" in WithoutRows("%(message)s").format(record)
