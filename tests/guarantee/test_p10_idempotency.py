"""P10: however many posts come with one Idempotency-Key, there is one message and one answer.

Every answer is the one that was kept, or 409 with `Retry-After` while the first is open; another body is 422. A key
belongs to its user and endpoint, what was answered outlives every process, and it is kept with the message or not at
all. The header itself and the details of repeats are in `tests/portal/test_api_idempotency.py`.
"""

import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import requests
from django.db import connection
from django.db.models import F
from django.test import override_settings
from honcho.environ import parse_procfile
from pytest_django.live_server_helper import LiveServer

from gateways.models import Gateway
from messaging.models import Message
from portal.api.commit import drop_old_answers
from portal.models import ApiToken, AuditEvent, IdempotencyRecord, User
from portal.processes import PROCFILE
from tests.conftest import Api
from tests.engine import REPOSITORY
from tests.services.stack import Portal
from tests.waiting import PATIENCE, wait_for

AT_ONCE = 50
SEND, BATCH = "/api/v1/sms_gateways/send_sms", "/api/v1/sms_gateways/send_sms_batch"
ONE = {"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Привет"}
ANOTHER = ONE | {"message": "Пока"}
MANY = {"sms_gateway": "sandbox", "messages": [{"phone_number": "+79161234567", "message": "Привет"}]}


Ask = Callable[[requests.Session], requests.Response]


def posting(address: str, token: str, body: dict[str, Any], key: str = "k1") -> Ask:
    """A post that is still to be made."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    return lambda caller: caller.post(address, json=body, headers=headers, timeout=PATIENCE)


def token_of(user: User) -> str:
    _, token = ApiToken.objects.create(user=user)
    return str(token)


def together(server: LiveServer, posts: list[Ask]) -> list[requests.Response]:
    """The answers to posts that leave at the same moment, each on a connection that is there before; in their order."""
    start = Barrier(len(posts))

    def make(ask: Ask) -> requests.Response:
        with requests.Session() as caller:
            wait_for(partial(reaches, caller, server.url), "the server takes a connection")
            start.wait()
            return ask(caller)

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(make, posts))


def reaches(caller: requests.Session, address: str) -> bool:
    """Whether the web answers. A test's server has a short queue, and resets whoever finds no place in it."""
    try:
        return caller.get(f"{address}/healthz", timeout=10).ok
    except requests.RequestException:
        return False


def test_fifty_posts_at_once_with_one_key_are_one_message(
    live_server: LiveServer, sandbox: Gateway, operator: User
) -> None:
    token = token_of(operator)
    answers = together(live_server, [posting(live_server.url + SEND, token, ONE)] * AT_ONCE)
    assert Message.objects.count() == IdempotencyRecord.objects.count() == 1
    assert set(Counter(answer.status_code for answer in answers)) <= {200, 409}
    assert {answer.headers.get("Retry-After") for answer in answers if answer.status_code == 409} <= {"1"}
    accepted = [answer for answer in answers if answer.status_code == 200]
    assert sum("Idempotency-Replayed" not in answer.headers for answer in accepted) == 1
    # Whoever was told to come back comes back.
    later = together(live_server, [posting(live_server.url + SEND, token, ONE)] * 4)
    assert {answer.status_code for answer in later} == {200}
    assert {answer.content for answer in [*accepted, *later]} == {accepted[0].content}
    assert Message.objects.count() == 1


def test_of_two_bodies_with_one_key_one_is_done_and_the_other_refused(
    live_server: LiveServer, sandbox: Gateway, operator: User
) -> None:
    token = token_of(operator)
    bodies = [ONE, ANOTHER] * 10
    answers = together(live_server, [posting(live_server.url + SEND, token, body) for body in bodies])
    message = Message.objects.get()
    won = {str(ONE["message"]): ONE, str(ANOTHER["message"]): ANOTHER}[str(message.text)]
    for body, answer in zip(bodies, answers, strict=True):
        assert answer.status_code in ({200, 409} if body is won else {409, 422})
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    lost = ANOTHER if won is ONE else ONE
    assert posting(live_server.url + SEND, token, lost)(requests.Session()).status_code == 422


