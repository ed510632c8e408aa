"""Guests who register themselves at the pages, as browsers without a script but with the captcha solved."""

import asyncio
import base64
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import altcha

from bench.load import Rates, Unexpected, Visit, drive
from tests.engine import REPOSITORY
from tests.services.stack import Portal

#: So many guests in so many seconds, all behind one address.
GUESTS, WITHIN = 300, 60.0
#: The whole lobby has the address of this machine.
LOBBY = {"GUEST_NETWORKS": "127.0.0.1/32"}
#: Seconds after which a guest looks at the sandbox phone once more.
LOOKS_AGAIN = 0.02
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
WORDS = re.compile(r"<[^>]+>|\s+")
#: Prints each message of the sandbox phone: to whom, which code, and when it came.
READER = """
import json, re, time
from gateways.models import SandboxSms
last = 0
while True:
    for sms in SandboxSms.objects.filter(pk__gt=last).order_by("pk"):
        last, code = sms.pk, re.search(r"(?<![0-9])[0-9]{6}(?![0-9])", sms.text)
        if code:
            print(json.dumps([sms.phone, code[0], sms.received.timestamp()]), flush=True)
    time.sleep(0.05)
"""


class Phones:
    """What the sandbox phone shows, read by a process of its own."""

    def __init__(self, portal: Portal) -> None:
        self._seen: dict[str, tuple[str, float]] = {}
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", READER],
            cwd=REPOSITORY, env=portal.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            phone, code, at = json.loads(line)
            self._seen[phone] = (code, at)

    async def code(self, phone: str) -> tuple[str, float]:
        """The code that came last, and when. Raises Unexpected where none comes."""
        until = time.monotonic() + 30
        while phone not in self._seen:
            if time.monotonic() > until:
                raise Unexpected(f"{phone} got no code")
            await asyncio.sleep(LOOKS_AGAIN)
        return self._seen[phone]

    def stop(self) -> None:
        """Nobody looks any more."""
        self._process.kill()
        self._process.wait()


def report() -> None:
    """The embedded portal, everything at its default."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-guests-") as folder:
        portal = Portal(Path(folder), LOBBY)
        try:
            portal.start()
            show("the embedded portal", at_the_pages(portal, GUESTS, WITHIN))
        finally:
            portal.kill_everything()


def show(name: str, rates: Rates) -> None:
    """How fast each step was for 95 of 100 guests."""
    came = f"{len(rates.visits)} of {len(rates.visits) + len(rates.failures)}"
    print(f"Guests registering at {name}: {came} within {rates.seconds:.0f} s\n  {'':46}{'p50 ms':>12}{'p95 ms':>12}")
    for step in rates.steps:
        print(f"  {step:46}{1000 * rates.of_step(step, 50):12,.0f}{1000 * rates.of_step(step):12,.0f}")
    for failure in rates.failures[:3]:
        print(f"  failed: {failure}")
    print(flush=True)


def at_the_pages(portal: Portal, many: int, within: float, first: int = 0) -> Rates:
    """So many guests with phones of their own, spread over so many seconds."""
    with read_phones(portal) as phones:
        guests = [partial(register, number, phones) for number in numbers(first, many)]
        return drive(portal.address, guests, many, within)


def numbers(first: int, many: int) -> list[str]:
    """Phones in no order, as those of strangers are; other ones for another `first`."""
    return [f"+7916{number * 7919 % 10_000_000:07d}" for number in range(first, first + many)]


@contextmanager
def read_phones(portal: Portal) -> Iterator[Phones]:
    """The sandbox phone of this portal."""
    phones = Phones(portal)
    try:
        yield phones
    finally:
        phones.stop()


async def register(phone: str, phones: Phones, visit: Visit) -> None:
    """From the first page to being on line."""
    with visit.step("page: welcome"):
        welcome = await _page(visit, "/guest/")
    proof = await _solved(visit)
    tapped = time.time()
    with visit.step("page: the phone is sent, the code page comes"):
        page = await _page(visit, "/guest/", csrfmiddlewaretoken=_csrf(welcome), phone=phone, captcha_proof=proof)
    code, came = await phones.code(phone)
    visit.took["from the tap to the sandbox phone"] = came - tapped
    with visit.step("page: the code is sent, the guest is on line"):
        page = await _page(visit, "/guest/code/", csrfmiddlewaretoken=_csrf(page), code=code)
    if phone.lstrip("+") not in page:
        raise Unexpected("the last page names no user")


async def _page(visit: Visit, path: str, **form: str) -> str:
    """The page to which this leads, redirects included."""
    method = visit.browser.post if form else visit.browser.get
    async with method(path, data=form or None) as answer:
        page = await answer.text()
    if not answer.ok:
        raise Unexpected(f"{path}: {answer.status}")
    if 'role="alert"' in page:
        raise Unexpected(f"{path}: {WORDS.sub(' ', page)[:400]}")
    return page


def _csrf(page: str) -> str:
    found = CSRF.findall(page)
    if not found:
        raise Unexpected("the page has no form")
    return str(found[-1])


async def _solved(visit: Visit) -> str:
    """The captcha's proof, as a browser reckons it; its time is the browser's."""
    async with visit.browser.get("/guest/captcha/challenge/") as answer:
        task = await answer.json()
    solution = altcha.solve_challenge(task["challenge"], task["salt"], task["algorithm"], task["maxNumber"])
    payload = {name: task[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps(payload | {"number": solution.number if solution else 0}).encode()).decode()
