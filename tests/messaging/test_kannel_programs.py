"""Programs of Kannel at the portal: calls by curl, and our own provider with its receipts."""

import subprocess
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from gateways import accounts, checking, transport
from gateways.models import Gateway, GatewayHealth
from messaging import delivery, sending, tasks
from messaging.models import DeliveryReport, Door, Message, State
from messaging.retries import Kind
from portal.models import User
from portal.ways import USUAL_WAYS
from tests.conftest import PASSWORD
from tests.messaging.conftest import fresh
from tests.messaging.programs import PHONE, key_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, operator: User, sandbox: Gateway, settings: Settings) -> Iterator[str]:
    """The address of a portal that runs and knows it."""
    settings.PORTAL_URL = live_server.url
    GatewayHealth.objects.create(gateway=sandbox, pace_tokens=50)
    yield str(live_server.url)
    transport.stop()


def curl(*arguments: str) -> str:
    """What is answered, with its status behind it."""
    command = ["curl", "--silent", "--show-error", "--write-out", " %{http_code}", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def test_as_its_guide_prints_it(portal: str, operator: User, settings: Settings) -> None:
    address = f"{portal}/cgi-bin/sendsms?username=operator&password={{}}&to=79161234567&text=Hello+world"
    assert curl(address.format(key_of(operator))) == "0: Accepted for delivery 202"
    own = address.format(PASSWORD.replace(" ", "+"))
    assert curl(own).startswith("Authorization failed for sendsms (A password must not be in an address")
    settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
    assert curl(own) == "0: Accepted for delivery 202"
    assert {message.text for message in Message.objects.all()} == {"Hello world"}


class TestOurOwnProvider:
    """A portal whose gateway is a portal, which is itself."""

    @pytest.fixture
    def gateway(self, portal: str) -> Gateway:
        own = {"url": portal, "login": "operator", "password": PASSWORD, "smsc": "sandbox"}
        return accounts.create(name="kannel", provider="kannel", sender="HOTEL", settings=own)

    @pytest.mark.parametrize(
        ("ends", "known"),
        [
            (State.DELIVERED, State.DELIVERED),
            (State.UNDELIVERED, State.UNDELIVERED),
            (State.FAILED, State.UNDELIVERED),
        ],
    )
    def test_a_text_goes_through_and_its_receipt_comes_back(
        self, gateway: Gateway, sandbox: Gateway, ends: State, known: State
    ) -> None:
        outer = send("Ваш <пароль>\n& 😀", gateway)
        inner = Message.objects.get(door=Door.KANNEL)
        assert outer.state == State.SUBMITTED
        assert (inner.phone, inner.text, inner.gateway) == (PHONE, "Ваш <пароль>\n& 😀", sandbox)
        Message.objects.filter(pk=inner.pk).update(state=ends, finished_at=timezone.now())
        DeliveryReport.objects.update(due_at=timezone.now())
        tasks.report(0)
        assert fresh(outer).state == known

    def test_it_finds_its_login_good(self, gateway: Gateway) -> None:
        assert checking.check(gateway).works is not False

    def test_a_wrong_password_stops_the_gateway(self, gateway: Gateway) -> None:
        accounts.change(gateway, settings={"password": "wrong"})
        assert send("Hello", gateway).state == State.HELD
        assert GatewayHealth.objects.get(gateway=gateway).refused_at

    def test_what_has_no_route_there_is_refused_here(self, gateway: Gateway, sandbox: Gateway) -> None:
        Gateway.objects.filter(pk=sandbox.pk).update(prefixes=["+49"])
        assert send("Hello", gateway).state == State.FAILED


def send(text: str, gateway: Gateway) -> Message:
    """Through the one door, and by the worker's own code."""
    message = sending.send(phone=PHONE, text=text, kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None)
    delivery.drain(gateway.pk)
    return fresh(message)
