"""Guests register themselves on a telephone: with scripts and without, in both languages, and when an SMS cannot go."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.beside import MAY_CALL_SIMULATORS
from tests.browser.conftest import LOCALES, PAGE_PATIENCE, Visit, context_of, installed, nobody_complained, sign_in
from tests.browser.reading import barriers, overflow
from tests.servers import free_port
from tests.services.stack import ADMIN_PASSWORD, Portal
from tests.simulators.server import Simulator
from tests.waiting import wait_for

TELEPHONE: ViewportSize = {"width": 360, "height": 640}
#: A page that is there, and has nothing in its head that loads it anew where there are no scripts.
AT_REST = "html:not(:has(meta[http-equiv=refresh])) body"
#: In that portal's environment.
DOWN = "__import__('tests.browser.down', fromlist=['make'])"

#: Opens a browser of a guest's own.
Guest = Callable[..., "Telephone"]


class Telephone(Visit):
    """A guest's browser, and what people do in it."""

    def __init__(self, page: Page, portal: Portal, language: str, scripts: bool) -> None:
        super().__init__(page, portal, language)
        self.scripts = scripts

    def look(self, name: str) -> None:
        """A picture; and the page must be fit to be read."""
        self.await_rest()
        self.shoot(f"g-{name}-{'with' if self.scripts else 'without'}-scripts-{self.language}", whole=True)
        assert overflow(self.page) == []
        if self.scripts:
            assert barriers(self.page) == []

    def ask_for_code(self, phone: str, taps: int = 1) -> None:
        """Types the phone, reads the picture where there is one, and presses the button."""
        self.page.fill("#id_phone", phone)
        if not self.scripts:
            self.page.fill("#id_captcha", self._digits_in_picture())
        self.page.click("button.main", click_count=taps, delay=60)
        self.page.wait_for_selector("#id_code")

    def await_rest(self) -> None:
        """Without scripts the page of the code loads itself anew, every second, as long as the SMS is under way."""
        self.page.wait_for_selector(AT_REST, state="attached")

    def type_code(self, code: str) -> None:
        """What came by SMS."""
        self.await_rest()
        self.page.fill("#id_code", code)
        self.page.click("button.main")

    def _digits_in_picture(self) -> str:
        """What a person sees; the picture must have been shown."""
        self.page.wait_for_function("document.querySelector('.captcha-picture img').complete")
        read: str = self.portal.look("__import__('captcha.models').models.CaptchaStore.objects.latest('pk').response")
        return read


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A fresh one, whose only gateway is the sandbox."""
    with installed(tmp_path_factory.mktemp("lobby")) as found:
        yield found


@pytest.fixture
def guest(browser: Browser) -> Iterator[Guest]:
    """Opens a browser of somebody with a telephone."""
    opened: list[Telephone] = []
    with ExitStack() as ending:

        def open_one(portal: Portal, language: str = "en", *, scripts: bool = True) -> Telephone:
            context = browser.new_context(
                locale=LOCALES[language], viewport=TELEPHONE, has_touch=True, java_script_enabled=scripts,
                timezone_id="Europe/Moscow",
            )  # fmt: skip
            context.set_default_timeout(PAGE_PATIENCE * 1000)
            ending.callback(context.close)
            opened.append(Telephone(context.new_page(), portal, language, scripts))
            return opened[-1]

        yield open_one
    nobody_complained(list(opened))


@pytest.fixture
def sandbox_phone(browser: Browser) -> Iterator[Callable[[Portal], Page]]:
    """The page of the sandbox phone, as an administrator sees it."""
    with ExitStack() as ending:

        def open_it(portal: Portal) -> Page:
            context = context_of(browser, "en")
            ending.callback(context.close)
            visit = Visit(context.new_page(), portal, "en")
            sign_in(visit, "admin", ADMIN_PASSWORD)
            visit.go("/sandbox/")
            return visit.page

        yield open_it


def messages_to(phone: Page, number: str) -> list[str]:
    """The texts that came for this number, the newest first."""
    phone.reload()
    return phone.locator(".sms").filter(has_text=number).locator(".text").all_inner_texts()


def code_for(phone: Page, number: str) -> str:
    """The code in the newest one."""
    text = wait_for(lambda: messages_to(phone, number), "an SMS with a code")[0]
    found = re.search(r"\b\d{6}\b", text)
    assert found, text
    return found[0]


@pytest.mark.parametrize(
    ("language", "scripts", "number"),
    [
        ("en", False, "+79161230001"),
        ("ru", False, "+79161230002"),
        ("en", True, "+79161230003"),
        ("ru", True, "+79161230004"),
    ],
)
def test_a_guest_gets_on_line(
    portal: Portal, guest: Guest, sandbox_phone: Callable[[Portal], Page], language: str, scripts: bool, number: str
) -> None:
    visit, phone = guest(portal, language, scripts=scripts), sandbox_phone(portal)
    visit.go("/")
    assert visit.page.get_attribute("html", "lang") == language
    visit.look("1-welcome")
    visit.ask_for_code(f"8 ({number[2:5]}) {number[5:]}")
    visit.look("2-code")
    code = code_for(phone, number)
    visit.type_code("1" + code)
    visit.page.wait_for_selector("#id_code_error")
    visit.look("3-wrong-code")
    visit.type_code(code)
    visit.page.wait_for_url("**/guest/online/")
    visit.look("4-on-line")
    password = visit.page.locator(".credentials code").nth(1).inner_text()
    assert visit.page.locator(".credentials code").first.inner_text() == number[1:]
    assert (
        password
        in wait_for(
            lambda: [text for text in messages_to(phone, number) if password in text], "the SMS with the password"
        )[0]
    )


def test_the_browser_is_closed_and_the_same_code_works_in_another(
    portal: Portal, guest: Guest, sandbox_phone: Callable[[Portal], Page]
) -> None:
    number, phone = "+79161230005", sandbox_phone(portal)
    first = guest(portal, scripts=False)
    first.go("/guest/")
    first.ask_for_code(number)
    code = code_for(phone, number)
    first.page.context.close()
    second = guest(portal, scripts=False)
    second.go("/guest/")
    second.ask_for_code("9161230005")
    second.type_code(code)
    second.page.wait_for_url("**/guest/online/")
    assert len([text for text in messages_to(phone, number) if code in text]) == 1


@pytest.mark.parametrize(("scripts", "number"), [(False, "+79161230007"), (True, "+79161230008")])
def test_a_double_tap_is_one(portal: Portal, guest: Guest, scripts: bool, number: str) -> None:
    visit = guest(portal, scripts=scripts)
    visit.go("/guest/")
    visit.ask_for_code(number, taps=2)
    counted = f"__import__('guests.models').models.Registration.objects.filter(phone={number!r}).count()"
    assert (portal.look(counted), portal.look(f"Message.objects.filter(phone={number!r}).count()")) == (1, 1)
    visit.type_code("0")
    visit.page.wait_for_selector("#id_code_error")


def test_the_page_is_read_in_the_other_language_and_keeps_what_the_network_passed(portal: Portal, guest: Guest) -> None:
    visit = guest(portal, scripts=False)
    visit.go("/guest/?mac=02-00-5e-10-00-01")
    visit.page.click(".languages button")
    visit.page.wait_for_selector("html[lang=ru]")
    assert visit.page.url.endswith("/guest/?mac=02-00-5e-10-00-01")


def test_what_was_typed_is_there_in_the_other_language(portal: Portal, guest: Guest) -> None:
    visit = guest(portal)
    visit.go("/guest/access/")
    visit.page.fill("#id_phone", "8 916 123")
    visit.page.fill("#id_password", "River-Stone-42")
    visit.page.click(".languages button")
    visit.page.wait_for_selector("html[lang=ru]")
    assert visit.page.input_value("#id_phone") == "8 916 123"
    assert visit.page.input_value("#id_password") == ""
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_a_mistake_is_told_at_its_field_and_nothing_is_lost(portal: Portal, guest: Guest) -> None:
    visit = guest(portal)
    visit.go("/guest/")
    visit.page.fill("#id_phone", "123")
    visit.page.click("button.main")
    visit.page.wait_for_selector("#id_phone_error")
    visit.look("5-mistake")
    assert visit.page.input_value("#id_phone") == "123"
    assert "id_phone_error" in str(visit.page.get_attribute("#id_phone", "aria-describedby"))
    visit.page.click(".wrong a")
    visit.page.wait_for_selector("#id_phone:focus")


def test_whoever_comes_back_is_led_to_the_code(portal: Portal, guest: Guest) -> None:
    visit = guest(portal)
    visit.go("/guest/")
    visit.ask_for_code("+79161230006")
    visit.page.go_back()
    visit.page.wait_for_selector(".notice .button")
    visit.look("6-begun")
    visit.page.click(".notice .button")
    visit.page.wait_for_selector("#id_code")
    visit.page.click("text=Wrong number?")
    visit.page.wait_for_selector("#id_phone")
    assert visit.page.input_value("#id_phone") == "+79161230006"


@pytest.mark.parametrize(
    ("language", "scripts", "number"), [("en", False, "+79161230007"), ("ru", True, "+79161230008")]
)
def test_a_guest_keeps_the_own_access(
    portal: Portal, guest: Guest, sandbox_phone: Callable[[Portal], Page], language: str, scripts: bool, number: str
) -> None:
    portal.look("GuestType.objects.update(may_extend=True, notice_hours=24)")
    visit, phone = guest(portal, language, scripts=scripts), sandbox_phone(portal)
    visit.go("/guest/")
    visit.ask_for_code(number)
    visit.type_code(code_for(phone, number))
    visit.page.wait_for_url("**/guest/online/")
    password = visit.page.locator(".credentials code").nth(1).inner_text()
    visit.page.click("footer a")
    visit.page.wait_for_selector("#id_username")
    visit.look("8-ways-in")
    visit.page.fill("#id_username", number)
    visit.page.fill("#id_password", password)
    visit.page.click("button.second")
    visit.page.wait_for_selector(".standing")
    visit.look("9-my-access")
    visit.page.click("button.main")
    visit.page.wait_for_selector(".notice")
    visit.look("10-extended")
    visit.page.click("form[action$='/password/'] button")
    visit.page.wait_for_selector("text=/[a-z]+-[a-z]+-[a-z]+/")
    visit.look("11-new-password")
    assert visit.page.locator(".credentials code").nth(1).inner_text() != password
    visit.page.click("a.button")
    visit.page.click("a[href$='/erase/']")
    visit.page.wait_for_selector("#id_sure")
    visit.look("12-erase")
    visit.page.check("#id_sure")
    visit.page.click("button.main")
    visit.page.wait_for_selector("#id_username")
    assert visit.page.locator(".notice").count() == 1
    assert portal.look(f"Guest.objects.filter(phone={number!r}).count()") == 0


@pytest.fixture(scope="module", params=["the first is down", "both are down"])
def troubled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Portal, bool]]:
    """A portal with two gateways, and whether the second of them works."""
    works = request.param == "the first is down"
    with (
        Simulator("http") as provider,
        installed(tmp_path_factory.mktemp("troubled"), **MAY_CALL_SIMULATORS) as found,
    ):
        found.look(f"{DOWN}.make({provider.peers['http'].settings()!r}, {free_port()}, reserve_works={works})")
        yield found, works


@pytest.mark.parametrize("scripts", [False, True])
def test_the_guest_reads_what_became_of_the_sms(troubled: tuple[Portal, bool], guest: Guest, scripts: bool) -> None:
    portal, works = troubled
    visit = guest(portal, scripts=scripts)
    visit.go("/guest/")
    before = portal.look(f"{DOWN}.counted()")
    visit.ask_for_code(f"+791612300{10 + scripts}")
    asked = time.monotonic()
    seen = visit.page.locator(".news [role=status]").filter(
        has_text=re.compile(r"sent at \d" if works else "cannot be sent")
    )
    seen.wait_for()
    print(f"\n{'first' if works else 'both'} down: read {time.monotonic() - asked:.1f} s after the page of the code")
    visit.look(f"7-{'first' if works else 'both'}-down")
    assert (portal.look(f"{DOWN}.counted()") > before) is works
    if works:
        assert portal.look("sorted(Attempt.objects.values_list('gateway__name', flat=True))")[-1] == "reserve"
