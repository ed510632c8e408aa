"""A key for which one gateway exists is told that a message is there, whichever other one took it over."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import NotAccepted, Outcome
from gateways.providers.sandbox import Provider
from gateways.transport import Flight
from messaging.guids import guid_of
from messaging.models import Attempt, DeliveryEvent, DeliveryReport, Message, State, Step, Wait
from messaging.reporting import telling
from messaging.reporting.in_air import InAir
from portal import keys
from portal.models import User
from tests.messaging.programs import PHONE, call
from tests.portal.admin_pages import a_message

#: In all that is only the other gateway's.
HIDDEN = "canary"
#: A report of a message that fails, with all that tells of a gateway and of what its provider said.
REPORT = {"dlr-url": "http://192.0.2.1/dlr?i=%i&A=%A&a=%a&b=%b&k=%k", "dlr-mask": "16"}


@pytest.fixture
def other(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The one that takes over; in these tests the sandbox takes part in failover."""
    monkeypatch.setattr(Provider, "alone", False)
    Gateway.objects.filter(pk=sandbox.pk).update(name=f"{HIDDEN} name", sender=HIDDEN)
    return Gateway.objects.get(pk=sandbox.pk)


@pytest.fixture
def ours(other: Gateway) -> Gateway:
    """The one that the key is for; it has stopped."""
    ours = Gateway.objects.create(name="ours", provider="sandbox", sender="Hotel")
    GatewayHealth.objects.create(gateway=ours, refused_at=timezone.now())
    return ours


@pytest.fixture
def key(admin: User, ours: Gateway) -> str:
    """An administrator's key for one gateway."""
    return keys.issue(admin, "one gateway", gateways=[ours.pk])[1]


@pytest.fixture
def wide(admin: User) -> str:
    """One for all gateways."""
    return keys.issue(admin, "all gateways")[1]


@pytest.fixture
def moved(ours: Gateway, other: Gateway, admin: User) -> Message:
    """It waited at ours, failed at the other one, and was reported from there."""
    message = a_message(
        ours, wanted=ours, state=State.QUEUED, due_at=timezone.now(), requested_by=admin, caller_reference="17"
    )
    assert Message.move_waiting([message], other) == 1
    now = timezone.now()
    Attempt.objects.create(
        message=message, gateway=other, epoch=1, key="k", outcome=Outcome.REFUSED, started_at=now, finished_at=now,
        detail=HIDDEN, exchange={"body": HIDDEN},
    )  # fmt: skip
    DeliveryEvent.objects.create(message=message, gateway=other, reference="r", state="undelivered", detail=HIDDEN)
    Step.objects.create(message=message, gateway=other, state=State.HELD, reason=HIDDEN)
    Message.objects.filter(pk=message.pk).update(
        state=State.UNDELIVERED, due_at=None, finished_at=now, reason=f"{HIDDEN} words"
    )
    return Message.objects.get(pk=message.pk)


