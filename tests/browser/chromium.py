"""Debian's Chromium under Playwright, and what goes wrong in its pages while a test looks at them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Response, sync_playwright

#: The browser without its own windows takes half the time for a page.
PROGRAM = Path("/usr/bin/chromium-headless-shell")
MISSING = "Chromium is missing: apt-get install chromium-headless-shell"
#: What a fresh Chromium would do by itself is not ours to watch. Tests may run as root, where its sandbox cannot.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
#: Chromium writes every answer from 400 up to the console; those are judged by their status.
STATUS_ON_CONSOLE = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
#: A page that is left ends its own requests.
LEFT = "net::ERR_ABORTED"
#: An answer from 400 up without a body; it is judged by its status.
NOTHING_TO_SHOW = "net::ERR_HTTP_RESPONSE_CODE_FAILURE"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Without one nothing of this folder can be tested, which is a failure and no reason to skip."""
    if not PROGRAM.exists():
        raise AssertionError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """Everything that a page complains of: its console, its scripts, requests that fail or go to somebody else."""

    def __init__(self, page: Page, address: str) -> None:
        self.host = urlsplit(address).netloc
        self.faults: list[str] = []
        #: Of the page that was opened last.
        self.status = 0
        #: Statuses that a test asks for.
        self.expected: set[int] = set()
        #: Chromium shows a page of its own; what scripts run into there is not the portal's.
        self.nothing_to_show = False
        page.on("console", self._hear)
        page.on("pageerror", self._crash)
        page.on("request", self._leave)
        page.on("requestfailed", self._fail)
        page.on("response", self._answer)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error" and not STATUS_ON_CONSOLE.match(said.text):
            self.faults.append(f"console: {said.text}")

    def _crash(self, error: Error) -> None:
        if not self.nothing_to_show:
            self.faults.append(f"script: {error}")

    def _leave(self, request: Request) -> None:
        where = urlsplit(request.url)
        if where.scheme in {"http", "https", "ws", "wss"} and where.netloc != self.host:
            self.faults.append(f"a request to somebody else: {request.url}")

    def _fail(self, request: Request) -> None:
        if request.failure == NOTHING_TO_SHOW:
            self.nothing_to_show = request.is_navigation_request()
        elif request.failure != LEFT:
            self.faults.append(f"a request failed: {request.url} {request.failure}")

    def _answer(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.status = response.status
            self.nothing_to_show = False
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"an answer of {response.status}: {response.url}")
