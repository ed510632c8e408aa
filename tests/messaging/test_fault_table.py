"""Every fault at every provider: what becomes of the messages that meet it, and how often the provider took them.

The simulated provider is the witness. What the tests find is printed as a table at the end of the run.
"""

from collections.abc import Callable, Iterator, Sequence
from threading import Event

import pytest
from pytest_django import Settings

from gateways.outcomes import Outcome
from messaging import recovery
from messaging.delivery import Drain
from messaging.drains import drains
from messaging.models import Message, State, Wait
from messaging.retries import Kind
from portal.models import User
from tests.conftest import Api
from tests.gateways.conftest import at_once
from tests.messaging.conftest import fresh
from tests.messaging.peers import NAMES, PORTAL_URL, Account, account_at
from tests.simulators import peers
from tests.simulators.loop_clock import run_out_of_time
from tests.simulators.server import Fault

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("network")]

#: Those of a submit. Nothing is handed over with bad credentials, so that they have tests of their own.
CASES = [
    (name, fault)
    for name in NAMES
    for fault in Fault
    if fault in peers.load(name).applies and fault is not Fault.BAD_CREDENTIALS
]
KINDS = (Kind.CREDENTIALS, Kind.INFORMATION)
SENT = {State.SUBMITTED, State.DELIVERED, State.NO_RECEIPT}
#: Where a message may be while the fault lasts.
MEANWHILE = {
    Outcome.ACCEPTED: SENT,
    Outcome.REFUSED: {State.FAILED},
    Outcome.REFUSED_FOR_NOW: {State.QUEUED},
    Outcome.GATEWAY_FAULT: {State.HELD},
    Outcome.AMBIGUOUS: {State.UNKNOWN, State.UNRESOLVED},
}  #: The outcomes after which the provider may have the message.
MAY_BE_TAKEN = {Outcome.ACCEPTED, Outcome.AMBIGUOUS}

Note = Callable[[str, object], None]


@pytest.fixture
def account(request: pytest.FixtureRequest, api: Api, admin: User, settings: Settings) -> Iterator[Account]:
    """A gateway at the provider that the test names, fast enough for all messages to be in the air at once."""
    settings.PORTAL_URL = PORTAL_URL
    with account_at(request.param, api(admin), rate_per_second=1000, timeout=60) as made:
        yield made


@pytest.mark.parametrize(
    ("account", "fault"), CASES, ids=[f"{name}: {fault}" for name, fault in CASES], indirect=["account"]
)
def test_a_fault_has_its_outcome_and_nothing_is_taken_too_often(
    account: Account, fault: Fault, record_property: Note
) -> None:
    let_work(account)
    outcome = account.peer.outcome_of(fault)
    messages = [account.send_kind(kind, f"+7916000000{number}") for number, kind in enumerate(KINDS, start=1)]

    account.simulator.goes_silent = once_all_are_taken(account, messages)
    account.simulator.faults.add(fault)
    account.drain()

    assert [outcome_of(message, fault) for message in messages] == [outcome] * len(messages)
    assert {fresh(message).state for message in messages} <= MEANWHILE[outcome]
    assert {len(account.taken(message)) for message in messages} == {int(outcome in MAY_BE_TAKEN)}
    if outcome is not Outcome.ACCEPTED:
        nothing_happens_too_soon(account)
    if fault in {Fault.DUPLICATE_CALLBACK, Fault.BAD_SIGNATURE}:
        assert (State.SUBMITTED in states_after_two_calls(account, messages)) is (fault is Fault.BAD_SIGNATURE)

    account.simulator.faults.clear()
    let_all_happen(account)

    for message in map(fresh, messages):
        unclear = message.attempts.filter(outcome=Outcome.AMBIGUOUS).count()
        taken, end = how_it_ends(account, outcome, message.kind)
        assert (len(account.taken(message)), message.state in end) == (taken, True), message.state
        assert taken <= (1 if is_sure(account) else 1 + unclear)
        assert taken or message.state not in SENT
    note(record_property, account, fault, outcome, messages)


