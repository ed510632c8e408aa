"""POST /xml/state.php: where messages are, in the platform's five words and with no more than is known."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from messaging import sending
from messaging.dropin.targetsms import words
from messaging.models import Message, State
from messaging.retries import Kind
from portal.models import AuditEvent, User
from tests.messaging.targetsms import STATE, Element, as_attributes, as_texts, error_in, post, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]


@pytest.fixture
def sent(operator: User, sandbox: Gateway) -> Message:
    return accept(operator)


def accept(user: User | None, text: str = "ы" * 80) -> Message:
    wish: dict[str, Any] = {"phone": "+79161234567", "text": text, "kind": Kind.INFORMATION, "gateway_name": ""}
    return sending.send(**wish, requested_by=user)


def ask(*keys: object, security: str | None = None) -> list[Element]:
    ids = "".join(f"<id_sms>{key}</id_sms>" for key in keys)
    return list(read(post(STATE, f"<get_state>{ids}</get_state>", security)))


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.QUEUED, "send"),
        (State.HELD, "send"),
        (State.CLAIMED, "send"),
        (State.SUBMITTING, "send"),
        (State.UNKNOWN, "send"),
        (State.SUBMITTED, "send"),
        (State.DELIVERED, "deliver"),
        (State.UNDELIVERED, "not_deliver"),
        (State.EXPIRED, "expired"),
        (State.NO_RECEIPT, "partly_deliver"),
        (State.UNRESOLVED, "partly_deliver"),
        (State.FAILED, "not_deliver"),
        (State.CANCELLED, "not_deliver"),
        (State.LAPSED, "not_deliver"),
        (State.SUPPRESSED, "not_deliver"),
    ],
)
def test_each_state_has_its_word(sent: Message, state: State, word: str) -> None:
    Message.objects.update(state=state, finished_at=timezone.now())
    (told,) = ask(sent.pk)
    assert (told.tag, told.get("id_sms"), told.get("num_parts"), told.text) == ("state", str(sent.pk), "2", word)
    assert bool(told.get("time")) is (word != "send")


def test_every_state_there_is_has_a_word() -> None:
    assert set(words.OF_STATE) == set(State)


def test_the_time_is_that_of_the_portals_zone(sent: Message) -> None:
    at = timezone.now()
    Message.objects.update(state=State.DELIVERED, finished_at=at)
    (told,) = ask(sent.pk)
    assert told.get("time") == f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("price", "state", "told"),
    [
        (None, State.DELIVERED, None),
        (Decimal("3.5"), State.DELIVERED, "3.50"),
        (Decimal("3.5"), State.SUBMITTED, "3.50"),
        (Decimal("3.5"), State.FAILED, "0.00"),
        (None, State.CANCELLED, "0.00"),
    ],
)
def test_the_price_of_one_part_is_told_where_it_is_known(
    sent: Message, price: Decimal | None, state: State, told: str | None
) -> None:
    Gateway.objects.update(segment_price=price)
    Message.objects.update(state=state)
    assert ask(sent.pk)[0].get("price") == told


def test_they_are_told_in_the_order_in_which_they_are_asked_for_and_each_once(sent: Message, operator: User) -> None:
    other = accept(operator)
    assert [told.get("id_sms") for told in ask(other.pk, sent.pk, other.pk, f" {sent.pk} ")] == [
        str(other.pk),
        str(sent.pk),
    ]


def test_what_is_not_known_is_left_out(sent: Message) -> None:
    unknown = (sent.pk + 1, "", "abc", "-1", "1.0", "9" * 18, "9" * 40, "٤", "1 OR 1=1")
    assert [told.get("id_sms") for told in ask(*unknown, sent.pk)] == [str(sent.pk)]
    assert ask(*unknown) == []


def test_messages_of_others_are_not_known_but_to_who_may_read_all(sent: Message, admin: User) -> None:
    others = accept(None)
    assert ask(others.pk) == []
    assert len(ask(others.pk, sent.pk, security=as_attributes("admin"))) == 2


def test_whoever_may_read_messages_and_not_send_may_ask(sent: Message, auditor: User) -> None:
    assert len(ask(sent.pk, security=as_texts("auditor"))) == 1


def test_who_has_neither_right_may_not(sent: Message, nobody: User) -> None:
    content = f"<get_state><id_sms>{sent.pk}</id_sms></get_state>"
    assert error_in(post(STATE, content, as_texts("nobody"))) == "Ваш аккаунт заблокирован"


@pytest.mark.parametrize("content", ["", "<get_state/><get_state/>", "<get_state><id_sms><b/></id_sms></get_state>"])
def test_a_request_of_another_shape_is_malformed(operator: User, content: str) -> None:
    assert error_in(post(STATE, content)) == "Неправильный формат XML документа"


def test_there_is_an_end_to_how_many_may_be_asked_for(sent: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST", 2)
    assert len(ask(sent.pk, 1)) == 1
    ids = f"<id_sms>{sent.pk}</id_sms>" * 3
    assert "не более 2 сообщений" in error_in(post(STATE, f"<get_state>{ids}</get_state>"))


def test_ten_thousand_may_be_asked_for(sent: Message) -> None:
    assert len(ask(*range(sent.pk, sent.pk + 10_000))) == 1


def test_a_question_is_not_on_record(sent: Message) -> None:
    ask(sent.pk)
    assert not AuditEvent.objects.filter(action="targetsms.state").exists()
