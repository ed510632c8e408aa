"""One gateway: GET, PATCH, PUT and DELETE /api/v1/sms_gateway/{id}."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
from django.utils import timezone
from pytest_django import Settings

from gateways import accounts, balance, health
from gateways.configuration import MASK
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import Balance, CredentialsRefused, GatewayFault
from gateways.provider import BaseProvider
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.conftest import Api
from tests.portal.admin_pages import a_message

NAME = "Телеграф 1"
URL = f"/api/v1/sms_gateway/{quote(NAME)}"


@pytest.fixture
def gateway(db: None, telegraph: type[BaseProvider]) -> Gateway:
    return accounts.create(
        name=NAME,
        provider="telegraph",
        settings={"url": "https://a.example", "password": "canary", "tries": 9},
        rate_per_second=7,
    )


def test_it_shows_a_gateway_named_in_cyrillic(api: Api, operator: User, gateway: Gateway) -> None:
    answer = api(operator).get(URL)
    assert answer.status_code == 200
    item = answer.json()["item"]
    assert (item["id"], item["provider"], item["rate_per_second"], item["state"]) == (NAME, "telegraph", 7, "ok")
    assert item["settings"]["password"] == MASK
    assert "canary" not in answer.content.decode()


def test_a_gateway_that_is_switched_off_says_so(api: Api, operator: User, gateway: Gateway) -> None:
    accounts.change(gateway, enabled=False)
    assert api(operator).get(URL).json()["item"]["state"] == "off"


@pytest.mark.parametrize("name", ["nobody", "%00", "%F0%9F%92%A9", "x" * 200, "sandbox%0A"])
def test_an_unknown_gateway_is_404(api: Api, admin: User, sandbox: Gateway, name: str) -> None:
    assert api(admin).get(f"/api/v1/sms_gateway/{name}").status_code == 404


def test_a_patch_changes_what_is_given(api: Api, admin: User, gateway: Gateway) -> None:
    body = {"sender": "Hotel", "settings": {"tries": 2, "password": MASK}}
    answer = api(admin).patch(URL, body, format="json")
    assert answer.json() == {"id": NAME, "message": f"'{NAME}' updated", "status": 200}
    gateway.refresh_from_db()
    assert (gateway.sender, gateway.rate_per_second) == ("Hotel", 7)
    assert (gateway.settings["tries"], gateway.settings["password"]) == (2, "canary")


def test_a_put_gives_defaults_to_what_is_left_out_and_keeps_secrets(api: Api, admin: User, gateway: Gateway) -> None:
    body = {"provider": "telegraph", "settings": {"url": "https://b.example"}}
    assert api(admin).put(URL, body, format="json").status_code == 200
    gateway.refresh_from_db()
    assert (gateway.name, gateway.rate_per_second) == (NAME, 50)
    assert (gateway.settings["url"], gateway.settings["password"]) == ("https://b.example", "canary")


@pytest.mark.parametrize("method", ["patch", "put"])
def test_what_get_answered_can_be_put_back_and_changes_nothing(
    api: Api, admin: User, gateway: Gateway, method: str
) -> None:
    before = Gateway.objects.values().get()
    item = api(admin).get(URL).json()["item"]
    assert getattr(api(admin), method)(URL, item, format="json").status_code == 200
    assert Gateway.objects.values().get() == before


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_misspelt_field_is_refused(api: Api, admin: User, gateway: Gateway, method: str) -> None:
    answer = getattr(api(admin), method)(URL, {"provider": "telegraph", "paused_untill": None}, format="json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["paused_untill"]


def test_it_can_be_given_another_name(api: Api, admin: User, gateway: Gateway) -> None:
    assert api(admin).patch(URL, {"id": "wire"}, format="json").json()["id"] == "wire"
    assert api(admin).get(URL).status_code == 404
    assert api(admin).get("/api/v1/sms_gateway/wire").status_code == 200


def test_a_name_that_is_taken_is_a_conflict(api: Api, admin: User, gateway: Gateway, sandbox: Gateway) -> None:
    answer = api(admin).patch(URL, {"id": "sandbox"}, format="json")
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"settings": {"tries": 0}}, "settings.tries"),
        ({"settings": {"url": ""}}, "settings.url"),
        ({"settings": {"other": "x"}}, "settings.other"),
        ({"provider": "nobody"}, "provider"),
        ({"max_in_flight": 0}, "max_in_flight"),
    ],
)
def test_a_wrong_field_changes_nothing(
    api: Api, admin: User, gateway: Gateway, body: dict[str, object], field: str
) -> None:
    answer = api(admin).patch(URL, {"sender": "Hotel", **body}, format="json")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    gateway.refresh_from_db()
    assert (gateway.sender, gateway.settings["tries"]) == ("", 9)


def test_the_audit_trail_has_no_secret(api: Api, admin: User, gateway: Gateway) -> None:
    api(admin).patch(URL, {"settings": {"password": "second canary"}}, format="json")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.status) == ("sms_gateway", NAME, 200)
    assert "canary" not in str(event.request)


def test_a_gateway_without_messages_is_deleted(api: Api, admin: User, gateway: Gateway) -> None:
    answer = api(admin).delete(URL)
    assert answer.json() == {"message": f"Deleted {NAME} successfully", "status": 200}
    assert not Gateway.objects.exists()


def test_a_gateway_with_messages_is_kept_and_the_remedy_is_named(api: Api, admin: User, gateway: Gateway) -> None:
    a_message(gateway)
    answer = api(admin).delete(URL)
    assert answer.status_code == 409
    assert "switch it off instead" in answer.json()["message"]
    assert Gateway.objects.filter(pk=gateway.pk).exists()


@pytest.mark.parametrize(
    ("method", "right"),
    [
        ("patch", Right.SMS_GATEWAY_UPDATE),
        ("put", Right.SMS_GATEWAY_UPDATE),
        ("delete", Right.SMS_GATEWAY_DELETE),
    ],
)
def test_a_reader_changes_nothing(api: Api, auditor: User, gateway: Gateway, method: str, right: Right) -> None:
    answer = getattr(api(auditor), method)(URL, {"enabled": False}, format="json")
    assert answer.status_code == 403
    assert right in answer.json()["message"]
    assert Gateway.objects.get().enabled


def test_without_a_right_nothing_is_shown(api: Api, nobody: User, gateway: Gateway) -> None:
    assert api(nobody).get(URL).status_code == 403
    assert api(None).get(URL).status_code == 401


def test_where_its_provider_calls_is_shown_to_those_who_may_set_it_up(
    api: Api, admin: User, auditor: User, gateway: Gateway, settings: Settings
) -> None:
    settings.PORTAL_URL = "https://portal.example.org"
    address = f"https://portal.example.org/callbacks/{gateway.pk}/{gateway.callback_key}/"
    assert api(admin).get(URL).json()["item"]["callback_url"] == address
    answer = api(auditor).get(URL)
    assert answer.json()["item"]["callback_url"] == MASK
    assert gateway.callback_key not in answer.content.decode()


def test_where_the_portal_does_not_know_its_own_address_no_provider_calls(
    api: Api, admin: User, auditor: User, gateway: Gateway
) -> None:
    for user in (admin, auditor):
        assert api(user).get(URL).json()["item"]["callback_url"] == ""


@pytest.mark.parametrize(
    ("fault", "state", "breaker"),
    [
        (GatewayFault("no funds", "top it up"), "paused", "open"),
        (CredentialsRefused("wrong password", "correct it"), "credentials_refused", "closed"),
    ],
)
def test_it_says_what_is_wrong_and_what_to_do(
    api: Api, operator: User, gateway: Gateway, fault: GatewayFault, state: str, breaker: str
) -> None:
    health.record_fault(gateway.pk, fault)
    item = api(operator).get(URL).json()["item"]
    assert (item["state"], item["breaker"]) == (state, breaker)
    assert (item["last_error"], item["last_remedy"]) == (fault.reason, fault.remedy)
    assert (item["paused_until"] is not None) == (state == "paused")


def test_a_pause_that_is_over_is_a_trial(api: Api, operator: User, gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    GatewayHealth.objects.update(open_until=timezone.now() - timedelta(seconds=1))
    item = api(operator).get(URL).json()["item"]
    assert (item["state"], item["breaker"], item["paused_until"]) == ("ok", "half_open", None)


@pytest.mark.usefixtures("noon")
def test_it_says_what_is_left_and_what_was_sent_today(api: Api, operator: User, gateway: Gateway) -> None:
    accounts.change(gateway, balance_warning=Decimal(100))
    balance.record(gateway, Balance(Decimal("49.90"), "RUB"))
    GatewayHealth.objects.update(day=timezone.localdate(), day_count=31)
    item = api(operator).get(URL).json()["item"]
    assert item["balance"] | {"amount": "49.90", "currency": "RUB", "warning": 2} == item["balance"]
    assert item["balance"]["at"] is not None
    assert (item["balance_warning"], item["sent_today"]) == ("100.00", 31)
    GatewayHealth.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert api(operator).get(URL).json()["item"]["sent_today"] == 0


def test_what_may_be_empty_can_be_emptied(api: Api, admin: User, gateway: Gateway) -> None:
    full = {"daily_limit": 5, "test_number": "+79161234567", "balance_warning": "1.00", "strict": True}
    empty = {"daily_limit": None, "test_number": "", "balance_warning": None, "strict": False}
    for fields in (full, empty):
        assert api(admin).patch(URL, fields, format="json").status_code == 200
        item = api(admin).get(URL).json()["item"]
        assert {name: item[name] for name in fields} == fields
