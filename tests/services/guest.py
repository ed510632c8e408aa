"""Guests at a portal that runs: browsers without a script but with the captcha solved, and the phones they look at."""

import asyncio
import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp.abc import AbstractCookieJar

from tests.engine import REPOSITORY
from tests.services.stack import Portal
from tests.waiting import PATIENCE

#: Seconds for which a connection is kept: the web closes one after two, and a post on it at that moment is lost.
KEPT = 1.0
#: Seconds after which a guest looks at the sandbox phone once more.
LOOKS_AGAIN = 0.02
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
#: What a page says is wrong.
ALERT = re.compile(r'role="alert"[^>]*>(.*?)</div>', re.DOTALL)
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


class Unexpected(Exception):
    """The server answered something else than the guest came for."""


class Phones:
    """What the sandbox phone shows, read by a process of its own."""

    def __init__(self, portal: Portal) -> None:
        self._seen: dict[str, tuple[str, float]] = {}
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", READER],
            cwd=REPOSITORY, env=portal.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            phone, code, at = json.loads(line)
            self._seen[phone] = (code, at)

    async def code(self, phone: str) -> tuple[str, float]:
        """The code that came last, and when. Raises Unexpected where none comes."""
        until = time.monotonic() + PATIENCE
        while phone not in self._seen:
            if time.monotonic() > until:
                raise Unexpected(f"{phone} got no code")
            await asyncio.sleep(LOOKS_AGAIN)
        return self._seen[phone]

    def stop(self) -> None:
        """Nobody looks any more."""
        self._process.kill()
        self._reader.join()
        self._process.communicate()


@contextmanager
def sandbox_phones(portal: Portal) -> Iterator[Phones]:
    """Looked at as long as the block runs."""
    phones = Phones(portal)
    try:
        yield phones
    finally:
        phones.stop()


def browser(portal: Portal, address: str) -> aiohttp.ClientSession:
    """One of a guest's own, who comes through the reverse proxy from this address and reads English."""
    headers = {"X-Forwarded-For": address, "Accept-Language": "en"}
    # Servers here have an address and no name, whose cookies aiohttp would refuse.
    return session(portal, headers, aiohttp.CookieJar(unsafe=True))


def session(portal: Portal, headers: dict[str, str], cookies: AbstractCookieJar) -> aiohttp.ClientSession:
    """Calls of a portal, however long the caller does other things between two of them."""
    return aiohttp.ClientSession(
        portal.address,
        headers=headers,
        cookie_jar=cookies,
        timeout=aiohttp.ClientTimeout(total=PATIENCE),
        connector=aiohttp.TCPConnector(keepalive_timeout=KEPT),
    )


async def get_on_line(portal: Portal, phones: Phones, phone: str, address: str) -> float:
    """From the first page to the last; the seconds that took. Raises Unexpected where a page says why not."""
    began = time.monotonic()
    async with browser(portal, address) as own:
        code_page = await ask_for_code(own, phone)
        code, _came = await phones.code(phone)
        await type_code(own, code_page, phone, code)
    return time.monotonic() - began


async def ask_for_code(own: aiohttp.ClientSession, phone: str) -> str:
    """The first page, filled in; gives the second one."""
    welcome = await page(own, "/guest/")
    return await page(
        own, "/guest/", csrfmiddlewaretoken=csrf(welcome), phone=phone, captcha_proof=solved(await challenge(own))
    )


async def type_code(own: aiohttp.ClientSession, code_page: str, phone: str, code: str) -> None:
    """The second page, filled in; the last one has to name the user."""
    last = await page(own, "/guest/code/", csrfmiddlewaretoken=csrf(code_page), code=code)
    if phone.lstrip("+") not in last:
        raise Unexpected("the last page names no user")


async def page(own: aiohttp.ClientSession, path: str, **form: str) -> str:
    """The page to which this leads, redirects included. Raises Unexpected where it says that something is wrong."""
    method = own.post if form else own.get
    async with method(path, data=form or None) as answer:
        found = await answer.text()
    if not answer.ok:
        raise Unexpected(f"{path}: {answer.status}")
    if wrong := what_is_wrong(found):
        raise Unexpected(f"{path}: {wrong}")
    return found


def what_is_wrong(found: str) -> str:
    """What a page has to say to a guest who did something wrong, or came at a wrong time; empty where it is nothing."""
    said = ALERT.search(found)
    return " ".join(WORDS.sub(" ", said[1]).split()) if said else ""


def csrf(found: str) -> str:
    """What a form of this page has to be sent with."""
    tokens = CSRF.findall(found)
    if not tokens:
        raise Unexpected("the page has no form")
    return str(tokens[-1])


async def challenge(own: aiohttp.ClientSession) -> dict[str, Any]:
    """A captcha's task."""
    async with own.get("/guest/captcha/challenge/") as answer:
        task: dict[str, Any] = await answer.json()
    return task


def solved(task: dict[str, Any]) -> str:
    """The captcha's proof, as a browser reckons it; its time is the browser's."""
    start, wanted = hashlib.sha256(task["salt"].encode()), bytes.fromhex(task["challenge"])
    number = next(number for number in range(task["maxNumber"] + 1) if _after(start, number) == wanted)
    payload = {name: task[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def _after(start: Any, number: int) -> bytes:
    digest = start.copy()
    digest.update(b"%d" % number)
    found: bytes = digest.digest()
    return found
