"""GET /api/v1/openapi.json and the Swagger UI at /api/docs/."""

from typing import Any, ClassVar

import pytest
from django.contrib.staticfiles import finders
from drf_spectacular.drainage import GENERATOR_STATS
from rest_framework.test import APIClient

from portal.api.schema import document
from portal.permissions import Right

#: Its answers are described by what its actions say; see TestTheEnvelope.
ENVELOPE = "/api/"
#: What needs no token.
OPEN = ("/login", "/token_info", "/session", "/oauth/token", "/oauth2/token")
OPERATIONS = [
    (f"{method} {path}", operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if path != ENVELOPE
]


def test_it_needs_no_token(db: None) -> None:
    answer = APIClient().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")
    assert "status" not in answer.json()


def test_it_is_made_without_a_single_warning(capsys: pytest.CaptureFixture[str]) -> None:
    document.cache_clear()
    document()
    assert not GENERATOR_STATS
    assert capsys.readouterr().err == ""


def is_ours(name: str) -> bool:
    """Whether it is no call of another system, whose errors are that system's."""
    return " /api/" in name


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
class TestOperations:
    def test_it_lists_its_rights(self, name: str, operation: dict[str, Any]) -> None:
        assert all(right in Right.__members__ for right in operation["x-rights"])
        assert all(right in operation["description"] for right in operation["x-rights"])
        open_to_all = name.endswith(OPEN)
        assert ("Needs no token" in operation["description"]) is open_to_all
        assert bool(operation.get("security")) is not open_to_all

    def test_it_lists_its_errors(self, name: str, operation: dict[str, Any]) -> None:
        codes = set(operation["responses"])
        if not name.endswith(OPEN) and is_ours(name):
            assert {"401", "403"} <= codes
        if "requestBody" in operation and is_ours(name):
            assert {"400", "411", "413"} <= codes
        if "{" in name:
            assert "404" in codes
        assert any(code >= "400" for code in codes)

    def test_it_has_an_example(self, name: str, operation: dict[str, Any]) -> None:
        good = [answer for code, answer in operation["responses"].items() if code < "300"]
        assert len(good) == 1
        assert all(content["example"] for content in good[0]["content"].values())
        if "requestBody" in operation:
            assert all("example" in content for content in operation["requestBody"]["content"].values())

    def test_it_has_a_summary_of_its_own(self, name: str, operation: dict[str, Any]) -> None:
        assert operation["summary"].endswith(".")


class TestTheEnvelope:
    """One operation, for all actions of all objects."""

    operation: ClassVar[dict[str, Any]] = document()["paths"][ENVELOPE]["post"]
    actions: ClassVar = {"User.auth", "User.logout", "Sms.append", "Sms.get", "Sms.list"}

    def test_it_says_of_each_action_what_it_takes_and_needs(self) -> None:
        content = self.operation["requestBody"]["content"]["application/json"]
        asked = [shape["properties"] for shape in content["schema"]["oneOf"]]
        assert {f"{one['obj']['enum'][0]}.{one['action']['enum'][0]}" for one in asked} == self.actions
        assert set(content["examples"]) == self.actions
        assert "`auth` of `User`: Exchange a user name" in self.operation["description"]
        assert "MESSAGES_READ" in self.operation["description"]

    def test_it_says_what_each_answers(self) -> None:
        assert set(self.operation["responses"]) == {"200", "429"}
        content = self.operation["responses"]["200"]["content"]["application/json"]
        assert set(content["examples"]) == {*self.actions, "error"}
        assert len(content["schema"]["properties"]["body"]["anyOf"]) == len({"auth", "sms", "whole", "page", "none"})

    def test_it_may_be_called_with_a_credential_and_without(self) -> None:
        assert {} in self.operation["security"]
        assert {"token": []} in self.operation["security"]


@pytest.mark.parametrize("path", ["/api/v1/sms_gateways/send_sms", "/api/v1/sms_gateways/send_user_credentials"])
def test_a_send_may_name_what_does_not_exist(path: str) -> None:
    assert "404" in document()["paths"][path]["post"]["responses"]


def test_it_says_where_the_count_of_a_batch_begins() -> None:
    described = document()["paths"]["/api/v1/sms_gateways/send_sms_batch"]["post"]["description"]
    assert "starting from 0" in described


@pytest.mark.parametrize(
    ("item", "nullable"),
    [
        (
            "MessageItem",
            {"resend_of", "submitted_at", "finished_at", "asked_gateway", "batch", "caller_reference"},
        ),
        ("BatchItem", {"sms_gateway", "requested_by", "scheduled_for", "again_of"}),
        (
            "SmsGatewayRow",
            {"paused_until", "last_error_at", "daily_limit", "balance", "balance_warning", "segment_price"},
        ),
        ("UserItem", {"sponsor", "last_credentials", "guest_type", "verified", "first_sign_in", "anonymised"}),
    ],
)
def test_it_says_which_columns_may_be_null(item: str, nullable: set[str]) -> None:
    columns = document()["components"]["schemas"][item]["properties"]
    assert {name for name, shape in columns.items() if may_be_null(shape)} == nullable


def may_be_null(shape: dict[str, Any]) -> bool:
    """As OpenAPI 3.0 says it, or 3.1."""
    return bool(shape.get("nullable")) or "null" in shape.get("type", ())


def test_only_the_path_of_the_envelope_ends_with_a_slash() -> None:
    assert [path for path in document()["paths"] if path.endswith("/")] == [ENVELOPE]


@pytest.mark.parametrize("url", ["/api/docs/", "/api/docs"])
def test_the_page_loads_what_we_serve_and_nothing_else(client: Any, url: str) -> None:
    page = client.get(url)
    assert page.status_code == 200
    html = page.content.decode()
    script = client.get(f"{url}?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "/api/v1/openapi.json" in script.content.decode()
    assert "http://" not in html.replace("http://testserver", "")
    assert "https://" not in html
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
        assert f"drf_spectacular_sidecar/swagger-ui-dist/{name}" in html
        assert finders.find(f"drf_spectacular_sidecar/swagger-ui-dist/{name}")


def test_one_credential_is_enough_whichever_it_is() -> None:
    security = document()["paths"]["/api/v1/sms_gateways"]["get"]["security"]
    assert [set(alternative) for alternative in security] == [
        {"key"},
        {"key_in_query"},
        {"password"},
        {"token"},
        {"session"},
        {"client"},
    ]


def test_it_says_where_tokens_are_given() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes["session"]["flows"]["password"]["tokenUrl"] == "/api/v1/session"
    assert schemes["client"]["flows"]["clientCredentials"]["tokenUrl"] == "/oauth2/token"
