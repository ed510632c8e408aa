"""Every provider from end to end: a gateway made by API, a message, what the provider holds, and what it reports.

The gateway is at a simulated provider that really runs; receipts and what guests write come by each of its ways.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.http import HttpResponse
from django.utils import translation
from pytest_django import Settings

from gateways import balance, checking, providers
from gateways.models import GatewayHealth
from gateways.outcomes import ReceiptState
from messaging import codes, delivery, inbound, recovery
from messaging.answers import Landed
from messaging.models import DeliveryEvent, InboundMessage, Message, State
from messaging.settling import settle
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import fresh, let_time_pass
from tests.messaging.peers import DESCRIBED, NAMES, PORTAL_URL, Account, account_at
from tests.simulators.peers import smsmobileapi
from tests.simulators.server import TakenSms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("network")]

PHONE, GUEST = "+79161234567", "+79031112233"
#: Three segments, with all that addresses, forms, JSON and XML could stumble over.
LONG = "Ваш пароль: <a&b> \"в\" 'г' 100% +7 {{to}} %d $x 😀\n" + "Съешь ещё этих мягких французских булок. " * 3
TEXTS = [
    LONG,
    "Your password: <a&b> \"c\" 'd' 100% + $5 [e] {f} ~ @ € &amp; %26 ]]>\nsee you",
    "👍🏽👨‍👩‍👧 — добро пожаловать",
]


@dataclass(frozen=True)
class Ways:
    """What a provider's documentation promises; `end` is where a message ends that reached its phone."""

    end: State = State.NO_RECEIPT
    query: bool = False
    call: bool = False
    signs: bool = False
    #: What the provider needs to hear, of its call about a message with this reference.
    reply: tuple[int, str] = (200, "OK")
    inbound_call: bool = False
    inbound_query: bool = False
    balance: str = ""
    #: None where only a message shows whether the settings work.
    check: bool | None = True


DELIVERED = State.DELIVERED
WAYS: Mapping[str, Ways] = {
    "axelnac": Ways(),
    "exolve": Ways(balance="3520.38"),
    "http": Ways(DELIVERED, query=True, call=True, inbound_call=True, check=None),
    "kannel": Ways(DELIVERED, call=True, reply=(200, ""), inbound_call=True),
    "mobile_smarts": Ways(),
    "runtel": Ways(),
    "sms_aero": Ways(DELIVERED, query=True, call=True, balance="337.03"),
    "sms_ru": Ways(DELIVERED, query=True, call=True, signs=True, reply=(200, "100"), balance="4122.56"),
    "smsc_ru": Ways(DELIVERED, query=True, call=True, signs=True, inbound_call=True, balance="337.03"),
    "smsgate": Ways(
        DELIVERED, query=True, call=True, reply=(200, "<id_sms>{reference}</id_sms>"), inbound_query=True,
        balance="150.50",
    ),
    # It knows that the phone has sent, and never that anything arrived.
    "smsmobileapi": Ways(
        query=True, call=True, signs=True, reply=(202, "OK"), inbound_call=True, inbound_query=True,
    ),
    "targetsms_codes": Ways(DELIVERED, query=True),
    "twilio": Ways(
        DELIVERED, query=True, call=True, signs=True, reply=(200, "<Response/>"), inbound_call=True, balance="12.50",
    ),
}  # fmt: skip


def those(way: str) -> Sequence[str]:
    """The providers with this way."""
    return [name for name, ways in WAYS.items() if getattr(ways, way)]


@pytest.fixture
def account(request: pytest.FixtureRequest, api: Api, admin: User, settings: Settings) -> Iterator[Account]:
    """A gateway at the provider that the test names, or at each."""
    settings.PORTAL_URL = PORTAL_URL
    with account_at(request.param, api(admin)) as made:
        yield made


@pytest.fixture
def ways(account: Account) -> Ways:
    return WAYS[account.peer.name]


def everywhere(names: Sequence[str] = NAMES) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("account", names, indirect=True)


def handed_over(account: Account, text: str = LONG) -> tuple[Message, TakenSms]:
    """A message that the provider took, and as it holds it."""
    message = account.send(PHONE, text)
    account.drain()
    (taken,) = account.simulator.taken
    return fresh(message), taken


def test_every_provider_is_here() -> None:
    assert set(WAYS) == set(NAMES)
    assert {DESCRIBED.get(name, name) for name in NAMES} == set(providers.names()) - {"sandbox"}


@everywhere()
def test_a_provider_promises_what_it_can_do(account: Account, ways: Ways) -> None:
    provider = account.provider
    promised = (provider.can_query, provider.can_tell_balance, provider.can_fetch_inbound, provider.sends_receipts)
    assert promised == (ways.query, bool(ways.balance), ways.inbound_query, ways.query or ways.call)


