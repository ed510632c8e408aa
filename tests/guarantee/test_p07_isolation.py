"""P7: a provider that answers nothing holds up its own messages and nobody else's: one for a minute, then twenty.

Nor do messages that are for later hold up those that are due now, at the same gateway, however many they are.

P7 is written with a time: that the slowest of the others take no more than twice what they took before. A time says as
much of the machine as of the portal, so no test asserts one; what is asserted is the order of events. The others go out
while every place of the silent ones is taken and not one of their calls has been given up: nothing waited for those.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from django.utils import timezone

from gateways import balance, network, pace, transport
from gateways.addresses import GuardedResolverOfStrangers
from gateways.http import HttpRequest
from gateways.models import Gateway, GatewayHealth
from gateways.network import Call
from gateways.outcomes import ReceiptState
from messaging import delivery, drains, inbound, tasks
from messaging.drains import Busy
from messaging.models import Message, State
from messaging.retries import Kind
from messaging.webhooks import delivering
from portal.processes import PROCFILE
from tests.messaging.conftest import Send
from tests.services.stack import Portal
from tests.simulators.faulty_server import FaultyServer, answers, http
from tests.simulators.peers import smsgate
from tests.simulators.server import Simulator
from tests.simulators.valve import Valve
from tests.waiting import LONGEST_TIMEOUT, PATIENCE, wait_for

pytestmark = pytest.mark.both_engines

SUBMITS, QUESTIONS, FETCHES = "/smsgate/xml/", "/smsgate/xml/state.php", "/smsgate/xml/incoming.php"
#: What a gateway of 50 messages at once has in flight of information: some of them are kept for codes.
HANGING = 50 - pace.reserve(50)
#: The others have fewer.
SOME = 5
SILENT = [f"silent-{number}" for number in range(20)]


class NeverDone(smsgate.Peer):
    """Delivers nothing as long as it is asked, so that it is asked again and again."""

    async def state(self, request: web.Request) -> web.Response:
        for sms in self.simulator.taken:
            sms.state = ReceiptState.PENDING
        return await super().state(request)


@pytest.fixture
def provider() -> Iterator[Simulator]:
    with Simulator(NeverDone) as simulator:
        yield simulator


@pytest.fixture
def valve(provider: Simulator) -> Iterator[Valve]:
    """The way to the provider that all gateways but `well` take."""
    with Valve(provider.url) as valve:
        yield valve


@pytest.fixture
def portal(installation: Portal, provider: Simulator) -> Portal:
    """One that may call this machine; a new provider is a new set of gateways, so it begins anew."""
    if not installation.is_running():
        installation.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
        installation.start()
    installation.login()
    return installation


def set_up(portal: Portal, provider: Simulator, name: str, url: str, **details: object) -> None:
    """A gateway that has sent one message and awaits its receipt: its settings are known to work."""
    settings = {**provider.peers["smsgate"].settings(), "url": f"{url}/smsgate"}
    body = {"id": name, "provider": "smsgate", "settings": settings, "sender": "Portal", "timeout": LONGEST_TIMEOUT}
    portal.call("POST", "sms_gateways", {**body, **details})
    first = post(portal, name, 1)
    wait_for(lambda: portal.message(first[0])["state"] == "submitted", f"{name} works")


def post(portal: Portal, gateway: str, count: int) -> list[int]:
    """So many messages accepted for this gateway, in one call: the clock of those that hang is running."""
    message = {"phone_number": "+79161234567", "message": gateway}
    body = {"sms_gateway": gateway, "messages": [message] * count}
    made = portal.call("POST", "sms_gateways/send_sms_batch", body)
    assert (made["errors"], made["item"]["total"]) == ([], count)
    asked = {"query": {"op": "equals", "field": "batch", "value": made["item"]["id"]}, "limit": count}
    accepted = [row["id"] for row in portal.call("POST", "messages/search", asked)["items"]]
    assert len(accepted) == count
    return accepted


def taken(provider: Simulator, text: str) -> int:
    return sum(sms.text == text for sms in provider.taken)


def test_no_message_waits_for_another_gateway_that_answers_nothing(
    portal: Portal, provider: Simulator, valve: Valve
) -> None:
    set_up(portal, provider, "well", provider.url)
    set_up(portal, provider, "dead", valve.url)
    for name in SILENT:
        set_up(portal, provider, name, valve.url, max_in_flight=SOME)
    valve.shut()

    post(portal, "dead", 200)
    wait_for(lambda: valve.waiting[SUBMITS] >= HANGING, "as many hang as the gateway has in flight")
    post(portal, "well", 20)
    wait_for(lambda: taken(provider, "well") >= 21, "the messages of the gateway that is well go out")
    assert valve.waiting[SUBMITS] >= HANGING

    for name in SILENT:
        post(portal, name, 10)
    wait_for(lambda: valve.waiting[SUBMITS] >= HANGING + (SOME - pace.reserve(SOME)) * len(SILENT), "all of them hang")
    wait_for(lambda: valve.waiting[QUESTIONS] and valve.waiting[FETCHES], "questions hang too")
    last = post(portal, "well", 20)
    wait_for(lambda: taken(provider, "well") >= 41, "the messages of the gateway that is well go out")
    assert valve.waiting[SUBMITS] >= HANGING + (SOME - pace.reserve(SOME)) * len(SILENT)
    assert taken(provider, "dead") == 1
    # The order of events: nothing had to be given up before.
    ours = max(sms.at for sms in provider.taken if sms.text == "well")
    assert not [moment for moment in valve.given_up if moment < ours]
    assert {portal.message(number)["sms_gateway"] for number in last} == {"well"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
def test_ten_thousand_messages_for_later_delay_what_is_due_by_no_more_than_one_sweep(
    send: Send, sandbox: Gateway, bells: list[tuple[str, tuple[int]]]
) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    late = send(phone="+79160000000", kind=Kind.CODE)
    values = {field.attname: getattr(late, field.attname) for field in Message._meta.concrete_fields}
    values = {name: value for name, value in values.items() if name not in {"id", "phone_tail"}}
    values |= {"due_at": in_an_hour, "valid_until": in_an_hour + timedelta(hours=1)}
    Message.objects.all().delete()
    # Older than what is due, and before it by priority.
    Message.objects.bulk_create([Message(**values) for _ in range(10_000)], batch_size=500)

    # It is rung for at once, and where that bell is lost by the first sweep; and the first drain takes it.
    for kind in (Kind.CODE, Kind.INFORMATION):
        bells.clear()
        due = send(kind=kind)
        assert (tasks.drain.name, (sandbox.pk,)) in bells
        bells.clear()
        tasks.sweep()
        assert (tasks.drain.name, (sandbox.pk,)) in bells
        delivery.drain(sandbox.pk)
        assert Message.objects.get(pk=due.pk).state == State.SUBMITTED
    bells.clear()
    tasks.sweep()
    assert (tasks.drain.name, (sandbox.pk,)) not in bells
    assert Message.objects.filter(state=State.QUEUED).count() == 10_000


class TestThreadsOfAWorker:
    """What waits for a provider's word on the side never takes the threads that hand messages over."""

    def test_no_more_gateways_are_asked_at_once_than_are_allowed(self) -> None:
        questions = Busy(most=2)
        assert [questions.begin(number) for number in (1, 2, 3)] == [True, True, False]
        # A bell for one that is busy is remembered, however many are.
        assert not questions.begin(1)
        assert questions.heard(1)
        questions.abandon(2)
        assert questions.begin(3)

    def test_handing_over_has_most_of_them(self) -> None:
        worker = next(line for line in PROCFILE.read_text().splitlines() if line.startswith("worker:"))
        threads = int(worker.partition("--concurrency ")[2].split()[0])
        others = (drains.questions, drains.fetches, delivering.deliveries)
        on_the_side = sum(busy._most or threads for busy in others) + balance.SOME
        assert drains.drains._most is not None
        assert len(SILENT) < drains.drains._most <= threads - on_the_side - len(("the sweep", "housekeeping"))

    def test_handing_over_itself_is_not_limited(self) -> None:
        assert all(Busy().begin(number) for number in range(1000))

    def test_an_inbound_question_too_many_is_put_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []

        def fetch(number: int) -> int:
            asked.append(number)
            if number < 5:
                tasks.fetch(number + 1)
            return 0

        monkeypatch.setattr(tasks, "fetches", Busy(most=3))
        monkeypatch.setattr(inbound, "fetch", fetch)
        tasks.fetch(1)
        assert asked == [1, 2, 3]
        tasks.fetch(5)
        assert asked == [1, 2, 3, 5]

    @pytest.mark.django_db
    def test_balances_are_asked_for_a_few_at_a_time_and_the_oldest_first(self) -> None:
        now = timezone.now()
        for number in range(balance.SOME + 2):
            gateway = Gateway.objects.create(name=f"gateway {number}", provider="smsgate")
            asked_at = None if number == 3 else now - timedelta(days=number + 1)
            GatewayHealth.objects.create(gateway=gateway, proven=True, balance_at=asked_at)
        first, second = balance.gateways_to_ask(), balance.gateways_to_ask()
        assert (len(first), len(second)) == (balance.SOME, 2)
        names = Gateway.objects.in_bulk(first)
        assert names[first[0]].name == "gateway 3"
        assert {names[pk].name for pk in first} == {f"gateway {number}" for number in range(2, balance.SOME + 2)}
        assert balance.gateways_to_ask() == []


