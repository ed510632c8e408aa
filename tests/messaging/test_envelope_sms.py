"""The object `Sms` of the action envelope: `append`, `get` and `list`."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from gateways.auth.envelope import code_of
from gateways.configuration import checked
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway
from gateways.outcomes import Accepted, CredentialsRefused, OutboundSms, Refused
from gateways.providers import runtel
from messaging.models import Message, State
from portal import keys
from portal.models import AuditEvent, User
from tests.conftest import PASSWORD, Api
from tests.gateways.talking import fetched

PHONE, TEXT = "+79161234567", "Wi-Fi is back"
SENT = {"phone": PHONE, "text": TEXT}

pytestmark = pytest.mark.usefixtures("sandbox")


def act(client: Any, action: str, headers: Any = None, **params: Any) -> Any:
    body = {"action": action, "obj": "Sms", "action_id": "9", "params": params}
    answer = client.post("/api/", body, format="json", headers=headers or {})
    assert answer.status_code == 200
    assert answer.json()["action_id"] == "9"
    return answer.json()


def test_a_message_is_accepted_and_its_fate_can_be_asked(api: Api, admin: User) -> None:
    client = api(admin)
    accepted = act(client, "append", **SENT, reference="booking 17")
    assert (accepted["code"], accepted["notifies"]) == (200, [])
    body = accepted["body"]
    message = Message.objects.get(pk=body["id"])
    assert (message.phone, message.text, message.requested_by) == (PHONE, TEXT, admin)
    assert (message.wanted, message.caller_reference, message.kind) == (None, "booking 17", "information")
    assert (body["state"], body["reference"], body["gateway"]) == ("queued", "booking 17", "sandbox")
    found = act(client, "get", id=message.pk)["body"]
    assert found == body | {"text": TEXT}


def test_it_is_written_down_with_nothing_of_the_text(api: Api, operator: User) -> None:
    act(api(operator), "append", **SENT)
    event = AuditEvent.objects.get()
    assert (event.action, event.status, event.user) == ("envelope.sms.append", 200, operator)
    assert event.object_id == str(Message.objects.get().pk)
    assert event.request["params"] == {"phone": "+7916•••••67", "text": "13 characters"}


def test_reading_leaves_no_trace(api: Api, admin: User) -> None:
    client = api(admin)
    assert act(client, "list")["code"] == 200
    assert act(client, "get", id=1)["code"] == 404
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("in_header", [False, True])
def test_a_repeat_with_the_same_key_sends_nothing(api: Api, operator: User, in_header: bool) -> None:
    client = api(operator)
    headers = {"Idempotency-Key": "once"} if in_header else {}
    params = SENT if in_header else SENT | {"idempotency_key": "once"}
    first, second = (act(client, "append", headers, **params) for _ in range(2))
    assert first == second
    assert Message.objects.count() == 1
    other = act(client, "append", headers, **params | {"text": "another"})
    assert (other["code"], other["notifies"][0]["field"]) == (422, "Idempotency-Key")


def test_a_repeat_may_have_another_action_id(api: Api, operator: User) -> None:
    client = api(operator)
    body = {"action": "append", "obj": "Sms", "params": SENT | {"idempotency_key": "once"}}
    found = [client.post("/api/", body | {"action_id": one}, format="json").json() for one in ("1", "2")]
    assert [one["action_id"] for one in found] == ["1", "2"]
    assert found[0]["body"] == found[1]["body"]


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"text": TEXT}, 422, "phone"),
        ({"phone": PHONE}, 422, "text"),
        ({**SENT, "phone": "12"}, 422, "phone"),
        ({**SENT, "text": " "}, 422, "text"),
        ({**SENT, "text": "x" * 2000}, 422, "text"),
        ({**SENT, "sender": "Hotel"}, 422, "sender"),
        ({**SENT, "gateway": "nowhere"}, 404, "gateway"),
        ({**SENT, "idempotency_key": "я"}, 422, "idempotency_key"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(api: Api, operator: User, params: dict[str, Any], code: int, field: str | None) -> None:
    found = act(api(operator), "append", **params)
    assert (found["code"], found["body"]) == (code, None)
    assert [notify["field"] for notify in found["notifies"]] == [field]
    assert not Message.objects.exists()


@pytest.mark.parametrize(("action", "params"), [("append", SENT), ("get", {"id": 1}), ("list", {})])
def test_each_action_asks_for_its_rights(api: Api, nobody: User, action: str, params: dict[str, Any]) -> None:
    assert act(api(None), action, **params)["code"] == 401
    found = act(api(nobody), action, **params)
    assert found["code"] == 403
    assert "lacking the" in found["notifies"][0]["text"]


def test_who_sends_need_not_read(api: Api, operator: User) -> None:
    client = api(operator)
    sent = act(client, "append", **SENT)["body"]["id"]
    assert act(client, "get", id=sent)["code"] == 403


def test_a_list_is_narrowed_and_read_page_by_page(api: Api, admin: User) -> None:
    client = api(admin)
    ids = [act(client, "append", phone=f"+7916123456{last}", text=TEXT)["body"]["id"] for last in (1, 2, 2, 3)]
    Message.objects.filter(pk=ids[0]).update(created=timezone.now() - timedelta(days=2), state=State.FAILED)

    def listed(**params: Any) -> list[int]:
        return [message["id"] for message in act(client, "list", **params)["body"]["items"]]

    assert listed() == ids[::-1]
    assert listed(state="failed") == ids[:1]
    assert listed(phone="8 916 123-45-62") == [ids[2], ids[1]]
    assert listed(since=(timezone.now() - timedelta(days=1)).isoformat()) == ids[:0:-1]
    page = act(client, "list", limit=2, offset=1)["body"]
    assert ([one["id"] for one in page["items"]], page["more"]) == ([ids[2], ids[1]], True)
    assert act(client, "list", limit=2, offset=2)["body"]["more"] is False
    assert "text" not in page["items"][0]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"phone": "12"}, "phone"),
        ({"since": "yesterday"}, "since"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"offset": 10_001}, "offset"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_list_of_nonsense_is_refused(api: Api, admin: User, params: dict[str, Any], field: str) -> None:
    found = act(api(admin), "list", **params)
    assert (found["code"], found["notifies"][0]["field"]) == (422, field)


@pytest.mark.parametrize("given", ["x", None, -1, 10**30])
def test_an_id_that_is_none_is_refused(api: Api, admin: User, given: Any) -> None:
    found = act(api(admin), "get", id=given)
    assert (found["code"], found["notifies"][0]["field"]) == (422, "id")


def test_for_a_key_of_some_gateways_the_others_do_not_exist(api: Api, admin: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    here, there = (act(api(admin), "append", **SENT, gateway=name)["body"]["id"] for name in ("sandbox", "other"))
    header = {"X-API-Key": keys.issue(admin, "one gateway", gateways=[other.pk])[1]}
    client = api(None)
    assert [message["id"] for message in act(client, "list", header)["body"]["items"]] == [there]
    assert [act(client, "get", header, id=one)["code"] for one in (here, there)] == [404, 200]
    assert act(client, "append", header, **SENT, gateway="sandbox")["code"] == 404
    assert act(client, "append", header, **SENT)["code"] == 422
    assert act(client, "append", header, **SENT, gateway="other")["code"] == 200


# Our own provider, at our own envelope


def opened(live_server: LiveServer, **changed: str) -> runtel.Provider:
    settings = {
        "url": live_server.url,
        "login": "operator",
        "password": PASSWORD,
        "action": "append",
        "obj": "Sms",
        "params": json.dumps({"phone": "{{to}}", "text": "{{text}}", "idempotency_key": "{{id}}"}),
    }
    return runtel.Provider(checked("runtel", settings | changed, {}), "Portal")


def asked(provider: runtel.Provider, request: HttpRequest | None) -> HttpResponse:
    assert request
    return fetched(request)


@pytest.mark.django_db(transaction=True)
def test_our_provider_logs_in_sends_and_logs_out(live_server: LiveServer, operator: User) -> None:
    provider = opened(live_server)
    token = provider.way.read_login(provider.settings, asked(provider, provider.way.login(provider.settings)))
    assert token.lasts is not None
    sms = OutboundSms("key-1", PHONE, TEXT, "Portal", timezone.now() + timedelta(days=1))
    for _repeat in range(2):
        answer = asked(provider, provider.way.sign(provider.submit(sms), provider.settings, token))
        assert provider.read_submit(answer) == Accepted(str(Message.objects.get().pk))
    goodbye = asked(provider, provider.way.logout(provider.settings, token))
    assert code_of(json.loads(goodbye.body)) == 200
    assert provider.way.ended(asked(provider, provider.way.sign(provider.submit(sms), provider.settings, token)))


@pytest.mark.django_db(transaction=True)
def test_our_provider_understands_how_it_is_refused(live_server: LiveServer, operator: User) -> None:
    wrong = opened(live_server, password="wrong")
    with pytest.raises(CredentialsRefused, match="code 401"):
        wrong.way.read_login(wrong.settings, asked(wrong, wrong.way.login(wrong.settings)))
    provider = opened(live_server)
    token = provider.way.read_login(provider.settings, asked(provider, provider.way.login(provider.settings)))
    nonsense = OutboundSms("key-2", "+12", TEXT, "Portal", timezone.now() + timedelta(days=1))
    with pytest.raises(Refused, match="code 422"):
        provider.read_submit(asked(provider, provider.way.sign(provider.submit(nonsense), provider.settings, token)))
