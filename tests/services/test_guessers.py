"""One guesser at a real server, on each way in: the Defender turns him away on every way at once, and nobody else.

A way in that is new is one more line of WAYS.
"""

import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import requests

from tests.conftest import PASSWORD
from tests.services.stack import BEHIND_A_PROXY, Portal, own_servers
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.both_engines

NAME = "program"
#: As many tries as DEFENDER_LIMIT says where nothing else is set.
LIMIT = 5


@dataclass(frozen=True)
class Shown:
    """What a program may show: the right one of each kind, or guesses. `renewal` is the refresh token of a session."""

    client: str
    password: str
    key: str
    token: str
    session: str
    renewal: str
    secret: str

    def guessed(self) -> "Shown":
        """What somebody tries who knows which names there are."""
        key, word = f"gsp_{secrets.token_urlsafe(32)}", secrets.token_urlsafe
        return Shown(self.client, word(), key, secrets.token_hex(32), word(), word(), word())


@dataclass(frozen=True)
class Way:
    """A call that shows who calls; `welcome` is in the answer to whoever is let in, and in no other."""

    url: str
    welcome: str
    carried: Callable[[Shown], dict[str, Any]]


def pair(password: str) -> str:
    return base64.b64encode(f"{NAME}:{password}".encode()).decode()


def with_header(name: str, value: Callable[[Shown], str]) -> Callable[[Shown], dict[str, Any]]:
    return lambda shown: {"headers": {name: value(shown)}}


def signed_in(shown: Shown) -> dict[str, Any]:
    return {"json": {"username": NAME, "password": shown.password}}


def in_the_envelope(shown: Shown) -> dict[str, Any]:
    params = {"login": NAME, "password": shown.password}
    return {"json": {"action": "auth", "obj": "User", "action_id": "1", "params": params}}


def opened(shown: Shown) -> dict[str, Any]:
    return {"data": {"grant_type": "password", "username": NAME, "password": shown.password}}


def renewed(shown: Shown) -> dict[str, Any]:
    return {"data": {"grant_type": "refresh_token", "refresh_token": shown.renewal}}


def as_client(shown: Shown) -> dict[str, Any]:
    return {"data": {"grant_type": "client_credentials", "client_id": shown.client, "client_secret": shown.secret}}


def as_client_in_a_header(shown: Shown) -> dict[str, Any]:
    return {"data": {"grant_type": "client_credentials"}, "auth": (shown.client, shown.secret)}


def document(security: str, more: str = "") -> dict[str, Any]:
    return {"data": f"<request><security>{security}</security>{more}</request>".encode()}


def as_texts(shown: Shown) -> dict[str, Any]:
    login = f"<login>{NAME}</login><password>{shown.password}</password>"
    return document(login, "<random_string_len>1</random_string_len>")


def as_attributes(password: str) -> dict[str, Any]:
    return document(f'<login value="{NAME}"/><password value="{password}"/>')


def named(name: str, password: str, shown: str) -> dict[str, str]:
    """The fields of a call that does nothing but be let in."""
    return {name: NAME, password: shown, "to": "+79161234567", "text": "", "phone": "+79161234567", "id": "1"}