class NameServer:
    """Stands in for the resolver: every name is this machine, and those that begin so get no answer until the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._look_up, self._answered, self._asked = socket.getaddrinfo, threading.Event(), threading.Semaphore(0)
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def _getaddrinfo(self, host: Any, *rest: Any, **options: Any) -> Any:
        if str(host).startswith("silent"):
            self._asked.release()
            self._answered.wait()
        return self._look_up("127.0.0.1", *rest, **options)

    def is_asked(self, times: int) -> bool:
        """Whether it has been asked so often for those, within a while."""
        return all(self._asked.acquire(timeout=PATIENCE) for _ in range(times))

    def is_asked_more(self) -> bool:
        return self._asked.acquire(blocking=False)

    def answer(self) -> None:
        self._answered.set()


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    name_server = NameServer(monkeypatch)
    yield name_server
    name_server.answer()
    transport.stop()


def test_no_call_waits_for_the_look_up_of_a_name_that_nobody_answers_for(name_server: NameServer) -> None:
    flight = transport.Flight()
    with FaultyServer(answers(http(b"taken"))) as provider:
        flight.launch([call_to(f"{name}.example", provider.port) for name in SILENT])
        assert name_server.is_asked(len(SILENT))
        assert transport.fetch(request_to("well.example", provider.port), PATIENCE).body == b"taken"
        assert flight.landed(0) == []
        name_server.answer()


def test_no_send_waits_for_the_look_ups_of_names_that_others_gave(name_server: NameServer) -> None:
    """However many: webhooks and delivery reports go to any host."""
    flight = transport.Flight()
    with FaultyServer(answers(http(b"taken"))) as provider:
        flight.launch([call_to(f"silent{n}.example", 9, enough=1) for n in range(3 * transport.LOOK_UPS)])
        assert name_server.is_asked(network.LOOK_UPS_OF_STRANGERS)
        assert transport.fetch(request_to("well.example", provider.port), PATIENCE).body == b"taken"


def test_a_look_up_for_others_whose_turn_does_not_come_is_never_begun(name_server: NameServer) -> None:
    async def look_up_two() -> None:
        resolver = GuardedResolverOfStrangers(at_once=1, patience=0.05)
        first = asyncio.create_task(resolver.resolve("silent1.example"))
        assert await asyncio.to_thread(name_server.is_asked, 1)
        with pytest.raises(TimeoutError):
            await resolver.resolve("silent2.example")
        name_server.answer()
        assert (await first)[0]["host"] == "127.0.0.1"
        assert (await resolver.resolve("well.example"))[0]["host"] == "127.0.0.1"
        await resolver.close()

    asyncio.run(look_up_two())
    assert not name_server.is_asked_more()


def request_to(host: str, port: int, enough: int | None = None) -> HttpRequest:
    return HttpRequest("POST", f"http://{host}:{port}/", enough=enough)


def call_to(host: str, port: int, enough: int | None = None) -> Call:
    request = request_to(host, port, enough)
    return Call(0, request, LONGEST_TIMEOUT, timezone.now() + timedelta(seconds=LONGEST_TIMEOUT))
