"""Peers: the portal's web and openwisp-radius, each under gunicorn, on one PostgreSQL and one Redis, in turn."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median

from django.conf import settings
from django.contrib.auth.hashers import BasePasswordHasher, PBKDF2PasswordHasher, get_hasher

from bench import guests
from bench.load import Rates, Visit, drive
from bench.measuring import Way, compare, cpu_of, steps
from bench.openwisp.environment import PeerMissing, ready
from bench.openwisp.peer import Peer
from bench.portals import started
from tests.engine import PRODUCTION
from tests.servers import ServerMissing, Servers
from tests.services.guest import Phones, sandbox_phones
from tests.services.stack import ADMIN_PASSWORD, Portal

#: So many in a round: a second or more, and so few that the peer's hashes do not take minutes.
PEERS_SIGN_INS, OUR_SIGN_INS, PHONES, OUR_PHONES = 16, 64, 16, 32
#: As many at once as the web has threads: none waits for a free one.
AT_ONCE = settings.WEB_PROCESSES * settings.WEB_THREADS
#: They share the administrator's password and its hash.
MAKE_USERS = """len(User.objects.bulk_create(
    User(username=f"bench{number}", password=password)
    for password in [User.objects.get(username="admin").password] for number in range(%d)
))"""


def report() -> None:
    """Measures and prints; says in one line why where it cannot."""
    try:
        ready()
        with Servers() as servers, _peer(servers.addresses) as peer, _portal(servers.addresses) as portal:
            _compare(peer, portal)
    except (PeerMissing, ServerMissing) as why:
        print(f"Peers: openwisp-radius is left out: {why}\n", flush=True)


def _compare(peer: Peer, portal: Portal) -> None:
    web = portal.processes("gunicorn")
    ours = partial(_sign_in_at, portal)
    hashes = f"a hash alone: PBKDF2 {_cost_of(PBKDF2PasswordHasher()):.0f} CPU ms, Argon2 {_cost_of(get_hasher()):.0f}"
    compare(
        f"Signing in with a password, {AT_ONCE} at once ({hashes})",
        "sign-ins/s",
        [
            _way("openwisp-radius: POST .../account/token/", peer.sign_in, PEERS_SIGN_INS, peer.pids),
            _way("the portal: POST /api/v1/login", ours, OUR_SIGN_INS, web),
        ],
    )
    whole = _way("openwisp-radius: account, phone/token, verify", peer.register, PHONES, peer.pids)
    codes = _way("openwisp-radius: phone/token, verify", peer.phone_tokens, PHONES, peer.pids)
    with sandbox_phones(portal) as phones:
        by_api = _way("the portal: registrations, …/confirm", _Registering(portal, phones), OUR_PHONES, web)
        compare(f"A guest and the code by SMS, {AT_ONCE} at once", "guests/s", [whole, codes, by_api])
    print(f"{steps(whole)}\n{steps(by_api)}\n", flush=True)
    guests.show("the portal on PostgreSQL and Redis", guests.at_the_pages(portal, guests.GUESTS, guests.WITHIN))


class _Registering:
    """Guests whom a network's own page registers by the API, each time others."""

    def __init__(self, portal: Portal, phones: Phones) -> None:
        self.portal = portal
        self.phones = phones
        self.next = guests.GUESTS
        portal.login()

    def __call__(self, n: int, concurrency: int) -> Rates:
        new = guests.numbers(self.next, n)
        self.next += n
        return drive(self.portal.address, [partial(self._register, phone) for phone in new], concurrency).flawless()

    async def _register(self, phone: str, visit: Visit) -> None:
        signed_in = {"Authorization": f"Bearer {self.portal.token}"}
        started = await visit.post("registrations", "/api/v1/registrations", {"telephone": phone}, **signed_in)
        with visit.step("the code comes"):
            code, _at = await self.phones.code(phone)
        told = {"token": started["item"]["token"], "code": code}
        await visit.post("confirm", "/api/v1/registrations/confirm", told, **signed_in)


def _cost_of(hasher: BasePasswordHasher) -> float:
    """Milliseconds of CPU for one hash; the peer runs the same Django, and so hashes as often over."""
    took = []
    for _ in range(3):
        started = time.process_time()
        hasher.encode(ADMIN_PASSWORD, hasher.salt())
        took.append(1000 * (time.process_time() - started))
    return median(took)


def _way(name: str, run: Callable[[int, int], Rates], things: int, pids: list[int]) -> Way:
    return Way(name, partial(run, things, AT_ONCE), things=things, cpu=partial(cpu_of, pids))


def _sign_in_at(portal: Portal, n: int, concurrency: int) -> Rates:
    guests = [partial(_sign_in, f"bench{number}") for number in range(n)]
    return drive(portal.address, guests, concurrency).flawless()


async def _sign_in(name: str, visit: Visit) -> None:
    await visit.post("sign in", "/api/v1/login", {"username": name, "password": ADMIN_PASSWORD})


def _peer(servers: dict[str, str]) -> Peer:
    """In a Redis database that the portal does not use."""
    redis, _, _ = servers["REDIS_URL"].rpartition("/")
    return Peer(servers["DATABASE_URL"], f"{redis}/1", processes=settings.WEB_PROCESSES, threads=settings.WEB_THREADS)


@contextmanager
def _portal(servers: dict[str, str]) -> Iterator[Portal]:
    """All its processes, as `make run` starts them, and users who can sign in."""
    with started(PRODUCTION | servers | guests.LOBBY) as portal:
        portal.look(MAKE_USERS % OUR_SIGN_INS)
        yield portal
