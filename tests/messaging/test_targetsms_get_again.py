"""/sendsms.php of the SMSGate platform: when a text goes, and the same one once more."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gateways.models import Gateway
from messaging.dropin.targetsms.times import local
from messaging.models import Message, Wait
from portal import clock
from portal.models import AuditEvent, User
from tests.gateways.conftest import at_once
from tests.messaging.programs import key_of
from tests.messaging.targetsms_get import CLOSED, ask, said, send

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REPEATED = "error: Попытка отправки более одного одинакового запроса в течение минуты"


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


class TestTimes:
    """Not of the platform's own documentation, but some of its hosts have them; passed over they would do harm."""

    def test_a_later_time(self, key: str) -> None:
        at = (clock.now() + timedelta(days=1)).replace(second=0, microsecond=0)
        said(send(key, time_send=local(at)[:16]))
        assert (Message.objects.get().due_at, Message.objects.get().waits_for) == (at, Wait.SCHEDULE)

    def test_an_end(self, key: str) -> None:
        ends = (clock.now() + timedelta(hours=1)).replace(microsecond=0)
        said(send(key, validity_period=local(ends)))
        assert Message.objects.get().valid_until == ends

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"time_send": "tomorrow"}, "Время указывается в виде ГГГГ-ММ-ДД ЧЧ:ММ."),
            ({"validity_period": "2020-01-01 10:00"}, "Срок доставки сообщения закончился бы до отправки."),
        ],
    )
    def test_one_that_is_wrong_is_told(self, key: str, fields: dict[str, str], words: str) -> None:
        assert said(send(key, **fields)) == words
        assert not Message.objects.exists()

    def test_the_same_text_for_another_time_is_another_call(self, key: str) -> None:
        said(send(key))
        assert said(send(key, time_send=local(clock.now() + timedelta(days=1)))).isdecimal()


class TestAgain:
    """Nothing in a call tells a repeat from another message, so that the platform refuses the same one for a minute."""

    def test_the_same_call_is_refused_for_a_minute(self, key: str) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            said(send(key))
            for again in (send(key), send(key, "POST"), send(key, dadr=" +7 916 1234567"), send(key, colour="red")):
                assert said(again) == REPEATED
            clock.shift(59)
            assert said(send(key)) == REPEATED
            clock.shift(1)
            assert said(send(key)).isdecimal()
        assert Message.objects.count() == 2
        assert sorted(AuditEvent.objects.values_list("status", flat=True)) == [200, 200, *[409] * 5]

    @pytest.mark.parametrize("other", [{"text": "x"}, {"dadr": "79161234568"}, {"sadr": "sandbox"}])
    def test_another_one_is_not(self, key: str, other: dict[str, str]) -> None:
        said(send(key))
        assert said(send(key, **other)).isdecimal()

    def test_nor_one_of_another_program(self, key: str, operator: User) -> None:
        said(send(key))
        assert said(send(key_of(operator))).isdecimal()

    def test_nor_one_of_which_the_first_was_refused(self, key: str) -> None:
        Gateway.objects.update(enabled=False)
        assert said(send(key)) == CLOSED
        Gateway.objects.update(enabled=True)
        assert said(send(key)).isdecimal()

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_the_same_moment_one_is_sent(self, key: str) -> None:
        answers = at_once(lambda: said(send(key)))
        assert sorted(answers, key=len) == [str(Message.objects.get().pk), REPEATED, REPEATED, REPEATED]

    def test_a_question_may_be_asked_again_at_once(self, key: str) -> None:
        sent = said(send(key))
        assert [said(ask(key, smsid=sent)) for _ in range(2)] == ["send", "send"]
