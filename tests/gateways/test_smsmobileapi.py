"""SMSmobileAPI: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from gateways import configuration
from gateways.auth import Token
from gateways.http import HttpResponse
from gateways.outcomes import (
    Accepted,
    BadCallback,
    CredentialsRefused,
    GatewayFault,
    InboundSms,
    Receipt,
    ReceiptState,
    RefusedForNow,
    RefusedHere,
    SentSms,
    Unreadable,
)
from gateways.provider import read_outcome
from tests.gateways.talking import CALLBACK_URL, PHONE, TEXT, Talk, fetched, talk_with
from tests.simulators.peers.smsmobileapi import KEY, Peer
from tests.simulators.server import Fault


@pytest.fixture
def by_pair() -> Iterator[Talk]:
    """Let in by client id and secret."""
    with talk_with("smsmobileapi") as found:
        yield found


@pytest.fixture
def talk(by_pair: Talk) -> Talk:
    """Let in by the key of the account."""
    return by_pair.with_settings(api_key=KEY)


def peer_of(talk: Talk) -> Peer:
    assert isinstance(talk.peer, Peer)
    return talk.peer


def log_in(talk: Talk) -> Token:
    way, settings = talk.provider.way, talk.provider.settings
    return way.read_login(settings, fetched(way.login(settings)))


def submitted_with(talk: Talk, token: Token) -> HttpResponse:
    return fetched(talk.provider.way.sign(talk.provider.submit(talk.sms()), talk.provider.settings, token))


@pytest.mark.parametrize("given", [{}, {"client_id": "portal"}, {"client_secret": "s"}])
def test_it_wants_a_key_or_a_whole_pair(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as raised:
        configuration.checked("smsmobileapi", given, {})
    assert set(raised.value.message_dict) == {"settings.api_key"}


def test_the_text_arrives_as_it_was_written_and_delivery_is_never_claimed(talk: Talk) -> None:
    taken = talk.taken()
    assert (taken.phone, taken.text, taken.state) == (PHONE, TEXT, ReceiptState.DELIVERED)
    assert talk.told(taken) == [Receipt(taken.reference, ReceiptState.UNCONFIRMED)]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ReceiptState.PENDING, ReceiptState.PENDING),
        (ReceiptState.UNCONFIRMED, ReceiptState.UNCONFIRMED),
        (ReceiptState.UNDELIVERED, ReceiptState.UNDELIVERED),
        (ReceiptState.EXPIRED, ReceiptState.UNDELIVERED),
    ],
)
def test_a_state_is_the_same_asked_for_and_told(talk: Talk, state: ReceiptState, expected: ReceiptState) -> None:
    taken = talk.taken()
    taken.state = state
    assert [receipt.state for receipt in talk.told(taken)] == [expected]
    heard = talk.heard(talk.peer.receipt_call(taken, state, CALLBACK_URL))
    news = [] if expected is ReceiptState.PENDING else [(taken.reference, expected)]
    assert [(one.reference, one.state) for one in heard if isinstance(one, Receipt)] == news


@pytest.mark.parametrize(
    "rows",
    ['{"guid": "other", "send_from_mobile": "1"}', '{"send_from_mobile": "1"}, {"error_api": "7"}', ""],
)
def test_rows_that_are_not_surely_its_own_say_nothing_of_a_message(talk: Talk, rows: str) -> None:
    talk.provider.query([SentSms("portal-42", 42, PHONE, "mine")])
    answer = HttpResponse(200, {}, f'{{"result": {{"error": "none", "sms": [{rows}]}}}}'.encode())
    assert talk.provider.read_query(answer) == [Receipt("mine", ReceiptState.PENDING)]


def test_a_failed_one_is_sent_again_by_its_reference(talk: Talk) -> None:
    former = talk.taken()
    former.state = ReceiptState.UNDELIVERED
    again = talk.outcome(replace(talk.sms(), former=former.reference))
    assert isinstance(again, Accepted)
    assert [sms.text for sms in talk.simulator.taken_by(PHONE)] == [TEXT, TEXT]
    assert again.reference == talk.simulator.taken[-1].reference != former.reference


def test_one_that_has_not_failed_is_not_sent_again_by_its_reference(talk: Talk) -> None:
    former = talk.taken()
    assert isinstance(talk.outcome(replace(talk.sms(), former=former.reference)), RefusedHere)
    assert talk.simulator.taken == [former]


def test_by_whatsapp_the_number_has_no_plus(talk: Talk) -> None:
    whatsapp = talk.with_settings(api_key=KEY, channel="whatsapp")
    assert isinstance(whatsapp.outcome(), Accepted)
    assert b"recipients=79161234567" in talk.simulator.asked_for("smsmobileapi", "/sendsms")[-1].body


def test_each_of_its_two_calls_tells_what_a_guest_wrote(talk: Talk) -> None:
    signed = talk.heard(talk.peer.inbound_call(PHONE, "Стоп 🕊", CALLBACK_URL, "in-1"))
    unsigned = talk.with_settings(api_key=KEY, webhook_secret="").heard(
        peer_of(talk).inbound_call_of_old(PHONE, "Стоп 🕊", CALLBACK_URL, "in-1")
    )
    for heard in (signed, unsigned):
        [sms] = heard
        assert isinstance(sms, InboundSms)
        assert (sms.phone, sms.text, sms.reference) == (PHONE, "Стоп 🕊", "in-1")
        assert sms.at


def test_with_a_secret_a_call_that_is_not_signed_or_wrongly_so_is_refused(talk: Talk) -> None:
    with pytest.raises(BadCallback) as unsigned:
        talk.heard(peer_of(talk).inbound_call_of_old(PHONE, "Стоп", CALLBACK_URL, "in-1"))
    talk.simulator.faults.add(Fault.BAD_SIGNATURE)
    with pytest.raises(BadCallback) as wrong:
        talk.heard(talk.peer.inbound_call(PHONE, "Стоп", CALLBACK_URL, "in-1"))
    assert (unsigned.value.status, wrong.value.status) == (401, 401)


def test_what_guests_wrote_is_asked_for_since_a_moment(talk: Talk) -> None:
    then = talk.simulator.write("smsmobileapi", PHONE, "Стоп 🕊", "in-1").at
    assert then
    [sms] = talk.provider.read_inbound(talk.fetch(talk.provider.fetch_inbound(then)))
    assert (sms.phone, sms.text, sms.reference) == (PHONE, "Стоп 🕊", "in-1")
    assert talk.provider.read_inbound(talk.fetch(talk.provider.fetch_inbound(then + timedelta(minutes=6)))) == []


def test_the_check_tells_how_many_phones_there_are_and_a_wrong_key(talk: Talk) -> None:
    assert talk.provider.read_check(talk.fetch(talk.provider.check())) == "phones connected: 1"
    peer_of(talk).connected = 0
    with pytest.raises(GatewayFault, match="no phone is connected"):
        talk.provider.read_check(talk.fetch(talk.provider.check()))
    wrong = talk.with_settings(api_key="wrong")
    with pytest.raises(CredentialsRefused):
        wrong.provider.read_check(wrong.fetch(wrong.provider.check()))
    assert talk.simulator.taken == []


def test_it_deletes_from_the_log_only_where_the_path_is_known(talk: Talk) -> None:
    taken, known = talk.taken(), talk.with_settings(api_key=KEY, delete_path="/deletesms/")
    asked = SentSms("key", 1, taken.phone, taken.reference)
    assert (talk.provider.can_forget, known.provider.can_forget) == (False, True)
    known.provider.read_forget(talk.fetch(known.provider.forget(asked)))
    assert talk.told(taken) == [Receipt(taken.reference, ReceiptState.PENDING)]


def test_a_client_logs_in_once_and_sends_with_its_token(by_pair: Talk) -> None:
    token = log_in(by_pair)
    for _ in range(2):
        assert isinstance(read_outcome(by_pair.provider, submitted_with(by_pair, token)), Accepted)
    assert by_pair.simulator.logins["smsmobileapi"] == 1
    assert len(by_pair.simulator.taken_by(PHONE)) == 2


def test_a_forgotten_token_has_ended_and_nothing_was_sent(by_pair: Talk) -> None:
    token = log_in(by_pair)
    by_pair.simulator.faults.add(Fault.EXPIRED_TOKEN)
    assert by_pair.provider.way.ended(submitted_with(by_pair, token))
    assert not by_pair.provider.way.ended(submitted_with(by_pair, log_in(by_pair)))
    assert len(by_pair.simulator.taken) == 1


def test_a_wrong_client_secret_is_refused_at_the_login(by_pair: Talk) -> None:
    with pytest.raises(CredentialsRefused):
        log_in(by_pair.let_in_wrongly())
    assert by_pair.simulator.logins["smsmobileapi"] == 1


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


def test_an_empty_list_of_messages_does_not_hide_an_error(talk: Talk) -> None:
    with pytest.raises(Unreadable):
        talk.provider.read_inbound(HttpResponse(200, {}, b'{"result": {"error": "3", "sms": []}}'))
