"""Codes that a provider makes: entered, sent again, and unclear. The portal knows no more of them than a digest."""

import pytest
from django.utils import timezone

from gateways.models import Gateway
from guests import registration
from guests.applying import Visitor
from guests.limits import brake
from guests.models import Brake, Code, RegistrationRules, Stage
from guests.registration.wrong_codes import WrongCode
from messaging import digests
from messaging.models import Message, MessageTemplate, State
from messaging.retries import Kind
from tests.guests.test_registration import let_time_pass, start

FIRST, SECOND = "483920", "104857"


@pytest.fixture(autouse=True)
def _provider(db: None) -> None:
    Gateway.objects.update(is_default=False)
    Gateway.objects.create(name="codes", provider="targetsms_codes", sender="Portal", is_default=True)
    MessageTemplate.objects.update_or_create(kind=Kind.CODE, language="en", defaults={"text": "$portal: $code"})


def answered(code: str) -> None:
    """The provider took the last message and told which code it made."""
    message = Message.objects.latest("pk")
    Message.objects.filter(pk=message.pk).update(
        state=State.SUBMITTED,
        submitted_at=timezone.now(),
        due_at=None,
        code_digest=digests.digest(message.key, code),
    )


def unanswered() -> None:
    """Nobody knows whether it took the last message."""
    message = Message.objects.latest("pk")
    Message.objects.filter(pk=message.pk).update(state=State.UNRESOLVED, due_at=None, finished_at=timezone.now())


def test_the_code_lets_in_and_no_other_does() -> None:
    started = start()
    with pytest.raises(WrongCode):
        registration.confirm(started.registration, FIRST)
    answered(FIRST)
    with pytest.raises(WrongCode):
        registration.confirm(started.registration, SECOND)
    assert registration.confirm(started.registration, FIRST).stage == Stage.DONE
    assert Code.objects.filter(kept__isnull=True, digest="").count() == 1


def test_another_browser_is_asked_for_the_same_one() -> None:
    start()
    answered(FIRST)
    other = start(address="192.0.2.2")
    assert Message.objects.count() == 1
    assert registration.confirm(other.registration, FIRST).stage == Stage.DONE


def test_sent_again_it_is_another_one_and_the_first_is_good_no_more() -> None:
    started = start()
    answered(FIRST)
    let_time_pass(seconds=61)
    registration.resend(started.registration, Visitor())
    answered(SECOND)
    with pytest.raises(WrongCode):
        registration.confirm(started.registration, FIRST)
    assert registration.confirm(started.registration, SECOND).stage == Stage.DONE


def test_where_it_is_unclear_whether_one_was_made_another_one_is() -> None:
    start()
    unanswered()
    other = start(address="192.0.2.2")
    assert Message.objects.count() == 2
    answered(SECOND)
    assert registration.confirm(other.registration, SECOND).stage == Stage.DONE


def test_one_in_whose_place_another_was_sent_pulls_no_brake() -> None:
    rules = RegistrationRules.objects.create(pk=1, brake_least=1, brake_percent=50)
    started = start()
    answered(FIRST)
    for _time in range(2):
        let_time_pass(seconds=121)
        registration.resend(started.registration, Visitor())
    answered(SECOND)
    registration.confirm(started.registration, SECOND)
    let_time_pass(minutes=4)
    brake.check(rules)
    assert not Brake.objects.exists()
