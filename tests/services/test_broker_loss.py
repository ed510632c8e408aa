"""The broker forgets everything: the database is the queue, so the sweep sends all the same."""

import pytest
import redis

from tests.services.stack import Portal
from tests.waiting import wait_for

pytestmark = pytest.mark.both_engines


def bells(portal: Portal) -> int:
    """How many things are in the queue."""
    address = portal.environment["REDIS_URL"]
    if address:
        with redis.Redis.from_url(address) as client:
            return int(client.llen("celery"))
    return len(list((portal.folder / "broker").glob("*.task")))


def forget_everything(portal: Portal) -> None:
    """Empties the queue."""
    address = portal.environment["REDIS_URL"]
    if address:
        with redis.Redis.from_url(address) as client:
            client.flushdb()
    for task in (portal.folder / "broker").glob("*.task"):
        task.unlink(missing_ok=True)


def hang_up_on_workers(portal: Portal) -> None:
    """Redis hands the next task to a worker that waits for one, even to a frozen one; so it must no longer wait."""
    if portal.environment["REDIS_URL"]:
        with redis.Redis.from_url(portal.environment["REDIS_URL"]) as client:
            number = portal.environment["REDIS_URL"].rpartition("/")[2]
            for other in client.client_list():
                if other["cmd"] == "brpop" and other["db"] == number:
                    client.client_kill_filter(_id=other["id"])


def freeze_workers(portal: Portal) -> list[int]:
    """From now on nobody takes the bells of accepted messages, and beat rings no others; the frozen processes."""
    frozen = [*portal.processes("celery", "worker"), *portal.processes("celery", "beat")]
    portal.freeze(frozen)
    hang_up_on_workers(portal)
    return frozen


def test_messages_whose_bells_were_lost_are_sent_by_the_sweep(portal: Portal) -> None:
    frozen = freeze_workers(portal)
    body = {"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "is anybody there?"}
    numbers = [portal.call("POST", "sms_gateways/send_sms", body)["item"]["id"] for _ in range(5)]
    # The web answers before its thread has rung.
    wait_for(lambda: bells(portal), "a bell waits in the queue")
    forget_everything(portal)
    portal.thaw(frozen)
    wait_for(lambda: all(portal.message(number)["state"] == "delivered" for number in numbers), "the sweep sends them")
    assert portal.look("SandboxSms.objects.count()") == len(numbers)
