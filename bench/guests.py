"""Guests who register themselves at the pages, as browsers without a script but with the captcha solved."""

import time
from functools import partial

from bench.load import Rates, Visit, drive
from bench.portals import started
from tests.services import guest
from tests.services.guest import Phones, sandbox_phones
from tests.services.stack import Portal

#: So many guests in so many seconds, all behind one address.
GUESTS, WITHIN = 300, 60.0
#: The whole lobby has the address of this machine.
LOBBY = {"GUEST_NETWORKS": "127.0.0.1/32"}


def report() -> None:
    """The embedded portal, everything at its default."""
    with started(LOBBY) as portal:
        show("the embedded portal", at_the_pages(portal, GUESTS, WITHIN))


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
    with sandbox_phones(portal) as phones:
        guests = [partial(register, number, phones) for number in numbers(first, many)]
        return drive(portal.address, guests, many, within)


def numbers(first: int, many: int) -> list[str]:
    """Phones in no order, as those of strangers are; other ones for another `first`."""
    return [f"+7916{number * 7919 % 10_000_000:07d}" for number in range(first, first + many)]


async def register(phone: str, phones: Phones, visit: Visit) -> None:
    """From the first page to being on line."""
    with visit.step("page: welcome"):
        welcome = await guest.page(visit.browser, "/guest/")
    proof = guest.solved(await guest.challenge(visit.browser))
    tapped, form = time.time(), {"csrfmiddlewaretoken": guest.csrf(welcome), "phone": phone, "captcha_proof": proof}
    with visit.step("page: the phone is sent, the code page comes"):
        code_page = await guest.page(visit.browser, "/guest/", **form)
    code, came = await phones.code(phone)
    visit.took["from the tap to the sandbox phone"] = came - tapped
    with visit.step("page: the code is sent, the guest is on line"):
        await guest.type_code(visit.browser, code_page, phone, code)
