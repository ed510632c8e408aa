"""A real Kannel: a text reaches the operator as it was written, and its receipt comes back by itself."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from gateways import accounts, checking, gsm7, transport
from gateways.models import Gateway
from gateways.outcomes import Outcome
from gateways.providers.kannel import GSM_7
from messaging import delivery, receipts, sending
from messaging.models import InboundMessage, Message, State
from messaging.retries import Kind
from tests.services.kannel import LOGIN, PASSWORD, Kannel
from tests.waiting import wait_for

PHONE = "+79161234567"
LATIN, UNICODE = "utf-8", "utf-16-be"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    with Kannel(tmp_path_factory.mktemp("kannel")) as kannel:
        yield kannel


@pytest.fixture
def kannel(running: Kannel) -> Kannel:
    """A Kannel whose operator has forgotten the test before."""
    running.operator.segments.clear()
    return running


@pytest.fixture
def gateway(kannel: Kannel, portal_url: str) -> Iterator[Gateway]:
    yield gateway_at(kannel.url)
    transport.stop()


@pytest.fixture
def portal_url(live_server: LiveServer, settings: Settings) -> str:
    settings.PORTAL_URL = live_server.url
    return str(live_server.url)


def gateway_at(url: str, password: str = PASSWORD) -> Gateway:
    return accounts.create(
        name="kannel",
        provider="kannel",
        sender="Portal",
        settings={"url": url, "login": LOGIN, "password": password},
        is_default=True,
    )


def send(gateway: Gateway, text: str) -> Message:
    """Through the one door, and by the worker's own code."""
    message = sending.send(phone=PHONE, text=text, kind=Kind.INFORMATION, gateway_name=gateway.name, requested_by=None)
    delivery.drain(gateway.pk)
    return fresh(message)


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def is_delivered(message: Message) -> bool:
    # As the sweep does: a receipt may come in the moment in which its reference is written down.
    receipts.match_orphans(timezone.now())
    return fresh(message).state == State.DELIVERED


@pytest.mark.parametrize(
    ("text", "charset", "segments"),
    [
        pytest.param("Your password: <a&b> \"c\" 'd' 100% @ $5", LATIN, 1, id="Latin"),
        pytest.param("Übung für 5€ [é] {ñ} £ Ω", LATIN, 1, id="all of GSM-7"),
        pytest.param("Ваш пароль: <а&б> \"в\" 'г' 100%\nДо встречи", UNICODE, 1, id="Cyrillic"),
        pytest.param("Добро пожаловать 😀👍🏽", UNICODE, 1, id="emoji"),
        pytest.param("  blanks at both ends, and ç ", UNICODE, 1, id="blanks"),
        pytest.param("The quick brown fox [jumps] over it. " * 11, LATIN, 3, id="three segments of Latin"),
        pytest.param("Съешь ещё этих мягких булок & чаю. " * 5 + "😀", UNICODE, 3, id="three segments of Cyrillic"),
    ],
)
def test_the_text_reaches_the_operator_and_the_receipt_comes_back(
    text: str, charset: str, segments: int, gateway: Gateway, kannel: Kannel
) -> None:
    message = send(gateway, text)
    assert message.attempts.get().outcome == Outcome.ACCEPTED
    wait_for(lambda: is_delivered(message), "the receipt comes")
    assert kannel.operator.text(PHONE, charset, segments) == text
    assert [segment.sender for segment in kannel.operator.got(PHONE)] == ["Portal"] * segments
    assert message.segments == segments


def test_what_the_operator_cannot_take_now_waits_in_kannel(gateway: Gateway, kannel: Kannel) -> None:
    kannel.operator.disconnect()
    wait_for(lambda: not kannel.is_connected(), "Kannel misses its operator")
    message = send(gateway, "Позже")
    assert message.state == State.SUBMITTED
    kannel.operator.connect()
    wait_for(lambda: is_delivered(message), "the receipt comes")
    assert kannel.operator.text(PHONE, UNICODE) == "Позже"


def test_a_wrong_password_stops_the_gateway_and_a_corrected_one_sends_what_waited(
    gateway: Gateway, kannel: Kannel
) -> None:
    accounts.change(gateway, settings={"password": "wrong"})
    message = send(gateway, "Hello")
    assert message.state == State.HELD
    finding = checking.check(gateway)
    assert finding.works is False
    assert "login or password" in finding.says
    accounts.change(gateway, settings={"password": PASSWORD})
    assert checking.check(gateway).says == "Kannel knows this login"
    delivery.drain(gateway.pk)
    wait_for(lambda: is_delivered(message), "the receipt comes")
    assert kannel.operator.text(PHONE, LATIN) == "Hello"


def test_what_a_guest_writes_comes_in_and_nothing_goes_back(
    portal_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gateway = gateway_at("http://127.0.0.1:13013")
    get_url = f"{gateway.callback_url}?phone=%p&text=%b&charset=%C&id=%I&at=%T"
    with Kannel(tmp_path_factory.mktemp("kannel"), get_url) as kannel:
        accounts.change(gateway, settings={"url": kannel.url})
        kannel.operator.write(PHONE, "Стоп\nпожалуйста 😀")
        wait_for(InboundMessage.objects.exists, "the portal has it")
        later = send(gateway, "Hello")
        wait_for(lambda: is_delivered(later), "the receipt comes")
        sent = kannel.operator.text(PHONE, LATIN)
        transport.stop()
    written = InboundMessage.objects.get()
    assert (written.phone, written.text) == (PHONE, "Стоп\nпожалуйста 😀")
    assert sent == "Hello"


def test_seven_bits_hold_what_the_portal_counts_as_such() -> None:
    assert gsm7.BASIC | gsm7.EXTENDED == GSM_7
