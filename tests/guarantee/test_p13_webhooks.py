"""P13, of the portal's own webhooks: each event at least once under one id, and a dead receiver delays no message.

Which addresses may be called is that of providers, in `test_p13_addresses.py`; here it is asked of webhooks once more,
from the top.
"""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from messaging import webhooks
from tests.messaging.hooks import deliver_all, listen, listening, only
from tests.simulators import faulty_server
from tests.simulators.faulty_server import FaultyServer, http
from tests.simulators.receiver import Receiver


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
