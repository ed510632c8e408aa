"""A gateway with a pace, and a witness on the way to its provider who knows which worker process is calling."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.guarantee.windows import most_over_but_for_late
from tests.services.machines import holder_of
from tests.services.stack import Portal
from tests.simulators.server import Simulator
from tests.simulators.witness import Seen, Witness
from tests.waiting import wait_for

STARTED = "{phone: at.timestamp() for phone, at in Attempt.objects.values_list('message__phone', 'started_at')}"

#: Seconds by which a message may be late before its attempt is on record, of which nobody knows: two commits lie
#: between a token and that. On a machine on which they take longer this proves nothing, and fails. A bucket that is too
#: large or shared badly gives nearly a second's worth too many.
UNSEEN = 0.4


@dataclass
class Paced:
    """The gateway `paced` of this portal; `workers` are the processes that may be calling."""

    portal: Portal
    rate: int
    provider: Simulator
    witness: Witness[int]
    workers: list[int]

    def send(self, phones: Sequence[str]) -> None:
        """A message to each, all accepted at one moment."""
        messages = [{"phone_number": phone, "message": "at what pace?"} for phone in phones]
        self.portal.call("POST", "sms_gateways/send_sms_batch", {"sms_gateway": "paced", "messages": messages})

    def share(self, phones: Sequence[str]) -> list[str]:
        """Sends to these until each worker has handed some over, a second's worth at a time; to whom it was sent."""
        sent = 0
        while self.senders(phones) != set(self.workers):
            assert sent < len(phones), f"only {self.senders(phones)} of {self.workers} have sent anything"
            self.send(phones[sent : sent + self.rate])
            sent += self.rate
            wait_for(partial(self.have_arrived, phones[:sent]), "all are handed over")
        return list(phones[:sent])

    def have_arrived(self, phones: Sequence[str]) -> bool:
        """Whether the provider has taken a message for each."""
        return {sms.phone for sms in self.provider.taken} >= set(phones)

    def carrying(self, phone: str) -> list[Seen[int]]:
        """The requests that name this phone, in order; `found` is the worker."""
        return [seen for seen in self.witness.seen if phone.removeprefix("+").encode() in seen.request]

    def senders(self, phones: Sequence[str]) -> set[int]:
        """Who has tried to hand over a message to one of these."""
        return {seen.found for phone in phones for seen in self.carrying(phone)}

    def over(self, phones: Sequence[str]) -> float:
        """By how many messages the worst window exceeds rate and burst, but for those that were late on their way.

        What was allowed in time and is slow to arrive comes together with what was allowed later. How late each was is
        known: from its attempt on record to its first byte. Each of these messages must have been handed over once.
        """
        started: dict[str, float] = self.portal.look(STARTED)
        ways = [(started[phone], self.carrying(phone)[0].at) for phone in phones]
        return most_over_but_for_late(ways, self.rate, self.rate) - self.rate * UNSEEN


@contextmanager
def paced_gateway(portal: Portal, rate: int, **details: object) -> Iterator[Paced]:
    """Made by the API of a portal that runs. Its provider knows keys and reports when it is asked."""
    workers = portal.processes("celery", "worker")
    with (
        Simulator("smsgate") as provider,
        Witness(provider.url, lambda port: holder_of(port, workers)) as witness,
    ):
        settings = {**provider.peers["smsgate"].settings(), "url": f"{witness.url}/smsgate"}
        gateway = {"id": "paced", "provider": "smsgate", "settings": settings, "sender": "Portal"}
        portal.call("POST", "sms_gateways", {**gateway, "rate_per_second": rate, **details})
        yield Paced(portal, rate, provider, witness, workers)
