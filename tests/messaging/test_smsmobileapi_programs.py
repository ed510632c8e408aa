"""Programs of SMSmobileAPI at the portal: calls as its document prints them, its own client, and our provider."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import smsmobileapi
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from gateways import accounts, checking, transport
from gateways.models import Gateway, GatewayHealth
from messaging import delivery, inbound, recovery, sending
from messaging.guids import RECEIVED, guid_of
from messaging.models import Door, InboundMessage, Message, State
from messaging.retries import Kind
from portal import clients
from portal.models import User
from tests.messaging.conftest import fresh, make_due
from tests.messaging.programs import PHONE, key_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, admin: User, sandbox: Gateway) -> Iterator[str]:
    """The address of a portal that runs."""
    GatewayHealth.objects.create(gateway=sandbox, pace_tokens=50)
    yield str(live_server.url)
    transport.stop()


@pytest.fixture
def key(portal: str, admin: User) -> str:
    return key_of(admin)


def curl(*arguments: str) -> Any:
    """What is answered, with its status behind it."""
    command = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments]
    said, _, status = subprocess.run(command, capture_output=True, check=True, text=True).stdout.rpartition("\n")
    return int(status), json.loads(said)


class TestAsPrinted:
    """SMSmobileAPI's API documentation, its names of fields and headers put back into English."""

    def test_a_key_in_the_address(self, portal: str, key: str) -> None:
        status, told = curl(f"{portal}/sendsms?apikey={key}&recipients=+12025550123&message=HelloWorld")
        assert (status, told["result"]["error"], told["result"]["sent"]) == (200, 0, "1")
        assert (Message.objects.get().phone, Message.objects.get().text) == ("+12025550123", "HelloWorld")

    def test_the_phone_of_the_document_is_none_and_refused_as_a_wrong_parameter(self, portal: str, key: str) -> None:
        status, told = curl(f"{portal}/sendsms?apikey={key}&recipients=+1234567890&message=HelloWorld")
        assert (status, told["message"][:32]) == (400, "recipients: This is not a phone ")

    def test_oauth2(self, portal: str, admin: User) -> None:
        client, secret = clients.make("Shop", admin)
        status, token = curl(
            "-X", "POST", f"{portal}/oauth2/token", "-H", "Content-Type: application/x-www-form-urlencoded",
            "-d", "grant_type=client_credentials", "-d", f"client_id={client.client_id}",
            "-d", f"client_secret={secret}",
        )  # fmt: skip
        assert (status, token["token_type"]) == (200, "Bearer")
        status, told = curl(
            "-X", "POST", f"{portal}/sendsms", "-H", f"Authorization: Bearer {token['access_token']}",
            "-H", "Content-Type: application/x-www-form-urlencoded",
            "-d", "recipients=%2B12025550123", "-d", "message=Hello",
        )  # fmt: skip
        assert (status, told["result"]["error"]) == (200, 0)

    def test_the_plus_of_a_form_may_be_written_as_it_is(self, portal: str, key: str) -> None:
        status, told = curl(
            f"{portal}/sendsms", "-d", f"apikey={key}", "-d", "recipients=+12025550123", "-d", "message=x"
        )
        assert (status, told["result"]["error"]) == (200, 0)
        assert Message.objects.get().phone == "+12025550123"

    def test_the_other_calls(self, portal: str, key: str, sandbox: Gateway) -> None:
        _status, told = curl(f"{portal}/sendsms/?apikey={key}&recipients={PHONE}&message=Hello")
        guid = told["result"]["id"]
        Message.objects.update(state=State.FAILED, reason="no route")
        status, told = curl(f"{portal}/log/sent/sms/?apikey={key}&guid_message={guid}")
        assert (status, told["result"]["sms"][0]["error_api"]) == (200, "no route")
        status, told = curl(f"{portal}/resend/?apikey={key}&guid={guid}")
        assert (status, told["result"]["error"]) == (200, 0)
        status, told = curl(f"{portal}/deletesms/?apikey={key}&guid={guid}")
        assert (status, told["result"]["error"]) == (200, 409)
        status, told = curl(f"{portal}/getsms/?apikey={key}")
        assert (status, told) == (200, {"result": {"error": "", "sms": []}})
        status, told = curl(f"{portal}/getsms/?apikey=wrong")
        assert status == 403


