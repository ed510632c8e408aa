"""POST /api/v1/sms_gateway/{id}/check: whether the settings work, found out at the provider without sending."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.functional import Promise
from rest_framework.test import APIClient

from gateways import accounts, checking, health
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault, Unreadable
from gateways.provider import BaseProvider
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.conftest import Api
from tests.simulators.server import Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A provider that is asked for the balance, one that is logged in at, and one that can only be sent through."""
    with Simulator("smsc_ru", "axelnac", "http") as running:
        yield running


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    return api(admin)


def gateway_at(simulator: Simulator, name: str, **details: Any) -> Gateway:
    given: dict[str, Any] = {"provider": name, "settings": simulator.peers[name].settings(), **details}
    return accounts.create(name=name, **given)


def check(client: APIClient, name: str) -> dict[str, Any]:
    answer = client.post(f"/api/v1/sms_gateway/{name}/check", {}, format="json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def in_english(sentence: Promise) -> str:
    """As the API says it; a call leaves the portal's own language behind."""
    with translation.override("en"):
        return str(sentence)


def test_good_settings_work(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "smsc_ru")
    assert check(client, "smsc_ru") == {
        "message": "the balance is 337.03 RUR",
        "works": True,
        "remedy": "",
        "status": 200,
    }
    assert simulator.taken == []


def test_a_wrong_password_is_tried_once_and_stops_the_gateway(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "smsc_ru", settings=simulator.peers["smsc_ru"].wrong_settings())
    found = check(client, "smsc_ru")
    assert (found["works"], bool(found["message"]), bool(found["remedy"])) == (False, True, True)
    assert len(simulator.asked) == 1
    item = client.get("/api/v1/sms_gateway/smsc_ru").json()["item"]
    assert (item["state"], item["last_error"]) == ("credentials_refused", found["message"])
    assert (item["last_remedy"], item["breaker"]) == (found["remedy"], "closed")


def test_a_check_that_works_lets_a_stopped_gateway_go_on(client: APIClient, simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "smsc_ru")
    health.record_fault(gateway.pk, CredentialsRefused("wrong password"))
    assert client.get("/api/v1/sms_gateway/smsc_ru").json()["item"]["state"] == "credentials_refused"
    assert check(client, "smsc_ru")["works"] is True
    assert client.get("/api/v1/sms_gateway/smsc_ru").json()["item"]["state"] == "ok"


def test_where_a_login_is_needed_it_is_made(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "axelnac")
    assert check(client, "axelnac")["works"] is True
    assert simulator.logins["axelnac"] == 1
    assert simulator.taken == []


def test_where_only_a_message_can_tell_it_says_so_and_asks_nothing(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "http", settings={**simulator.peers["http"].settings(), "auth": "none"})
    found = check(client, "http")
    assert (found["works"], found["message"]) == (None, in_english(checking.ONLY_A_TEST))
    assert simulator.asked == []


def test_a_gateway_that_is_switched_off_is_checked_as_well(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "smsc_ru", enabled=False)
    assert check(client, "smsc_ru")["works"] is True
    assert client.get("/api/v1/sms_gateway/smsc_ru").json()["item"]["state"] == "off"


def test_nobody_answering_is_no_fault_of_the_credentials(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "smsc_ru", settings={"url": "http://127.0.0.1:1", "login": "l", "password": "p"})
    found = check(client, "smsc_ru")
    assert (found["works"], found["remedy"]) == (False, "")
    assert not GatewayHealth.objects.filter(refused_at__isnull=False).exists()


class Broken(BaseProvider):
    """A file that cannot ask with these settings."""

    def check(self) -> None:
        raise KeyError("a setting that these settings lack")


def test_a_provider_whose_file_fails_is_a_finding(
    client: APIClient, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateways.providers.load", lambda _name: Broken)
    assert check(client, "sandbox")["message"] == in_english(checking.NO_PROVIDER)


def test_a_provider_whose_file_is_gone_is_a_finding(client: APIClient, sandbox: Gateway) -> None:
    Gateway.objects.update(provider="gone")
    found = check(client, "sandbox")
    assert (found["works"], found["message"]) == (False, in_english(checking.NO_PROVIDER))
    assert found["remedy"] == in_english(checking.SAVE_ANEW)


@pytest.mark.parametrize(
    ("raised", "remedy"),
    [
        (CredentialsRefused("no"), health.CORRECT_CREDENTIALS),
        (CredentialsRefused("no", "Ask for a new key."), "Ask for a new key."),
        (GatewayFault("no"), ""),
        (GatewayFault("no", "Pay."), "Pay."),
        (Unreadable("no"), ""),
    ],
)
def test_the_remedy_fits_what_was_found(
    client: APIClient, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, raised: Exception, remedy: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr("gateways.questions.ask", refuse)
    found = check(client, "sandbox")
    assert (found["works"], found["message"], found["remedy"]) == (False, "no", remedy)


def test_it_is_on_the_audit_trail_without_a_secret(client: APIClient, simulator: Simulator) -> None:
    gateway_at(simulator, "smsc_ru")
    before = timezone.now()
    check(client, "smsc_ru")
    event = AuditEvent.objects.get(at__gte=before)
    assert (event.action, event.object_id, event.status, event.request) == ("sms_gateway.check", "smsc_ru", 200, {})


def test_it_needs_the_right_to_change(api: Api, auditor: User, sandbox: Gateway) -> None:
    answer = api(auditor).post("/api/v1/sms_gateway/sandbox/check", {}, format="json")
    assert answer.status_code == 403
    assert Right.SMS_GATEWAY_UPDATE in answer.json()["message"]
    assert api(None).post("/api/v1/sms_gateway/sandbox/check", {}, format="json").status_code == 401


def test_it_takes_no_fields_and_no_strangers(client: APIClient, sandbox: Gateway) -> None:
    answer = client.post("/api/v1/sms_gateway/sandbox/check", {"force": True}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "force")
    assert client.post("/api/v1/sms_gateway/nobody/check", {}, format="json").status_code == 404
