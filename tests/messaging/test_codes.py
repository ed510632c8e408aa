"""One-time codes that a provider makes: kept as a digest only, and readable nowhere else."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from gateways import accounts, transport
from gateways.models import Gateway
from gateways.outcomes import Outcome
from messaging import codes, delivery, digests, sending
from messaging.models import Attempt, Door, Message, MessageTemplate, State
from messaging.retries import Kind
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import fresh, make_due
from tests.simulators.faulty_server import FaultyServer, answers, http
from tests.simulators.server import Fault, Simulator, TakenSms

PHONE = "+79161234567"
CODE = "Ваш код: {код}"
MADE = "71355917"


class TestDigest:
    def test_the_code_matches_and_no_other_does(self) -> None:
        kept = digests.digest("portal-1", "123456")
        assert digests.matches("portal-1", kept, "123456")
        for other in ("123457", "12345", "1234567", "", " ", "0123456"):
            assert not digests.matches("portal-1", kept, other)

    def test_blanks_around_it_are_forgiven(self) -> None:
        assert digests.matches("portal-1", digests.digest("portal-1", " 123456\n"), "\t123456 ")

    def test_where_none_is_kept_nothing_matches(self) -> None:
        assert not digests.matches("portal-1", "", "")
        assert not digests.matches("portal-1", "", "123456")

    def test_one_code_looks_different_for_each_message_and_is_no_plain_hash(self) -> None:
        first, second = digests.digest("portal-1", "123456"), digests.digest("portal-2", "123456")
        assert first != second
        assert not digests.matches("portal-2", first, "123456")
        assert re.fullmatch("[0-9a-f]{64}", first)

    @pytest.mark.parametrize("typed", ["１２３４５６", "пароль", "😀", "\x00", "1" * 10_000])
    def test_whatever_is_typed_is_no_failure(self, typed: str) -> None:
        assert not digests.matches("portal-1", digests.digest("portal-1", "123456"), typed)


@pytest.fixture
def provider() -> Iterator[Simulator]:
    with Simulator("targetsms_codes") as simulator:
        yield simulator
        transport.stop()


@pytest.fixture
def gateway(transactional_db: None, provider: Simulator, settings: Settings) -> Gateway:
    settings.PORTAL_URL = "https://portal.example.org"
    return gateway_at(provider.peers["targetsms_codes"].settings())


def gateway_at(account: dict[str, Any]) -> Gateway:
    return accounts.create(name="codes", provider="targetsms_codes", sender="Portal", settings=account, is_default=True)


def send(gateway: Gateway) -> Message:
    return sending.send(phone=PHONE, text=CODE, kind=Kind.CODE, gateway_name=gateway.name, requested_by=None)


def made_for(taken: TakenSms) -> str:
    """The code that the guest reads."""
    return taken.text.removeprefix("Ваш код: ")


def everything_stored() -> str:
    """Every value of every table as the database holds it."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        values: list[object] = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values += [value for row in cursor.fetchall() for value in row]
    return "\n".join(map(str, values))


def without_fractions(text: str) -> str:
    """The six digits of a time's or a span's microseconds may be those of any code."""
    return re.sub(r"(\d)\.\d+", r"\1", text)


def everything_shown(client: APIClient, message: Message) -> str:
    """All that the API says of the message and of its gateway."""
    calls = [f"message/{message.pk}", "messages", "sms_gateways", f"sms_gateway/{message.gateway.name}"]
    answers = [client.get(f"/api/v1/{call}") for call in calls]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(answer.content.decode() for answer in answers)


def test_the_code_is_known_again_and_readable_nowhere(
    gateway: Gateway, provider: Simulator, api: Api, admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = send(gateway)
    delivery.drain(gateway.pk)
    code = made_for(provider.taken[0])
    assert re.fullmatch("[0-9]{6}", code)
    handed_over = fresh(message)
    assert handed_over.state == State.SUBMITTED
    assert codes.matches([handed_over], code)
    assert handed_over.code_digest in everything_stored()
    shown = everything_shown(api(admin), handed_over)
    assert '"accepted"' in shown
    for place in (everything_stored(), shown, caplog.text):
        assert not re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", without_fractions(place))


def test_the_digest_is_not_shown_either(gateway: Gateway, provider: Simulator, api: Api, admin: User) -> None:
    message = send(gateway)
    delivery.drain(gateway.pk)
    assert fresh(message).code_digest not in everything_shown(api(admin), fresh(message))


def test_a_code_whose_answer_was_lost_is_not_known_and_its_repeat_is(gateway: Gateway, provider: Simulator) -> None:
    provider.faults.add(Fault.RESET_AFTER_ACCEPT)
    message = send(gateway)
    delivery.drain(gateway.pk)
    assert fresh(message).code_digest == ""
    provider.faults.clear()
    make_due()
    delivery.drain(gateway.pk)
    # The provider made another one: the guest has both, and the later one counts.
    first, second = map(made_for, provider.taken)
    assert codes.matches([fresh(message)], second)
    assert not codes.matches([fresh(message)], first)


def test_each_code_made_for_a_guest_is_known_again(gateway: Gateway, provider: Simulator) -> None:
    MessageTemplate.objects.update_or_create(kind=Kind.CODE, language="en", defaults={"text": "$portal: $code"})
    sent = [codes.send(phone=PHONE, code="483920", language="en", door=Door.GUESTS) for _ in range(2)]
    assert all(one.made_by_provider for one in sent)
    messages = Message.objects.filter(pk__in=[one.message.pk for one in sent])
    assert not codes.matches(messages.all(), "")
    delivery.drain(gateway.pk)
    made = [taken.text.removeprefix("Guest Wi-Fi: ") for taken in provider.taken]
    assert len(made) == 2
    for code in made:
        assert codes.matches(messages.all(), f" {code} ")
    for other in ("483920", "", "{код}", f"{made[0]}0"):
        assert not codes.matches(messages.all(), other)


#: Answers with a code in them, each of which is understood or not; it must not be kept in any case.
TELLING = {
    "an answer that is understood": f'<response><success code="{MADE}" id_sms="7" status="send"/></response>'.encode(),
    "a state nobody knows": f'<response><success code="{MADE}" id_sms="7" status="odd"/></response>'.encode(),
    "an answer that breaks off": f'<response><success id_sms="7" code="{MADE}'.encode(),
    "in another charset": (
        f'<?xml version="1.0" encoding="utf-16"?><response><success code="{MADE}" id_sms="7" status="send"/></response>'
    ).encode("utf-16"),
    "in another charset, and unclear": (
        f'<?xml version="1.0" encoding="utf-16"?><response><success code="{MADE}" status="odd"/></response>'
    ).encode("utf-16"),
}


@pytest.mark.parametrize("answer", TELLING.values(), ids=TELLING.keys())
def test_no_answer_is_kept_with_its_code(
    transactional_db: None, api: Api, admin: User, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with FaultyServer(answers(http(answer, "200 OK", "Content-Type: text/xml"))) as server:
        account = {"login": "portal", "password": "secret-canary", "url": server.url, "state_url": server.url}
        gateway = gateway_at({**account, "allow_http": True})
        message = send(gateway)
        delivery.drain(gateway.pk)
        transport.stop()
    attempt = Attempt.objects.filter(message=message).first()
    assert attempt
    assert attempt.outcome in {Outcome.ACCEPTED, Outcome.AMBIGUOUS}
    assert attempt.exchange["status"] == 200
    for place in (everything_stored(), everything_shown(api(admin), fresh(message)), caplog.text):
        assert MADE not in place
        assert "secret-canary" not in place
