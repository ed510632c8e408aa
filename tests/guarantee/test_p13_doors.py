"""P13: a call of somebody who cannot show that it is the provider changes nothing, at no provider's door.

P13 is written for the portal's own webhooks, which are in `test_p13_webhooks.py`. What is tested under its number here
are the doors where others call the portal; which addresses it may call is in `test_p13_addresses.py`.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from gateways.models import Gateway
from gateways.outcomes import ReceiptState
from messaging.models import State
from portal.models import User
from tests.conftest import Api
from tests.guarantee import books
from tests.messaging.conftest import fresh
from tests.messaging.peers import PORTAL_URL, Account, account_at
from tests.messaging.test_real_gateways import WAYS
from tests.simulators.server import Call, Fault, TakenSms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("network")]

GUEST = "+79031112233"
CALLERS = [name for name, ways in WAYS.items() if ways.call or ways.inbound_call]
SIGNERS = [name for name, ways in WAYS.items() if ways.signs]


@pytest.fixture
def account(request: pytest.FixtureRequest, api: Api, admin: User, settings: Settings) -> Iterator[Account]:
    """A gateway at the provider that the test names."""
    settings.PORTAL_URL = PORTAL_URL
    with account_at(request.param, api(admin)) as made:
        yield made


def handed_over(account: Account) -> TakenSms:
    """A message that the provider took, as it holds it."""
    message = account.send("+79161234567")
    account.drain()
    assert fresh(message).state in {State.SUBMITTED, State.NO_RECEIPT}
    (taken,) = account.simulator.taken
    return taken


def reports(account: Account, taken: TakenSms) -> list[Call]:
    """What the provider would say of the message: that it arrived, and that it did not."""
    states = (ReceiptState.DELIVERED, ReceiptState.UNDELIVERED)
    said = [account.peer.receipt_call(taken, state, account.gateway.callback_url) for state in states]
    return [call for call in said if call]


def words(account: Account) -> list[Call]:
    """What it would say of a guest who wrote."""
    call = account.peer.inbound_call(GUEST, "СТОП", account.gateway.callback_url, "in-1")
    return [call] if call else []


def status_of(call: Call, path: str) -> int:
    headers = {name: value for name, value in call.headers.items() if name != "content-type"}
    content_type = call.headers.get("content-type", "")
    return Client().generic(call.method, path, call.body, content_type, headers=headers).status_code


@pytest.mark.parametrize("account", CALLERS, indirect=True)
def test_without_the_gateways_own_key_nothing_is_believed(account: Account) -> None:
    taken = handed_over(account)
    other = Gateway.objects.create(name="other", provider="sandbox")
    key, number = account.gateway.callback_key, account.gateway.pk
    strangers = [f"{number}/guessed", f"{number}/{key[:-1]}", f"{number}/{other.callback_key}", f"{other.pk}/{key}"]
    said = [*reports(account, taken), *words(account)]
    assert said
    before = books.copied()
    for call in said:
        path = call.url.removeprefix(PORTAL_URL)
        for stranger in strangers:
            assert status_of(call, path.replace(f"{number}/{key}", stranger)) == 404
    assert books.copied() == before


@pytest.mark.parametrize("account", SIGNERS, indirect=True)
def test_where_calls_are_signed_a_wrong_signature_is_not_believed(account: Account) -> None:
    taken = handed_over(account)
    before = books.copied()
    account.simulator.faults.add(Fault.BAD_SIGNATURE)
    # SMSC signs receipts and not what guests write: there the key in the address is all there is.
    for call in [*reports(account, taken), *(words(account) if account.peer.name != "smsc_ru" else [])]:
        assert status_of(call, call.url.removeprefix(PORTAL_URL)) == 401
    assert books.copied() == before


@pytest.mark.parametrize("account", CALLERS, indirect=True)
def test_the_same_calls_are_believed_from_the_provider(account: Account) -> None:
    """So that the tests above cannot pass because the calls are none."""
    taken = handed_over(account)
    for call in [*reports(account, taken), *words(account)]:
        before = books.copied()
        assert 200 <= status_of(call, call.url.removeprefix(PORTAL_URL)) < 300
        assert books.copied() != before