OURS, LIST = "/api/v1/sms_gateways", '"items"'
PHONES, KANNEL, SMSC, PLAIN = "/gateway/mobile/list/", "/cgi-bin/sendsms", "/sys/status.php", "/sendsms.php"
WAYS = {
    "login": Way("/api/v1/login", '"token"', signed_in),
    "token": Way(OURS, LIST, with_header("Authorization", lambda shown: f"Bearer {shown.token}")),
    "bare token": Way(OURS, LIST, with_header("Authorization", lambda shown: shown.token)),
    "session": Way("/api/v1/session", '"access_token"', opened),
    "session as in its document": Way("/oauth/token", '"access_token"', opened),
    "token of a session": Way(OURS, LIST, with_header("Authorization", lambda shown: f"Bearer {shown.session}")),
    "refresh token": Way("/api/session", '"access_token"', renewed),
    "OAuth2 client": Way("/oauth2/token", '"access_token"', as_client),
    "OAuth2 client in a header": Way("/oauth2/token", '"access_token"', as_client_in_a_header),
    "Basic": Way(OURS, LIST, with_header("Authorization", lambda shown: f"Basic {pair(shown.password)}")),
    "plain Basic": Way(OURS, LIST, with_header("Authorization", lambda shown: f"Basic {NAME}:{shown.password}")),
    "Basic with a key": Way(OURS, LIST, with_header("Authorization", lambda shown: f"Basic {pair(shown.key)}")),
    "key in a header": Way(OURS, LIST, with_header("X-API-Key", lambda shown: shown.key)),
    "key as a Bearer": Way(OURS, LIST, with_header("Authorization", lambda shown: f"Bearer {shown.key}")),
    "key in the address": Way(OURS, LIST, lambda shown: {"params": {"apikey": shown.key}}),
    "envelope": Way("/api/", '"code":200', in_the_envelope),
    "SMSmobileAPI": Way("/gateway/mobile/list/", '"connected_limit"', lambda shown: {"params": {"apikey": shown.key}}),
    "SMSmobileAPI, a form": Way(
        "/gateway/mobile/list/", '"connected_limit"', lambda shown: {"data": {"apikey": shown.key}}
    ),
    "Kannel": Way(KANNEL, "Empty text", lambda shown: {"data": named("username", "password", shown.password)}),
    "Kannel with a key": Way(KANNEL, "Empty text", lambda shown: {"params": named("user", "pass", shown.key)}),
    "SMSC.ru": Way(SMSC, "message not found", lambda shown: {"data": named("login", "psw", shown.password)}),
    "SMSC.ru with a key": Way(SMSC, "message not found", lambda shown: {"params": named("login", "psw", shown.key)}),
    "TargetSMS, codes": Way("/password_generation/api.php", "Количество цифр", as_texts),
    "TargetSMS, XML": Way("/xml/time.php", "<time>", lambda shown: as_attributes(shown.password)),
    "TargetSMS with a key": Way("/xml/time.php", "<time>", lambda shown: as_attributes(shown.key)),
    "TargetSMS, JSON": Way(
        "/sendsmsjson.php",
        '{"time"',
        lambda shown: {"json": {"type": "time", "security": named("login", "password", shown.password)}},
    ),
    "TargetSMS, a form": Way(PLAIN, "Укажите номер", lambda shown: {"data": named("user", "pwd", shown.password)}),
    "TargetSMS, an address": Way(PLAIN, "Укажите номер", lambda shown: {"params": named("user", "pwd", shown.key)}),
}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Portal]:
    """A portal behind a reverse proxy on this machine, which says from where its callers come."""
    folder = tmp_path_factory.mktemp("portal")
    with own_servers(worker_id) as servers, Portal(folder, servers | BEHIND_A_PROXY) as portal:
        yield portal


@pytest.fixture(scope="module")
def right(installation: Portal) -> Shown:
    """What lets the user `program` in; only its refresh token is used up by that."""
    if not installation.is_running():
        installation.start()
    ways = installation.ask_desk("ways_in()")
    client, secret = installation.ask_desk("client_of_its_own()")
    token, session = (ways[way]["headers"]["Authorization"].removeprefix("Bearer ") for way in ("login", "session"))
    return Shown(client, PASSWORD, ways["api_key"]["headers"]["X-API-Key"], token, session, "", secret)


def tell(portal: Portal, way: Way, shown: Shown, address: str) -> requests.Response:
    """What is answered to a call from this address."""
    carried = way.carried(shown)
    headers = {"X-Forwarded-For": address, **carried.pop("headers", {})}
    method = "POST" if {"json", "data"} & set(carried) else "GET"
    answer = requests.request(method, portal.address + way.url, headers=headers, timeout=PATIENCE, **carried)
    answer.encoding = "utf-8"
    return answer


@pytest.mark.parametrize("name", WAYS)
def test_a_guesser_on_one_way_is_turned_away_on_all(portal: Portal, right: Shown, name: str) -> None:
    place = list(WAYS).index(name) + 1
    guesser, somebody_else = f"203.0.113.{place}", f"203.0.113.{place + 100}"
    for _ in range(LIMIT):
        refused = tell(portal, WAYS[name], right.guessed(), guesser)
        assert refused.status_code != 429
        assert WAYS[name].welcome not in refused.text
    for way in WAYS.values():
        # Another process may remember for a second that nobody was blocked.
        wait_for(partial(is_turned_away, portal, way, right, guesser), f"{way.url} is closed to him")
    right = with_a_new_session(portal, right, somebody_else)
    assert WAYS[name].welcome in tell(portal, WAYS[name], right, somebody_else).text


def with_a_new_session(portal: Portal, right: Shown, address: str) -> Shown:
    """With a refresh token that nobody has used."""
    return replace(right, renewal=tell(portal, WAYS["session"], right, address).json()["refresh_token"])


def is_turned_away(portal: Portal, way: Way, shown: Shown, address: str) -> bool:
    answer = tell(portal, way, shown, address)
    return answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0 and way.welcome not in answer.text


@pytest.mark.parametrize("name", WAYS)
def test_whoever_shows_what_is_right_is_let_in_however_often(portal: Portal, right: Shown, name: str) -> None:
    address = f"198.51.100.{list(WAYS).index(name) + 1}"
    for _ in range(LIMIT + 1):
        right = with_a_new_session(portal, right, address)
        answer = tell(portal, WAYS[name], right, address)
        assert WAYS[name].welcome in answer.text, answer.text
