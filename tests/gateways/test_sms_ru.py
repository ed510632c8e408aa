"""SMS.ru: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator

import pytest

from gateways.outcomes import BadCallback, CredentialsRefused, Receipt, ReceiptState, Refused, RefusedForNow
from tests.gateways.talking import CALLBACK_URL, PHONE, TEXT, Talk, talk_with
from tests.simulators.server import Fault


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talk_with("sms_ru") as talk:
        yield talk


def test_the_text_arrives_as_it_was_written(talk: Talk) -> None:
    taken = talk.taken()
    assert (taken.phone, taken.text, taken.sender) == (PHONE, TEXT, "Portal")


def test_a_recipient_may_be_refused_although_the_request_was_well(talk: Talk) -> None:
    talk.simulator.faults.add(Fault.ERROR_IN_200)
    assert isinstance(talk.outcome(), Refused)
    assert not talk.simulator.taken


def test_many_messages_are_asked_about_at_once(talk: Talk) -> None:
    taken = [talk.taken(f"portal-20261122101500-{number}") for number in range(3)]
    taken[1].state = ReceiptState.EXPIRED
    assert [(one.reference, one.state) for one in talk.told(*taken)] == [
        (taken[0].reference, ReceiptState.DELIVERED),
        (taken[1].reference, ReceiptState.EXPIRED),
        (taken[2].reference, ReceiptState.DELIVERED),
    ]
    assert talk.provider.query_batch <= 100


@pytest.mark.parametrize("state", [state for state in ReceiptState if state != ReceiptState.UNCONFIRMED])
def test_a_state_is_the_same_asked_for_and_called_in(talk: Talk, state: ReceiptState) -> None:
    taken = talk.taken()
    taken.state = state
    (told,) = talk.told(taken)
    (heard,) = talk.heard(talk.peer.receipt_call(taken, state, CALLBACK_URL))
    assert isinstance(heard, Receipt)
    assert (told.reference, told.state) == (heard.reference, heard.state) == (taken.reference, state)


def test_a_receipt_signed_with_another_key_is_refused(talk: Talk) -> None:
    taken = talk.taken()
    talk.simulator.faults.add(Fault.BAD_SIGNATURE)
    with pytest.raises(BadCallback) as refused:
        talk.heard(talk.peer.receipt_call(taken, ReceiptState.DELIVERED, CALLBACK_URL))
    assert refused.value.status == 401


def test_a_wrong_key_is_told_by_a_message_and_by_a_check(talk: Talk) -> None:
    wrong = talk.let_in_wrongly()
    assert isinstance(wrong.outcome(), CredentialsRefused)
    with pytest.raises(CredentialsRefused):
        wrong.provider.read_check(wrong.fetch(wrong.provider.check()))
    assert talk.provider.read_check(talk.fetch(talk.provider.check())) == "the provider knows this API key"
    assert not talk.simulator.taken


def test_a_service_that_is_down_refuses_for_now(talk: Talk) -> None:
    talk.simulator.faults.add(Fault.TOO_MANY)
    assert isinstance(talk.outcome(), RefusedForNow)
