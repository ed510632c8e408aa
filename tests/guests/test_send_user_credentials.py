"""POST /api/v1/sms_gateways/send_user_credentials: a guest's user name and password by SMS."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from gateways.models import Gateway
from guests import accounts
from guests.models import Guest
from messaging.models import Message, MessageTemplate, State
from messaging.retries import Kind
from portal.audit import MASK
from portal.models import AuditEvent, User
from tests.conftest import Api
from tests.guests.test_user_password import everything_stored
from tests.guests.test_users import fields_at_fault

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "guest")]

PATH = "/api/v1/sms_gateways/send_user_credentials"
CANARY = "canary-5up3r-s3cret"
BODY = {"sms_gateway": "sandbox", "pid": "bob", "password": CANARY}
#: As printed in the documentation that clients were written from: with a trailing comma.
AS_PRINTED = """{
  "sms_gateway": "sandbox",
  "pid": "bob",
  "password": "canary-5up3r-s3cret",
}"""


def test_it_accepts_one_message_for_the_guests_phone(api: Api, operator: User) -> None:
    answer = api(operator).post(PATH, BODY, format="json")
    assert answer.status_code == 200
    body = answer.json()
    message = Message.objects.get()
    assert body["status"] == 200
    assert body["message"]
    assert {name: body["item"][name] for name in ("id", "state", "segments", "pid", "phone_number")} == {
        "id": message.pk, "state": "queued", "segments": 1, "pid": "bob", "phone_number": "+79161234567",
    }  # fmt: skip
    assert (message.kind, message.requested_by) == (Kind.CREDENTIALS, operator)
    assert message.text is not None
    assert "bob" in message.text
    assert CANARY in message.text
    assert "••••••••" in message.masked_text
    assert CANARY not in message.masked_text + answer.content.decode()
    assert Guest.objects.get().last_credentials == message


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", [PATH, PATH + "/"])
def test_the_documents_own_body_works_as_printed(api: Api, operator: User, content_type: str, path: str) -> None:
    answer = api(operator).generic("POST", path, AS_PRINTED, content_type=content_type)
    assert answer.status_code == 200
    assert Message.objects.count() == 1


class TestThePassword:
    def test_it_is_only_sent_unless_asked_otherwise(self, api: Api, admin: User) -> None:
        api(admin).post(PATH, BODY, format="json")
        api(admin).post(PATH, BODY | {"set_password": False}, format="json")
        assert Message.objects.count() == 2
        assert not Guest.objects.get().has_password

    def test_it_becomes_the_guests_when_asked(self, api: Api, admin: User) -> None:
        assert api(admin).post(PATH, BODY | {"set_password": True}, format="json").status_code == 200
        assert Guest.objects.get().check_password(CANARY)

    def test_setting_it_needs_the_right_to_update_users(self, api: Api, operator: User) -> None:
        answer = api(operator).post(PATH, BODY | {"set_password": True}, format="json")
        assert answer.status_code == 403
        assert answer.json() == {"message": "Unauthorized access, lacking the USERS_UPDATE administrative role"}
        assert not Message.objects.exists()
        operator.user_permissions.add(Permission.objects.get(codename="USERS_UPDATE"))
        assert api(operator).post(PATH, BODY | {"set_password": True}, format="json").status_code == 200
        assert Guest.objects.get().check_password(CANARY)

    def test_a_refused_send_does_not_set_it(self, api: Api, admin: User) -> None:
        body = BODY | {"set_password": True, "sms_gateway": "nowhere"}
        assert api(admin).post(PATH, body, format="json").status_code == 404
        assert not Guest.objects.get().has_password

    def test_it_is_readable_in_no_table_no_answer_and_no_log(
        self, api: Api, admin: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = api(admin)
        answers = [
            client.post(PATH, BODY | {"set_password": True}, format="json", HTTP_IDEMPOTENCY_KEY="once"),
            client.post(PATH, BODY | {"pid": "nobody"}, format="json"),
            client.post(PATH, BODY | {"colour": "red"}, format="json"),
            client.post(PATH, BODY | {"password": CANARY + "\u0000"}, format="json"),
        ]
        assert [answer.status_code for answer in answers] == [200, 404, 422, 400]
        assert not any(CANARY in answer.content.decode() for answer in answers)
        assert CANARY not in caplog.text
        assert CANARY not in everything_stored()
        masked = [event.request["password"] for event in AuditEvent.objects.all() if event.request]
        assert len(masked) >= 3
        assert set(masked) == {MASK}

    def test_dollar_signs_and_spaces_arrive_as_they_are(self, api: Api, operator: User) -> None:
        api(operator).post(PATH, BODY | {"password": " $username$$ "}, format="json")
        text = Message.objects.get().text
        assert text is not None
        assert " $username$$ " in text

    def test_one_that_makes_the_text_too_long_is_refused_by_name(self, api: Api, operator: User, settings: Any) -> None:
        settings.MAX_SEGMENTS = 1
        answer = api(operator).post(PATH, BODY | {"password": "ы" * 100}, format="json")
        assert fields_at_fault(answer) == ["password"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pid": ""}, "pid"),
        ({"pid": None}, "pid"),
        ({"pid": ["bob"]}, "pid"),
        ({"password": ""}, "password"),
        ({"password": None}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"password": {}}, "password"),
        ({"sms_gateway": ""}, "sms_gateway"),
        ({"sms_gateway": None}, "sms_gateway"),
        ({"set_password": "perhaps"}, "set_password"),
        ({"wait": 31}, "wait"),
        ({"wait": -1}, "wait"),
        ({"phone_number": "+79161234567"}, "phone_number"),
    ],
)
def test_a_wrong_or_unknown_field_is_named_and_nothing_is_sent(
    api: Api, operator: User, change: dict[str, Any], field: str
) -> None:
    assert fields_at_fault(api(operator).post(PATH, BODY | change, format="json")) == [field]
    assert not Message.objects.exists()


@pytest.mark.parametrize("field", BODY)
def test_a_missing_field_is_named(api: Api, operator: User, field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    answer = api(operator).post(PATH, body, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "message": "Required field missing"}]


def test_a_guest_without_a_phone_is_refused_at_the_pid(api: Api, operator: User, phoneless: Guest) -> None:
    answer = api(operator).post(PATH, BODY | {"pid": "eve"}, format="json")
    assert fields_at_fault(answer) == ["pid"]
    assert "phone" in answer.json()["errors"][0]["message"]
    assert not Message.objects.exists()


def test_a_suspended_guest_is_refused_at_the_pid(api: Api, operator: User, guest: Guest) -> None:
    accounts.change(guest, suspended=True)
    assert fields_at_fault(api(operator).post(PATH, BODY, format="json")) == ["pid"]
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"pid": "nobody"}, "pid"), ({"pid": "BOB"}, "pid"), ({"sms_gateway": "nowhere"}, "sms_gateway")],
)
def test_an_unknown_guest_or_gateway_is_not_found(api: Api, operator: User, change: dict[str, str], field: str) -> None:
    answer = api(operator).post(PATH, BODY | change, format="json")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (404, 404)
    assert [error["field"] for error in body["errors"]] == [field]
    assert not Message.objects.exists()


def test_a_gateway_that_is_switched_off_is_refused(api: Api, operator: User, sandbox: Gateway) -> None:
    Gateway.objects.update(enabled=False)
    assert fields_at_fault(api(operator).post(PATH, BODY, format="json")) == ["sms_gateway"]


def test_without_a_text_for_credentials_it_says_where_to_write_one(api: Api, operator: User) -> None:
    MessageTemplate.objects.all().delete()
    answer = api(operator).post(PATH, BODY, format="json")
    assert answer.status_code == 422
    assert "Message templates" in answer.json()["message"]


class TestRights:
    @pytest.mark.parametrize("right", ["SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE"])
    def test_each_of_the_three_is_needed_and_named(self, api: Api, nobody: User, right: str) -> None:
        needed = {"SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE"}
        nobody.user_permissions.set(Permission.objects.filter(codename__in=needed - {right}))
        answer = api(nobody).post(PATH, BODY, format="json")
        assert answer.status_code == 403
        assert answer.json() == {"message": f"Unauthorized access, lacking the {right} administrative role"}
        assert not Message.objects.exists()
        nobody.user_permissions.set(Permission.objects.filter(codename__in=needed))
        assert api(nobody).post(PATH, BODY, format="json").status_code == 200

    def test_a_token_is_needed(self, api: Api) -> None:
        assert api(None).post(PATH, BODY, format="json").status_code == 401


class TestTheSameKey:
    def test_it_sends_once_and_answers_the_same(self, api: Api, operator: User) -> None:
        answers = [api(operator).post(PATH, BODY, format="json", HTTP_IDEMPOTENCY_KEY="once") for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}
        assert [answer.json() for answer in answers] == [answers[0].json()] * 3
        assert Message.objects.count() == 1

    def test_another_body_is_refused(self, api: Api, operator: User) -> None:
        api(operator).post(PATH, BODY, format="json", HTTP_IDEMPOTENCY_KEY="once")
        other = api(operator).post(PATH, BODY | {"password": "other"}, format="json", HTTP_IDEMPOTENCY_KEY="once")
        assert other.status_code == 422
        assert Message.objects.count() == 1


def test_it_waits_for_the_outcome_when_asked(api: Api, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(_seconds: float) -> None:
        Message.objects.update(state=State.DELIVERED)

    monkeypatch.setattr("messaging.api.sends.time.sleep", meanwhile)
    answer = api(operator).post(PATH, BODY | {"wait": 30}, format="json")
    assert answer.json()["item"]["state"] == "delivered"


def test_it_is_audited_with_the_message_it_made(api: Api, operator: User) -> None:
    api(operator).post(PATH, BODY, format="json")
    event = AuditEvent.objects.get()
    assert (event.user, event.status, event.object_id) == (operator, 200, str(Message.objects.get().pk))
    assert (event.request["pid"], event.request["password"]) == ("bob", MASK)


def test_a_refused_one_is_audited_with_the_guest_it_was_for(api: Api, operator: User, nobody: User) -> None:
    api(operator).post(PATH, BODY | {"sms_gateway": "nowhere"}, format="json")
    api(nobody).post(PATH, BODY, format="json")
    assert list(AuditEvent.objects.order_by("id").values_list("status", "object_id")) == [(404, "bob"), (403, "bob")]