class TestItsOwnClient:
    """`smsmobileapi`, which its vendor has on PyPI."""

    @pytest.fixture
    def client(self, portal: str, key: str) -> Any:
        sender = smsmobileapi.SMSSender(api_key=key)
        sender.api_url_send, sender.api_url_received = f"{portal}/sendsms", f"{portal}/getsms"
        return sender

    def test_it_sends(self, client: Any) -> None:
        told = client.send_message(to=PHONE, message="Связь есть & всё")
        assert (told["result"]["error"], told["result"]["sent"]) == (0, "1")
        assert (Message.objects.get().phone, Message.objects.get().text) == (PHONE, "Связь есть & всё")

    def test_what_it_asks_to_send_by_whatsapp_alone_is_not_sent(self, client: Any) -> None:
        assert "400" in client.send_message(to=PHONE, message="x", sendwa=1, sendsms=0)["error"]
        assert not Message.objects.exists()

    def test_it_reads_what_came_in(self, client: Any, sandbox: Gateway) -> None:
        row = InboundMessage.objects.create(gateway=sandbox, phone=PHONE, text="Где сеть?", fingerprint="1")
        (told,) = client.get_received_messages()["result"]["sms"]
        assert (told["number"], told["message"], told["guid"]) == (PHONE, "Где сеть?", guid_of(row.pk, RECEIVED))


class TestOurOwnProvider:
    """A portal whose gateway is a portal, which is itself."""

    @pytest.fixture
    def gateway(self, portal: str, key: str) -> Gateway:
        own = {"url": portal, "api_key": key, "channel": "sms", "delete_path": "deletesms/"}
        return accounts.create(name="mobile", provider="smsmobileapi", settings=own)

    def test_a_text_goes_through_and_is_known_to_be_sent(self, gateway: Gateway, sandbox: Gateway) -> None:
        outer = send("Ваш <пароль>\n& 😀", gateway)
        inner = Message.objects.get(door=Door.SMSMOBILEAPI)
        assert (outer.state, outer.reference) == (State.SUBMITTED, guid_of(inner.pk))
        assert (inner.phone, inner.text, inner.gateway) == (PHONE, "Ваш <пароль>\n& 😀", sandbox)
        make_due()
        recovery.inquire(gateway.pk)
        assert fresh(outer).state == State.SUBMITTED
        delivery.drain(sandbox.pk)
        make_due()
        recovery.inquire(gateway.pk)
        assert fresh(outer).state == State.NO_RECEIPT

    def test_what_failed_there_failed_here(self, gateway: Gateway) -> None:
        outer = send("Hello", gateway)
        inner = Message.objects.get(door=Door.SMSMOBILEAPI)
        Message.objects.filter(pk=inner.pk).update(state=State.FAILED, reason="no_route")
        make_due()
        recovery.inquire(gateway.pk)
        assert (fresh(outer).state, fresh(outer).reason) == (
            State.UNDELIVERED, "the phone could not send it (error no_route)",
        )  # fmt: skip

    def test_a_text_that_is_refused_there_is_refused_here(self, gateway: Gateway, sandbox: Gateway) -> None:
        Gateway.objects.filter(pk=sandbox.pk).update(enabled=False)
        assert send("Hello", gateway).state == State.FAILED

    def test_a_wrong_key_stops_the_gateway(self, gateway: Gateway) -> None:
        accounts.change(gateway, settings={"api_key": "gsp_" + "A" * 43})
        assert send("Hello", gateway).state == State.HELD
        assert GatewayHealth.objects.get(gateway=gateway).refused_at

    def test_its_phones_are_our_gateways(self, gateway: Gateway) -> None:
        assert checking.check(gateway).works is True

    def test_what_guests_write_is_fetched_once(self, gateway: Gateway, sandbox: Gateway, admin: User) -> None:
        # Else it would fetch what it has fetched itself.
        accounts.change(gateway, settings={"api_key": key_of(admin, gateways=[sandbox.pk])})
        at = timezone.now().replace(microsecond=0) - timedelta(minutes=1)
        InboundMessage.objects.create(
            gateway=sandbox, phone=PHONE, text="<Стоп> & 😀", fingerprint="1", at=at, received_at=at
        )
        for _ in range(2):
            inbound.fetch(gateway.pk)
            GatewayHealth.objects.filter(gateway=gateway).update(inbound_at=None)
        fetched = InboundMessage.objects.get(gateway=gateway, phone=PHONE, fingerprint__startswith="id ")
        assert (fetched.text, fetched.at) == ("<Стоп> & 😀", at)


def send(text: str, gateway: Gateway) -> Message:
    """Through the one door, and by the worker's own code."""
    message = sending.send(phone=PHONE, text=text, kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None)
    delivery.drain(gateway.pk)
    return fresh(message)
