"""Twilio: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import time_machine

from gateways.outcomes import (
    BadCallback,
    CredentialsRefused,
    InboundSms,
    Receipt,
    ReceiptState,
    Refused,
    RefusedForNow,
    RefusedHere,
)
from tests.gateways.talking import CALLBACK_URL, PHONE, TEXT, Talk, talk_with
from tests.simulators.server import Fault


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talk_with("twilio") as found:
        yield found


def test_the_text_arrives_as_it_was_written(talk: Talk) -> None:
    taken = talk.taken()
    assert (taken.phone, taken.text, taken.sender, taken.callback_url) == (PHONE, TEXT, "Portal", CALLBACK_URL)


@pytest.mark.parametrize(("left", "validity"), [(-60.0, 1), (0.5, 1), (90.7, 90), (40_000.0, 36_000)])
def test_it_is_never_told_to_deliver_past_the_validity(talk: Talk, left: float, validity: int) -> None:
    now = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        request = talk.provider.submit(replace(talk.sms(), valid_until=now + timedelta(seconds=left)))
    assert parse_qs(request.body.decode())["ValidityPeriod"] == [str(validity)]


def test_without_a_sender_only_a_messaging_service_sends(talk: Talk) -> None:
    with pytest.raises(RefusedHere, match="neither"):
        talk.provider.submit(replace(talk.sms(), sender=""))
    talk.with_settings(messaging_service="MG1").taken()
    assert [sms.sender for sms in talk.simulator.taken] == ["MG1"]


def test_a_text_that_is_too_long_is_refused_and_not_cut(talk: Talk) -> None:
    assert type(talk.outcome(talk.sms(text="ы" * 1601))) is Refused
    assert talk.simulator.taken == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ReceiptState.PENDING, ReceiptState.PENDING),
        (ReceiptState.DELIVERED, ReceiptState.DELIVERED),
        (ReceiptState.UNDELIVERED, ReceiptState.UNDELIVERED),
        (ReceiptState.EXPIRED, ReceiptState.EXPIRED),
        (ReceiptState.UNCONFIRMED, ReceiptState.PENDING),
    ],
)
def test_a_state_is_the_same_asked_for_and_told(talk: Talk, state: ReceiptState, expected: ReceiptState) -> None:
    taken = talk.taken()
    taken.state = state
    for said in (talk.told(taken), talk.heard(talk.peer.receipt_call(taken, state, CALLBACK_URL))):
        [receipt] = said
        assert isinstance(receipt, Receipt)
        assert (receipt.reference, receipt.state) == (taken.reference, expected)


def test_what_a_guest_wrote_is_told_as_it_was_written(talk: Talk) -> None:
    [sms] = talk.heard(talk.peer.inbound_call(PHONE, TEXT, CALLBACK_URL, "SM77"))
    assert sms == InboundSms(PHONE, TEXT, "SM77")


def test_a_call_that_somebody_else_signed_is_refused(talk: Talk) -> None:
    talk.simulator.faults.add(Fault.BAD_SIGNATURE)
    with pytest.raises(BadCallback) as raised:
        talk.heard(talk.peer.inbound_call(PHONE, "STOP", CALLBACK_URL, "SM77"))
    assert raised.value.status == 401


def test_a_call_to_another_address_is_not_taken_here(talk: Talk) -> None:
    call = talk.peer.inbound_call(PHONE, "STOP", CALLBACK_URL, "SM77")
    assert call
    with pytest.raises(BadCallback):
        talk.heard(replace(call, url=CALLBACK_URL.replace("/1/", "/2/")))


def test_the_check_tells_the_balance_and_a_wrong_token(talk: Talk) -> None:
    assert talk.provider.read_check(talk.fetch(talk.provider.check())) == "the balance is 12.5000 USD"
    wrong = talk.let_in_wrongly()
    with pytest.raises(CredentialsRefused):
        wrong.provider.read_check(wrong.fetch(wrong.provider.check()))
    assert talk.simulator.taken == []


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.BAD_CREDENTIALS, CredentialsRefused), (Fault.TOO_MANY, RefusedForNow)]
)
def test_each_fault_is_told_apart_and_nothing_is_sent(talk: Talk, fault: Fault, expected: type[Exception]) -> None:
    talk.simulator.faults.add(fault)
    outcome = talk.outcome()
    assert type(outcome) is expected
    assert getattr(outcome, "retry_after", 2.0) == 2.0
    assert talk.simulator.taken == []
