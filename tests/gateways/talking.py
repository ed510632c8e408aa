"""A provider's file talking with its simulator over a real connection, with neither database nor workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from gateways import configuration, providers
from gateways.http import Callback, HttpRequest, HttpResponse
from gateways.outcomes import Accepted, InboundSms, NotAccepted, OutboundSms, Receipt, SentSms
from gateways.provider import BaseProvider, read_outcome
from tests.simulators.server import Call, Peer, Simulator, TakenSms
from tests.waiting import PATIENCE

KEY = "portal-20261122101500-42"
PHONE = "+79161234567"
TEXT = "Привет 😀 & <b>\"два\" и 'три'</b>\nВторая строка"
CALLBACK_URL = "https://portal.example.org/callbacks/1/k3y/"


@dataclass(frozen=True)
class Talk:
    """One provider's file, its simulator, and what they say to each other."""

    simulator: Simulator
    peer: Peer
    provider: BaseProvider

    def with_settings(self, **changed: Any) -> "Talk":
        """The same with other settings."""
        return _talk(self.simulator, self.peer, {**self.peer.settings(), **changed})

    def let_in_wrongly(self) -> "Talk":
        """The same with a wrong secret."""
        return _talk(self.simulator, self.peer, self.peer.wrong_settings())

    def fetch(self, request: HttpRequest | None) -> HttpResponse:
        """What the simulator answers."""
        assert request
        return fetched(self.provider.way.sign(request, self.provider.settings, None))

    def sms(self, key: str = KEY, text: str = TEXT) -> OutboundSms:
        """One message, valid for ten minutes."""
        valid_until = datetime.now(UTC) + timedelta(minutes=10)
        return OutboundSms(key, PHONE, text, self.provider.sender, valid_until, 42)

    def outcome(self, sms: OutboundSms | None = None) -> Accepted | NotAccepted:
        """What became of one message."""
        return read_outcome(self.provider, self.fetch(self.provider.submit(sms or self.sms())))

    def taken(self, key: str = KEY) -> TakenSms:
        """A message that the provider took, as it holds it."""
        accepted = self.outcome(self.sms(key))
        assert isinstance(accepted, Accepted), accepted
        return self.simulator.taken[-1]

    def told(self, *taken: TakenSms) -> list[Receipt]:
        """What it says when asked about these."""
        asked = [SentSms(sms.key, 42, sms.phone, sms.reference) for sms in taken]
        return self.provider.read_query(self.fetch(self.provider.query(asked)))

    def heard(self, call: Call | None) -> list[Receipt | InboundSms]:
        """What a call that it makes says to us. Raises BadCallback."""
        assert call
        return self.provider.read_callback(Callback(call.method, call.url, call.headers, call.body))


def fetched(request: HttpRequest | None) -> HttpResponse:
    """The answer to a request as it stands, carried as the transport would carry it."""
    assert request
    answer = requests.request(
        request.method,
        request.url,
        data=request.body,
        headers=dict(request.headers),
        timeout=PATIENCE,
        allow_redirects=False,
    )
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return HttpResponse(answer.status_code, headers, answer.content)


@contextmanager
def talk_with(name: str) -> Iterator[Talk]:
    """The provider of this name and its simulator."""
    with Simulator(name) as simulator:
        peer = simulator.peers[name]
        yield _talk(simulator, peer, peer.settings())


def _talk(simulator: Simulator, peer: Peer, settings: dict[str, Any]) -> Talk:
    checked = configuration.checked(peer.name, settings, {})
    return Talk(simulator, peer, providers.load(peer.name)(checked, "Portal", "main", CALLBACK_URL))
