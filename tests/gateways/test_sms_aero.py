"""SMS Aero: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateways.http import FORM
from gateways.outcomes import CredentialsRefused, Receipt, ReceiptState, Refused
from tests.gateways.talking import CALLBACK_URL, PHONE, TEXT, Talk, talk_with
from tests.simulators.server import Fault

#: What can be told apart: an expired message is reported as one that was not delivered.
TOLD = [ReceiptState.PENDING, ReceiptState.DELIVERED, ReceiptState.UNDELIVERED]


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talk_with("sms_aero") as talk:
        yield talk


def test_the_text_arrives_as_it_was_written_with_the_address_to_call(talk: Talk) -> None:
    taken = talk.taken()
    assert (taken.phone, taken.text, taken.sender, taken.callback_url) == (PHONE, TEXT, "Portal", CALLBACK_URL)


def test_a_refusal_comes_with_status_200_too(talk: Talk) -> None:
    talk.simulator.faults.add(Fault.ERROR_IN_200)
    assert isinstance(talk.outcome(), Refused)
    assert not talk.simulator.taken


@pytest.mark.parametrize("state", TOLD)
def test_a_state_is_the_same_asked_for_and_called_in(talk: Talk, state: ReceiptState) -> None:
    taken = talk.taken()
    taken.state = state
    (told,) = talk.told(taken)
    (heard,) = talk.heard(talk.peer.receipt_call(taken, state, taken.callback_url))
    assert isinstance(heard, Receipt)
    assert (told.reference, told.state) == (heard.reference, heard.state) == (taken.reference, state)
    assert talk.provider.query_batch == 1


def test_a_wrong_key_is_told_by_a_message_and_by_a_check(talk: Talk) -> None:
    wrong = talk.let_in_wrongly()
    assert isinstance(wrong.outcome(), CredentialsRefused)
    with pytest.raises(CredentialsRefused):
        wrong.provider.read_check(wrong.fetch(wrong.provider.check()))
    assert "knows this login" in talk.provider.read_check(talk.fetch(talk.provider.check()))
    assert not talk.simulator.taken


def test_the_simulator_takes_a_form_as_well_as_the_api_does(talk: Talk) -> None:
    request = talk.provider.submit(talk.sms())
    answer = talk.fetch(
        replace(request, headers={"content-type": FORM}, body=b"number=79161234567&text=%D0%AF&sign=SMS+Aero")
    )
    assert talk.provider.read_submit(answer).reference == talk.simulator.taken[0].reference
    assert talk.simulator.taken[0].text == "Я"
