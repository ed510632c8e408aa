"""What is sent to break the portal, or to use up its memory: a clear refusal, and memory stays as it was."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import aiohttp
import pytest
import requests

from tests.services.hostile import PIECE, steady_memory, tell
from tests.services.stack import BEHIND_A_PROXY, Portal, own_servers
from tests.waiting import PATIENCE

pytestmark = pytest.mark.both_engines

URL = "/api/v1/sms_gateways/send_sms"
BATCH = "/api/v1/sms_gateways/send_sms_batch"
HUNDRED_MEBIBYTES = 100 * 2**20
#: Of memory, for all that is tried at once; more than a worker needs for any of it.
BOUND = 48
GUESSER, SOMEBODY_ELSE = "203.0.113.66", "203.0.113.67"
GUESSES = 10_000


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Portal]:
    """A portal behind a reverse proxy on this machine, which says from where its callers come."""
    folder = tmp_path_factory.mktemp("portal")
    with own_servers(worker_id) as servers, Portal(folder, servers | BEHIND_A_PROXY) as portal:
        yield portal


def head(portal: Portal, path: str, *headers: str, method: str = "POST") -> bytes:
    signed = f"Authorization: Bearer {portal.token}"
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", signed, *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def pieces() -> Iterator[bytes]:
    return (PIECE for _ in range(HUNDRED_MEBIBYTES // len(PIECE)))


def chunks() -> Iterator[bytes]:
    return (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces())


def test_the_longest_text_fits_into_an_address(portal: Portal) -> None:
    """Not hostile at all: ten segments of Cyrillic letters, which are six bytes each there."""
    call = {"to": "+79161234567", "text": "Я" * 670, "sms_gateway": "sandbox", "from": "booking", "charset": "utf-8"}
    headers = {"Authorization": f"Bearer {portal.token}"}
    answer = requests.get(f"{portal.address}/cgi-bin/sendsms", call, headers=headers, timeout=PATIENCE)
    assert (answer.status_code, answer.text) == (202, "0: Accepted for delivery")


class TestLargeBodies:
    @pytest.mark.parametrize(
        ("path", "how", "body", "status"),
        [
            (URL, f"Content-Length: {HUNDRED_MEBIBYTES}", pieces, 413),
            (BATCH, f"Content-Length: {HUNDRED_MEBIBYTES}", pieces, 413),
            ("/api/v1/login", f"Content-Length: {HUNDRED_MEBIBYTES}", pieces, 413),
            (URL, "Transfer-Encoding: chunked", chunks, 411),
            ("/api/v1/login", "Transfer-Encoding: chunked", chunks, 411),
        ],
    )
    def test_100_mb_are_refused_before_they_have_come(
        self, portal: Portal, path: str, how: str, body: Any, status: int
    ) -> None:
        with steady_memory(portal, BOUND):
            told = tell(portal, head(portal, path, how), body())
        assert told.status == status
        assert json.loads(told.body)["message"]
        assert told.sent < HUNDRED_MEBIBYTES // 2

    @pytest.mark.parametrize("path", ["/xml/", "/password_generation/api.php"])
    def test_a_system_whose_errors_are_all_200_says_so_as_soon(self, portal: Portal, path: str) -> None:
        with steady_memory(portal, BOUND):
            told = tell(portal, head(portal, path, f"Content-Length: {HUNDRED_MEBIBYTES}"), pieces())
        assert told.status == 200
        assert "<error>Неправильный формат XML документа</error>" in told.body
        assert told.sent < HUNDRED_MEBIBYTES // 2

    @pytest.mark.parametrize(
        "body",
        [
            b"<request>" + b"<a/>" * 260_000 + b"</request>",
            b"<a>" * 100_000 + b"</a>" * 100_000,
            b'<!DOCTYPE a [<!ENTITY a "' + b"a" * 50_000 + b'">]><request>' + b"&a;" * 300_000 + b"</request>",
        ],
        ids=["elements", "depth", "entities"],
    )
    def test_a_document_that_would_grow_in_memory_is_refused(self, portal: Portal, body: bytes) -> None:
        with steady_memory(portal, BOUND):
            told = tell(portal, head(portal, "/xml/", f"Content-Length: {len(body)}"), [body])
        assert "<error>Неправильный формат XML документа</error>" in told.body

    def test_without_a_token_they_are_not_even_looked_at(self, portal: Portal) -> None:
        announced = head(portal, URL, f"Content-Length: {HUNDRED_MEBIBYTES}").replace(portal.token.encode(), b"")
        with steady_memory(portal, BOUND):
            assert tell(portal, announced, pieces()).status == 401


BODIES = {
    "objects, 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "lists, 100,000 deep": b'{"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an endless list": b'{"message":[' + b"{}," * 330_000 + b"{}]}",
    "a NUL byte": b'{"message":"\x00"}',
    "an escaped NUL": rb'{"message":"\u0000"}',
    "half a pair": rb'{"message":"\ud800"}',
    "UTF-16": '{"message":"Wi-Fi"}'.encode("utf-16"),
    "CP1251": '{"message":"привет"}'.encode("cp1251"),
    "a key twice": b'{"message":"a","message":"b"}',
    "a number of 5,000 digits": b'{"wait":' + b"9" * 5000 + b"}",
    "a number past all": b'{"wait":1e999}',
    "no number": b'{"wait":NaN}',
    "no object": b"[" + b"1," * 100_000 + b"1]",
}


class TestBodies:
    @pytest.mark.parametrize("name", BODIES)
    @pytest.mark.parametrize("path", [URL, BATCH, "/api/v1/messages/search", "/api/v1/users"])
    def test_they_are_refused_with_a_reason(self, portal: Portal, path: str, name: str) -> None:
        body = BODIES[name]
        with steady_memory(portal, BOUND):
            told = tell(portal, head(portal, path, f"Content-Length: {len(body)}"), [body])
        assert told.status == 400
        assert json.loads(told.body)["message"].startswith("Bad Request. ")

    def test_a_number_past_any_column_is_named(self, portal: Portal) -> None:
        body = b'{"limit":' + b"9" * 4000 + b"}"
        told = tell(portal, head(portal, "/api/v1/users/search", f"Content-Length: {len(body)}"), [body])
        assert (told.status, json.loads(told.body)["errors"][0]["scope"]) == (422, "limit")


TOKEN = "Authorization: Bearer " + "0f" * 32


class TestAddressesAndHeaders:
    @pytest.mark.parametrize(
        ("path", "headers", "statuses"),
        [
            ("/api/v1/" + "a" * 100_000, [], {414}),
            ("/api/v1/users?sort=" + "a" * 100_000, [], {414}),
            ("/api/v1/users?cursor=" + "9" * 4000, [], {422}),
            ("/api/v1/user/%00", [], {404}),
            ("/api/v1/user/%ff%fe", [], {404}),
            ("/api/v1/users?sort=%00%ff", [], {422}),
            ("/api/v1/users", ["X-Long: " + "a" * 100_000], {431}),
            ("/api/v1/users", [TOKEN] * 10_000, {431}),
            ("/api/v1/users", ["X-Nul: \0"], {400}),
            ("/api/v1/users", ["Idempotency-Key: \xff"], {200}),
            ("/api/v1/users", ["Content-Length: -1"], {400}),
            ("/api/v1/users", ["Content-Length: 2", "Content-Length: 3"], {400}),
            ("/api/v1/users", ["Content-Length: 2", "Transfer-Encoding: chunked"], {400}),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_they_are_refused(self, portal: Portal, path: str, headers: list[str], statuses: set[int]) -> None:
        with steady_memory(portal, BOUND):
            told = tell(portal, head(portal, path, *headers, method="GET"))
        assert told.status in statuses


class TestGuesses:
    def test_ten_thousand_guessed_tokens_block_the_guesser_on_every_way_in_at_once(self, portal: Portal) -> None:
        ways = portal.ask_desk("ways_in()")
        with steady_memory(portal, BOUND):
            answers = asyncio.run(guess(portal))
        assert answers[401] + answers[429] == GUESSES
        # Threads that were past the door when the block came are answered as before it.
        assert 5 <= answers[401] < 50
        for way, signed in ways.items():
            assert get(portal, signed, GUESSER) == 429, way
            assert get(portal, signed, SOMEBODY_ELSE) == 200, way
        login = {"username": "program", "password": "correct horse battery staple"}
        assert post_login(portal, login, GUESSER) == 429
        assert post_login(portal, login, SOMEBODY_ELSE) == 200


def guesses() -> Iterator[dict[str, Any]]:
    """Each another one, by whichever way it may have been made for."""
    for number in range(GUESSES):
        yield [
            {"headers": {"Authorization": f"Bearer {number:064x}"}},
            {"headers": {"Authorization": f"{number:064x}"}},
            {"headers": {"X-API-Key": f"gsp_{number:043d}"}},
            {"headers": {}, "params": {"apikey": f"gsp_{number:043d}"}},
        ][number % 4]


async def guess(portal: Portal) -> Counter[int]:
    """How often each status was answered."""
    answers, plan = Counter[int](), guesses()

    async def work(own: aiohttp.ClientSession, plan: Iterable[dict[str, Any]]) -> None:
        for tried in plan:
            said = {"X-Forwarded-For": GUESSER} | tried.pop("headers")
            async with own.get("/api/v1/sms_gateways", headers=said, **tried) as answer:
                answers[answer.status] += 1

    limit = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(portal.address, timeout=limit) as own, asyncio.TaskGroup() as together:
        for _worker in range(8):
            together.create_task(work(own, plan))
    return answers


def get(portal: Portal, signed: dict[str, Any], address: str) -> int:
    headers = signed["headers"] | {"X-Forwarded-For": address}
    url = f"{portal.address}/api/v1/sms_gateways"
    return requests.get(url, params=signed["parameters"], headers=headers, timeout=PATIENCE).status_code


def post_login(portal: Portal, body: dict[str, str], address: str) -> int:
    headers = {"X-Forwarded-For": address}
    return requests.post(f"{portal.address}/api/v1/login", json=body, headers=headers, timeout=PATIENCE).status_code
