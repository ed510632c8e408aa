"""SMSC.ru: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from gateways import configuration
from gateways.outcomes import (
    Accepted,
    BadCallback,
    CredentialsRefused,
    InboundSms,
    ReceiptState,
    RefusedForNow,
    SentSms,
)
from messaging.models import Message
from tests.gateways.talking import CALLBACK_URL, KEY, PHONE, TEXT, Talk, talk_with
from tests.simulators.server import Fault

#: As its documentation has it.
OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talk_with("smsc_ru") as talk:
        yield talk


def test_the_text_arrives_as_it_was_written(talk: Talk) -> None:
    taken = talk.taken()
    assert (taken.phone, taken.text, taken.sender, taken.reference) == (PHONE, TEXT, "Portal", KEY)


def test_a_text_whose_charset_is_not_named_would_arrive_as_nonsense(talk: Talk) -> None:
    request = talk.provider.submit(talk.sms(text="Я"))
    talk.fetch(replace(request, body=request.body.replace(b"&charset=utf-8", b"")))
    (taken,) = talk.simulator.taken
    assert taken.text == "Я".encode().decode("windows-1251")


def test_the_key_of_any_message_is_an_id_as_the_provider_wants_it() -> None:
    message = Message(pk=10**18 - 1, created=datetime(2026, 11, 22, 10, 15, tzinfo=UTC))
    assert OWN_ID.fullmatch(message.key)


def test_a_message_whose_answer_was_lost_is_found_and_one_that_never_came_is_proven_absent(talk: Talk) -> None:
    talk.taken()
    sought = [SentSms(key, 42, PHONE) for key in (KEY, "portal-20261122101500-43")]
    found = talk.provider.read_look_up(talk.fetch(talk.provider.look_up(sought)))
    assert found == {KEY: Accepted(KEY), "portal-20261122101500-43": None}


def test_one_message_alone_is_found_as_well(talk: Talk) -> None:
    talk.taken()
    found = talk.provider.read_look_up(talk.fetch(talk.provider.look_up([SentSms(KEY, 42, PHONE)])))
    assert found == {KEY: Accepted(KEY)}


def test_the_same_key_to_another_phone_is_another_message(talk: Talk) -> None:
    talk.taken()
    found = talk.provider.read_look_up(talk.fetch(talk.provider.look_up([SentSms(KEY, 42, "+79031112233")])))
    assert found == {KEY: None}


def test_a_repeat_is_sent_again_so_that_a_key_alone_protects_nobody(talk: Talk) -> None:
    talk.taken()
    talk.taken()
    assert len(talk.simulator.taken_by(PHONE)) == 2
    assert not talk.provider.dedupe_key


@pytest.mark.parametrize("state", [state for state in ReceiptState if state != ReceiptState.UNCONFIRMED])
def test_a_state_is_the_same_asked_for_and_called_in(talk: Talk, state: ReceiptState) -> None:
    taken = talk.taken()
    taken.state = state
    (told,) = talk.told(taken)
    (heard,) = talk.heard(talk.peer.receipt_call(taken, state, CALLBACK_URL))
    assert told == heard
    assert (told.reference, told.state) == (KEY, state)
    assert told.at == taken.at.replace(microsecond=0)


def test_a_receipt_signed_with_another_secret_is_refused(talk: Talk) -> None:
    taken = talk.taken()
    talk.simulator.faults.add(Fault.BAD_SIGNATURE)
    with pytest.raises(BadCallback) as refused:
        talk.heard(talk.peer.receipt_call(taken, ReceiptState.DELIVERED, CALLBACK_URL))
    assert refused.value.status == 401


def test_what_a_guest_writes_is_read(talk: Talk) -> None:
    assert talk.heard(talk.peer.inbound_call(PHONE, "СТОП & 😀\nстоп", CALLBACK_URL, "77")) == [
        InboundSms(PHONE.lstrip("+"), "СТОП & 😀\nстоп", "77")
    ]


def test_a_blocked_host_and_a_wrong_password_stop_the_gateway_until_a_person_acts(talk: Talk) -> None:
    wrong = talk.let_in_wrongly().outcome()
    talk.simulator.faults.add(Fault.BLOCKED_HOST)
    blocked = talk.outcome()
    assert isinstance(wrong, CredentialsRefused)
    assert wrong.remedy
    assert isinstance(blocked, CredentialsRefused)
    assert blocked.remedy != wrong.remedy
    assert not talk.simulator.taken


def test_too_many_requests_are_refused_for_now(talk: Talk) -> None:
    talk.simulator.faults.add(Fault.TOO_MANY)
    assert isinstance(talk.outcome(), RefusedForNow)


def test_a_look_up_waits_until_the_same_request_would_not_be_refused_as_a_repeat(talk: Talk) -> None:
    assert talk.provider.settle_window > 60


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "settings.login"),
        ({"login": "portal"}, "settings.password"),
        ({"password": "secret"}, "settings.login"),
    ],
)
def test_it_wants_a_login_with_its_password_or_a_key(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        configuration.checked("smsc_ru", given, {})
    assert list(refused.value.message_dict) == [named]
    assert configuration.checked("smsc_ru", {**given, "api_key": "key"}, {})["api_key"] == "key"
