"""openwisp-radius under gunicorn, in a database of its own, and the guests who come to it."""

import itertools
import os
import re
import subprocess
import uuid
from functools import partial
from pathlib import Path
from types import TracebackType

import psycopg
import requests
from redis import Redis

from bench.load import Guest, Rates, Visit, drive
from bench.openwisp import environment
from bench.openwisp.environment import PeerMissing
from tests.servers import free_port
from tests.waiting import wait_for

PROJECT = Path(__file__).with_name("project")
ORGANISATION = "lobby"
PASSWORD = "correct-horse-battery-9"
#: So many can sign in at once, and so many others wait for a code to be verified by, once each.
GUESTS = 2000


class Peer:
    """Use it as a context manager: it is installed, prepared and served, and its database is gone afterwards.

    Entering raises PeerMissing when it cannot be installed or does not start here.
    """

    def __init__(self, postgres_url: str, redis_url: str, *, processes: int, threads: int) -> None:
        self.postgres_url = postgres_url
        self.processes, self.threads = processes, threads
        self.database = f"openwisp_{uuid.uuid4().hex}"
        self.redis = Redis.from_url(redis_url, decode_responses=True)
        self.base_url = f"http://127.0.0.1:{free_port()}"
        self.variables = {
            "PEER_DATABASE_URL": f"{postgres_url.rpartition('/')[0]}/{self.database}",
            "PEER_REDIS_URL": redis_url,
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
        }
        self.web: subprocess.Popen[bytes] | None = None
        self._names = itertools.cycle(f"guest{number}" for number in range(GUESTS))
        self._unverified = iter(range(GUESTS))
        self._strangers = (f"+7916{number:07}" for number in itertools.count())

    def __enter__(self) -> "Peer":
        python = environment.ready()
        self._tell_postgresql(f"CREATE DATABASE {self.database}")
        try:
            self._prepare(python)
            self._serve(python)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pids(self) -> list[int]:
        """Gunicorn's processes."""
        assert self.web
        children = Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children")
        return [self.web.pid, *map(int, children.read_text().split())] if children.exists() else [self.web.pid]

    def sign_in(self, n: int, concurrency: int) -> Rates:
        """Guests exchange name and password for a token."""
        # Two sign-ins of one guest at once are not what is measured.
        assert n <= GUESTS, f"only {GUESTS} guests can sign in"
        return self._drive([partial(self._sign_in, name) for name in itertools.islice(self._names, n)], concurrency)

    def phone_tokens(self, n: int, concurrency: int) -> Rates:
        """Guests who have an account and its token ask for a code, and give the one that came."""
        numbers = list(itertools.islice(self._unverified, n))
        assert len(numbers) == n, f"only {GUESTS} guests can be verified"
        return self._drive([partial(self._verify, *_unverified(number)) for number in numbers], concurrency)

    def register(self, n: int, concurrency: int) -> Rates:
        """Guests make an account with their phone and a password, ask for a code, and give the one that came."""
        return self._drive(
            [partial(self._register, phone) for phone in itertools.islice(self._strangers, n)], concurrency
        )

    async def _sign_in(self, name: str, visit: Visit) -> None:
        await visit.post("sign in", _path("token/"), {"username": name, "password": PASSWORD})

    async def _register(self, phone: str, visit: Visit) -> None:
        account = {"username": phone, "phone_number": phone, "method": "mobile_phone"}
        passwords = {"email": f"{phone[1:]}@example.org", "password1": PASSWORD, "password2": PASSWORD}
        made = await visit.post("account", _path(""), account | passwords)
        await self._verify(phone, made["key"], visit)

    async def _verify(self, phone: str, key: str, visit: Visit) -> None:
        bearer = f"Bearer {key}"
        await visit.post("phone token", _path("phone/token/"), Authorization=bearer)
        await visit.post("verify", _path("phone/verify/"), {"code": self._code_of(phone)}, Authorization=bearer)

    def _code_of(self, phone: str) -> str:
        """What the SMS says; it came before the answer did."""
        found = re.search(r"\d+$", str(self.redis.get(f"sms:{phone}")))
        assert found, f"no SMS came to {phone}"
        return found[0]

    def _drive(self, guests: list[Guest], concurrency: int) -> Rates:
        return drive(self.base_url, guests, concurrency).flawless()

    def _prepare(self, python: Path) -> None:
        done = subprocess.run(
            [python, "prepare.py", ORGANISATION, str(GUESTS), PASSWORD],
            cwd=PROJECT, env=os.environ | self.variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise PeerMissing(f"it could not be prepared: {done.stderr.strip().rpartition(chr(10))[2]}")

    def _serve(self, python: Path) -> None:
        """As the portal's web: with as many processes and threads."""
        self.web = subprocess.Popen(
            [
                python, "-m", "gunicorn", "--bind", self.base_url.removeprefix("http://"), "--worker-class", "gthread",
                "--workers", str(self.processes), "--threads", str(self.threads), "--timeout", "60",
                "--log-level", "error", "--no-control-socket", "django.core.wsgi:get_wsgi_application()",
            ],
            cwd=PROJECT, env=os.environ | self.variables, start_new_session=True,
        )  # fmt: skip
        wait_for(self._answers, "the peer answers")

    def _answers(self) -> bool:
        assert self.web
        if self.web.poll() is not None:
            raise PeerMissing("it stopped when it was started")
        try:
            return requests.get(f"{self.base_url}{_path('token/')}", timeout=10).status_code == 405
        except requests.ConnectionError:
            return False

    def _stop(self) -> None:
        if self.web:
            self.web.terminate()
            self.web.wait(timeout=60)
        self.redis.close()
        self._tell_postgresql(f"DROP DATABASE {self.database} WITH (FORCE)")

    def _tell_postgresql(self, statement: str) -> None:
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(statement)


def _unverified(number: int) -> tuple[str, str]:
    """The phone and the token of an account, as prepare.py makes them."""
    return f"+7915{number:07}", f"{number:040x}"


def _path(what: str) -> str:
    return f"/api/v1/radius/organization/{ORGANISATION}/account/{what}"
