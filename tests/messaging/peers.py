"""A gateway at a simulated provider: what its administrator, a worker and the provider itself do with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import ReceiptState
from gateways.provider import BaseProvider
from messaging import delivery, recovery, sending
from messaging.models import Message
from messaging.retries import Kind
from tests.messaging.conftest import make_due
from tests.simulators import peers
from tests.simulators.server import Call, Peer, Simulator, TakenSms

PORTAL_URL = "https://portal.example.org"
NAMES = peers.names()
#: Simulated providers of which there is no file: their gateways are described in the form of another.
DESCRIBED = {"mobile_smarts": "http"}


@dataclass(frozen=True)
class Account:
    """One gateway, named as its simulated provider; the administrator's client of the API, and the provider's own."""

    simulator: Simulator
    peer: Peer
    administrator: APIClient
    gateway: Gateway
    caller: Client = field(default_factory=Client)

    @property
    def provider(self) -> BaseProvider:
        """The provider's file with the gateway's settings as they are now."""
        return Gateway.objects.get(pk=self.gateway.pk).open()

    def item(self) -> dict[str, Any]:
        """The gateway as the API shows it."""
        item: dict[str, Any] = self.administrator.get(f"/api/v1/sms_gateway/{self.peer.name}").json()["item"]
        return item

    def check(self) -> dict[str, Any]:
        """What the administrator is told who presses *check*."""
        return self._did("post", f"sms_gateway/{self.peer.name}/check", {})

    def give_settings(self, settings: dict[str, Any]) -> None:
        """The administrator types other settings in."""
        self._did("patch", f"sms_gateway/{self.peer.name}", {"settings": settings})

    def send(self, phone: str, text: str = "Привет") -> Message:
        """A message accepted by the API, not yet handed over."""
        body = {"sms_gateway": self.peer.name, "phone_number": phone, "message": self.written(text)}
        return Message.objects.get(pk=self._did("post", "sms_gateways/send_sms", body)["item"]["id"])

    def send_kind(self, kind: Kind, phone: str) -> Message:
        """A message of this kind, accepted and not yet handed over."""
        text = self.written(f"{kind}: привет")
        return sending.send(phone=phone, text=text, kind=kind, gateway_name=self.peer.name, requested_by=None)

    def written(self, text: str) -> str:
        """The text, with a place for the code where the provider makes one and sends nothing else."""
        placeholder = self.provider.code_placeholder
        return f"{text} {placeholder}" if placeholder else text

    def state_of(self, message: Message) -> str:
        """The message's state as the API shows it."""
        return str(self._shown(message)["state"])

    def waits_for(self, message: Message) -> str:
        """What the message waits for, as the API shows it; empty where it does not wait."""
        return str((self._shown(message)["waits"] or {}).get("reason", ""))

    def drain(self) -> None:
        """A worker hears the bell."""
        delivery.drain(self.gateway.pk)

    def inquire(self) -> None:
        """A worker asks the provider about everything that there is to ask about."""
        make_due()
        recovery.inquire(self.gateway.pk)

    def let_rest(self) -> None:
        """The gateway's pause is over, and so is every wait of its messages."""
        GatewayHealth.objects.filter(open_until__isnull=False).update(open_until=timezone.now() - timedelta(seconds=1))
        make_due()

    def taken(self, message: Message) -> list[TakenSms]:
        """What the provider accepted for the message's phone."""
        return self.simulator.taken_by(message.phone)

    def report(
        self, taken: TakenSms, state: ReceiptState = ReceiptState.DELIVERED, key: str = ""
    ) -> HttpResponse | None:
        """The provider calls with a receipt, at a wrong door where `key` is given; None where it never calls."""
        return self._call(self.peer.receipt_call(taken, state, self.gateway.callback_url), key)

    def tell(self, phone: str, text: str, reference: str) -> HttpResponse | None:
        """The provider calls with what a guest wrote; None where it never does."""
        return self._call(self.peer.inbound_call(phone, text, self.gateway.callback_url, reference))

    def _call(self, call: Call | None, key: str = "") -> HttpResponse | None:
        if call is None:
            return None
        path = call.url.removeprefix(PORTAL_URL).replace(self.gateway.callback_key, key or self.gateway.callback_key)
        headers = {name: value for name, value in call.headers.items() if name != "content-type"}
        content_type = call.headers.get("content-type", "")
        return cast("HttpResponse", self.caller.generic(call.method, path, call.body, content_type, headers=headers))

    def _shown(self, message: Message) -> dict[str, Any]:
        item: dict[str, Any] = self.administrator.get(f"/api/v1/message/{message.pk}").json()["item"]
        return item

    def _did(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = getattr(self.administrator, method)(f"/api/v1/{path}", body, format="json")
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def account_at(name: str, administrator: APIClient, *, wrong: bool = False, **details: Any) -> Iterator[Account]:
    """The simulated provider runs, and the administrator has made a gateway there, with a wrong secret if need be."""
    with Simulator(name) as simulator:
        peer = simulator.peers[name]
        body = {
            "id": name,
            "provider": DESCRIBED.get(name, name),
            "settings": peer.wrong_settings() if wrong else peer.settings(),
            "sender": "Portal",
            "is_default": True,
            **details,
        }
        answer = administrator.post("/api/v1/sms_gateways", body, format="json")
        assert answer.status_code == 201, answer.content
        yield Account(simulator, peer, administrator, Gateway.objects.get(name=name))
