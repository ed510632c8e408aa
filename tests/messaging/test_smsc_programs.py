"""Programs of SMSC.ru at the portal: calls as its library makes them, a public client, and our own provider."""

import json
import logging
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from gateways import accounts, checking, questions, transport
from gateways.models import Gateway, GatewayHealth
from messaging import delivery, recovery, sending
from messaging.models import Door, Message, State
from messaging.retries import Kind
from portal import clock
from portal.models import IdempotencyRecord, User
from portal.ways import USUAL_WAYS
from tests.conftest import PASSWORD
from tests.messaging.conftest import fresh, make_due
from tests.messaging.programs import PHONE, key_of

_handlers, _level = list(logging.root.handlers), logging.root.level
import smsc  # noqa: E402
from smsc.messages import FlashMessage, SMSMessage  # noqa: E402

# It makes the whole process log at the level of DEBUG as soon as it is imported.
logging.root.handlers[:] = _handlers
logging.root.setLevel(_level)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, operator: User, sandbox: Gateway) -> Iterator[str]:
    """The address of a portal that runs."""
    Gateway.objects.filter(pk=sandbox.pk).update(segment_price=Decimal("3.5"))
    GatewayHealth.objects.create(gateway=sandbox, pace_tokens=50, balance=Decimal("337.03"), currency="RUR")
    yield str(live_server.url)
    transport.stop()


@pytest.fixture
def key(portal: str, operator: User) -> str:
    return key_of(operator)


