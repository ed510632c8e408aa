"""Sending: `delivery.drain` beside the usual way, one `requests.post` and one UPDATE for each message, 8 at a time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

import requests
from django.db import connection
from django.utils import timezone

from bench.measuring import Way
from gateways import providers, transport
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway
from gateways.outcomes import Accepted, OutboundSms
from gateways.provider import BaseProvider
from messaging import delivery
from messaging.models import Message, State
from messaging.retries import Kind

THREADS = 8
#: So many that a round takes a second or more, and so few that the usual way does not take minutes.
USUAL, OURS = 160, 1200


class BenchProvider(BaseProvider):
    """The simulator as a provider; known while `simulator` runs and at no other time."""

    def submit(self, sms: OutboundSms) -> HttpRequest:
        return HttpRequest("POST", self.settings["url"], body=json.dumps({"to": sms.phone, "text": sms.text}).encode())

    def read_submit(self, response: HttpResponse) -> Accepted:
        return Accepted(str(json.loads(response.body)["id"]))


@contextmanager
def simulator() -> Iterator[str]:
    """Its address, while it runs in a process of its own."""
    program = Path(__file__).with_name("simulator.py")
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with patch.object(providers, "load", lambda _: BenchProvider):
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        transport.stop()
        process.kill()


def ways(url: str) -> list[Way]:
    """The usual way, and ours with as many messages at once as a gateway allows by default, and with more."""
    usual, default, wide = (_gateway(name, url, at_once) for name, at_once in (("a", 50), ("b", 50), ("c", 400)))
    return [
        _way(f"one requests.post each, {THREADS} threads", partial(_usual, url), usual, USUAL),
        _way("drain, 50 at once (a gateway's default)", partial(delivery.drain, default.pk), default, OURS),
        _way("drain, 400 at once", partial(delivery.drain, wide.pk), wide, OURS),
    ]


def _way(name: str, run: partial[None], gateway: Gateway, count: int) -> Way:
    return Way(name, run, things=count, before=partial(_queue, gateway, count))


def _gateway(name: str, url: str, at_once: int) -> Gateway:
    gateway = Gateway(name=name, provider="bench", max_in_flight=at_once, rate_per_second=10_000)
    gateway.settings = {"url": url}
    gateway.save()
    return gateway


def _queue(gateway: Gateway, count: int) -> None:
    """Leaves `count` due messages. Those of the round before must all be sent, or it has measured nothing."""
    assert not Message.objects.filter(gateway__provider="bench").exclude(state=State.NO_RECEIPT).exists()
    Message.objects.all().delete()
    now = timezone.now()
    Message.objects.bulk_create(
        Message(
            kind=Kind.INFORMATION, priority=3, phone=f"+7916{number:07}", gateway=gateway, text="Wi-Fi is back",
            encoding="GSM-7", segments=1, due_at=now, valid_until=now + timedelta(hours=1),
        )
        for number in range(count)
    )  # fmt: skip


def _usual(url: str) -> None:
    with ThreadPoolExecutor(THREADS, initializer=connection.connect) as threads:
        list(threads.map(partial(_post, url), Message.objects.filter(state=State.QUEUED)))


def _post(url: str, message: Message) -> None:
    answer = requests.post(url, json={"to": message.phone, "text": message.text}, timeout=15)
    message.reference, message.state = str(answer.json()["id"]), State.NO_RECEIPT
    message.save(update_fields=["reference", "state"])
