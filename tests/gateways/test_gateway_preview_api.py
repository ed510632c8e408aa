"""POST sms_gateway/{id}/preview and sms_gateways/preview: the request as it would be made, and no secret in it."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from gateways import accounts
from gateways.models import Gateway
from gateways.provider import BaseProvider
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.conftest import Api
from tests.gateways import recorded
from tests.gateways.contract import provider_of, secrets_of

DRAFTS = "/api/v1/sms_gateways/preview"
JSON_SMS: dict[str, Any] = {
    "url": "https://sms.example.org/send",
    "content_type": "json",
    "body": '{"to": "{{to}}", "text": "{{text}}"}',
    "auth": "bearer",
    "api_key": "canary-key",
    "ok": "status:202",
}
PREVIEWED = {
    "method": "POST",
    "url": "https://sms.example.org/send",
    "headers": {"content-type": "application/json; charset=utf-8", "authorization": "Bearer ********"},
    "body": '{"to": "+79031112233", "text": "Привет <1>"}',
}
SAMPLE = {"phone_number": "+79031112233", "message": "Привет <1>"}


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    return api(admin)


@pytest.fixture
def described(db: None) -> Gateway:
    return accounts.create(name="main", provider="http", settings=JSON_SMS)


def preview(client: APIClient, name: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(f"/api/v1/sms_gateway/{name}/preview", body or {}, format="json")


def test_it_is_the_request_for_the_sample(client: APIClient, described: Gateway) -> None:
    assert preview(client, "main", SAMPLE).json() == {"request": PREVIEWED, "status": 200}


def test_without_a_sample_it_shows_one_of_ours(client: APIClient, described: Gateway) -> None:
    body = json.loads(preview(client, "main").json()["request"]["body"])
    assert body["to"] == "+79161234567"
    assert body["text"]


def test_settings_that_are_not_stored_are_shown_the_same_way(client: APIClient) -> None:
    answer = client.post(DRAFTS, {"provider": "http", "settings": JSON_SMS, **SAMPLE}, format="json")
    assert answer.json() == {"request": PREVIEWED, "status": 200}
    assert not Gateway.objects.exists()


def test_a_gateway_that_is_switched_off_has_a_preview(client: APIClient, described: Gateway) -> None:
    accounts.change(described, enabled=False)
    assert preview(client, "main", SAMPLE).json()["request"] == PREVIEWED


@pytest.mark.parametrize(("name", "variant"), recorded.variants())
def test_no_preview_of_any_provider_shows_a_secret(client: APIClient, name: str, variant: recorded.Variant) -> None:
    settings, secrets = variant.settings, secrets_of(provider_of(name, variant))
    body = {"id": "main", "provider": name, "settings": settings, "sender": variant.sender}
    assert client.post("/api/v1/sms_gateways", body, format="json").status_code == 201
    draft = client.post(DRAFTS, {key: body[key] for key in ("provider", "settings", "sender")}, format="json")
    for answer in (preview(client, "main"), draft):
        assert answer.status_code == 200
        assert [secret for secret in secrets if secret in answer.content.decode()] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"settings": {**JSON_SMS, "url": "ftp://a.example"}}, "settings.url"),
        ({"settings": {**JSON_SMS, "colour": "red"}}, "settings.colour"),
        ({"provider": "nobody"}, "provider"),
        ({"sender": "x" * 21}, "sender"),
        ({"phone_number": "12"}, "phone_number"),
        ({"message": "x" * 2001}, "message"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_a_draft_is_named(client: APIClient, changed: dict[str, Any], field: str) -> None:
    answer = client.post(DRAFTS, {"provider": "http", "settings": JSON_SMS, **changed}, format="json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_text_that_the_provider_refuses_is_named(client: APIClient) -> None:
    settings = {**JSON_SMS, "content_type": "text", "body": "{{text}}", "encoding": "windows-1251"}
    answer = client.post(DRAFTS, {"provider": "http", "settings": settings, "message": "👍"}, format="json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["message"]


class Broken(BaseProvider):
    """A file that cannot make a request of these settings."""


def test_a_provider_whose_file_fails_is_no_failure_of_ours(
    client: APIClient, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateways.providers.load", lambda _name: Broken)
    answer = preview(client, "sandbox")
    assert answer.status_code == 409
    assert "NotImplementedError" in answer.json()["message"]


def test_a_preview_changes_nothing_and_is_not_on_the_audit_trail(client: APIClient, described: Gateway) -> None:
    before = Gateway.objects.values().get()
    assert preview(client, "main").status_code == 200
    assert client.post(DRAFTS, {"provider": "http", "settings": JSON_SMS}, format="json").status_code == 200
    assert Gateway.objects.values().get() == before
    assert not AuditEvent.objects.exists()


def test_each_needs_its_right(api: Api, auditor: User, described: Gateway) -> None:
    for answer, right in (
        (preview(api(auditor), "main"), Right.SMS_GATEWAY_UPDATE),
        (api(auditor).post(DRAFTS, {}, format="json"), Right.SMS_GATEWAY_CREATE),
    ):
        assert answer.status_code == 403
        assert right in answer.json()["message"]
    assert preview(api(None), "main").status_code == 401
    assert api(None).post(DRAFTS, {}, format="json").status_code == 401


def test_an_unknown_gateway_is_not_found(client: APIClient) -> None:
    assert preview(client, "nobody").status_code == 404
