"""The generic provider talks with an API that only its settings describe."""

from collections.abc import Iterator

import pytest

from gateways.outcomes import Accepted, InboundSms, NotAccepted, Receipt, ReceiptState
from tests.gateways.talking import CALLBACK_URL, KEY, PHONE, TEXT, Talk, talk_with
from tests.simulators.server import Fault


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talk_with("http") as begun:
        yield begun


def test_it_hands_over_a_message_whole(talk: Talk) -> None:
    assert talk.outcome() == Accepted("1001")

    (taken,) = talk.simulator.taken
    assert (taken.phone, taken.text, taken.sender, taken.key) == (PHONE, TEXT, "Portal", KEY)
    assert taken.callback_url == CALLBACK_URL


def test_a_repeat_is_the_same_message(talk: Talk) -> None:
    assert talk.outcome() == talk.outcome()
    assert len(talk.simulator.taken) == 1


@pytest.mark.parametrize("state", ReceiptState)
def test_it_learns_what_became_of_a_message_when_it_asks_and_when_it_is_called(talk: Talk, state: ReceiptState) -> None:
    taken = talk.taken()
    taken.state = state

    (asked,) = talk.told(taken)
    (called,) = talk.heard(talk.peer.receipt_call(taken, state, CALLBACK_URL))

    assert asked == called
    assert isinstance(called, Receipt)
    assert (called.reference, called.state) == (taken.reference, state)


def test_it_hears_what_a_guest_writes(talk: Talk) -> None:
    assert talk.heard(talk.peer.inbound_call(PHONE, "СТОП & «стоп»", CALLBACK_URL, "in-1")) == [
        InboundSms(PHONE, "СТОП & «стоп»", "in-1")
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.BAD_CREDENTIALS,
        Fault.BLOCKED_HOST,
        Fault.ERROR_IN_200,
        Fault.TOO_MANY,
        Fault.MALFORMED,
        Fault.NO_CONTENT,
        Fault.SERVER_ERROR,
    ],
)
def test_it_understands_how_the_provider_fails(talk: Talk, fault: Fault) -> None:
    talk.simulator.faults.add(fault)
    outcome = talk.outcome()

    assert isinstance(outcome, NotAccepted)
    assert outcome.outcome == talk.peer.outcome_of(fault)


def test_a_wrong_key_stops_the_gateway(talk: Talk) -> None:
    outcome = talk.let_in_wrongly().outcome()

    assert isinstance(outcome, NotAccepted)
    assert outcome.outcome == talk.peer.outcome_of(Fault.BAD_CREDENTIALS)
    assert talk.simulator.taken == []
