"""A client of the portal's API in one file that needs `requests` only: copy it, or read it as an example.

    portal = PortalClient("https://sms.example.org", api_key="gsp_…")       # or username=…, password=…
    sent = portal.send_sms("sandbox", "+79161234567", "Wi-Fi is back", key="booking-17")
    print(portal.wait_for(sent["id"])["state"])

Every send carries an Idempotency-Key, yours or a new one. So where an answer is lost, the call is made again, and
nothing is sent twice.
"""

import time
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict
from urllib.parse import quote
from uuid import uuid4

import requests

#: In these states nothing more happens by itself.
ENDED = frozenset(
    {"delivered", "undelivered", "expired", "no_receipt", "failed", "unresolved", "cancelled", "lapsed", "suppressed"}
)


class Message(TypedDict):
    """What the portal tells of a message, as far as is needed here."""

    id: int
    state: str
    reason: str
    phone_number: str
    sms_gateway: str


class Text(TypedDict):
    """One message of a batch; `reference` is your own name for it."""

    phone_number: str
    message: str
    reference: NotRequired[str]


class Refused(TypedDict):
    """A message of a batch that was not accepted: its place, counted from 0, and why."""

    index: int
    field: str
    message: str
    reference: NotRequired[str]


class PortalError(Exception):
    """The portal refused the call. `field` is the one at fault, or empty; `errors` are all that it named."""

    def __init__(self, answer: requests.Response) -> None:
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        said: dict[str, Any] = answer.json() if is_json else {"message": answer.text[:500]}
        self.status = answer.status_code
        self.errors: list[dict[str, Any]] = said.get("errors", [])
        first = self.errors[0] if self.errors else said
        self.field = str(first.get("field", ""))
        super().__init__(f"{self.status}: {self.field} {first['message']}")


class Unanswered(Exception):
    """No answer came, however often the call was made. Ask again later, with the same key."""


class PortalClient:
    """Comes in with an API key, or with a name and a password for a token, which is renewed when it has ended."""

    def __init__(
        self, address: str, *, api_key: str = "", username: str = "", password: str = "",
        timeout: float = 30, tries: int = 4, pause: float = 1,
    ) -> None:  # fmt: skip
        self.address, self.timeout, self.tries, self.pause = address.rstrip("/"), timeout, tries, pause
        self._credentials = {"username": username, "password": password}
        self._signed = {"X-API-Key": api_key} if api_key else {}

    def login(self) -> None:
        """A new token. Raises PortalError: 401 for a wrong name or password, 429 where too many were wrong."""
        answer = requests.post(f"{self.address}/api/v1/login", json=self._credentials, timeout=self.timeout)
        if not answer.ok:
            raise PortalError(answer)
        self._signed = {"Authorization": f"Bearer {answer.json()['token']}"}

    def send_sms(self, gateway: str, phone: str, text: str, *, key: str = "") -> Message:
        """Accepted for sending, and so on record; what becomes of it, `wait_for` tells."""
        body = {"sms_gateway": gateway, "phone_number": phone, "message": text}
        message: Message = self.call("POST", "sms_gateways/send_sms", body, key or uuid4().hex)["item"]
        return message

    def send_sms_batch(self, gateway: str, texts: Sequence[Text], *, key: str = "") -> tuple[int, list[Refused]]:
        """The batch's id, and what could not be accepted; the others are on their way."""
        body = {"sms_gateway": gateway, "messages": list(texts)}
        answer = self.call("POST", "sms_gateways/send_sms_batch", body, key or uuid4().hex)
        return answer["item"]["id"], answer["errors"]

    def wait_for(self, number: int, seconds: float = 120) -> Message:
        """The message at its end. Raises TimeoutError where that takes longer."""
        until = time.monotonic() + seconds
        while (found := self.call("GET", f"message/{number}")["item"])["state"] not in ENDED:
            if time.monotonic() > until:
                raise TimeoutError(f"message {number} is still {found['state']}")
            time.sleep(self.pause)
        ended: Message = found
        return ended

    def create_guest(self, pid: str, phone: str, **details: str) -> str:
        """The guest's pid; `details` are other fields of a guest, such as `firstname` or `guest_type`."""
        return str(self.call("POST", "users", {"pid": pid, "telephone": phone, **details}, uuid4().hex)["id"])

    def send_credentials(self, gateway: str, pid: str, password: str, *, set_it: bool, key: str = "") -> Message:
        """The guest's user name and this password by SMS; with `set_it` it becomes the guest's password as well."""
        body = {"sms_gateway": gateway, "pid": pid, "password": password, "set_password": set_it}
        message: Message = self.call("POST", "sms_gateways/send_user_credentials", body, key or uuid4().hex)["item"]
        return message

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        """Any call below /api/v1/; made again where its answer is lost. Raises PortalError or Unanswered."""
        tries = self.tries if key or method == "GET" else 1
        for failed in range(tries):
            time.sleep(self.pause * failed)
            try:
                answer = self._ask(method, path, body, {"Idempotency-Key": key} if key else {})
            except requests.RequestException:
                continue
            if answer.ok:
                return dict(answer.json())
            # 409 with Retry-After: the first call with this key is still open.
            still_open = answer.status_code == 409 and "Retry-After" in answer.headers
            passes = still_open or answer.status_code in {502, 503, 504}
            if not passes or failed == tries - 1:
                raise PortalError(answer)
        raise Unanswered(f"{method} {path}")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> requests.Response:
        url = f"{self.address}/api/v1/{quote(path)}"
        if not self._signed:
            self.login()
        answer = requests.request(method, url, json=body, headers=self._signed | headers, timeout=self.timeout)
        if answer.status_code == 401 and "Authorization" in self._signed:
            self.login()
            answer = requests.request(method, url, json=body, headers=self._signed | headers, timeout=self.timeout)
        return answer
