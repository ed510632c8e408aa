"""The ways in and the calls of other systems: one message a call by each, beside `send_sms` by a token of `login`."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode

import requests

from bench.table.accepting import CALLERS, SECONDS
from bench.table.alternating import Row, in_turn
from bench.table.callers import Written, call, head_of, with_body
from bench.table.stage import BODY, House, Stage
from tests.services.stack import ADMIN_PASSWORD
from tests.waiting import PATIENCE

#: What all others are compared with.
LOGIN = "a token of login"
USER = "admin"
GATEWAY = "wide"
#: No measure makes more calls, and each has phones of its own: SMSC.ru's same call is refused for a minute.
MOST_CALLS, PHONES = 100_000, 9_000_000
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Way(NamedTuple):
    """How a call goes out, and what a good answer to it holds: some systems say 200 to what they refuse."""

    written: Written
    says: bytes


def rows(_stage: Stage, house: House) -> list[Row]:
    """One for each way but the first; the workers are halted meanwhile."""
    ways = _ways(house)
    house.halt("celery")
    firsts = count(step=MOST_CALLS)
    found = in_turn({name: partial(_accepts, house, way, firsts) for name, way in ways.items()})
    house.go_on("celery")
    return [
        Row(f"{name}, requests/s | send_sms by {LOGIN}", found[name], found[LOGIN], None)
        for name in ways
        if name != LOGIN
    ]


def _accepts(house: House, way: Way, firsts: Iterator[int]) -> float:
    first = next(firsts) % PHONES
    found = call(
        house.address, lambda number: way.written(first + number), callers=CALLERS, seconds=SECONDS, says=way.says
    )
    house.forget()
    return found


def _ways(house: House) -> dict[str, Way]:
    """All of one user, who has every right."""
    given = house.inside(f"credentials({USER!r})")
    key = given["key"]
    session = _token(house, "api/v1/session", grant_type="password", username=USER, password=ADMIN_PASSWORD)
    client = _token(
        house, "oauth2/token",
        grant_type="client_credentials", client_id=given["client_id"], client_secret=given["client_secret"],
    )  # fmt: skip
    return {
        LOGIN: _send_sms(house, Authorization=f"Bearer {house.token}"),
        "by an API key": _send_sms(house, **{"X-API-Key": key}),
        "by a session's token": _send_sms(house, Authorization=f"Bearer {session}"),
        "by an OAuth2 client's token": _send_sms(house, Authorization=f"Bearer {client}"),
        "by Basic, a password": _send_sms(house, Authorization=_basic(ADMIN_PASSWORD)),
        "by Basic, an API key": _send_sms(house, Authorization=_basic(key)),
        "SMSmobileAPI's /sendsms/": _sendsms(house, key),
        "SMSC.ru's /sys/send.php": _send_php(house, key),
        "Kannel's /cgi-bin/sendsms": _cgi_sendsms(house, key),
    }


def _token(house: House, path: str, **fields: str) -> str:
    answer = requests.post(f"{house.address}/{path}", data=fields, timeout=PATIENCE)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()


def _phone(number: int) -> str:
    return f"+7916{number:07}"


def _send_sms(house: House, **lets_in: str) -> Way:
    head = head_of("POST", f"{house.address}/api/v1/sms_gateways/send_sms", {**lets_in, "Content-Type": JSON})

    def written(number: int) -> bytes:
        body: dict[str, Any] = {**BODY, "sms_gateway": GATEWAY, "phone_number": _phone(number)}
        return with_body(head, json.dumps(body).encode())

    return Way(written, b" accepted")


def _sendsms(house: House, key: str) -> Way:
    """As its own programs call it, with a form."""
    head = head_of("POST", f"{house.address}/sendsms/", {"Content-Type": FORM})
    fields = {"apikey": key, "message": BODY["message"], "sms_gateway": GATEWAY}
    return Way(lambda number: with_body(head, _form({**fields, "recipients": _phone(number)})), b'"sent": "1"')


def _send_php(house: House, key: str) -> Way:
    """With the key for the password, as a program does that knows nothing of keys."""
    head = head_of("POST", f"{house.address}/sys/send.php", {"Content-Type": FORM})
    fields = {"login": USER, "psw": key, "mes": BODY["message"], "charset": "utf-8", "sms_gateway": GATEWAY}
    return Way(lambda number: with_body(head, _form({**fields, "phones": _phone(number)})), b"OK - 1 SMS")


def _cgi_sendsms(house: House, key: str) -> Way:
    """The same; Kannel's programs have all of it in the address."""
    fields = {"username": USER, "password": key, "text": BODY["message"], "smsc": GATEWAY}

    def written(number: int) -> bytes:
        asked = urlencode({**fields, "to": _phone(number)})
        return head_of("GET", f"{house.address}/cgi-bin/sendsms?{asked}", {}) + b"\r\n"

    return Way(written, b"Accepted for delivery")


def _form(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()
