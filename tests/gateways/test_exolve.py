"""MTS Exolve: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateways.outcomes import CredentialsRefused, RefusedForNow, RefusedHere
from tests.gateways.talking import PHONE, TEXT, Talk, talk_with
from tests.simulators.server import Fault


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talk_with("exolve") as found:
        yield found


def test_the_text_arrives_as_it_was_written(talk: Talk) -> None:
    taken = talk.taken()
    assert (taken.phone, taken.text, taken.sender) == (PHONE, TEXT, "Portal")


def test_without_a_sender_there_is_nothing_to_ask(talk: Talk) -> None:
    with pytest.raises(RefusedHere, match="no sender"):
        talk.provider.submit(replace(talk.sms(), sender=""))


def test_no_receipt_is_promised(talk: Talk) -> None:
    assert not talk.provider.sends_receipts
    assert not talk.provider.can_query
    assert not talk.provider.can_look_up


def test_the_check_tells_the_balance_and_a_wrong_key(talk: Talk) -> None:
    assert talk.provider.read_check(talk.fetch(talk.provider.check())) == "the balance is 3520.38"
    wrong = talk.let_in_wrongly()
    with pytest.raises(CredentialsRefused):
        wrong.provider.read_check(wrong.fetch(wrong.provider.check()))
    assert talk.simulator.taken == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.BAD_CREDENTIALS, CredentialsRefused),
        (Fault.TOO_MANY, RefusedForNow),
        (Fault.ERROR_IN_200, RefusedHere),
    ],
)
def test_each_fault_is_told_apart_and_nothing_is_sent(talk: Talk, fault: Fault, expected: type[Exception]) -> None:
    talk.simulator.faults.add(fault)
    assert type(talk.outcome()) is expected
    assert talk.simulator.taken == []