@everywhere()
@pytest.mark.django_db(transaction=True)
def test_the_provider_holds_each_message_once_as_it_was_written(account: Account, ways: Ways) -> None:
    messages = [account.send(f"+7916123450{number}", text) for number, text in enumerate(TEXTS)]
    assert messages[0].segments == 3
    account.drain()
    assert len(account.simulator.taken) == len(TEXTS)
    for text, message in zip(TEXTS, map(fresh, messages), strict=True):
        (taken,) = account.taken(message)
        assert (taken.provider, taken.handed_over) == (account.peer.name, 1)
        assert_holds(account, taken, text, message)
        assert account.state_of(message) == (State.SUBMITTED if ways.query or ways.call else State.NO_RECEIPT)
        assert message.attempts.count() == 1


def test_smsmobileapi_lets_in_by_key_as_well(api: Api, admin: User) -> None:
    with account_at("smsmobileapi", api(admin)) as account:
        assert isinstance(account.peer, smsmobileapi.Peer)
        account.give_settings(account.peer.settings_with_key())
        message, taken = handed_over(account)
        assert (taken.text, account.simulator.logins["smsmobileapi"]) == (LONG, 0)
        account.inquire()
        assert account.state_of(message) == State.NO_RECEIPT


@everywhere(those("query"))
def test_a_receipt_comes_when_it_is_asked_for(account: Account, ways: Ways) -> None:
    message, taken = handed_over(account)
    taken.state = ReceiptState.PENDING
    account.inquire()
    assert account.state_of(message) == State.SUBMITTED
    taken.state = ReceiptState.DELIVERED
    account.inquire()
    assert account.state_of(message) == ways.end


@everywhere(those("query"))
def test_a_message_that_did_not_arrive_is_said_not_to_have(account: Account) -> None:
    message, taken = handed_over(account)
    taken.state = ReceiptState.UNDELIVERED
    account.inquire()
    assert account.state_of(message) == State.UNDELIVERED


@everywhere(those("call"))
def test_a_receipt_that_is_brought_twice_is_one_and_each_gets_its_reply(account: Account, ways: Ways) -> None:
    message, taken = handed_over(account)
    for _ in range(2):
        hears(account.report(taken), ways, taken)
        assert account.state_of(message) == ways.end
    assert fresh(message).reason == ""


@everywhere(those("call"))
def test_a_call_that_a_message_did_not_arrive_is_believed(account: Account) -> None:
    message, taken = handed_over(account)
    account.report(taken, ReceiptState.UNDELIVERED)
    assert account.state_of(message) == State.UNDELIVERED


@everywhere([name for name in those("query") if WAYS[name].call])
def test_a_receipt_that_was_asked_for_and_is_brought_too_is_one(account: Account, ways: Ways) -> None:
    message, taken = handed_over(account)
    account.report(taken)
    account.inquire()
    account.report(taken, ReceiptState.PENDING)
    assert account.state_of(message) == ways.end


