"""The browser, a running portal with rows to look at, and pages that fail their test by what they complain of.

The folder's portal and browser live as long as its tests, which one xdist worker runs; whoever changes what others see
starts a portal of their own with `installed`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.browser.chromium import NOTHING_TO_SHOW, Watch, chromium
from tests.browser.reading import NARROW, WIDE, barriers, overflow, words_of
from tests.browser.screenshots import SCREENSHOTS
from tests.services.stack import ADMIN_PASSWORD, Portal
from tests.waiting import wait_for

LOCALES = {"ru": "ru-RU", "en": "en-GB"}

#: Seconds for what happens in a page; what comes about behind it may take longer.
PAGE_PATIENCE = 120.0
#: Opens a page in a language.
Open = Callable[..., "Visit"]


class Visit:
    """A page that somebody looks at, and what it complained of."""

    def __init__(self, page: Page, portal: Portal, language: str) -> None:
        self.page = page
        self.portal = portal
        self.language = language
        self.watch = Watch(page, portal.address)

    def go(self, address: str) -> int:
        """Opens an address of the portal; the answer's status."""
        try:
            self.page.goto(self.portal.address + address, wait_until="load")
        except Error as error:
            # Chromium shows a page of its own where a refusal has none.
            if NOTHING_TO_SHOW not in error.message:
                raise
        return self.watch.status

    def shoot(self, name: str, whole: bool = False) -> None:
        """Leaves a picture of what is seen, or of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole, animations="disabled")

    def inspect(self, name: str) -> None:
        """The same of a page that is seen only on the way: here it must be fit to be read, as all others."""
        self.shoot(name)
        assert barriers(self.page) == []
        self.page.set_viewport_size(NARROW)
        assert overflow(self.page) == []
        self.page.set_viewport_size(WIDE)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with this folder, because Django's ORM refuses to work beside Playwright's event loop."""
    with chromium() as found:
        yield found


@contextmanager
def installed(folder: Path, **environment: str) -> Iterator[Portal]:
    """A portal of one's own, started and ended."""
    with Portal(folder, environment) as portal:
        portal.start()
        yield portal


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal that everybody looks at and nobody changes."""
    with installed(tmp_path_factory.mktemp("looked-at")) as found:
        yield found


@pytest.fixture(scope="package")
def rows(portal: Portal) -> dict[str, Any]:
    """Rows of every model in it: their `keys`, and the `words` in them."""
    made: dict[str, Any] = portal.look("__import__('tests.browser.rows', fromlist=['make']).make()")
    return made | {"words": words_of([*made["texts"], "admin"])}


def context_of(browser: Browser, language: str) -> BrowserContext:
    """A browser of somebody's own who reads that language."""
    context = browser.new_context(locale=LOCALES[language], viewport=WIDE, timezone_id="Europe/Moscow")
    # The machine may be busy; nothing here asserts how long something took.
    context.set_default_timeout(PAGE_PATIENCE * 1000)
    return context


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens a page at a portal as a stranger; at the end no page may have complained."""
    visits: list[Visit] = []
    with ExitStack() as ending:

        def open_one(portal: Portal, language: str = "en") -> Visit:
            context = context_of(browser, language)
            ending.callback(context.close)
            visits.append(Visit(context.new_page(), portal, language))
            return visits[-1]

        yield open_one
    nobody_complained(visits)


@pytest.fixture(scope="package")
def signed_in(browser: Browser, portal: Portal) -> dict[str, BrowserContext]:
    """The administrator's browsers at the folder's portal, by language; they keep what they have loaded."""
    found = {}
    for language in LOCALES:
        context = found[language] = context_of(browser, language)
        # A test that looks at the dark side leaves no trace.
        context.add_init_script("localStorage.removeItem('adminTheme')")
        page = context.new_page()
        sign_in(Visit(page, portal, language), "admin", ADMIN_PASSWORD)
        page.close()
    return found


@pytest.fixture
def administrator(signed_in: dict[str, BrowserContext], portal: Portal) -> Iterator[Open]:
    """Opens a page at the folder's portal, where the administrator has signed in."""
    visits: list[Visit] = []

    def open_one(language: str = "en") -> Visit:
        visits.append(Visit(signed_in[language].new_page(), portal, language))
        return visits[-1]

    yield open_one
    for visit in visits:
        visit.page.close()
    nobody_complained(visits)


def nobody_complained(visits: list[Visit]) -> None:
    """Fails the test by what its pages said."""
    assert [fault for visit in visits for fault in visit.watch.faults] == []


def give_password(visit: Visit, username: str, password: str) -> None:
    """As people do it; what comes then, the portal decides."""
    visit.go("/admin/login/?next=/admin/")
    visit.page.fill("#id_username", username)
    visit.page.fill("#id_password", password)
    visit.page.click("#login-form button[type=submit]")


def sign_in(visit: Visit, username: str, password: str) -> None:
    """Where a password is enough."""
    give_password(visit, username, password)
    visit.page.wait_for_url("**/admin/")


def await_delivery(visit: Visit) -> None:
    """Looks at the page of a message, again and again, until its timeline tells of the delivery."""

    def is_delivered() -> bool:
        visit.page.reload()
        return visit.page.locator("[data-what=ended]").filter(has_text="delivered").count() > 0

    wait_for(is_delivered, "the timeline tells of the delivery")


def let_confirmation_lapse(visit: Visit) -> None:
    """As after ten minutes: whoever is signed in at the portal has to say again who it is before what is grave."""
    visit.portal.look("__import__('tests.browser.rows', fromlist=['age']).age_confirmations()")
