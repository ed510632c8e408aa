"""A provider on a free port of 127.0.0.1 that accepts everything after 100 ms; prints its port. Its own process."""

import asyncio
import itertools

from aiohttp import web

ANSWERS_AFTER = 0.1

references = itertools.count(1)


async def accept(_: web.Request) -> web.Response:
    """Any request is a message taken."""
    await asyncio.sleep(ANSWERS_AFTER)
    return web.json_response({"id": next(references)})


async def main() -> None:
    """Serves until it is killed."""
    app = web.Application()
    app.router.add_post("/", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
