"""The SMSGate platform: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateways.http import Callback
from gateways.outcomes import (
    Accepted,
    CredentialsRefused,
    GatewayFault,
    OutboundSms,
    Receipt,
    ReceiptState,
    Refused,
    SentSms,
)
from gateways.providers.smsgate import Provider
from tests.gateways.talking import fetched
from tests.simulators.server import Fault, Simulator

TEXT = "Привет 😀 & <b>\"два\" и 'три'</b>\nВторая строка"
PHONE = "+79001234567"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator("smsgate") as running:
        yield running


@pytest.fixture
def provider(simulator: Simulator) -> Provider:
    return opened(simulator.peers["smsgate"].settings())


def opened(settings: dict[str, object]) -> Provider:
    form = Provider.Config(data={"time_zone": "Europe/Moscow", **settings})
    assert form.is_valid(), form.errors
    return Provider(form.cleaned_data, "Portal")


def sms(number: int = 42, valid_for: timedelta = timedelta(minutes=10), text: str = TEXT) -> OutboundSms:
    return OutboundSms(f"portal-{number}", PHONE, text, "Portal", datetime.now(UTC) + valid_for, number)


def sent(provider: Provider, message: OutboundSms) -> Accepted:
    return provider.read_submit(fetched(provider.submit(message)))


def asked(accepted: Accepted) -> list[SentSms]:
    return [SentSms("portal-42", 42, PHONE, accepted.reference)]


def test_the_text_arrives_as_it_was_written(simulator: Simulator, provider: Provider) -> None:
    accepted = sent(provider, sms())
    (taken,) = simulator.taken
    assert (taken.phone, taken.text, taken.sender, taken.reference) == (PHONE, TEXT, "Portal", accepted.reference)


def test_a_repeat_is_answered_and_not_sent_again(simulator: Simulator, provider: Provider) -> None:
    assert sent(provider, sms()) == sent(provider, sms())
    assert sent(provider, sms(number=43)) != sent(provider, sms())
    assert len(simulator.taken_by(PHONE)) == 2


def test_a_validity_that_has_all_but_ended_is_taken(simulator: Simulator, provider: Provider) -> None:
    assert sent(provider, sms(valid_for=timedelta(0)))


@pytest.mark.parametrize("state", list(ReceiptState))
def test_a_state_is_the_same_asked_for_and_pushed(
    simulator: Simulator, provider: Provider, state: ReceiptState
) -> None:
    accepted = sent(provider, sms())
    (taken,) = simulator.taken
    taken.state = state
    (told,) = provider.read_query(fetched(provider.query(asked(accepted))))
    call = simulator.peers["smsgate"].receipt_call(taken, state, "https://portal.example.org/callbacks/1/k3y/")
    assert call
    callback = Callback(call.method, call.url, call.headers, call.body)
    (pushed,) = provider.read_callback(callback)
    assert told == pushed
    assert isinstance(told, Receipt)
    assert (told.reference, told.state) == (accepted.reference, state)
    assert told.at == (None if state == ReceiptState.PENDING else taken.at.replace(microsecond=0))
    assert f"<id_sms>{accepted.reference}</id_sms>" in provider.callback_reply(callback, [pushed]).body


def test_an_id_that_the_provider_does_not_know_is_no_news(simulator: Simulator, provider: Provider) -> None:
    assert provider.read_query(fetched(provider.query(asked(Accepted("999"))))) == []


def test_what_guests_wrote_is_fetched_from_then_on(simulator: Simulator, provider: Provider) -> None:
    then = simulator.write("smsgate", PHONE, "СТОП & 😀\nстоп", "77").at
    assert then
    (told,) = provider.read_inbound(fetched(provider.fetch_inbound(then)))
    assert (told.phone, told.text, told.reference) == (PHONE.lstrip("+"), "СТОП & 😀\nстоп", "77")
    assert provider.read_inbound(fetched(provider.fetch_inbound(then + timedelta(minutes=1)))) == []


def test_the_check_tells_the_balance_and_sends_nothing(simulator: Simulator, provider: Provider) -> None:
    request = provider.check()
    assert request
    assert provider.read_check(fetched(request)) == "the balance is 150.50 RUR"
    assert not simulator.taken


def test_a_wrong_password_is_told_from_a_blocked_account_and_a_stop_list(
    simulator: Simulator, provider: Provider
) -> None:
    with pytest.raises(CredentialsRefused) as wrong:
        sent(opened(simulator.peers["smsgate"].wrong_settings()), sms())
    assert wrong.value.remedy
    simulator.faults = {Fault.BLOCKED_HOST}
    with pytest.raises(GatewayFault) as blocked:
        sent(provider, sms())
    assert not isinstance(blocked.value, CredentialsRefused)
    assert blocked.value.pause > 0
    simulator.faults = {Fault.ERROR_IN_200}
    with pytest.raises(Refused):
        sent(provider, sms())
    assert not simulator.taken


def test_a_time_zone_that_there_is_not_is_refused() -> None:
    form = Provider.Config(data={"url": "https://sms.targetsms.ru", "login": "l", "password": "p", "time_zone": "MSK"})
    assert list(form.errors) == ["time_zone"]
