"""One wrong password: the provider sees it once, whatever waits and whoever works; corrected, all that waited goes."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from django.utils import timezone
from pytest_django import Settings

from gateways import balance, pace, sessions, transport
from gateways.models import Gateway, GatewayHealth
from gateways.tasks import keep_accounts
from messaging import claiming, delivery, recovery, tasks
from messaging.drains import drains
from messaging.models import Message, State
from messaging.retries import Kind
from messaging.settling import settle
from portal.models import User
from tests.conftest import Api
from tests.gateways.conftest import at_once
from tests.messaging.conftest import fresh, make_due
from tests.messaging.peers import NAMES, PORTAL_URL, Account, account_at
from tests.simulators.server import Asked, Fault

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

MANY = 30
LOGGED_IN_AT = ("axelnac", "mobile_smarts", "runtel", "smsmobileapi")
SHOWN_EACH_TIME = ("kannel", "sms_ru", "smsc_ru")
EVERYWHERE = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def account(name: str, api: Api, admin: User, settings: Settings) -> Iterator[Account]:
    """A gateway with a wrong secret, for which many messages wait."""
    settings.PORTAL_URL = PORTAL_URL
    with account_at(name, api(admin), wrong=True, rate_per_second=1000) as account:
        send_many(account)
        yield account


@pytest.fixture
def well(name: str, api: Api, admin: User, settings: Settings) -> Iterator[Account]:
    """A gateway with the right secret, for which nothing waits."""
    settings.PORTAL_URL = PORTAL_URL
    with account_at(name, api(admin), rate_per_second=1000) as account:
        GatewayHealth.objects.update(pace_tokens=1000)
        yield account


def phone(number: int) -> str:
    return f"+7916{number:07}"


def send_many(account: Account, kind: Kind = Kind.CREDENTIALS, first: int = 1) -> list[Message]:
    """Each to a phone of its own; the gateway has rested, so that nothing but its limits holds them back."""
    GatewayHealth.objects.update(pace_tokens=1000)
    return [account.send_kind(kind, phone(number)) for number in range(first, first + MANY)]


def hand_over_at_once(gateway: Gateway, workers: int = 4) -> None:
    """As so many worker processes do that hear the bell at the same moment; each has a connection of its own."""
    assert drains.begin(gateway.pk)
    try:
        at_once(lambda: delivery.Drain(gateway.pk).run(), workers)
    finally:
        drains.abandon(gateway.pk)


def taken_by_phone(account: Account) -> Counter[str]:
    return Counter({sms.phone: sms.handed_over for sms in account.simulator.taken})


def all_taken_once(first: int = 1) -> Counter[str]:
    return Counter(phone(number) for number in range(first, first + MANY))


def requests_to(account: Account) -> Sequence[Asked]:
    return account.simulator.asked_for(account.peer.name)


def states() -> set[str]:
    return set(Message.objects.values_list("state", flat=True))


@EVERYWHERE
def test_the_provider_is_asked_once_and_left_alone_until_a_person_acts(account: Account) -> None:
    hand_over_at_once(account.gateway)

    assert len(requests_to(account)) == 1
    assert account.simulator.taken == []
    assert states() <= {State.QUEUED, State.HELD}
    shown = account.item()
    assert shown["state"] == "credentials_refused"
    assert shown["last_error"]
    assert shown["last_remedy"]

    GatewayHealth.objects.update(balance_at=None, inbound_at=None)
    make_due()
    assert claiming.gateways_with_due() == []
    assert balance.gateways_to_ask() == []
    tasks.sweep()
    keep_accounts()
    hand_over_at_once(account.gateway)
    recovery.inquire(account.gateway.pk)
    assert len(requests_to(account)) == 1
    assert account.item()["last_error"] == shown["last_error"]


@EVERYWHERE
def test_a_corrected_password_sends_everything_that_waited_once(account: Account) -> None:
    hand_over_at_once(account.gateway)

    account.give_settings(account.peer.settings())
    hand_over_at_once(account.gateway)

    assert taken_by_phone(account) == all_taken_once()
    assert not states() & {State.QUEUED, State.HELD, State.FAILED, State.UNKNOWN, State.UNRESOLVED}
    assert account.item()["state"] == "ok"
    if account.provider.way.logs_in:
        assert account.simulator.logins == {account.peer.name: 2}


@pytest.mark.parametrize("name", [*LOGGED_IN_AT, *SHOWN_EACH_TIME])
def test_a_wrong_password_in_place_of_a_wrong_one_is_tried_once(account: Account) -> None:
    hand_over_at_once(account.gateway)
    secret = next(key for key, value in account.peer.settings().items() if value != account.peer.wrong_settings()[key])

    account.give_settings({secret: "another wrong one"})
    hand_over_at_once(account.gateway)

    assert len(requests_to(account)) == 2
    assert account.item()["state"] == "credentials_refused"


@pytest.mark.parametrize("name", [*LOGGED_IN_AT, *SHOWN_EACH_TIME])
def test_a_check_tries_it_once_more_and_lets_go_what_waited_where_it_works_now(account: Account) -> None:
    """The password is right again because it was changed over there."""
    account.give_settings(account.peer.settings())
    account.simulator.faults = {Fault.BAD_CREDENTIALS}
    hand_over_at_once(account.gateway)
    assert account.check()["works"] is False
    refused = len(requests_to(account))
    assert refused == 2

    account.simulator.faults = set()
    assert account.check()["works"] is True
    hand_over_at_once(account.gateway)

    assert taken_by_phone(account) == all_taken_once()
    assert account.item()["state"] == "ok"


@pytest.mark.parametrize("name", SHOWN_EACH_TIME)
def test_the_first_message_with_new_settings_goes_alone_and_the_others_follow_it(well: Account) -> None:
    gateway = well.gateway
    send_many(well)
    claimed, _ = claiming.claim(gateway)
    assert len(claimed) == 1
    assert [len(claim) for claim, _ in at_once(lambda: claiming.claim(Gateway.objects.get(pk=gateway.pk)))] == [0] * 4
    assert claimed[0].release()

    hand_over_at_once(gateway)

    assert taken_by_phone(well) == all_taken_once()
    send_many(well, first=100)
    assert len(claiming.claim(gateway)[0]) > 1


@pytest.mark.parametrize("name", SHOWN_EACH_TIME)
def test_what_was_handed_over_with_the_old_password_does_not_vouch_for_the_new_one(well: Account) -> None:
    send_many(well)
    hand_over_at_once(well.gateway)
    under_way = in_the_air(well, 1)

    well.give_settings(well.peer.wrong_settings())
    under_way.land()
    send_many(well, first=100)
    before = len(requests_to(well))
    hand_over_at_once(well.gateway)

    assert len(requests_to(well)) == before + 1
    assert well.item()["state"] == "credentials_refused"


@pytest.mark.parametrize("name", SHOWN_EACH_TIME)
def test_what_is_refused_of_the_old_password_does_not_stop_the_gateway_with_the_new_one(account: Account) -> None:
    under_way = in_the_air(account, 1)

    account.give_settings(account.peer.settings())
    under_way.land()

    assert account.item()["state"] == "ok"
    hand_over_at_once(account.gateway)
    assert taken_by_phone(account) == all_taken_once()


@pytest.mark.parametrize("name", SHOWN_EACH_TIME)
def test_a_refusal_of_settings_that_were_read_just_before_they_changed_is_no_news(account: Account) -> None:
    """The worker has read the gateway, and begins when the new settings are stored."""
    read_before = Gateway.objects.get(pk=account.gateway.pk)
    account.give_settings(account.peer.settings())
    GatewayHealth.objects.update(pace_tokens=1)

    under_way = in_the_air(account, 1, read_before)
    under_way.land()

    assert len(requests_to(account)) == 1
    assert account.item()["state"] == "ok"
    GatewayHealth.objects.update(pace_tokens=1000)
    hand_over_at_once(account.gateway)
    assert taken_by_phone(account) == all_taken_once()


# Tokens that end while much is in the air


class InTheAir:
    """What one worker has handed over, until the test lets it hear the answers."""

    def __init__(self, gateway: Gateway, entry: sessions.Entry) -> None:
        self._claimed, _ = claiming.claim(gateway)
        started = delivery.begin(gateway, self._claimed, entry)
        self._by_ticket = {attempt.pk: (message, attempt) for message, attempt, _request in started}
        self._flight = transport.Flight()
        self._flight.launch([delivery._call(*one) for one in started])

    def __len__(self) -> int:
        return len(self._by_ticket)

    def land(self, at_a_time: int = MANY) -> None:
        """Writes the answers down, so many at a time."""
        landings: list[transport.Landing] = []
        while self._flight.in_air:
            landings += self._flight.landed(60)
        for first in range(0, len(landings), at_a_time):
            some = landings[first : first + at_a_time]
            settle([(*self._by_ticket[landing.ticket], landing) for landing in some])


def in_the_air(account: Account, count: int, gateway: Gateway | None = None) -> InTheAir:
    """So many of its messages, or as many as there are, handed over by a worker that has not heard the answers."""
    gateway = gateway or Gateway.objects.get(pk=account.gateway.pk)
    if not claiming.anything_due(gateway):
        send_many(account, first=50)
    # Its pace lets so many go at once, beside those it keeps for codes, and hardly another one in the next moment.
    tokens = count + pace.reserve(count)
    gateway.rate_per_second = tokens
    GatewayHealth.objects.update(pace_tokens=tokens, pace_at=timezone.now())
    return InTheAir(gateway, sessions.enter(gateway))


@pytest.mark.parametrize("name", LOGGED_IN_AT)
def test_many_messages_that_meet_the_end_of_one_token_bring_one_login(well: Account) -> None:
    first = well.send_kind(Kind.CREDENTIALS, phone(99))
    well.drain()
    assert fresh(first).state != State.QUEUED
    send_many(well)
    well.simulator.faults = {Fault.EXPIRED_TOKEN}
    GatewayHealth.objects.update(pace_tokens=1000)

    hand_over_at_once(well.gateway)

    assert taken_by_phone(well) == all_taken_once() + Counter([phone(99)])
    # Mobile SMARTS is not even logged in at: its token is renewed.
    assert well.simulator.logins == {name_of(well): 1 if name_of(well) == "mobile_smarts" else 2}
    assert states() <= {State.NO_RECEIPT, State.SUBMITTED}
    assert well.item()["state"] == "ok"


@pytest.mark.parametrize("name", LOGGED_IN_AT)
def test_late_words_about_an_old_token_bring_no_further_login(well: Account) -> None:
    """Two workers have messages in the air with one token; the second hears of its end when there is a new one."""
    well.send_kind(Kind.CREDENTIALS, phone(99))
    well.drain()
    messages = send_many(well)
    well.simulator.faults = {Fault.EXPIRED_TOKEN}
    one, two = in_the_air(well, 10), in_the_air(well, 10)
    assert (len(one), len(two)) == (10, 10)

    one.land(at_a_time=3)
    sessions.enter(Gateway.objects.get(pk=well.gateway.pk))
    logins = requests_for_a_token(well)
    two.land(at_a_time=3)
    GatewayHealth.objects.update(pace_tokens=1000)
    hand_over_at_once(well.gateway)

    assert requests_for_a_token(well) == logins
    assert taken_by_phone(well) == all_taken_once() + Counter([phone(99)])
    assert {fresh(message).failures for message in messages} == {0}


@pytest.mark.parametrize("name", ["axelnac"])
def test_a_worker_that_begins_with_a_token_that_has_just_been_replaced_does_not_drop_the_new_one(
    well: Account,
) -> None:
    """It was let in, and waited for the database while another worker got a new token."""
    gateway = Gateway.objects.get(pk=well.gateway.pk)
    entry = sessions.enter(gateway)
    well.peer._tokens.clear()  # type: ignore[attr-defined]
    sessions.ended(gateway.pk, entry.issued_at)
    new = sessions.enter(gateway)
    send_many(well)

    InTheAir(gateway, entry).land()

    assert sessions.enter(gateway).issued_at == new.issued_at
    GatewayHealth.objects.update(pace_tokens=1000)
    hand_over_at_once(well.gateway)
    assert taken_by_phone(well) == all_taken_once()
    assert well.simulator.logins == {"axelnac": 2}
    assert GatewayHealth.objects.get().faults == 0


def name_of(account: Account) -> str:
    return account.peer.name


def requests_for_a_token(account: Account) -> int:
    """Logins and renewals."""
    renewals = [one for one in requests_to(account) if b"grant_type=refresh_token" in one.body]
    return account.simulator.logins[account.peer.name] + len(renewals)