@pytest.mark.parametrize(
    "account", [name for name, fault in CASES if fault is Fault.EXPIRED_TOKEN], indirect=["account"]
)
def test_a_session_that_ended_is_begun_once_and_costs_no_try(account: Account) -> None:
    let_work(account)
    messages = [account.send(f"+7916000000{number}") for number in range(5)]
    before = len(account.simulator.asked_for(account.peer.name)) - submits(account)

    account.simulator.faults.add(Fault.EXPIRED_TOKEN)
    account.drain()

    assert len(account.simulator.asked_for(account.peer.name)) - submits(account) == before + 1
    for message in map(fresh, messages):
        assert (message.failures, message.unclear) == (0, 0)
        assert message.state in SENT
        assert len(account.taken(message)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("account", NAMES, indirect=["account"])
def test_one_wrong_password_reaches_the_provider_once(account: Account, record_property: Note) -> None:
    account.simulator.faults.add(Fault.BAD_CREDENTIALS)
    messages = [account.send_kind(kind, f"+7916000000{number}") for number, kind in enumerate(KINDS * 3, start=1)]

    for _ in range(2):
        at_four_workers(account)

    assert len(account.simulator.asked_for(account.peer.name)) == 1
    item = account.item()
    assert item["state"] == "credentials_refused"
    assert item["last_error"]
    assert item["last_remedy"]
    for message in map(fresh, messages):
        assert message.state in {State.QUEUED, State.HELD}
        assert (message.failures, account.waits_for(message)) == (0, Wait.GATEWAY)

    account.simulator.faults.clear()
    if account.check()["works"] is None:
        # Of such a provider a check cannot tell; whoever corrects the settings need not wait either.
        account.give_settings(account.peer.wrong_settings())
        account.give_settings(account.peer.settings())
    account.drain()

    for message in messages:
        assert (len(account.taken(message)), fresh(message).state in SENT) == (1, True)
    note(record_property, account, Fault.BAD_CREDENTIALS, Outcome.GATEWAY_FAULT, messages[:2])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NAMES)
def test_a_corrected_password_sends_what_waited(name: str, api: Api, admin: User) -> None:
    with account_at(name, api(admin), wrong=True) as account:
        messages = [account.send(f"+7916000000{number}") for number in range(5)]
        account.drain()
        assert account.item()["state"] == "credentials_refused"
        assert account.simulator.taken == []

        account.give_settings(account.peer.settings())
        account.drain()

        assert account.item()["state"] == "ok"
        for message in messages:
            assert (len(account.taken(message)), fresh(message).state in SENT) == (1, True)


def let_work(account: Account) -> None:
    """The gateway has sent before, so that nothing is on trial."""
    message = account.send("+79169999999")
    account.drain()
    account.inquire()
    assert fresh(message).state in SENT


def once_all_are_taken(account: Account, messages: list[Message]) -> Callable[[], None]:
    """Time runs out when the last of them was accepted; only once, for the next calls are to be answered."""
    over = Event()

    def look() -> None:
        if not over.is_set() and all(account.taken(message) for message in messages):
            over.set()
            run_out_of_time()

    return look


def outcome_of(message: Message, fault: Fault) -> str:
    """The first attempt's. With a token that ended nothing is handed over: what counts is the attempt after it."""
    outcomes = list(message.attempts.order_by("pk").values_list("outcome", flat=True))
    if fault is Fault.EXPIRED_TOKEN and outcomes[0] == Outcome.REFUSED_FOR_NOW:
        return outcomes[1]
    return outcomes[0]


def nothing_happens_too_soon(account: Account) -> None:
    """Nothing is repeated and no question asked before its time, however often the bell rings."""
    before = len(account.simulator.asked)
    account.drain()
    recovery.inquire(account.gateway.pk)
    assert len(account.simulator.asked) == before


def states_after_two_calls(account: Account, messages: Sequence[Message]) -> set[str]:
    """The provider calls twice about each message that it took."""
    for message in [*messages, *messages]:
        account.report(account.taken(message)[0])
    return {fresh(message).state for message in messages}


def let_all_happen(account: Account) -> None:
    """All that is due is done until nothing is: repeats, questions after the settle window, receipts."""
    if account.item()["state"] == "credentials_refused":
        # A host that is shut out looks like that to some; whoever mends it presses the button.
        assert account.check()["works"]
    for _ in range(4):
        account.let_rest()
        account.drain()
        account.inquire()


def how_it_ends(account: Account, outcome: Outcome, kind: str) -> tuple[int, set[State]]:
    """How often the provider has taken a message in the end, and what is said of it."""
    if outcome is Outcome.REFUSED:
        return 0, {State.FAILED}
    if outcome is not Outcome.AMBIGUOUS or is_sure(account):
        return 1, SENT
    # Nothing can clear it up: what a guest waits for is risked once more, the rest is left to a person.
    return (2, SENT) if kind == Kind.CREDENTIALS else (1, {State.UNRESOLVED})


def is_sure(account: Account) -> bool:
    """Whether the provider knows a repeat, or can be asked whether it has a message."""
    provider = account.provider
    return provider.dedupe_key or provider.can_look_up


def submits(account: Account) -> int:
    """How many requests handed a message over, or tried to."""
    return sum(message.attempts.count() for message in Message.objects.all())


def at_four_workers(account: Account) -> None:
    """As many processes hear the bell at the same moment."""
    drains.begin(account.gateway.pk)
    at_once(lambda: Drain(account.gateway.pk).run())
    drains.abandon(account.gateway.pk)


def note(record_property: Note, account: Account, fault: Fault, outcome: Outcome, messages: Sequence[Message]) -> None:
    """For the table: how often the provider took the credentials, and how often the information."""
    taken = "+".join(str(len(account.taken(message))) for message in messages)
    record_property("fault", (fault.value, outcome.value, taken, account.peer.name))
