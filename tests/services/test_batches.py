"""Thousands of messages in one call, through a running portal to a provider that counts what it takes."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.services.stack import Portal
from tests.simulators.peers import smsgate
from tests.simulators.server import Simulator
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.both_engines

COUNT = 10_000
#: One of so many is bad: three in a hundred.
EVERY = 33
#: What may be wrong with one, and the field at fault.
BAD: list[tuple[Any, str]] = [
    ({"phone_number": "12", "message": "x"}, "phone_number"),
    ({"message": "x"}, "phone_number"),
    ({"phone_number": "+79161234567", "message": ""}, "message"),
    ({"phone_number": "+79161234567", "message": "ы" * 5000}, "message"),
    ({"phone_number": "+79161234567", "message": "x", "mesage": "x"}, "mesage"),
    ("+79161234567", "messages"),
]


@pytest.fixture
def provider() -> Iterator[Simulator]:
    with Simulator(smsgate.Peer) as simulator:
        yield simulator


@pytest.fixture
def portal(installation: Portal) -> Portal:
    """One that may call this machine."""
    if not installation.is_running():
        installation.environment["GATEWAY_ALLOWED_NETWORKS"] = "127.0.0.0/8"
        installation.start()
    installation.login()
    return installation


def set_up(portal: Portal, provider: Simulator, name: str, **details: Any) -> None:
    """A gateway at the simulator."""
    body = {"id": name, "provider": "smsgate", "settings": provider.peers["smsgate"].settings(), "sender": "Portal"}
    portal.call("POST", "sms_gateways", body | details)


def post(portal: Portal, gateway: str, messages: list[Any], key: str) -> requests.Response:
    """One call with all of them."""
    headers = {"Authorization": f"Bearer {portal.token}", "Idempotency-Key": key}
    address = f"{portal.address}/api/v1/sms_gateways/send_sms_batch"
    body = {"sms_gateway": gateway, "messages": messages}
    return requests.post(address, json=body, headers=headers, timeout=PATIENCE)


def good(number: int) -> dict[str, Any]:
    """A message of its own."""
    return {"phone_number": f"+7916{number:07}", "message": f"Guest {number}", "reference": f"booking {number}"}


def progress(portal: Portal, batch: int) -> dict[str, Any]:
    found: dict[str, Any] = portal.call("GET", f"batch/{batch}")["item"]["progress"]
    return found


def test_of_ten_thousand_in_one_call_the_bad_are_named_and_the_others_sent_once(
    portal: Portal, provider: Simulator
) -> None:
    set_up(portal, provider, "quick", rate_per_second=2000, max_in_flight=200)
    bad = {number: BAD[number // EVERY % len(BAD)] for number in range(0, COUNT, EVERY)}
    messages = [bad[number][0] if number in bad else good(number) for number in range(COUNT)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: post(portal, "quick", messages, "all of them"), range(2)))
    # The second finds the first still open, or gets its answer.
    assert {answer.status_code for answer in answers} <= {200, 409}
    first = next(answer for answer in answers if answer.status_code == 200)
    again = post(portal, "quick", messages, "all of them")
    assert (again.status_code, again.content) == (200, first.content)

    body = first.json()
    assert [(error["index"], error["field"]) for error in body["errors"]] == [
        (number, field) for number, (_message, field) in bad.items()
    ]
    assert all(error["message"] for error in body["errors"])
    accepted = COUNT - len(bad)
    assert (body["item"]["total"], body["item"]["progress"]["accepted"]) == (COUNT, accepted)

    wait_for(lambda: progress(portal, body["item"]["id"])["waiting"] == 0, "all are handed over")
    found = progress(portal, body["item"]["id"])
    assert found["handed_over"] + found["delivered"] == accepted
    arrived = Counter((sms.phone, sms.text) for sms in provider.taken)
    assert arrived == {
        (good(number)["phone_number"], f"Guest {number}"): 1 for number in range(COUNT) if number not in bad
    }
    assert portal.look("Message.objects.filter(gateway__name='quick').count()") == accepted


def test_a_batch_that_is_cancelled_half_way_sends_no_more_than_what_had_gone(
    portal: Portal, provider: Simulator
) -> None:
    set_up(portal, provider, "slow", rate_per_second=20, max_in_flight=20)
    count = 1000
    batch = post(portal, "slow", [good(number) for number in range(count)], "cancelled").json()["item"]["id"]
    wait_for(lambda: len(provider.taken) >= 40, "some are handed over")
    cancelled = portal.call("POST", f"batch/{batch}/cancel")["cancelled"]
    wait_for(lambda: progress(portal, batch)["waiting"] == 0, "what was in the air is settled")
    found = progress(portal, batch)
    assert found["cancelled"] == cancelled
    assert found["handed_over"] + found["delivered"] == count - cancelled == len(provider.taken)
    phones = f"list(Message.objects.filter(batch={batch}, state='cancelled').values_list('phone', flat=True))"
    kept = set(portal.look(phones))
    assert len(kept) == cancelled > 0
    assert not kept & {sms.phone for sms in provider.taken}
    assert portal.call("POST", f"batch/{batch}/cancel")["cancelled"] == 0
