"""POST /api/v1/sms_gateway/{id}/test: a real message through one gateway and no other, with a timeline."""

import time
from typing import Any

import pytest
from django.utils import timezone

from gateways import accounts, health
from gateways.models import Gateway
from gateways.outcomes import CredentialsRefused, GatewayFault
from messaging import delivery, failover, opt_outs
from messaging.models import Message, State
from messaging.retries import Kind
from portal.models import AuditEvent, User
from portal.permissions import SENDING, Right
from tests.conftest import Api
from tests.messaging.conftest import fresh
from tests.portal.admin_pages import staff_with

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"


@pytest.fixture
def gateway(sandbox: Gateway) -> Gateway:
    """Not the default one; that one stands by."""
    return accounts.create(name="wire", provider="sandbox", test_number=PHONE)


def send_test(api: Api, user: User | None, body: dict[str, Any] | None = None, name: str = "wire", **extra: Any) -> Any:
    return api(user).post(f"/api/v1/sms_gateway/{name}/test", body or {}, format="json", **extra)


def item_of(api: Api, user: User, message: Message) -> dict[str, Any]:
    found: dict[str, Any] = api(user).get(f"/api/v1/message/{message.pk}").json()["item"]
    return found


def test_without_a_phone_it_goes_to_the_test_number(api: Api, operator: User, gateway: Gateway) -> None:
    answer = send_test(api, operator)
    assert answer.status_code == 200
    message = Message.objects.get()
    assert answer.json()["message"] == f"Message {message.pk} accepted"
    assert (message.phone, message.gateway, message.kind) == (PHONE, gateway, Kind.INFORMATION)
    assert (message.only_here, message.requested_by) == (True, operator)
    assert message.text
    assert "wire" in message.text


def test_phone_and_text_may_be_given(api: Api, operator: User, gateway: Gateway) -> None:
    item = send_test(api, operator, {"phone_number": "8 (903) 111-22-33", "message": "Раз, два"}).json()["item"]
    assert (item["phone_number"], item["sms_gateway"], item["asked_gateway"]) == ("+79031112233", "wire", "wire")
    assert Message.objects.get().text == "Раз, два"


def test_without_any_phone_the_field_is_named_with_the_remedy(api: Api, operator: User, gateway: Gateway) -> None:
    accounts.change(gateway, test_number="")
    answer = send_test(api, operator)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "phone_number"
    assert "test number" in error["message"]
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [({"phone_number": "12"}, "phone_number"), ({"wait": 31}, "wait"), ({"sms_gateway": "x"}, "sms_gateway")],
)
def test_a_wrong_field_is_named(api: Api, operator: User, gateway: Gateway, body: dict[str, Any], field: str) -> None:
    answer = send_test(api, operator, body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Message.objects.exists()


def test_a_gateway_that_is_switched_off_says_so(api: Api, operator: User, gateway: Gateway) -> None:
    accounts.change(gateway, enabled=False)
    answer = send_test(api, operator)
    assert answer.status_code == 422
    assert [error["message"] for error in answer.json()["errors"]] == ["Gateway “wire” is switched off."]
    assert not Message.objects.exists()


def test_an_unknown_gateway_is_not_found(api: Api, operator: User, gateway: Gateway) -> None:
    assert send_test(api, operator, name="nobody").status_code == 404


def test_wait_answers_when_it_is_handed_over(
    api: Api, operator: User, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = {"state": State.SUBMITTED, "submitted_at": timezone.now(), "reference": "r"}
    monkeypatch.setattr(time, "sleep", lambda _: Message.objects.update(**submitted))
    item = send_test(api, operator, {"wait": 30}).json()["item"]
    assert (item["state"], item["reference"]) == ("submitted", "r")


def test_a_repeated_key_tests_once(api: Api, operator: User, gateway: Gateway) -> None:
    answers = [send_test(api, operator, headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert Message.objects.count() == 1


@pytest.mark.parametrize("fault", [GatewayFault("no funds"), CredentialsRefused("wrong password")])
def test_it_waits_for_a_gateway_that_may_not_be_used_and_says_why(
    api: Api, admin: User, gateway: Gateway, fault: GatewayFault
) -> None:
    health.record_fault(gateway.pk, fault)
    item = send_test(api, admin).json()["item"]
    assert (item["sms_gateway"], item["state"]) == ("wire", "queued")
    message = Message.objects.get()
    failover.move_away()
    assert fresh(message).gateway == gateway
    assert item_of(api, admin, message)["waits"]["reason"] == "gateway"


def test_it_does_not_go_round_the_gateways_prefixes(api: Api, operator: User, gateway: Gateway) -> None:
    accounts.change(gateway, prefixes=["+375"])
    answer = send_test(api, operator)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["sms_gateway"]


def test_a_phone_that_opted_out_gets_none_and_the_answer_says_so(api: Api, operator: User, gateway: Gateway) -> None:
    opt_outs.add(phone=PHONE, note="", added_by=operator)
    answer = send_test(api, operator).json()
    assert answer["item"]["state"] == "suppressed"
    assert "suppressed" in answer["message"]


@pytest.mark.django_db(transaction=True)
def test_its_timeline_is_that_of_any_message(api: Api, admin: User, gateway: Gateway, network: None) -> None:
    send_test(api, admin)
    message = Message.objects.get()
    delivery.drain(gateway.pk)
    item = item_of(api, admin, message)
    assert item["submitted_at"] is not None
    assert [(one["sms_gateway"], one["outcome"]) for one in item["attempts"]] == [("wire", "accepted")]
    assert (item["sms_gateway"], item["asked_gateway"]) == ("wire", "wire")


@pytest.mark.parametrize("lacking", SENDING)
def test_it_needs_the_rights_of_a_send(api: Api, gateway: Gateway, lacking: Right) -> None:
    answer = send_test(api, staff_with("clerk", *(set(SENDING) - {lacking})))
    assert answer.status_code == 403
    assert lacking in answer.json()["message"]
    assert not Message.objects.exists()


def test_it_is_on_the_audit_trail_without_text_and_phone(api: Api, operator: User, gateway: Gateway) -> None:
    send_test(api, operator, {"phone_number": "+79031112233", "message": "canary"})
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.status) == ("sms_gateway.test", str(Message.objects.get().pk), 200)
    assert "canary" not in str(event.request)
    assert "+79031112233" not in str(event.request)
