"""`python -m tests.services.fire.providers BOOK PORT`: three kinds of provider, in a process that no test kills.

`key` knows a message by its key and takes it once; `look-up` (SMSC.ru) can be asked what it has; `neither` takes
whatever comes. The book is an append-only table of every message that was handed over, and says which were taken.
"""

import asyncio
import json
import random
import sqlite3
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.simulators.server import hang_up

KINDS = ("key", "look-up", "neither")
LOGIN, PASSWORD = "portal", "fire"
TABLE = "CREATE TABLE IF NOT EXISTS handed (kind TEXT, phone TEXT, key TEXT, taken INTEGER)"
#: Seconds: what a slow answer takes, far below any time-out here.
SLOW = 0.3
#: Seconds after which the portal gives up a call to any of them, unless the crew is `patient`.
SWIFT = 2
#: As many as a gateway may have in the air at all, where no key hides a copy; the others have 100.
AT_ONCE = {"look-up": 1000}
BODY = {"to": "{{to}}", "text": "{{text}}", "id": "{{id}}"}


@dataclass(frozen=True)
class Weather:
    """What goes wrong: shares of all handings-over, drawn from seed, phone and how often it was handed over.

    `lost` never arrives, `busy` is refused; the answer of `cut` and `error` is lost although the message was taken.
    Answers to `held` phones, or to all where it has `*`, never come.
    """

    seed: int = 0
    lost: float = 0.0
    busy: float = 0.0
    cut: float = 0.0
    error: float = 0.0
    slow: float = 0.0
    held: list[str] = field(default_factory=list)

    def of(self, kind: str, phone: str, nth: int) -> str:
        """What happens to this handing-over; the same whenever it is asked."""
        if phone in self.held or "*" in self.held:
            return "held"
        names = ("lost", "busy", "cut", "error", "slow")
        shares = [getattr(self, name) for name in names]
        drawn = random.Random(f"{self.seed} {kind} {phone} {nth}")
        return drawn.choices([*names, "fair"], [*shares, 1.0 - sum(shares)])[0]

    def of_seed(self, seed: int) -> "Weather":
        """As bad, and another draw."""
        return replace(self, seed=seed)

    def text(self) -> str:
        """As `/weather` takes it."""
        return json.dumps(asdict(self))


FAIR = Weather()
STORM = Weather(lost=0.02, busy=0.02, cut=0.03, error=0.01, slow=0.02)


class Book:
    """Every handing-over, on disk before it is answered."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        # What is written survives the process; it need not survive the machine.
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {TABLE}")
        self._keys: set[tuple[str, str]] = set()
        self._times: Counter[str] = Counter()

    def nth(self, phone: str) -> int:
        """The how many-th time something is handed over for this phone."""
        self._times[phone] += 1
        return self._times[phone]

    def has(self, kind: str, key: str) -> bool:
        """Whether this provider took a message with this key."""
        return (kind, key) in self._keys

    def write(self, kind: str, phone: str, key: str, taken: bool) -> None:
        """One more."""
        self._connection.execute("INSERT INTO handed VALUES (?, ?, ?, ?)", (kind, phone, key, taken))
        if taken:
            self._keys.add((kind, key))


class Providers:
    """The three of them below `/<kind>/`, and `/weather`."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.weather = FAIR

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return [
            web.post("/{kind:key|neither}/send", self.send),
            web.post("/look-up/sys/send.php", self.send_by_form),
            web.post("/look-up/sys/status.php", self.states),
            web.post("/look-up/sys/balance.php", self.balance),
            web.put("/weather", self.change_weather),
        ]

    async def change_weather(self, request: web.Request) -> web.Response:
        """From the next message on."""
        self.weather = Weather(**await request.json())
        return web.Response()

    async def send(self, request: web.Request) -> web.Response:
        """JSON; known by its id where this provider knows keys."""
        sms = await request.json()
        return await self.take(request, request.match_info["kind"], sms["to"], sms["id"], {"id": sms["id"]})

    async def send_by_form(self, request: web.Request) -> web.Response:
        """As SMSC.ru takes it; its `id` is ours and need not be unique."""
        form = await request.post()
        key = str(form["id"])
        return await self.take(request, "look-up", "+" + str(form["phones"]), key, {"id": key, "cnt": 1})

    async def take(self, request: web.Request, kind: str, phone: str, key: str, answer: dict[str, Any]) -> web.Response:
        """One handing-over, as the weather is."""
        what = self.weather.of(kind, phone, self.book.nth(phone))
        again = kind == "key" and self.book.has(kind, key)
        taken = what not in {"lost", "busy"} and not again
        self.book.write(kind, phone, key, taken)
        if what == "busy":
            return web.Response(status=429, headers={"retry-after": "1"})
        if what == "error":
            return web.Response(status=502)
        if what == "held":
            await asyncio.Event().wait()
        if what in {"lost", "cut"}:
            hang_up(request)
        if what == "slow":
            await asyncio.sleep(SLOW)
        return web.json_response(answer)

    async def states(self, request: web.Request) -> web.Response:
        """Delivered, or not found."""
        form = await request.post()
        keys = [key for key in str(form["id"]).split(",") if key]
        return web.json_response([{"id": key, **self._state(key)} for key in keys])

    def _state(self, key: str) -> dict[str, int]:
        return {"status": 1, "last_timestamp": int(time.time())} if self.book.has("look-up", key) else {"status": -3}

    async def balance(self, _request: web.Request) -> web.Response:
        """Enough."""
        return web.json_response({"balance": "337.03"})


def gateways(url: str) -> list[dict[str, Any]]:
    """The bodies with which the API makes a gateway for each kind: short time-outs, and no other stands in."""
    http = {"content_type": "json", "body": json.dumps(BODY), "reference": "json:$.id", "ok": "status:200"}
    settings: dict[str, tuple[str, dict[str, Any]]] = {
        "key": ("http", {**http, "url": f"{url}/key/send", "repeat_is_safe": True}),
        "look-up": ("smsc_ru", {"url": f"{url}/look-up", "login": LOGIN, "password": PASSWORD}),
        "neither": ("http", {**http, "url": f"{url}/neither/send"}),
    }
    swift = {"timeout": SWIFT, "rate_per_second": 10_000, "strict": True}
    return [
        {"id": kind, "provider": name, "settings": own, "max_in_flight": AT_ONCE.get(kind, 100), **swift}
        for kind, (name, own) in settings.items()
    ]


def main() -> None:
    """Serves until it is killed."""
    book, port = Path(sys.argv[1]), int(sys.argv[2])
    app = web.Application()
    app.add_routes(Providers(Book(book)).routes())
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, handler_cancellation=True)


if __name__ == "__main__":
    main()