def test_a_key_is_its_users_and_its_endpoints_own(
    live_server: LiveServer, sandbox: Gateway, operator: User, admin: User
) -> None:
    tokens = [token_of(operator), token_of(admin)]
    asked = [
        posting(live_server.url + path, token, body) for token in tokens for path, body in ((SEND, ONE), (BATCH, MANY))
    ]
    answers = together(live_server, asked * 5)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {(record.user.username, record.endpoint) for record in IdempotencyRecord.objects.all()} == {
        (user.username, f"POST {path}") for user in (operator, admin) for path in (SEND, BATCH)
    }
    assert Message.objects.count() == len(asked)


class Died(BaseException):
    """The process ended between two statements."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "body"), [(SEND, ONE), (BATCH, MANY)])
def test_record_and_message_are_there_together_wherever_the_process_dies(
    api: Api, sandbox: Gateway, operator: User, path: str, body: dict[str, Any]
) -> None:
    """It dies before every statement in turn; then the same request comes again, as from a caller without an answer."""
    client = api(operator)
    for number in range(100):
        left = number

        def die_in_time(execute: Callable[..., Any], *call: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Died
            left -= 1
            return execute(*call)

        key = f"k{number}"
        with connection.execute_wrapper(die_in_time), suppress(Died):
            client.post(path, body, format="json", HTTP_IDEMPOTENCY_KEY=key)
        kept = IdempotencyRecord.objects.filter(key=key).count()
        assert Message.objects.count() == kept
        assert AuditEvent.objects.filter(status=200).count() == kept
        again = client.post(path, body, format="json", HTTP_IDEMPOTENCY_KEY=key)
        assert (again.status_code, "Idempotency-Replayed" in again.headers) == (200, bool(kept))
        assert Message.objects.count() == 1
        if left:
            break
        for table in (Message, IdempotencyRecord, AuditEvent):
            table.objects.all().delete()
    # The last round came to its end, and it was not the first.
    assert left
    assert number > 1


@pytest.mark.django_db
def test_an_answer_is_kept_for_a_day_and_more(api: Api, sandbox: Gateway, operator: User) -> None:
    client = api(operator)
    first = client.post(SEND, ONE, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    IdempotencyRecord.objects.update(created=F("created") - timedelta(hours=24))
    assert drop_old_answers() == 0
    assert client.post(SEND, ONE, format="json", HTTP_IDEMPOTENCY_KEY="k1").content == first.content
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_what_is_kept_of_a_body_can_be_made_of_it_by_nobody_else(api: Api, sandbox: Gateway, operator: User) -> None:
    """A digest without a key would let whoever reads the table try out phones and texts."""
    client = api(operator)
    client.post(SEND, ONE, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    kept = IdempotencyRecord.objects.get().fingerprint
    with override_settings(SECRET_KEY="another one"):
        client = api(operator)
        assert client.post(SEND, ONE, format="json", HTTP_IDEMPOTENCY_KEY="k1").status_code == 422
        client.post(SEND, ONE, format="json", HTTP_IDEMPOTENCY_KEY="k2")
    assert IdempotencyRecord.objects.get(key="k2").fingerprint != kept


@contextmanager
def web_of(portal: Portal) -> Iterator[None]:
    """The web of this installation, and no other process; killed at the end."""
    command = shlex.split(parse_procfile(PROCFILE.read_text()).processes["web"])
    with portal.log.open("ab") as output:
        portal.runner = subprocess.Popen(
            [Path(sys.executable).with_name(command[1]), *command[2:]],
            stdout=output, stderr=output, cwd=REPOSITORY, env=portal.environment, start_new_session=True,
        )  # fmt: skip
    try:
        with requests.Session() as caller:
            wait_for(partial(reaches, caller, portal.address), f"the web answers:\n{portal.output()}")
        yield
    finally:
        portal.kill_everything()


@pytest.mark.both_engines
def test_what_was_answered_outlives_every_process(installation: Portal) -> None:
    made = installation.first_run()
    assert made.returncode == 0, made.stderr.decode()
    kept = []
    for _ in range(2):
        with web_of(installation):
            if not installation.token:
                installation.login()
            answer = posting(installation.address + SEND, installation.token, ONE)(requests.Session())
            assert answer.status_code == 200, answer.text
            kept.append((answer.content, "Idempotency-Replayed" in answer.headers))
    assert kept == [(kept[0][0], False), (kept[0][0], True)]
    assert installation.look("Message.objects.count()") == 1
