"""POST /api/v1/sms_gateways/send_sms: a free text to a phone, as the source document prints the call."""

import threading
import time
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from gateways.models import Gateway
from messaging.api import sends
from messaging.models import Message, State
from portal.models import AuditEvent, User
from tests.conftest import Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]

PATH = "/api/v1/sms_gateways/send_sms"
BODY = {"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Привет"}
#: As printed in the documentation that clients were written from: with a trailing comma.
AS_PRINTED = """{
  "sms_gateway": "sandbox",
  "phone_number": "8 (916) 123-45-67",
  "message": "Тело сообщения",
}"""


def test_it_accepts_a_text_and_says_what_it_costs(api: Api, operator: User) -> None:
    answer = api(operator).post(PATH, BODY, format="json")
    assert answer.status_code == 200
    body = answer.json()
    message = Message.objects.get()
    assert body["status"] == 200
    assert body["item"] | {"id": message.pk, "state": "queued", "segments": 1, "encoding": "UCS-2"} == body["item"]
    assert (message.text, message.requested_by) == ("Привет", operator)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", [PATH, PATH + "/"])
def test_the_documents_own_body_works_as_printed(api: Api, operator: User, content_type: str, path: str) -> None:
    answer = api(operator).generic("POST", path, AS_PRINTED, content_type=content_type)
    assert answer.status_code == 200
    assert Message.objects.get().phone == "+79161234567"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone_number": "12"}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"phone_number": None}, "phone_number"),
        ({"phone_number": 79161234567.5}, "phone_number"),
        ({"phone_number": ["+79161234567"]}, "phone_number"),
        ({"message": ""}, "message"),
        ({"message": "   "}, "message"),
        ({"message": "ы" * 3000}, "message"),
        ({"message": {}}, "message"),
        ({"sms_gateway": ""}, "sms_gateway"),
        ({"wait": 31}, "wait"),
        ({"wait": -1}, "wait"),
        ({"wait": "soon"}, "wait"),
        ({"mesage": "x"}, "mesage"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_sent(
    api: Api, operator: User, change: dict[str, Any], field: str
) -> None:
    answer = api(operator).post(PATH, BODY | change, format="json")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (422, 422)
    assert field in [error["field"] for error in body["errors"]]
    assert all(error["message"] for error in body["errors"])
    assert not Message.objects.exists()


@pytest.mark.parametrize("field", BODY)
def test_a_missing_field_is_named(api: Api, operator: User, field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    answer = api(operator).post(PATH, body, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "message": "Required field missing"}]


def test_an_unknown_gateway_is_not_found(api: Api, operator: User) -> None:
    answer = api(operator).post(PATH, BODY | {"sms_gateway": "unheard of"}, format="json")
    assert answer.status_code == 404
    assert "unheard of" in answer.json()["message"]


def test_a_gateway_that_is_switched_off_is_an_error_of_that_field(api: Api, operator: User) -> None:
    Gateway.objects.update(enabled=False)
    answer = api(operator).post(PATH, BODY, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "sms_gateway"


@pytest.mark.parametrize("missing", ["SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE"])
def test_all_three_rights_are_needed_and_the_missing_one_is_named(api: Api, nobody: User, missing: str) -> None:
    held = {"SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE"} - {missing}
    nobody.user_permissions.set(Permission.objects.filter(codename__in=held))
    answer = api(nobody).post(PATH, BODY, format="json")
    assert answer.status_code == 403
    assert answer.json() == {"message": f"Unauthorized access, lacking the {missing} administrative role"}
    assert not Message.objects.exists()


def test_the_administrator_needs_no_role(api: Api, admin: User) -> None:
    assert api(admin).post(PATH, BODY, format="json").status_code == 200


def test_without_a_token_nobody_sends(api: Api) -> None:
    answer = api(None).post(PATH, BODY, format="json")
    assert answer.status_code == 401
    assert answer.json() == {"message": "Invalid token. Login again using /api/v1/login"}


def test_a_repeated_key_sends_one_message_and_gives_one_answer(api: Api, operator: User) -> None:
    client = api(operator)
    first = client.post(PATH, BODY, format="json", headers={"Idempotency-Key": "k1"})
    again = client.post(PATH, BODY, format="json", headers={"Idempotency-Key": "k1"})
    assert first.json() == again.json()
    assert Message.objects.count() == 1
    other = client.post(PATH, BODY | {"message": "x"}, format="json", headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert Message.objects.count() == 1


def test_a_repeat_that_waits_otherwise_gets_the_stored_answer(api: Api, operator: User) -> None:
    client = api(operator)
    answers = [
        client.post(PATH, BODY | wait, format="json", headers={"Idempotency-Key": "k1"})
        for wait in ({}, {"wait": 5}, {"wait": 0})
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert Message.objects.count() == 1


def test_with_a_key_the_answer_is_that_of_acceptance_whatever_wait_says(
    api: Api, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sends, "_when_known", lambda *_: pytest.fail("it waited"))
    answer = api(operator).post(PATH, BODY | {"wait": 30}, format="json", headers={"Idempotency-Key": "k1"})
    assert answer.json()["item"]["state"] == "queued"


def test_wait_answers_when_the_outcome_is_known(api: Api, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def become_known(seconds: float) -> None:
        looks.append(seconds)
        Message.objects.update(state=State.SUBMITTED, submitted_at=timezone.now(), reference="r")

    monkeypatch.setattr(time, "sleep", become_known)
    answer = api(operator).post(PATH, BODY | {"wait": 30}, format="json")
    assert answer.json()["item"]["state"] == "submitted"
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("state", "reason", "sentence"),
    [
        (State.SUBMITTED, "", "accepted"),
        (State.DELIVERED, "", "accepted"),
        (State.NO_RECEIPT, "", "accepted"),
        (State.FAILED, "no such number", "failed: no such number"),
        (State.UNDELIVERED, "phone off", "undelivered: phone off"),
        (State.CANCELLED, "", "cancelled"),
    ],
)
def test_the_sentence_after_a_wait_says_what_became_of_it(
    api: Api, operator: User, monkeypatch: pytest.MonkeyPatch, state: State, reason: str, sentence: str
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: Message.objects.update(state=state, reason=reason))
    answer = api(operator).post(PATH, BODY | {"wait": 30}, format="json")
    assert answer.status_code == 200
    assert answer.json()["message"] == f"Message {Message.objects.get().pk} {sentence}"
    assert answer.json()["item"]["state"] == state


def test_when_too_many_wait_the_answer_comes_at_once(api: Api, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(sends, "waiters", full)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    answer = api(operator).post(PATH, BODY | {"wait": 30}, format="json")
    assert answer.json()["item"]["state"] == "queued"


def test_every_try_is_audited_without_text_and_phone(api: Api, operator: User, nobody: User) -> None:
    api(operator).post(PATH, BODY, format="json")
    api(operator).post(PATH, BODY | {"phone_number": "12"}, format="json")
    api(nobody).post(PATH, BODY, format="json")
    events = AuditEvent.objects.filter(action="sms_gateways.send_sms").order_by("id")
    assert [(event.user_name, event.status) for event in events] == [
        ("operator", 200), ("operator", 422), ("nobody", 403),
    ]  # fmt: skip
    assert [event.object_id for event in events] == [str(Message.objects.get().pk), "sandbox", "sandbox"]
    written = str([event.request for event in events])
    assert "Привет" not in written
    assert "+79161234567" not in written


def test_a_waiting_answer_names_the_gateway_that_took_the_message(api: Api, operator: User) -> None:
    api(operator).post(PATH, BODY, format="json")
    message = Message.objects.select_related("gateway").get()
    other = Gateway.objects.create(name="other", provider="sandbox")
    Message.objects.update(gateway=other, state=State.SUBMITTED)
    assert sends._when_known(message, 1).gateway == other
