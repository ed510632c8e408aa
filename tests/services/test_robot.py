"""A robot that solves captchas: what it costs at most, with Redis gone as well, and how guests come in again."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import Redis
from tests.services import guesser, guest
from tests.services.guest import Phones, sandbox_phones
from tests.services.robot import CODE_PAGE, PAUSED, Robot
from tests.services.stack import Portal, own_servers
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines

BUDGET, POSTS, ENOUGH_FOR_THE_BRAKE = 20, 200, 10
#: Whatever would stop a robot earlier is off.
RULES = {
    "portal_hour": BUDGET, "address_hour": 0, "address_day": 0, "network_hour": 0, "network_day": 0,
    "brake_least": ENOUGH_FOR_THE_BRAKE,
}  # fmt: skip
TOO_MANY = "Too many people are registering at the moment."
GENUINE = ("+79265550101", "203.0.113.200")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One that can be stopped: other tests need theirs."""
    own = Redis(tmp_path_factory.mktemp("redis"))
    yield own
    own.stop()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, worker_id: str, redis: Redis) -> Iterator[Portal]:
    """A portal behind a reverse proxy on this machine; its Redis, if it has any, is the one that can be stopped."""
    with own_servers(worker_id) as servers:
        if servers:
            redis.start()
            servers |= {"REDIS_URL": redis.url}
        with Portal(tmp_path_factory.mktemp("portal"), servers | {"TRUSTED_PROXIES": "127.0.0.1/32"}) as portal:
            yield portal


@pytest.fixture
def phones(portal: Portal) -> Iterator[Phones]:
    with sandbox_phones(portal) as found:
        yield found


@pytest.fixture
def robot(portal: Portal) -> Robot:
    addresses = [f"198.51.{network}.{host}" for network in range(10) for host in range(1, 6)]
    return Robot(portal, addresses, [f"+7916{number:07d}" for number in range(100)])


def seen(portal: Portal) -> dict[str, Any]:
    """What the database says."""
    found: dict[str, Any] = portal.ask_desk("seen()")
    return found


def test_a_robot_spends_the_budget_and_no_more_and_guests_come_in_once_it_is_released(
    portal: Portal, robot: Robot, redis: Redis, phones: Phones
) -> None:
    portal.ask_desk(f"set_rules(**{RULES})")
    # Half of the budget is spent without Redis.
    answers = robot.post(POSTS, after=BUDGET // 2, then=redis.stop).answers
    spent = seen(portal)
    assert spent["accepted"] == BUDGET
    assert all(answer == CODE_PAGE or TOO_MANY in answer for answer in answers)
    # Codes that were good already are no messages.
    assert answers[CODE_PAGE] >= BUDGET
    assert "You can try again at" in next(answer for answer in answers if TOO_MANY in answer)
    assert spent["held"] == [["portal", "", BUDGET, POSTS - answers[CODE_PAGE]]]

    if portal.environment["REDIS_URL"]:
        redis.start()
    wait_for(lambda: seen(portal)["arrived"] == BUDGET, "what was accepted without Redis is sent")

    # None of the codes is entered.
    portal.ask_desk("let_time_pass(minutes=5)")
    (answer,) = robot.post(1).answers
    assert PAUSED in answer
    assert "You can try again at" in answer
    told = portal.call("GET", "brake")
    assert (told["stopped"], told["codes_sent"], told["codes_entered"]) == (True, BUDGET, 0)
    (held,) = portal.call("GET", "held_back")["items"]
    assert (held["counted"], held["count"]) == ("portal", BUDGET)

    portal.call("DELETE", "brake")
    portal.call("DELETE", f"held_back_count/{held['id']}")
    asyncio.run(guest.get_on_line(portal, phones, *GENUINE))
    assert seen(portal)["accepted"] == BUDGET + 1


def test_of_many_guesses_at_once_five_are_judged(portal: Portal, phones: Phones) -> None:
    phone = "+79265550102"
    portal.ask_desk("set_rules(portal_hour=100)")
    assert not guesser.guess(portal, phones, phone, 100)
    assert portal.ask_desk(f"tries({phone!r})") == {"tries": 5, "stage": "ended", "judged": 5}
