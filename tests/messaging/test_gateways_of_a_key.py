"""For an API key that is for some gateways the others do not exist: not listed, not found, not sent through."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Gateway
from messaging import webhooks
from messaging.models import Batch, InboundMessage, Message, State, WebhookDelivery
from portal import keys
from portal.api.authentication.refusals import ForSomeGateways
from portal.models import User
from tests.portal.admin_pages import a_message

PHONE, TEXT = "+79161234567", "Wi-Fi is back"
SENT = {"phone_number": PHONE, "message": TEXT}


@pytest.fixture
def ours(sandbox: Gateway) -> Gateway:
    """The one that the key is for; the default one is another."""
    return Gateway.objects.create(name="ours", provider="sandbox", test_number=PHONE)


@pytest.fixture
def narrow(admin: User, ours: Gateway) -> APIClient:
    """An administrator's key for one gateway."""
    return APIClient(headers={"X-API-Key": keys.issue(admin, "one gateway", gateways=[ours.pk])[1]})


def asked(client: APIClient, method: str, path: str, **body: Any) -> tuple[int, Any]:
    answer = (
        client.generic(method, f"/api/v1/{path}")
        if method == "GET"
        else getattr(client, method.lower())(f"/api/v1/{path}", body, format="json")
    )
    return answer.status_code, answer.json()


def ids(client: APIClient, collection: str, **query: Any) -> list[Any]:
    """Those of a list, which a search for all finds as well."""
    listed = asked(client, "GET", collection)[1]["items"]
    found = asked(client, "POST", f"{collection}/search", **query)[1]["items"]
    assert listed == found
    return sorted(item["id"] for item in listed)


def test_gateways(narrow: APIClient) -> None:
    assert ids(narrow, "sms_gateways") == ["ours"]
    named = {"op": "and", "values": [{"op": "equals", "field": "id", "value": "sandbox"}]}
    assert asked(narrow, "POST", "sms_gateways/search", query=named)[1]["items"] == []
    counted = asked(narrow, "POST", "sms_gateways/search", with_total_count=True)[1]
    assert counted["total_count"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", ""), ("PATCH", ""), ("PUT", ""), ("DELETE", "")),
        *(("POST", "/check"), ("POST", "/preview"), ("POST", "/test")),
    ],
)
def test_one_gateway_and_what_is_done_with_it(narrow: APIClient, method: str, path: str) -> None:
    body = {"provider": "sandbox"} if method == "PUT" else {}
    assert asked(narrow, method, f"sms_gateway/sandbox{path}", **body)[0] == 404
    assert asked(narrow, method, f"sms_gateway/ours{path}", **body)[0] == 200
    assert Gateway.objects.filter(name="sandbox").exists()


def test_it_makes_no_gateway_and_takes_no_default_away(narrow: APIClient, sandbox: Gateway) -> None:
    assert asked(narrow, "POST", "sms_gateways", id="third", provider="sandbox")[0] == 403
    assert asked(narrow, "PATCH", "sms_gateway/ours", is_default=True)[0] == 403
    assert asked(narrow, "PATCH", "sms_gateway/ours", is_default=False, priority=7)[0] == 200
    assert Gateway.objects.get(is_default=True) == sandbox
    assert Gateway.objects.count() == 2


def test_messages(narrow: APIClient, ours: Gateway, sandbox: Gateway) -> None:
    here, elsewhere = a_message(ours), a_message(sandbox)
    stood_in_for = a_message(sandbox, wanted=ours)
    assert ids(narrow, "messages") == [here.pk, stood_in_for.pk]
    codes = [asked(narrow, "GET", f"message/{one.pk}")[0] for one in (here, stood_in_for, elsewhere)]
    assert codes == [200, 200, 404]


@pytest.mark.parametrize("deed", ["resend", "cancel", "forget"])
def test_what_is_done_with_a_message(narrow: APIClient, sandbox: Gateway, deed: str) -> None:
    elsewhere = a_message(sandbox)
    assert asked(narrow, "POST", f"message/{elsewhere.pk}/{deed}")[0] == 404
    assert Message.objects.get().state == State.FAILED


def test_a_message_is_sent_again_through_its_own_gateway(narrow: APIClient, ours: Gateway, sandbox: Gateway) -> None:
    former = a_message(sandbox, wanted=ours)
    status, answer = asked(narrow, "POST", f"message/{former.pk}/resend")
    assert (status, answer["item"]["sms_gateway"], answer["item"]["asked_gateway"]) == (200, "ours", "ours")


