"""Programs of TargetSMS at the portal: requests as the documents print them, by curl; and our own providers for it."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from lxml import etree
from pytest_django.live_server_helper import LiveServer

from gateways import accounts, checking, questions, transport
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import ReceiptState
from messaging import codes, delivery, inbound, recovery, sending
from messaging.models import Door, InboundMessage, Message, State
from messaging.retries import Kind
from portal import clock
from portal.models import User
from tests.conftest import PASSWORD
from tests.messaging.conftest import fresh, make_due
from tests.messaging.targetsms import BALANCE, CODES, SEND, STATE, Element, attributes

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+79001234567"

#: TargetSMS, «Руководство по взаимодействию … (СМС-авторизация)», with what it leaves to be filled in.
CODE_AS_PRINTED = f"""<?xml version="1.0" encoding="utf-8"?>
<request>
  <security>
    <login>operator</login>
    <password>{PASSWORD}</password>
  </security>
  <phone>{PHONE}</phone>
  <sender>target</sender>
  <random_string_len>8</random_string_len>
  <text>Временный пароль: {{код}}</text>
</request>
"""
SECURITY = f'<security><login value="operator" /><password value="{PASSWORD}" /></security>'
#: The SMSGate platform's XML API, «Отправка SMS сообщений».
SEND_AS_PRINTED = f"""<?xml version="1.0" encoding="utf-8" ?>
<request>
<message type="sms">
<sender>sandbox</sender>
<text>Текст сообщения</text>
<abonent phone="79033256699" number_sms="1" client_id_sms="100" time_send="2001-12-31 00:00" />
<abonent phone="79033256698" number_sms="2" client_id_sms="101" />
</message>
<message type="sms">
<sender>sandbox</sender>
<text>Другой текст</text>
<abonent phone="79033256697" number_sms="3" client_id_sms="102" />
</message>
{SECURITY}
</request>
"""


@pytest.fixture
def portal(live_server: LiveServer, operator: User, sandbox: Gateway) -> Iterator[str]:
    """The address of a portal that runs, with an operator who may send."""
    GatewayHealth.objects.create(gateway=sandbox, pace_tokens=50, balance=150, currency="RUB")
    yield str(live_server.url)
    transport.stop()


def curl(url: str, document: str) -> Element:
    """What is answered; curl is told as the documents tell programs."""
    command = ["curl", "--silent", "--show-error", "--fail", "--data-binary", "@-"]
    command += ["--header", "Content-type: text/xml; charset=utf-8", url]
    done = subprocess.run(command, input=document.encode(), capture_output=True, check=True)
    root = etree.fromstring(done.stdout)
    assert root.tag == "response"
    return root


class TestAsPrinted:
    def test_a_code(self, portal: str, sandbox: Gateway) -> None:
        (success,) = curl(portal + CODES, CODE_AS_PRINTED)
        assert (success.tag, success.get("status"), len(success.get("code", ""))) == ("success", "send", 8)
        message = Message.objects.get(pk=int(success.get("id_sms", "")))
        assert (message.phone, message.text) == (PHONE, f"Временный пароль: {success.get('code')}")
        ask = f"<request>{SECURITY}<get_state><id_sms>{message.pk}</id_sms></get_state></request>"
        assert [state.text for state in curl(portal + STATE, ask)] == ["send"]
        delivery.drain(sandbox.pk)
        message.refresh_from_db()
        message.record_receipt(ReceiptState.DELIVERED)
        assert [state.text for state in curl(portal + STATE, ask)] == ["deliver"]

    def test_a_wrong_login(self, portal: str) -> None:
        (error,) = curl(portal + CODES, CODE_AS_PRINTED.replace("operator", "somebody"))
        assert (error.tag, error.text) == ("error", "Неверный логин или пароль")
        (error,) = curl(portal + SEND, SEND_AS_PRINTED.replace("operator", "somebody"))
        assert (error.tag, error.text) == ("error", "Неправильный логин или пароль")

    def test_texts(self, portal: str) -> None:
        first = [attributes(item) | {"said": item.text or ""} for item in curl(portal + SEND, SEND_AS_PRINTED)]
        assert [(one["number_sms"], one["parts"], one["said"]) for one in first] == [
            ("1", "1", "send"), ("2", "1", "send"), ("3", "1", "send"),
        ]  # fmt: skip
        again = [attributes(item) | {"said": item.text or ""} for item in curl(portal + SEND, SEND_AS_PRINTED)]
        assert again == first
        texts = dict(Message.objects.values_list("phone", "caller_reference"))
        assert texts == {"+79033256699": "100", "+79033256698": "101", "+79033256697": "102"}

    def test_the_balance(self, portal: str) -> None:
        (money,) = curl(portal + BALANCE, f"<request>{SECURITY}</request>")
        assert (money.get("currency"), money.text) == ("RUR", "150.00")


class TestOurOwnProviders:
    """A portal whose gateway is a portal, which is itself."""

    @pytest.fixture
    def platform(self, portal: str) -> Gateway:
        own = {"url": portal, "login": "operator", "password": PASSWORD, "time_zone": "Europe/Moscow"}
        return accounts.create(name="platform", provider="smsgate", sender="sandbox", settings=own)

    @pytest.fixture
    def maker(self, portal: str) -> Gateway:
        own = {
            "url": portal + CODES, "state_url": portal + STATE, "allow_http": True, "login": "operator",
            "password": PASSWORD, "code_length": 6,
        }  # fmt: skip
        return accounts.create(name="maker", provider="targetsms_codes", sender="sandbox", settings=own)

    def test_a_text_goes_through_and_its_receipt_comes_back(self, platform: Gateway, sandbox: Gateway) -> None:
        outer = send("Ваш <пароль>\n& 😀", platform)
        inner = Message.objects.get(door=Door.TARGETSMS)
        assert fresh(outer).state == State.SUBMITTED
        assert fresh(outer).reference == str(inner.pk)
        assert (inner.phone, inner.text, inner.gateway) == (PHONE, "Ваш <пароль>\n& 😀", sandbox)
        assert inner.caller_reference == str(outer.number)
        assert timedelta() <= outer.valid_until + timedelta(minutes=5) - inner.valid_until < timedelta(minutes=6)
        end(inner, sandbox)
        make_due()
        recovery.inquire(platform.pk)
        assert fresh(outer).state == State.DELIVERED

    def test_a_repeat_after_a_lost_answer_sends_it_once(self, platform: Gateway) -> None:
        outer = send("Hello", platform)
        Message.objects.filter(pk=outer.pk).update(state=State.UNKNOWN, due_at=clock.now(), unclear=1, reference="")
        delivery.drain(platform.pk)
        inner = Message.objects.get(door=Door.TARGETSMS)
        assert (fresh(outer).state, fresh(outer).reference) == (State.SUBMITTED, str(inner.pk))

    def test_what_is_refused_there_is_refused_here(self, platform: Gateway, sandbox: Gateway) -> None:
        Gateway.objects.filter(pk=sandbox.pk).update(prefixes=["+49"])
        outer = send("Hello", platform)
        assert (outer.state, outer.reason) == (State.FAILED, "the route to this phone is closed at the provider")
        assert not Message.objects.filter(door=Door.TARGETSMS).exists()

    def test_a_wrong_password_stops_the_gateway(self, platform: Gateway) -> None:
        accounts.change(platform, settings={"password": "wrong"})
        assert send("Hello", platform).state == State.HELD
        assert GatewayHealth.objects.get(gateway=platform).refused_at

    def test_its_balance_is_known(self, platform: Gateway, maker: Gateway) -> None:
        assert checking.check(platform).works is True
        assert checking.check(maker).works is True
        left = questions.ask(platform, lambda one: one.balance(), lambda one, answer: one.read_balance(answer))
        assert (left.amount, left.currency) == (Decimal(150), "RUR")

    def test_what_guests_write_is_fetched(self, platform: Gateway, sandbox: Gateway, admin: User) -> None:
        accounts.change(platform, settings={"login": "admin"})
        at = clock.now().replace(microsecond=0) - timedelta(minutes=1)
        InboundMessage.objects.create(gateway=sandbox, phone=PHONE, text="<Стоп> & 😀", fingerprint="1", received_at=at)
        inbound.fetch(platform.pk)
        fetched = InboundMessage.objects.get(gateway=platform)
        assert (fetched.phone, fetched.text, fetched.at) == (PHONE, "<Стоп> & 😀", at)

    def test_a_code_goes_through_and_only_its_phone_can_tell_it(self, maker: Gateway, sandbox: Gateway) -> None:
        outer = sending.send(
            phone=PHONE, text="Hotel: {код}", kind=Kind.CODE, gateway_name="maker", requested_by=None,
            masked_text="Hotel: […]",
        )  # fmt: skip
        delivery.drain(maker.pk)
        inner = Message.objects.get(door=Door.TARGETSMS)
        code = (inner.text or "").removeprefix("Hotel: ")
        assert len(code) == 6
        assert codes.matches([fresh(outer)], code)
        assert not codes.matches([fresh(outer)], "000000" if code != "000000" else "000001")
        end(inner, sandbox)
        make_due()
        recovery.inquire(maker.pk)
        assert fresh(outer).state == State.DELIVERED


def send(text: str, gateway: Gateway) -> Message:
    """Through the one door, and by the worker's own code."""
    message = sending.send(phone=PHONE, text=text, kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None)
    delivery.drain(gateway.pk)
    return fresh(message)


def end(inner: Message, sandbox: Gateway) -> None:
    """It is handed over and delivered."""
    delivery.drain(sandbox.pk)
    Message.objects.filter(pk=inner.pk).update(state=State.DELIVERED, finished_at=timezone.now())
