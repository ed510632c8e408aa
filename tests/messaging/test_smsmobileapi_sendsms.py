"""`/sendsms/` of SMSmobileAPI."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from gateways.models import Gateway
from messaging import opt_outs
from messaging.guids import guid_of, id_in
from messaging.models import Door, Message, State, Wait
from messaging.retries import Kind
from portal import versions
from portal.audit import MASK
from portal.models import AuditEvent, User
from tests.messaging.programs import PHONE, a_second_passes_in, both_methods, call, key_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


def send(key: str, method: str = "GET", url: str = "/sendsms/", **fields: Any) -> Any:
    return call(url, method, **{"apikey": key, "recipients": PHONE, "message": "Wi-Fi is back", **fields})


@both_methods
@pytest.mark.parametrize("url", ["/sendsms", "/sendsms/"])
def test_it_answers_as_documented(key: str, operator: User, method: str, url: str) -> None:
    with time_machine.travel(NOW, tick=False):
        answer = send(key, method, url)
    message = Message.objects.get()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "result": {
            "error": 0, "sent": "1", "id": guid_of(message.pk), "note": "accepted",
            "datetime": "2026-11-22T12:00:00Z", "datetimeLocal": "2026-11-22T15:00:00+03:00", "port": None,
            "iac_control": "1", "iac_authorized": "1", "send_with_whatsapp": "0", "encrypted": {"status": "0"},
            "trial_account": {"status": "0", "sms_sent": 0},
        }
    }  # fmt: skip
    assert (message.phone, message.text, message.kind) == (PHONE, "Wi-Fi is back", Kind.INFORMATION)
    assert (message.requested_by, message.door) == (operator, Door.SMSMOBILEAPI)
    assert AuditEvent.objects.get().action == "smsmobileapi.sendsms"


def test_its_id_has_40_hexadecimal_digits_and_names_one_message(key: str) -> None:
    first, second = (send(key).json()["result"]["id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{40}", first)
    assert first != second
    assert {id_in(first), id_in(second)} == set(Message.objects.values_list("pk", flat=True))
    mistyped = first[:-1] + ("0" if first[-1] != "0" else "1")
    assert id_in(mistyped) is id_in("17") is id_in("") is None


@pytest.mark.parametrize("written", ["79161234567", " 79161234567", "+7 916 123-45-67", "89161234567"])
def test_a_phone_with_and_without_its_plus(key: str, written: str) -> None:
    assert send(key, recipients=written).json()["result"]["error"] == 0
    assert Message.objects.get().phone == PHONE


def test_a_bare_plus_in_an_address_is_a_space(key: str) -> None:
    answer = Client().get(f"/sendsms?apikey={key}&recipients=+33612345678&message=HelloWorld")
    assert answer.json()["result"]["sent"] == "1"
    assert Message.objects.get().phone == "+33612345678"


def test_from_says_what_calls_and_chooses_no_gateway(key: str) -> None:
    # The vendor's own Python client says so in every call.
    Gateway.objects.create(name="python", provider="sandbox", sender="composer")
    for client in ("python", "composer"):
        assert send(key, **{"from": client}).json()["result"]["sent"] == "1"
    assert {one.gateway.name for one in Message.objects.all()} == {"sandbox"}
    assert {event.request["from"] for event in AuditEvent.objects.all()} == {MASK}


@pytest.mark.parametrize(
    "fields", [{"waonly": "yes"}, {"waonly": "1"}, {"sendsms": "0"}, {"sendsms": "0", "sendwa": "1"}]
)
def test_what_is_for_whatsapp_alone_is_never_sent_as_sms(key: str, fields: dict[str, str]) -> None:
    answer = send(key, **fields)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": 422,
        "message": "This portal sends SMS and nothing else: a message for WhatsApp alone is not sent.",
    }
    assert not Message.objects.exists()


def test_what_is_for_both_is_sent_by_sms_and_says_so(key: str) -> None:
    assert send(key, sendwa="1", sendsms="1").json()["result"]["send_with_whatsapp"] == "0"
    assert Message.objects.count() == 1


def test_it_waits_until_the_time_it_is_given(key: str) -> None:
    later = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    assert send(key, schedule_timestamp=int(later.timestamp())).json()["result"]["error"] == 0
    message = Message.objects.get()
    assert (message.due_at, message.waits_for) == (later, Wait.SCHEDULE)


@pytest.mark.parametrize("past", ["", "0", "1790000000"])
def test_a_time_that_is_over_means_at_once(key: str, past: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert send(key, schedule_timestamp=past).json()["result"]["error"] == 0
    assert Message.objects.get().waits_for == Wait.NONE


def test_so_does_one_that_passes_while_the_call_is_looked_at(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        a_second_passes_in(versions, "confirm", clock, monkeypatch)
        answer = send(key, schedule_timestamp=int(NOW.timestamp()) + 1)
    assert answer.json()["result"]["error"] == 0
    assert Message.objects.get().waits_for == Wait.NONE


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"recipients": ""}, "recipients: This field may not be blank."),
        ({"recipients": "12"}, "recipients: This is not a phone number; write it like +79161234567."),
        ({"recipients": "+79161234567,+79161234568"}, "recipients: This is not a phone number"),
        ({"message": ""}, "message: This field may not be blank."),
        ({"message": "  "}, "message: "),
        ({"message": "я" * 5000}, "message: The text needs 75 SMS segments"),
        ({"schedule_timestamp": "tomorrow"}, "schedule_timestamp: Give seconds of UNIX time, such as 1795348800."),
        ({"schedule_timestamp": "1795348800000"}, "schedule_timestamp: Give seconds of UNIX time"),
        ({"schedule_timestamp": "99999999999"}, "schedule_timestamp: Name a time within the next 30 days."),
        ({"sIdentifiant": "nowhere"}, "sms_gateway: There is no gateway “nowhere”."),
    ],
)
def test_a_wrong_parameter_is_400(key: str, fields: dict[str, str], says: str) -> None:
    answer = send(key, **fields)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "message"}
    assert answer.json()["message"].startswith(says)
    assert not Message.objects.exists()


def test_a_missing_parameter_is_400(key: str) -> None:
    answer = call("/sendsms/", apikey=key, message="Wi-Fi is back")
    assert (answer.status_code, answer.json()["message"]) == (400, "recipients: Required field missing")


def test_the_phone_that_sends_is_one_of_our_gateways(key: str) -> None:
    Gateway.objects.create(name="hotel", provider="sandbox")
    send(key, sIdentifiant="hotel")
    assert Message.objects.get().gateway.name == "hotel"


@pytest.mark.parametrize("wrong", ["gsp_" + "A" * 43, "x", ""])
def test_a_wrong_key_is_403(key: str, wrong: str) -> None:
    answer = send(wrong)
    assert answer.status_code == 403
    assert answer.json()["error"] == 401


def test_without_a_key_it_says_where_one_belongs(sandbox: Gateway) -> None:
    answer = send("")
    assert (answer.status_code, answer.json()["message"]) == (403, "Send a key as apikey, or a token as a Bearer.")


def test_a_key_without_the_rights_of_a_send_is_403(nobody: User, sandbox: Gateway) -> None:
    answer = send(key_of(nobody))
    message = "Unauthorized access, lacking the SYSTEM_CREATE administrative role"
    assert (answer.status_code, answer.json()) == (403, {"error": 403, "message": message})


def test_a_bearer_lets_in_as_well(key: str) -> None:
    answer = Client().post("/sendsms", {"recipients": PHONE, "message": "x"}, HTTP_AUTHORIZATION=f"Bearer {key}")
    assert answer.json()["result"]["error"] == 0


def test_a_phone_that_opted_out_gets_nothing_and_the_answer_says_so(key: str, admin: User) -> None:
    opt_outs.add(phone=PHONE, note="", added_by=admin)
    told = send(key).json()["result"]
    assert (told["error"], told["sent"]) == ("suppressed", "0")
    assert Message.objects.get().state == State.SUPPRESSED


def test_without_a_gateway_nothing_is_sent(operator: User) -> None:
    answer = send(key_of(operator))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("sms_gateway: There is no default gateway")