def test_sends(narrow: APIClient, ours: Gateway) -> None:
    batch = {"messages": [SENT]}
    assert asked(narrow, "POST", "sms_gateways/send_sms", **SENT, sms_gateway="sandbox")[0] == 404
    assert asked(narrow, "POST", "sms_gateways/send_sms_batch", **batch, sms_gateway="sandbox")[0] == 404
    assert asked(narrow, "POST", "sms_gateways/send_sms", **SENT, sms_gateway="ours")[0] == 200
    assert asked(narrow, "POST", "sms_gateways/send_sms_batch", **batch, sms_gateway="ours")[0] == 200
    assert set(Message.objects.values_list("gateway", flat=True)) == {ours.pk}


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("send_sms", SENT | {"sms_gateway": "sandbox"}),
        ("send_sms_batch", {"sms_gateway": "sandbox", "messages": [SENT]}),
    ],
)
def test_it_is_told_nothing_of_what_another_credential_sent(
    narrow: APIClient, admin: User, call: str, body: dict[str, Any]
) -> None:
    wide = APIClient(headers={"X-API-Key": keys.issue(admin, "all gateways")[1]})
    codes = [
        client.post(f"/api/v1/sms_gateways/{call}", body, format="json", headers={"Idempotency-Key": "1"}).status_code
        for client in (wide, narrow, wide)
    ]
    assert codes == [200, 404, 200]
    assert Message.objects.count() == 1


def test_batches(narrow: APIClient, ours: Gateway, sandbox: Gateway) -> None:
    here, elsewhere, of_the_default = (
        Batch.objects.create(name="news", total=1, wanted=wanted) for wanted in (ours, sandbox, None)
    )
    for batch, code in ((here, 200), (elsewhere, 404), (of_the_default, 404)):
        assert asked(narrow, "GET", f"batch/{batch.pk}")[0] == code
        assert asked(narrow, "POST", f"batch/{batch.pk}/cancel")[0] == code


def test_inbound_messages(narrow: APIClient, ours: Gateway, sandbox: Gateway) -> None:
    here, elsewhere = (
        InboundMessage.objects.create(gateway=gateway, phone=PHONE, text="STOP", fingerprint=gateway.name)
        for gateway in (ours, sandbox)
    )
    assert ids(narrow, "inbound_messages") == [here.pk]
    assert [asked(narrow, "GET", f"inbound_message/{one.pk}")[0] for one in (here, elsewhere)] == [200, 404]


def test_a_key_without_gateways_finds_all(admin: User, ours: Gateway, sandbox: Gateway) -> None:
    message = a_message(sandbox, created=timezone.now() - timedelta(hours=1))
    wide = APIClient(headers={"X-API-Key": keys.issue(admin, "all", rights=["SMS_GATEWAY_READ", "MESSAGES_READ"])[1]})
    assert ids(wide, "sms_gateways") == ["ours", "sandbox"]
    assert ids(wide, "messages") == [message.pk]


def test_a_gateway_that_is_gone_leaves_the_key_with_none(narrow: APIClient, ours: Gateway) -> None:
    ours.delete()
    assert ids(narrow, "sms_gateways") == []
    assert asked(narrow, "POST", "sms_gateways/send_sms", **SENT, sms_gateway="sandbox")[0] == 404


def test_what_tells_of_all_gateways_is_not_for_it(narrow: APIClient, admin: User) -> None:
    webhook, _secret = webhooks.create(
        name="desk", url="https://desk.example.org/", events=["message.delivered"], by=admin
    )
    webhooks.test(webhook)
    delivery = WebhookDelivery.objects.get()
    assert ids(narrow, "webhooks") == ids(narrow, "webhook_deliveries") == []
    assert asked(narrow, "GET", f"webhook/{webhook.pk}")[0] == 404
    assert asked(narrow, "POST", f"webhook/{webhook.pk}/pause")[0] == 404
    assert asked(narrow, "POST", f"webhook_delivery/{delivery.pk}/replay")[0] == 404
    made = {"name": "mine", "url": "https://desk.example.org/", "events": ["message.delivered"]}
    assert asked(narrow, "POST", "webhooks", **made)[0] == 403
    assert asked(narrow, "GET", "system")[0] == 403
    assert [asked(narrow, method, "brake")[0] for method in ("GET", "DELETE")] == [403, 403]


@pytest.mark.parametrize(
    "path", ["registrations", "registrations/resend", "registrations/confirm", "approval/1/approve", "approval/1/deny"]
)
def test_what_sends_through_a_gateway_of_the_portals_choice_is_not_for_it(narrow: APIClient, path: str) -> None:
    status, answer = asked(narrow, "POST", path, telephone=PHONE, token="x", access_duration="1D", reason="no")
    assert (status, answer["message"]) == (403, ForSomeGateways.default_detail)
    assert not Message.objects.exists()