def asked(key: str, method: str, path: str, body: Any = None) -> Any:
    answer = APIClient(headers={"X-API-Key": key}).generic(method, path, body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def act(key: str, action: str, **params: Any) -> Any:
    client = APIClient(headers={"X-API-Key": key})
    body = {"action": action, "obj": "Sms", "action_id": "9", "params": params}
    return client.post("/api/", body, format="json").json()["body"]


def gateways_in(found: Any, *names: str) -> set[Any]:
    """The values under these names, at whatever depth."""
    if isinstance(found, list):
        return {value for one in found for value in gateways_in(one, *names)}
    if not isinstance(found, dict):
        return set()
    return gateways_in(list(found.values()), *names) | {found[name] for name in names if name in found}


def status(key: str) -> Any:
    return call("/sys/status.php", apikey=key, phone=PHONE, id="17", all="1", fmt="3", charset="utf-8").json()


def told_of_reports(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What is told of all that are wanted, without a call."""
    urls: list[str] = []
    monkeypatch.setattr(Flight, "launch", lambda _, calls: urls.extend(one.request.url for one in calls))
    DeliveryReport.objects.update(due_at=timezone.now())
    telling._call(InAir(), telling._claim()[1])
    return [dict(parse_qsl(urlsplit(url).query)) for url in urls]


READ: dict[str, Callable[[str, Message], Any]] = {
    "the list": lambda key, _: asked(key, "GET", "/api/v1/messages"),
    "the message": lambda key, message: asked(key, "GET", f"/api/v1/message/{message.pk}"),
    "sms get": lambda key, message: act(key, "get", id=message.pk),
    "sms list": lambda key, _: act(key, "list"),
    "the log": lambda key, _: call("/log/sent/sms/", apikey=key).json(),
    "the status": lambda key, _: status(key),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_whatever_is_read_of_it_says_where_it_had_been_asked_for(
    moved: Message, key: str, wide: str, read: Callable[[str, Message], Any]
) -> None:
    assert HIDDEN in str(read(wide, moved))
    told = read(key, moved)
    assert HIDDEN not in str(told)
    names = gateways_in(told, "sms_gateway", "asked_gateway", "gateway", "sIdentifiantPhone", "sender_id")
    assert names - {None} in ({"ours"}, {"Hotel"})


def test_the_journey_leaves_out_that_it_went_elsewhere(moved: Message, key: str, wide: str) -> None:
    path = f"/api/v1/message/{moved.pk}"
    there, here = ([entry["what"] for entry in asked(one, "GET", path)["item"]["timeline"]] for one in (wide, key))
    assert there == ["accepted", "moved", "attempt", "receipt", "changed", "ended"]
    assert here == ["accepted", "attempt", "receipt", "changed", "ended"]
    (attempt,) = asked(key, "GET", path)["item"]["attempts"]
    assert (attempt["outcome"], attempt["detail"], attempt["exchange"]) == ("refused", "", {})


@pytest.mark.parametrize(
    ("ails", "why"),
    [
        ({"enabled": False}, "the gateway is switched off"),
        ({"prefixes": ["7000"]}, "the gateway's prefixes leave this phone out"),
    ],
)
def test_nor_does_why_it_waits_tell_of_another_one(
    moved: Message, other: Gateway, key: str, wide: str, ails: dict[str, Any], why: str
) -> None:
    Gateway.objects.filter(pk=other.pk).update(**ails)
    now = timezone.now()
    Message.objects.filter(pk=moved.pk).update(state=State.HELD, due_at=now, waits_for=Wait.GATEWAY, finished_at=None)
    Step.objects.create(message=moved, gateway=other, state=State.HELD, waits_for=Wait.GATEWAY, until=now)
    there, here = (asked(one, "GET", f"/api/v1/message/{moved.pk}")["item"] for one in (wide, key))
    assert (there["waits"]["message"], there["timeline"][-1]["until"] is None) == (why, False)
    assert here["waits"] == {"reason": "gateway", "message": "the gateway is paused", "until": None}
    assert (here["timeline"][-1]["what"], here["timeline"][-1]["until"]) == ("waits", None)


def test_it_is_told_why_it_waits_at_its_own(ours: Gateway, key: str) -> None:
    message = a_message(ours, wanted=ours, state=State.HELD, due_at=timezone.now(), waits_for=Wait.GATEWAY)
    waits = asked(key, "GET", f"/api/v1/message/{message.pk}")["item"]["waits"]
    assert waits["message"] == "the provider refuses the gateway's credentials"


def test_it_is_found_and_sorted_by_what_is_told_of_it(moved: Message, key: str, wide: str) -> None:
    def found(key: str, field: str, name: str) -> int:
        named = f'{{"query": {{"op": "equals", "field": "{field}", "value": "{name}"}}, "sort": ["{field}"]}}'
        return len(asked(key, "POST", "/api/v1/messages/search", named)["items"])

    assert [found(one, "sms_gateway", f"{HIDDEN} name") for one in (wide, key)] == [1, 0]
    assert [found(one, "sms_gateway", "ours") for one in (wide, key)] == [0, 1]
    assert [found(one, "asked_gateway", "ours") for one in (wide, key)] == [1, 1]
    assert [found(one, "reason", f"{HIDDEN} words") for one in (wide, key)] == [1, 0]


def test_nor_is_told_that_another_one_had_been_asked_for(ours: Gateway, other: Gateway, key: str) -> None:
    message = a_message(ours, wanted=other)
    for read in ("the list", "the message", "sms get"):
        assert HIDDEN not in str(READ[read](key, message))
    assert asked(key, "GET", f"/api/v1/message/{message.pk}")["item"]["asked_gateway"] is None


def test_what_is_sent_says_where_it_was_asked_for(ours: Gateway, other: Gateway, key: str) -> None:
    sms = f'{{"sms_gateway": "ours", "phone_number": "{PHONE}", "message": "Wi-Fi is back"}}'
    told = [
        asked(key, "POST", "/api/v1/sms_gateways/send_sms", sms),
        act(key, "append", phone=PHONE, text="Hi", gateway="ours"),
    ]
    assert set(Message.objects.values_list("gateway", flat=True)) == {other.pk}
    assert HIDDEN not in str(told)
    assert gateways_in(told, "sms_gateway", "asked_gateway", "gateway") == {"ours"}


def test_so_does_what_is_sent_again_and_taken_back(moved: Message, other: Gateway, key: str) -> None:
    again = asked(key, "POST", f"/api/v1/message/{moved.pk}/resend", "{}")
    assert (again["item"]["sms_gateway"], HIDDEN in str(again)) == ("ours", False)
    assert Message.objects.get(pk=again["item"]["id"]).gateway == other
    back = asked(key, "POST", f"/api/v1/message/{again['item']['id']}/cancel", "{}")
    assert (back["item"]["sms_gateway"], HIDDEN in str(back)) == ("ours", False)


def test_a_report_tells_of_the_one_that_was_asked_for(
    ours: Gateway, other: Gateway, key: str, wide: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (key, wide):
        assert call("/cgi-bin/sendsms", apikey=one, to=PHONE, text="Hi", smsc="ours", **REPORT).status_code == 202
    Message.objects.update(state=State.FAILED, gateway=other, finished_at=timezone.now(), reason=f"{HIDDEN} words")
    # Its name at the moment at which it is told.
    Gateway.objects.filter(pk=ours.pk).update(name="Отель %d")
    assert told_of_reports(monkeypatch) == [
        {"i": "Отель %d", "A": "NACK/", "a": "NACK/", "b": "NACK/", "k": "NACK/"},
        {"i": f"{HIDDEN} name", **dict.fromkeys("Aab", f"NACK/{HIDDEN} words"), "k": f"NACK/{HIDDEN}"},
    ]


@pytest.mark.parametrize("state", [State.LAPSED, State.FAILED])
def test_a_report_says_why_where_we_say_it_or_the_one_that_was_asked_for(
    ours: Gateway, other: Gateway, key: str, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    assert call("/cgi-bin/sendsms", apikey=key, to=PHONE, text="Hi", smsc="ours", **REPORT).status_code == 202
    at = other if state == State.LAPSED else ours
    Message.objects.update(state=state, gateway=at, finished_at=timezone.now(), reason="too late")
    (told,) = told_of_reports(monkeypatch)
    assert (told["i"], told["A"]) == ("ours", "NACK/too late")


def test_nor_is_another_one_told_of_where_the_default_gateway_was_meant(
    ours: Gateway, other: Gateway, key: str
) -> None:
    Gateway.objects.exclude(pk=ours.pk).update(is_default=False)
    Gateway.objects.filter(pk=ours.pk).update(is_default=True)
    sent = act(key, "append", phone=PHONE, text="Hi")
    assert call("/cgi-bin/sendsms", apikey=key, to=PHONE, text="Hi", **REPORT).status_code == 202
    assert set(Message.objects.values_list("gateway", flat=True)) == {other.pk}
    listed = asked(key, "GET", "/api/v1/messages")["items"]
    assert gateways_in([sent, listed], "sms_gateway", "gateway") == {"ours"}
    assert len(listed) == 2
    assert DeliveryReport.objects.get().known_gateway == ours


def test_why_it_was_not_sent_is_told_where_we_say_it_ourselves(moved: Message, key: str) -> None:
    Message.objects.filter(pk=moved.pk).update(state=State.LAPSED, reason="too late")
    assert asked(key, "GET", f"/api/v1/message/{moved.pk}")["item"]["reason"] == "too late"
    assert gateways_in(asked(key, "GET", "/api/v1/messages"), "reason") == {"too late"}


def test_a_provider_that_cannot_forget_it_is_not_named(moved: Message, key: str) -> None:
    client = APIClient(headers={"X-API-Key": key})
    refused = client.post(f"/api/v1/message/{moved.pk}/forget").json()["message"]
    assert refused == "The provider of gateway “ours” cannot be asked to delete this message."
    told = call("/deletesms/", apikey=key, guid=guid_of(moved.pk)).content.decode()
    assert ("“ours”" in told or "\\u201cours\\u201d" in told, HIDDEN in told) == (True, False)


def test_nor_is_told_what_one_said_that_did_not_forget_it(
    moved: Message, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotAccepted(HIDDEN)

    monkeypatch.setattr("messaging.forgetting.questions.ask", refuse)
    monkeypatch.setattr(Provider, "can_forget", True)
    Message.objects.filter(pk=moved.pk).update(reference="17")
    refused = APIClient(headers={"X-API-Key": key}).post(f"/api/v1/message/{moved.pk}/forget").json()["message"]
    assert refused == "The provider did not delete it: NotAccepted"
