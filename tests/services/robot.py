"""A robot at the guest pages: so many posts from many addresses for many phones, a fresh captcha solved for each."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import aiohttp

from tests.services import guest
from tests.services.guest import Unexpected
from tests.services.stack import Portal

#: What stands in `Posted.answers` for a page that asks for the code.
CODE_PAGE = "asked for the code"
#: What the page says while the brake is pulled.
PAUSED = "Registration is paused for a while."
#: Leads to the captcha, where that is what was wrong.
AT_CAPTCHA = 'href="#id_captcha'


@dataclass(frozen=True)
class Posted:
    """What the portal made of a run: how often each answer was given."""

    seconds: float
    answers: Counter[str]

    @property
    def per_second(self) -> float:
        """Posts that were answered."""
        return self.answers.total() / self.seconds


@dataclass
class Robot:
    """Takes an address and a phone by chance for each post, always in the same order; `solvers` do its sums."""

    portal: Portal
    addresses: Sequence[str]
    phones: Sequence[str]
    at_once: int = 8
    solvers: Executor | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random(4))

    def post(self, many: int, after: int = 0, then: Callable[[], object] | None = None) -> Posted:
        """So many posts; `then` is called when `after` were answered. Raises Unexpected where a page tells a robot."""
        return asyncio.run(self.posting(many, after, then))

    async def posting(self, many: int, after: int = 0, then: Callable[[], object] | None = None) -> Posted:
        """The same beside other things."""
        began, answers = time.monotonic(), Counter[str]()
        plan = iter([(self._chance.choice(self.addresses), self._chance.choice(self.phones)) for _post in range(many)])

        async def work() -> None:
            async with _careless(self.portal) as own:
                form = await _form(own)
                for address, phone in plan:
                    answers[await self._one(own, form, address, phone)] += 1
                    if then and answers.total() == after:
                        then()

        async with asyncio.TaskGroup() as together:
            for _worker in range(self.at_once):
                together.create_task(work())
        return Posted(time.monotonic() - began, answers)

    async def _one(self, own: aiohttp.ClientSession, form: "_Form", address: str, phone: str) -> str:
        task = await guest.challenge(own)
        proof = await asyncio.get_running_loop().run_in_executor(self.solvers, guest.solved, task)
        said = {"csrfmiddlewaretoken": form.token, "phone": phone, "captcha_proof": proof}
        headers = {"X-Forwarded-For": address, "Cookie": form.cookie}
        async with own.post("/guest/", data=said, headers=headers, allow_redirects=False) as answer:
            found = await answer.text()
        if answer.status == 303 and answer.headers["Location"] == "/guest/code/":
            return CODE_PAGE
        wrong = guest.what_is_wrong(found)
        if answer.status != 200 or not wrong or AT_CAPTCHA in found:
            raise Unexpected(f"a post was answered {answer.status}: {wrong or found[:200]}")
        return wrong


@dataclass(frozen=True)
class _Form:
    """A form is sent as often as one likes; of the cookies only this one has to come along."""

    token: str
    cookie: str


def _careless(portal: Portal) -> aiohttp.ClientSession:
    """Keeps no cookies, so that no two posts seem to come from one device."""
    return guest.session(portal, {"Accept-Language": "en"}, aiohttp.DummyCookieJar())


async def _form(own: aiohttp.ClientSession) -> _Form:
    async with own.get("/guest/") as answer:
        token = guest.csrf(await answer.text())
        return _Form(token, f"csrftoken={answer.cookies['csrftoken'].value}")
