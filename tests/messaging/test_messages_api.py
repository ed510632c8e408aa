"""The collection `messages` and `message/{id}`: where a message is, why it waits, resend and cancel."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways import health
from gateways.models import Gateway
from gateways.outcomes import GatewayFault
from messaging.models import Attempt, Message, State, Wait
from messaging.retries import Kind
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import Send

pytestmark = pytest.mark.django_db


def item(api: Api, user: User, message: Message) -> dict[str, Any]:
    answer = api(user).get(f"/api/v1/message/{message.pk}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["item"]
    return found


def test_the_list_has_the_newest_first_and_no_texts(api: Api, auditor: User, send: Send) -> None:
    ids = [send(text=f"canary {n}").pk for n in range(3)]
    body = api(auditor).get("/api/v1/messages?with_total_count=1&limit=2").json()
    assert [row["id"] for row in body["items"]] == ids[::-1][:2]
    assert (body["nextCursor"], body["total_count"]) == (2, 3)
    assert "canary" not in str(body)


def test_a_search_finds_by_phone_and_state(api: Api, auditor: User, send: Send) -> None:
    send(phone="+79160000000")
    wanted = send(phone="+79161111111")
    query = {"op": "and", "values": [
        {"op": "equals", "field": "phone_number", "value": "+79161111111"},
        {"op": "equals", "field": "state", "value": "queued"},
    ]}  # fmt: skip
    body = api(auditor).post("/api/v1/messages/search", {"query": query}, format="json").json()
    assert [row["id"] for row in body["items"]] == [wanted.pk]


@pytest.mark.parametrize(
    ("op", "value"), [("equals", "8 (916) 111-11-11"), ("equals", "79161111111"), ("ends_with", "1111")]
)
def test_a_phone_is_found_however_it_is_written(api: Api, auditor: User, send: Send, op: str, value: str) -> None:
    send(phone="+79160000000")
    wanted = send(phone="+79161111111")
    query = {"op": op, "field": "phone_number", "value": value}
    body = api(auditor).post("/api/v1/messages/search", {"query": query}, format="json").json()
    assert [row["id"] for row in body["items"]] == [wanted.pk]


def test_the_text_cannot_be_searched(api: Api, auditor: User, send: Send) -> None:
    send()
    query = {"op": "contains", "field": "message", "value": "x"}
    assert api(auditor).post("/api/v1/messages/search", {"query": query}, format="json").status_code == 422


def test_a_free_text_is_shown_while_it_is_kept(api: Api, auditor: User, send: Send) -> None:
    assert item(api, auditor, send(text="Wi-Fi is back"))["message"] == "Wi-Fi is back"


def test_a_secret_text_is_never_shown(api: Api, auditor: User, send: Send) -> None:
    message = send(text="password canary", kind=Kind.CREDENTIALS)
    assert "canary" not in str(item(api, auditor, message))


def test_it_says_that_the_next_worker_takes_it(api: Api, auditor: User, send: Send) -> None:
    assert item(api, auditor, send())["waits"]["reason"] == ""


def test_it_says_that_it_will_be_tried_again_and_when(api: Api, auditor: User, send: Send) -> None:
    message = send()
    due = timezone.now() + timedelta(minutes=1)
    Message.objects.update(waits_for=Wait.RETRY, due_at=due)
    waits = item(api, auditor, message)["waits"]
    assert waits["reason"] == "retry"
    assert waits["until"].startswith(due.strftime("%Y-%m-%dT%H:%M"))


def test_it_says_that_the_gateway_is_paused(api: Api, auditor: User, send: Send, sandbox: Gateway) -> None:
    message = send()
    health.record_fault(sandbox.pk, GatewayFault("no funds"))
    assert item(api, auditor, message)["waits"]["reason"] == "gateway"


def test_it_says_that_the_gateway_is_switched_off(api: Api, auditor: User, send: Send, sandbox: Gateway) -> None:
    message = send()
    Gateway.objects.update(enabled=False)
    assert item(api, auditor, message)["waits"]["message"] == "the gateway is switched off"


def test_a_message_that_does_not_wait_has_nothing_to_say(api: Api, auditor: User, send: Send) -> None:
    message = send()
    Message.objects.update(state=State.DELIVERED, due_at=None)
    assert item(api, auditor, message)["waits"] is None


def test_its_attempts_are_shown(api: Api, auditor: User, send: Send, sandbox: Gateway) -> None:
    message = send()
    Attempt.objects.create(message=message, gateway=sandbox, epoch=1, key=message.key, outcome="ambiguous", detail="x")
    (attempt,) = item(api, auditor, message)["attempts"]
    assert (attempt["sms_gateway"], attempt["outcome"], attempt["detail"]) == ("sandbox", "ambiguous", "x")


@pytest.mark.parametrize("identifier", ["999999", "0", "-1", "x", "9" * 30, "%00"])
def test_what_is_no_message_is_not_found(api: Api, auditor: User, identifier: str) -> None:
    assert api(auditor).get(f"/api/v1/message/{identifier}").status_code == 404


@pytest.mark.parametrize("path", ["messages", "message/1"])
def test_reading_needs_its_right(api: Api, operator: User, path: str) -> None:
    answer = api(operator).get(f"/api/v1/{path}")
    assert answer.status_code == 403
    assert "MESSAGES_READ" in answer.json()["message"]


@pytest.mark.parametrize("what", ["resend", "cancel"])
def test_changing_ones_mind_needs_the_rights_of_a_send(api: Api, auditor: User, send: Send, what: str) -> None:
    answer = api(auditor).post(f"/api/v1/message/{send().pk}/{what}")
    assert answer.status_code == 403
    assert "SYSTEM_CREATE" in answer.json()["message"]


def test_a_failed_message_is_sent_again_as_a_new_one(api: Api, operator: User, send: Send) -> None:
    message = send()
    Message.objects.update(state=State.FAILED)
    answer = api(operator).post(f"/api/v1/message/{message.pk}/resend")
    assert answer.status_code == 200
    again = answer.json()["item"]
    assert (again["resend_of"], again["state"]) == (message.pk, "queued")
    repeat = api(operator).post(f"/api/v1/message/{message.pk}/resend")
    assert repeat.status_code == 409
    assert repeat.json()["message"] == f"Message {message.pk} was already sent again as {again['id']}."
    assert Message.objects.count() == 2


RISK = "The first one may have been delivered, so that two copies may arrive."


@pytest.mark.parametrize(
    ("state", "risk"),
    [(State.UNRESOLVED, f". {RISK}"), (State.FAILED, ""), (State.UNDELIVERED, ""), (State.EXPIRED, "")],
)
def test_a_resend_names_the_risk_where_there_is_one(
    api: Api, operator: User, send: Send, state: State, risk: str
) -> None:
    message = send()
    Message.objects.update(state=state)
    answer = api(operator).post(f"/api/v1/message/{message.pk}/resend").json()
    assert answer["message"] == f"Message {message.pk} is sent again as {answer['item']['id']}{risk}"


def test_it_names_the_gateway_that_was_asked_for_beside_the_present_one(
    api: Api, auditor: User, send: Send, sandbox: Gateway
) -> None:
    message = send()
    other = Gateway.objects.create(name="other", provider="sandbox")
    assert item(api, auditor, message)["asked_gateway"] == "sandbox"
    Message.objects.update(gateway=other)
    found = item(api, auditor, message)
    assert (found["sms_gateway"], found["asked_gateway"]) == ("other", "sandbox")
    (listed,) = api(auditor).get("/api/v1/messages").json()["items"]
    assert (listed["sms_gateway"], listed["asked_gateway"]) == ("other", "sandbox")


def test_where_no_gateway_was_asked_for_none_is_named(api: Api, auditor: User, send: Send) -> None:
    message = send()
    Message.objects.update(wanted=None)
    assert item(api, auditor, message)["asked_gateway"] is None
    query = {"op": "equals", "field": "asked_gateway", "value": None}
    found = api(auditor).post("/api/v1/messages/search", {"query": query}, format="json").json()["items"]
    assert [one["id"] for one in found] == [message.pk]


def test_each_attempt_names_its_own_gateway(api: Api, auditor: User, send: Send, sandbox: Gateway) -> None:
    message = send()
    other = Gateway.objects.create(name="other", provider="sandbox")
    for epoch, gateway in enumerate((sandbox, other), 1):
        Attempt.objects.create(message=message, gateway=gateway, epoch=epoch, key=message.key, outcome="not_sent")
    assert [attempt["sms_gateway"] for attempt in item(api, auditor, message)["attempts"]] == ["sandbox", "other"]


def test_a_message_whose_text_is_wiped_cannot_be_sent_again_and_the_remedy_is_named(
    api: Api, operator: User, send: Send
) -> None:
    message = send()
    Message.objects.update(state=State.FAILED, text=None)
    answer = api(operator).post(f"/api/v1/message/{message.pk}/resend")
    assert answer.status_code == 409
    assert "send a new message" in answer.json()["message"]


def test_a_waiting_message_is_cancelled_once(api: Api, operator: User, send: Send) -> None:
    message = send()
    answer = api(operator).post(f"/api/v1/message/{message.pk}/cancel")
    assert answer.json()["item"]["state"] == "cancelled"
    again = api(operator).post(f"/api/v1/message/{message.pk}/cancel")
    assert again.status_code == 409
    assert "cancelled" in again.json()["message"]


@pytest.mark.parametrize("what", ["resend", "cancel"])
def test_these_calls_take_no_fields(api: Api, operator: User, send: Send, what: str) -> None:
    answer = api(operator).post(f"/api/v1/message/{send().pk}/{what}", {"force": True}, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "force"
