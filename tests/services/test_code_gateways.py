"""Codes while gateways are down: by the next one; where there is none, taken back for good, and asked for once more."""

import asyncio
import time
from collections.abc import Iterator

import aiohttp
import pytest

from tests.servers import free_port
from tests.services import guest
from tests.services.stack import Portal, own_servers
from tests.simulators.server import Simulator
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.both_engines

FIRST, SECOND, LATER = "+79265550111", "+79265550112", "+79265550113"
ADDRESS, CODE_PAGE, RESEND = "203.0.113.7", "/guest/code/", "/guest/resend/"
CANNOT_BE_SENT = "SMS cannot be sent at the moment."
#: In that portal's environment.
DOWN = "__import__('tests.browser.down', fromlist=['make'])"


@pytest.fixture(scope="module")
def reserve() -> int:
    """The port of the second gateway, which is up at times; at the first one's nobody ever listens."""
    return free_port()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str, reserve: int) -> Iterator[Portal]:
    """A portal with these two gateways."""
    with own_servers(worker_id) as servers:
        allowed = {"GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8", "TRUSTED_PROXIES": "127.0.0.1/32"}
        with Portal(tmp_path_factory.mktemp("portal"), servers | allowed) as portal:
            portal.start()
            with Simulator("http", port=reserve) as provider:
                settings = provider.peers["http"].settings()
            portal.look(f"{DOWN}.make({settings!r}, {free_port()}, reserve_works=True)")
            yield portal


def codes_at(provider: Simulator, phone: str) -> list[str]:
    """The texts with a code that came to this phone; the credentials follow the right one."""
    return [taken.text for taken in provider.taken_by(phone) if "code is" in taken.text]


def code_at(provider: Simulator, phone: str) -> str:
    """What came to this phone; it must be one message."""
    wait_for(lambda: codes_at(provider, phone), f"the code comes to {phone}")
    (text,) = codes_at(provider, phone)
    return next(word for word in text.replace(".", " ").split() if len(word) == 6 and word.isdecimal())


async def page_that_says(own: aiohttp.ClientSession, sentence: str) -> str:
    """The page of the code, as soon as it says so."""
    until = time.monotonic() + PATIENCE
    while sentence not in (page := await guest.page(own, CODE_PAGE)):
        assert time.monotonic() < until, page
        await asyncio.sleep(0.2)
    return page


async def come(portal: Portal, provider: Simulator, phone: str) -> None:
    """A guest registers while the provider is up."""
    async with guest.browser(portal, ADDRESS) as own:
        page = await guest.ask_for_code(own, phone)
        await guest.type_code(own, page, phone, code_at(provider, phone))


def test_what_no_gateway_takes_is_taken_back_and_only_a_new_message_goes_out(portal: Portal, reserve: int) -> None:
    with Simulator("http", port=reserve) as provider:
        asyncio.run(come(portal, provider, FIRST))
    asyncio.run(through_a_break(portal, reserve))


async def through_a_break(portal: Portal, reserve: int) -> None:
    """A guest asks while both are down, is told, and asks again in the same browser once one is back."""
    async with guest.browser(portal, ADDRESS) as own:
        before = portal.ask_desk("counts()")
        await guest.ask_for_code(own, SECOND)
        page = await page_that_says(own, CANNOT_BE_SENT)
        assert portal.ask_desk("counts()") == before
        assert states(portal) == ["cancelled"]

        with Simulator("http", port=reserve) as provider:
            # By then the portal certainly looked for what waits.
            await come(portal, provider, LATER)
            assert provider.taken_by(SECOND) == []
            page = await guest.page(own, RESEND, csrfmiddlewaretoken=guest.csrf(page))
            await guest.type_code(own, page, SECOND, code_at(provider, SECOND))
            assert len(codes_at(provider, SECOND)) == 1
        assert states(portal)[0] == "cancelled"


def states(portal: Portal) -> list[str]:
    """Of the messages with a code for the second phone, the oldest first."""
    asked = f"Message.objects.filter(phone={SECOND!r}, kind='code').order_by('pk').values_list('state', flat=True)"
    found: list[str] = portal.look(f"list({asked})")
    return found
