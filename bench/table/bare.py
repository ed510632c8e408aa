"""`python -m bench.table.bare URL MESSAGES AT_ONCE`: aiohttp and nothing else; prints messages per second."""

import asyncio
import sys
import time

import aiohttp

TEXT = "Wi-Fi is back in the lobby"


async def send_all(url: str, messages: int, at_once: int) -> float:
    """So many messages, so many at once, over connections that stay open."""
    numbers = iter(range(messages))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def send_some() -> None:
            for number in numbers:
                async with session.post(url, json={"to": f"+7916{number:07}", "text": TEXT}) as answer:
                    assert (await answer.json())["id"]

        began = time.perf_counter()
        await asyncio.gather(*(send_some() for _ in range(at_once)))
        return messages / (time.perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(send_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
