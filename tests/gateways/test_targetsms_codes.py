"""TargetSMS password generation: what recorded exchanges cannot show. Those are in `gateways/providers/examples/`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateways.outcomes import CredentialsRefused, OutboundSms, ReceiptState, Refused, SentSms
from gateways.providers.targetsms_codes import Provider
from tests.gateways.talking import fetched
from tests.simulators.server import Fault, Simulator

TEXT = 'Wi-Fi «Отель» 😀 & <b>"два"</b>: {код}\nНикому не говорите'
PHONE = "+79001234567"
ORDINARY = {
    "url": "https://apiagent.ru/password_generation/api.php",
    "login": "login",
    "password": "p",
    "code_length": 6,
    "state_url": "https://sms.targetsms.ru/xml/state.php",
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator("targetsms_codes") as running:
        yield running


def opened(settings: dict[str, object]) -> Provider:
    form = Provider.Config(data={**ORDINARY, **settings})
    assert form.is_valid(), form.errors
    return Provider(form.cleaned_data, "target")


def sms(text: str = TEXT) -> OutboundSms:
    return OutboundSms("portal-42", PHONE, text, "target", datetime.now(UTC) + timedelta(minutes=10), 42)


def test_the_code_that_it_tells_is_the_one_on_the_phone(simulator: Simulator) -> None:
    provider = opened(simulator.peers["targetsms_codes"].settings())
    accepted = provider.read_submit(fetched(provider.submit(sms())))
    (taken,) = simulator.taken
    assert len(accepted.code) == 6
    assert accepted.code.isdigit()
    assert (taken.phone, taken.text) == (PHONE, TEXT.replace("{код}", accepted.code))
    assert accepted.code not in repr(accepted)


def test_every_message_has_a_code_of_its_own_and_a_state(simulator: Simulator) -> None:
    provider = opened({**simulator.peers["targetsms_codes"].settings(), "code_length": 10})
    first, second = (provider.read_submit(fetched(provider.submit(sms()))) for _ in range(2))
    assert first.code != second.code
    simulator.taken[0].state = ReceiptState.EXPIRED
    asked = [SentSms("portal-42", 42, PHONE, one.reference) for one in (first, second)]
    told = provider.read_query(fetched(provider.query(asked)))
    assert [receipt.state for receipt in told] == [ReceiptState.EXPIRED, ReceiptState.DELIVERED]


def test_a_wrong_password_and_a_bad_phone_are_told_apart(simulator: Simulator) -> None:
    peer = simulator.peers["targetsms_codes"]
    wrong = opened(peer.wrong_settings())
    with pytest.raises(CredentialsRefused):
        wrong.read_submit(fetched(wrong.submit(sms())))
    with pytest.raises(CredentialsRefused):
        wrong.read_check(fetched(wrong.check()))
    simulator.faults = {Fault.ERROR_IN_200}
    provider = opened(peer.settings())
    with pytest.raises(Refused):
        provider.read_submit(fetched(provider.submit(sms())))
    assert not simulator.taken


def test_the_check_sends_nothing(simulator: Simulator) -> None:
    provider = opened(simulator.peers["targetsms_codes"].settings())
    assert provider.read_check(fetched(provider.check()))
    assert not simulator.taken


def test_a_text_without_a_place_for_the_code_is_refused() -> None:
    with pytest.raises(Refused):
        opened({}).submit(sms("Код: 1234"))


@pytest.mark.parametrize("name", ["url", "state_url"])
def test_plain_http_must_be_allowed_on_purpose(name: str) -> None:
    plain = {**ORDINARY, name: "http://apiagent.ru/password_generation/api.php"}
    assert list(Provider.Config(data=plain).errors) == [name]
    assert Provider.Config(data={**plain, "allow_http": True}).is_valid()


def test_an_address_that_is_none_is_told_once() -> None:
    assert Provider.Config(data={**ORDINARY, "url": "ftp://apiagent.ru"}).errors.keys() == {"url"}
