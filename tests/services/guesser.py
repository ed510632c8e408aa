"""Somebody who guesses the code of one registration, many times at once."""

import asyncio
from collections.abc import Iterable

import aiohttp

from tests.services import guest
from tests.services.guest import Phones
from tests.services.stack import Portal

ADDRESS = "203.0.113.66"


def guess(portal: Portal, phones: Phones, phone: str, many: int, at_once: int = 8) -> bool:
    """So many wrong codes, then the right one; whether that one still led on line."""
    return asyncio.run(_guess(portal, phones, phone, many, at_once))


async def _guess(portal: Portal, phones: Phones, phone: str, many: int, at_once: int) -> bool:
    async with guest.browser(portal, ADDRESS) as own:
        token = guest.csrf(await guest.ask_for_code(own, phone))
        right, _came = await phones.code(phone)
        wrong = iter([f"{(int(right) + number) % 1_000_000:06d}" for number in range(1, many + 1)])
        async with asyncio.TaskGroup() as together:
            for _worker in range(at_once):
                together.create_task(_try_each(own, token, wrong))
        return await _try(own, token, right) == "/guest/online/"


async def _try_each(own: aiohttp.ClientSession, token: str, codes: Iterable[str]) -> None:
    for code in codes:
        await _try(own, token, code)


async def _try(own: aiohttp.ClientSession, token: str, code: str) -> str:
    """Where the page sends the browser on to."""
    said = {"csrfmiddlewaretoken": token, "code": code}
    async with own.post("/guest/code/", data=said, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"]
