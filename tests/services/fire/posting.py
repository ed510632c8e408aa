"""Posts messages through the API as a careful client does: a call whose answer was lost is repeated with its key.

One by one, and some of them twenty in one call; each is a message like any other to whoever judges.
"""

import threading
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import requests

from tests.services.fire.providers import KINDS
from tests.services.stack import Portal

#: Answers after which the same call is made again.
AGAIN = frozenset({409, 429, 500, 502, 503, 504})
#: Seconds until then.
PAUSE = 0.1
THREADS = 4
#: One message in so many has a guest's credentials, which may be risked a second time; the others are information.
GUEST_EVERY = 4
#: The last so many of each so many go in one call, where a posting is that long.
BATCH, BATCH_EVERY = 20, 100
PASSWORD = "river-garden-42"


def batch_of(place: int, messages: int) -> range:
    """The places of those that go in one call with the message at this place of a posting; itself alone, mostly."""
    end = place - place % BATCH_EVERY + BATCH_EVERY
    return range(end - BATCH, end) if end - BATCH <= place and end <= messages else range(place, place + 1)


def phone_of(number: int) -> str:
    """Each message has a phone of its own."""
    return f"+7916{number:07}"


class Posting:
    """So many messages, to each of the gateways in turn, in threads of its own; remembers what was accepted.

    Numbers go on from `first`, so that no two postings at one portal have a phone in common. `rate` is how many go out
    in a second at the most.
    """

    def __init__(self, portal: Portal, messages: int, first: int, rate: float, kinds: Sequence[str] = KINDS) -> None:
        self.portal = portal
        self.messages = messages
        self.first = first
        self.rate = rate
        self.kinds = kinds
        #: The number that the portal gave to each phone's message.
        self.answered: dict[str, int] = {}
        #: How many calls had no good answer and were repeated.
        self.repeated = 0
        #: What ended a thread before its time.
        self.failures: list[BaseException] = []
        self._places = count()
        self._began = 0.0
        self._threads = [threading.Thread(target=self._post_all, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        """Begins, and returns at once."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def is_over(self) -> bool:
        """Whether everything was accepted. Raises what ended a thread."""
        if self.failures:
            raise self.failures[0]
        return len(self.answered) == self.messages

    def _post_all(self) -> None:
        try:
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {self.portal.token}"
                while (place := next(self._places)) < self.messages:
                    together = batch_of(place, self.messages)
                    # Whoever comes to the first of them posts them all, when it is time for the last.
                    if place == together[0]:
                        time.sleep(max(0.0, self._began + together[-1] / self.rate - time.monotonic()))
                        self._post(session, [self.first + one for one in together])
        except BaseException as error:  # noqa: BLE001 — raised to whoever waits
            self.failures.append(error)

    def _post(self, session: requests.Session, numbers: Sequence[int]) -> None:
        if len(numbers) == 1:
            self.answered[phone_of(numbers[0])] = self._post_one(session, numbers[0])
        else:
            self.answered |= self._post_batch(session, numbers)

    def _post_batch(self, session: requests.Session, numbers: Sequence[int]) -> dict[str, int]:
        """The answer names the batch alone: what became of each is asked for. One that is not there has number 0."""
        gateway = self.kinds[numbers[0] // BATCH % len(self.kinds)]
        messages = [{"phone_number": phone_of(number), "message": f"message {number}"} for number in numbers]
        body = {"sms_gateway": gateway, "messages": messages}
        made = self._insist(session, "sms_gateways/send_sms_batch", body, f"batch-{numbers[0]}")
        assert (made["errors"], made["item"]["total"]) == ([], len(numbers))
        asked = {"query": {"op": "equals", "field": "batch", "value": made["item"]["id"]}, "limit": 2 * len(numbers)}
        rows = self._insist(session, "messages/search", asked, f"look-{numbers[0]}")["items"]
        return {phone_of(number): 0 for number in numbers} | {row["phone_number"]: row["id"] for row in rows}

    def _post_one(self, session: requests.Session, number: int) -> int:
        gateway, phone = self.kinds[number % len(self.kinds)], phone_of(number)
        if number % GUEST_EVERY:
            sms = {"sms_gateway": gateway, "phone_number": phone, "message": f"message {number}"}
            return self._send(session, "sms_gateways/send_sms", sms, number)
        guest = {"pid": f"guest{number}", "telephone": phone}
        self._insist(session, "users", guest, str(number))
        sms = {"sms_gateway": gateway, "pid": guest["pid"], "password": PASSWORD}
        return self._send(session, "sms_gateways/send_user_credentials", sms, number)

    def _send(self, session: requests.Session, path: str, body: dict[str, Any], number: int) -> int:
        return int(self._insist(session, path, body, str(number))["item"]["id"])

    def _insist(self, session: requests.Session, path: str, body: dict[str, Any], name: str) -> dict[str, Any]:
        """The first good answer."""
        while (answer := self._answer(session, path, body, f"fire-{name}")) is None:
            self.repeated += 1
            time.sleep(PAUSE)
        return answer

    def _answer(self, session: requests.Session, path: str, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        """None where the call is to be repeated."""
        address = f"{self.portal.address}/api/v1/{path}"
        try:
            answer = session.post(address, json=body, headers={"Idempotency-Key": key}, timeout=30)
        except requests.RequestException:
            return None
        if answer.status_code in AGAIN:
            return None
        assert answer.ok, f"{answer.status_code} {answer.text}"
        read: dict[str, Any] = answer.json()
        return read