@everywhere(those("call"))
def test_a_receipt_may_come_before_our_own_commit(
    account: Account, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report_first(landed: Sequence[Landed]) -> None:
        if landed:
            hears(account.report(account.simulator.taken[0]), ways, account.simulator.taken[0])
            assert DeliveryEvent.objects.get().message is None
        settle(landed)

    monkeypatch.setattr(delivery, "settle", report_first)
    message, _taken = handed_over(account)
    assert account.state_of(message) == ways.end
    assert DeliveryEvent.objects.get().message == message


@everywhere(those("call"))
def test_a_receipt_for_a_message_that_is_not_ours_changes_nothing(account: Account, ways: Ways) -> None:
    message, taken = handed_over(account)
    elsewhere = replace(
        taken, reference=f"9{taken.reference}", callback_url=taken.callback_url.replace(message.key, "portal-1-1")
    )
    hears(account.report(elsewhere), ways, elsewhere)
    assert account.state_of(message) == State.SUBMITTED
    assert DeliveryEvent.objects.get().message is None


@everywhere([name for name, ways in WAYS.items() if not ways.query and not ways.call])
def test_of_a_provider_without_receipts_it_is_said_that_none_will_come(account: Account) -> None:
    message, taken = handed_over(account)
    assert account.report(taken) is None
    account.inquire()
    assert account.state_of(message) == State.NO_RECEIPT
    assert fresh(message).text is None


def test_of_a_provider_that_only_calls_no_receipt_is_awaited_where_it_cannot(
    api: Api, admin: User, settings: Settings
) -> None:
    settings.PORTAL_URL = ""
    with account_at("kannel", api(admin)) as account:
        message, taken = handed_over(account)
        assert account.state_of(message) == State.NO_RECEIPT
        assert taken.callback_url == ""


@everywhere(sorted({*those("query"), *those("call")}))
def test_a_silent_provider_is_waited_for_three_days(account: Account) -> None:
    message, taken = handed_over(account)
    taken.state = ReceiptState.PENDING
    let_time_pass(71 * 3600)
    recovery.recover()
    assert account.state_of(message) == State.SUBMITTED
    let_time_pass(3600 + 1)
    recovery.recover()
    assert account.state_of(message) == State.NO_RECEIPT


@everywhere(those("call"))
def test_a_late_receipt_is_still_believed(account: Account, ways: Ways) -> None:
    message, taken = handed_over(account)
    let_time_pass(73 * 3600)
    recovery.recover()
    assert account.state_of(message) == State.NO_RECEIPT
    account.report(taken)
    assert account.state_of(message) == ways.end


@everywhere(those("inbound_call"))
def test_what_a_guest_writes_is_brought_and_kept_once(account: Account) -> None:
    for _ in range(2):
        answer = account.tell(GUEST, LONG, "in-1")
        assert answer
        assert 200 <= answer.status_code < 300
    assert kept() == [(GUEST, LONG)]


@everywhere(those("inbound_query"))
def test_what_a_guest_writes_is_fetched_and_kept_once(account: Account) -> None:
    account.simulator.write(account.peer.name, GUEST, LONG, "in-1")
    for _ in range(2):
        fetch(account)
    assert kept() == [(GUEST, LONG)]
    account.simulator.write(account.peer.name, GUEST, "И ещё", "in-2")
    fetch(account)
    assert kept() == [(GUEST, LONG), (GUEST, "И ещё")]


@everywhere([name for name in those("inbound_query") if WAYS[name].inbound_call])
def test_what_a_guest_writes_is_kept_once_although_it_comes_both_ways(account: Account) -> None:
    account.simulator.write(account.peer.name, GUEST, LONG, "in-1")
    account.tell(GUEST, LONG, "in-1")
    fetch(account)
    assert kept() == [(GUEST, LONG)]


@everywhere()
def test_a_check_says_that_good_settings_work_and_sends_nothing(account: Account, ways: Ways) -> None:
    found = account.check()
    assert found["works"] is ways.check, found
    assert found["message"]
    assert account.simulator.taken == []
    assert account.item()["state"] == "ok"


@everywhere(those("check"))
def test_a_check_says_why_wrong_settings_do_not(account: Account) -> None:
    account.give_settings(account.peer.wrong_settings())
    found = account.check()
    assert found["works"] is False
    assert re.search(r"login|key|SID", found["message"]), found
    assert found["remedy"]
    item = account.item()
    assert (item["state"], item["last_error"]) == ("credentials_refused", found["message"])


@everywhere([name for name, ways in WAYS.items() if ways.check is None])
def test_a_check_admits_that_only_a_message_can_tell(account: Account) -> None:
    account.give_settings(account.peer.wrong_settings())
    found = account.check()
    assert found["works"] is None
    # A call leaves the portal's own language behind.
    with translation.override("en"):
        assert found["message"] == checking.ONLY_A_TEST
    assert account.simulator.asked == []


@everywhere(those("balance"))
def test_the_balance_is_asked_for_and_shown(account: Account, ways: Ways) -> None:
    balance.ask(account.gateway.pk)
    shown: dict[str, Any] = account.item()["balance"]
    assert shown["amount"] == ways.balance


def assert_holds(account: Account, taken: TakenSms, text: str, message: Message) -> None:
    """The text is as it was written; a provider that makes a code has put it in its place, and we know it again."""
    written = re.escape(account.written(text)).replace(re.escape("{код}"), "([0-9]{6})")
    found = re.fullmatch(written, taken.text)
    assert found, taken.text
    if found.groups():
        assert codes.matches([message], found[1])


def hears(answer: HttpResponse | None, ways: Ways, taken: TakenSms) -> None:
    """The provider hears what it needs so that it does not call again."""
    assert answer
    status, said = ways.reply
    assert answer.status_code == status
    body = answer.content.decode()
    assert said.format(reference=taken.reference) in body if "{" in said else body == said


def fetch(account: Account) -> None:
    """The provider is asked what guests wrote, its turn having come."""
    GatewayHealth.objects.filter(inbound_at__isnull=False).update(inbound_at=F("inbound_at") - timedelta(minutes=2))
    inbound.fetch(account.gateway.pk)


def kept() -> list[tuple[str, str]]:
    """Whose words are on record, in their order."""
    return [(one.phone, one.text) for one in InboundMessage.objects.order_by("pk")]
