"""P13, of the portal's own webhooks: each event at least once under one id, and a dead receiver delays no message.

Which addresses may be called is that of providers, in `test_p13_addresses.py`; here it is asked of webhooks once more,
from the top.
"""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from messaging import webhooks
from messaging.models import State
from tests.messaging.hooks import deliver_all, listen, listening, only
from tests.services.stack import Portal
from tests.simulators import faulty_server
from tests.simulators.faulty_server import FaultyServer, http
from tests.simulators.receiver import Receiver
from tests.waiting import wait_for

SOME = 40
MESSAGES = ["message.submitted", "message.delivered"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def tell() -> None:
    webhooks.tell("gateway.up", {"sms_gateway": "main"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
class TestAddresses:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "2130706433", "0x7f000001",
            "10.1.2.3", "169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
        ],
    )  # fmt: skip
    def test_a_private_address_is_not_connected_to(self, host: str, settings: Settings) -> None:
        settings.GATEWAY_ALLOWED_NETWORKS = []
        with FaultyServer(faulty_server.answers(http())) as server:
            webhook = listen("gateway.up", url=f"http://{host}:{server.port}/")
            tell()
            deliver_all()
            assert server.connections == 0
        assert only(webhook).last_status is None
        assert only(webhook).reason
        assert not webhooks.test(webhook).works

    def test_one_in_a_listed_network_is(self, receiver: Receiver, settings: Settings) -> None:
        settings.GATEWAY_ALLOWED_NETWORKS = [ip_network("127.0.0.1/32")]
        listening(receiver, "gateway.up")
        tell()
        deliver_all()
        assert len(receiver.heard) == 1

    @pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.2:{port}/"])
    def test_a_redirect_is_a_failure_and_is_not_followed(self, target: str, settings: Settings) -> None:
        settings.GATEWAY_ALLOWED_NETWORKS = [ip_network("127.0.0.1/32")]
        with FaultyServer(faulty_server.answers(http())) as inside:
            away = http(b"", "307 Temporary Redirect", f"Location: {target.format(port=inside.port)}")
            with FaultyServer(faulty_server.answers(away)) as redirecting:
                webhook = listen("gateway.up", url=redirecting.url)
                tell()
                deliver_all()
            assert inside.connections == 0
        assert only(webhook).reason == "the answer was 307, and no redirect is followed"


@pytest.fixture
def portal(installation: Portal) -> Portal:
    """One that may call this machine."""
    if not installation.is_running():
        installation.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
        installation.start()
    installation.login()
    return installation


def send(portal: Portal, number: int) -> int:
    body = {"sms_gateway": "sandbox", "phone_number": f"+7916{number:07}", "message": f"message {number}"}
    sent: int = portal.call("POST", "sms_gateways/send_sms", body)["item"]["id"]
    return sent


def state_of(portal: Portal, message: int) -> str:
    state: str = portal.message(message)["state"]
    return state


@pytest.mark.both_engines
class TestProcesses:
    def test_a_receiver_that_is_down_for_a_while_hears_of_each_message(
        self, portal: Portal, receiver: Receiver
    ) -> None:
        receiver.down = True
        made = portal.call(
            "POST",
            "webhooks",
            {"name": "down", "url": receiver.url, "events": MESSAGES},
        )
        receiver.secret = made["secret"]
        sent = [send(portal, number) for number in range(SOME)]
        wait_for(lambda: all(state_of(portal, one) == State.DELIVERED for one in sent), "all messages are delivered")
        wait_for(lambda: receiver.calls, "the receiver was called")
        assert receiver.heard == []
        receiver.down = False
        portal.call("POST", f"webhook/{made['id']}/resume", {})

        def heard(event: str) -> set[int]:
            return {one.data["id"] for one in receiver.heard if one.type == event}

        for event in ("message.submitted", "message.delivered"):
            wait_for(lambda event=event: heard(event) >= set(sent), f"each {event} was heard")  # type: ignore[misc]
        assert receiver.refused == []
        portal.call("DELETE", f"webhook/{made['id']}")

    def test_receivers_that_never_answer_delay_no_message(self, portal: Portal) -> None:
        with FaultyServer(faulty_server.stays_silent) as silent:
            made = [
                portal.call("POST", "webhooks", {"name": f"silent {number}", "url": silent.url, "events": MESSAGES})
                for number in range(3)
            ]
            send(portal, 0)
            wait_for(silent.was_asked.is_set, "a receiver was called")
            sent = [send(portal, number) for number in range(SOME)]
            wait_for(lambda: all(state_of(portal, one) == State.DELIVERED for one in sent), "all are delivered")
            # Nothing waited for the receivers: none of them has been told of anything, and all of it waits.
            told = "WebhookDelivery.objects.filter(state='delivered', webhook__name__startswith='silent').count()"
            assert portal.look(told) == 0
            for one in made:
                assert portal.call("GET", f"webhook/{one['id']}")["item"]["waiting"] >= 2 * SOME
                portal.call("DELETE", f"webhook/{one['id']}")

    def test_what_a_killed_worker_was_telling_is_told_again(self, portal: Portal, receiver: Receiver) -> None:
        made = portal.call("POST", "webhooks", {"name": "held", "url": receiver.url, "events": ["message.delivered"]})
        receiver.secret = made["secret"]
        receiver.answers.clear()
        message = send(portal, 1)
        wait_for(lambda: receiver.calls, "the receiver is being told")
        portal.kill_worker()
        receiver.answers.set()
        portal.start()
        told = "WebhookDelivery.objects.filter(webhook__name='held', state='delivered').count()"
        wait_for(lambda: portal.look(told) == 1, "the event is delivered")
        assert {one.data["id"] for one in receiver.heard} == {message}
        assert len({headers["webhook-id"] for headers, _body in receiver.calls}) == 1
        assert len(receiver.calls) >= 2
        portal.call("DELETE", f"webhook/{made['id']}")