def curl(*arguments: str) -> str:
    """What is answered."""
    command = ["curl", "--silent", "--show-error", "--fail", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


class TestAsItsLibraryCalls:
    """The vendor's own library, `smsc_api`, asks for numbers and takes them apart by their commas."""

    def call(self, portal: str, key: str, what: str, **arguments: str) -> list[str]:
        fields = {"login": "operator", "psw": key, "fmt": "1", "charset": "utf-8", **arguments}
        given = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
        return curl("--get", f"{portal}/sys/{what}.php", *given).split(",")

    def test_it_sends_asks_and_counts_its_money(self, portal: str, key: str) -> None:
        text = {"phones": "79161234567", "mes": "Ваш пароль: 123"}
        assert self.call(portal, key, "send", cost="1", **text) == ["3.50", "1"]
        assert self.call(portal, key, "send", cost="3", id="17", **text) == ["17", "1", "3.50", "337.03"]
        now = timezone.now()
        Message.objects.update(state=State.DELIVERED, finished_at=now)
        status, at, trouble = self.call(portal, key, "status", phone="79161234567", id="17")
        assert (status, int(at), trouble) == ("1", int(now.timestamp()), "0")
        assert self.call(portal, key, "balance") == ["337.03"]
        assert self.call(portal, "wrong", "balance") == ["0", "-2"]

    def test_it_names_no_message_and_the_same_text_goes_out_another_time(self, portal: str, key: str) -> None:
        text = {"cost": "3", "phones": "79161234567", "mes": "Wi-Fi is back", "translit": "0", "id": "0"}
        first = self.call(portal, key, "send", **text)
        assert self.call(portal, key, "send", **text) == ["0", "-9"]
        IdempotencyRecord.objects.update(created=F("created") - timedelta(minutes=1))
        second = self.call(portal, key, "send", **text)
        assert "0" != first[0] != second[0] != "0"
        assert Message.objects.count() == 2

    def test_as_the_document_prints_it(self, portal: str, operator: User, settings: Settings) -> None:
        settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
        password = PASSWORD.replace(" ", "+")
        said = curl(f"{portal}/sys/send.php?login=operator&psw={password}&phones=79161234567&mes=Hello")
        assert said == f"OK - 1 SMS, ID - {Message.objects.get().caller_reference}"


def test_as_symfony_calls(portal: str, key: str) -> None:
    """Its notifier has any hour of the day as the time of each SMS."""
    fields = {
        "login": "operator", "psw": key, "sender": "Shop", "phones": PHONE, "mes": "Заказ готов", "fmt": "3",
        "charset": "utf-8", "time": "0-24",
    }  # fmt: skip
    given = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
    sent = json.loads(curl(f"{portal}/sys/send.php", *given))
    message = Message.objects.get()
    assert (sent["id"], message.text, message.waits_for) == (int(message.caller_reference or 0), "Заказ готов", "")


class TestAPublicClient:
    """`smsc` of PyPI, which nobody here wrote. It puts its password into the address, so it is given a key."""

    @pytest.fixture
    def client(self, portal: str, key: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(smsc.SMSC, "_url", f"{portal}/sys/")
        return smsc.SMSC(login="operator", password=key)

    def test_it_sends(self, client: Any) -> None:
        sent = client.send(to="79161234567", message=SMSMessage(text="Связь есть & всё"))
        assert (sent.error, sent.count, sent.cost) == (None, 1, 3.5)
        message = Message.objects.get()
        assert (message.phone, message.text) == (PHONE, "Связь есть & всё")
        assert str(sent.message_id) == message.caller_reference

    def test_it_sends_to_many(self, client: Any) -> None:
        sent = client.send(to=["79161234567", "79161234568"], message=FlashMessage(text="x"))
        assert (sent.count, sent.cost, Message.objects.count()) == (2, 7.0, 2)

    def test_it_asks_what_became_of_them(self, client: Any) -> None:
        sent = client.send(to="79161234567", message=SMSMessage(text="x"))
        at = timezone.now().replace(microsecond=0)
        Message.objects.update(state=State.DELIVERED, finished_at=at)
        (told,) = client.get_status(to="79161234567", msg_id=str(sent.message_id))
        assert (told.status.status_id, told.status.name) == (1, "Доставлено")
        assert told.data["last_date"] == at

    def test_it_asks_of_one_that_is_not_there(self, client: Any) -> None:
        (told,) = client.get_status(to="79161234567", msg_id="404")
        assert told.status.status_id == -3

    def test_it_asks_for_the_cost_and_the_balance(self, client: Any) -> None:
        cost = client.get_cost(to="79161234567", message=SMSMessage(text="x" * 200))
        assert (cost.count, cost.cost) == (2, 7.0)
        assert (client.get_balance().balance, client.get_balance().currency) == (337.03, "RUR")
        assert not Message.objects.exists()

    def test_it_is_told_its_errors(self, client: Any, portal: str) -> None:
        sent = client.send(to="12", message=SMSMessage(text="x"))
        assert sent.error.code == 7
        stranger = smsc.SMSC(login="operator", password="wrong")
        assert stranger.send(to="79161234567", message=SMSMessage(text="x")).error.code == 2

    def test_with_the_password_of_the_account_where_that_is_wanted(self, client: Any, settings: Settings) -> None:
        own = smsc.SMSC(login="operator", password=PASSWORD)
        assert own.get_balance().error.code == 2
        settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
        assert own.get_balance().balance == 337.03


class TestOurOwnProvider:
    """A portal whose gateway is a portal, which is itself."""

    @pytest.fixture
    def gateway(self, portal: str) -> Gateway:
        own = {"url": portal, "login": "operator", "password": PASSWORD}
        return accounts.create(name="smsc", provider="smsc_ru", sender="sandbox", settings=own)

    def test_a_text_goes_through_and_its_receipt_comes_back(self, gateway: Gateway, sandbox: Gateway) -> None:
        outer = send("Ваш <пароль>\n& 😀", gateway)
        inner = Message.objects.get(door=Door.SMSC)
        assert (outer.state, outer.reference, inner.caller_reference) == (State.SUBMITTED, outer.key, outer.key)
        assert (inner.phone, inner.text, inner.gateway) == (PHONE, "Ваш <пароль>\n& 😀", sandbox)
        Message.objects.filter(pk=inner.pk).update(state=State.DELIVERED, finished_at=timezone.now())
        make_due()
        recovery.inquire(gateway.pk)
        assert fresh(outer).state == State.DELIVERED

    def test_with_a_key(self, gateway: Gateway, key: str) -> None:
        accounts.change(gateway, settings={"login": "", "password": "", "api_key": key})
        assert send("Hello", gateway).state == State.SUBMITTED

    def test_what_became_of_a_lost_answer_is_found_out(self, gateway: Gateway) -> None:
        outer = send("Hello", gateway)
        long_ago = clock.now() - timedelta(hours=1)
        Message.objects.filter(pk=outer.pk).update(state=State.UNKNOWN, unclear=1, reference="", ask_at=long_ago)
        recovery.inquire(gateway.pk)
        assert (fresh(outer).state, fresh(outer).reference) == (State.SUBMITTED, outer.key)
        assert Message.objects.filter(door=Door.SMSC).count() == 1

    def test_what_is_refused_there_is_refused_here(self, gateway: Gateway, sandbox: Gateway) -> None:
        Gateway.objects.filter(pk=sandbox.pk).update(prefixes=["+49"])
        outer = send("Hello", gateway)
        assert (outer.state, outer.reason) == (State.FAILED, "the provider has no route to this phone (code 8)")

    def test_a_wrong_password_stops_the_gateway(self, gateway: Gateway) -> None:
        accounts.change(gateway, settings={"password": "wrong"})
        assert send("Hello", gateway).state == State.HELD
        assert GatewayHealth.objects.get(gateway=gateway).refused_at

    def test_its_balance_is_known(self, gateway: Gateway) -> None:
        assert checking.check(gateway).works is True
        left = questions.ask(gateway, lambda one: one.balance(), lambda one, answer: one.read_balance(answer))
        assert (left.amount, left.currency) == (Decimal("337.03"), "RUR")


def send(text: str, gateway: Gateway) -> Message:
    """Through the one door, and by the worker's own code."""
    message = sending.send(phone=PHONE, text=text, kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None)
    delivery.drain(gateway.pk)
    return fresh(message)
