"""What a receiver answers: the status decides as soon as it is there, and of the rest the beginning is kept."""

import pytest

from gateways import network
from messaging import webhooks
from messaging.models import Delivered, WebhookTry
from messaging.models.webhook import LONGEST_ANSWER
from messaging.webhooks import formats
from tests.messaging.hooks import deliver_all, let_time_pass, listen, only
from tests.simulators import faulty_server
from tests.simulators.faulty_server import Behaviour, FaultyServer, http
from tests.simulators.loop_clock import run_out_of_time
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

LARGE = b"x" * (2 * 1024 * 1024)
SHORT_OF_IT = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nheard"
SILENT = faulty_server.goes_silent_after(SHORT_OF_IT)


def answered(behaviour: Behaviour) -> WebhookTry:
    """The call of a receiver that behaves so."""
    with FaultyServer(behaviour) as server:
        listen("gateway.up", url=server.url)
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
    return WebhookTry.objects.select_related("delivery").get()


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        (faulty_server.answers(http(LARGE)), "x" * LONGEST_ANSWER),
        (faulty_server.sends_without_end, "x" * LONGEST_ANSWER),
        (SILENT, "heard"),
        (faulty_server.breaks_off_after(SHORT_OF_IT), "heard"),
        (faulty_server.answers(http(b"no gzip", "200 OK", "Content-Encoding: gzip")), "no gzip"),
        (faulty_server.answers(http(b"no br", "200 OK", "Content-Encoding: br")), "no br"),
        (faulty_server.answers(http(b"no zstd", "200 OK", "Content-Encoding: zstd")), "no zstd"),
    ],
    ids=["large", "endless", "silent", "broken off", "no gzip", "no br", "no zstd"],
)
def test_whoever_says_200_has_heard_it_however_the_answer_ends(
    behaviour: Behaviour, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if behaviour is SILENT:
        # What it said is there with its status.
        monkeypatch.setattr(network, "BEGINNING", 0.1)
    call = answered(behaviour)
    assert (call.status, call.delivery.state, call.answer) == (200, Delivered.DELIVERED, answer)


def test_an_answer_is_asked_for_as_it_is() -> None:
    with FaultyServer(faulty_server.answers(http())) as server:
        listen("gateway.up", url=server.url)
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
    headers = server.requests[0].partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert [one for one in headers if one.startswith(b"accept-encoding")] == [b"accept-encoding: identity"]


def test_whoever_says_500_has_not() -> None:
    call = answered(faulty_server.answers(http(LARGE, "500 Internal Server Error")))
    assert (call.status, call.reason, call.delivery.state) == (500, "the answer was 500", Delivered.PENDING)


def test_an_answer_is_kept_in_part() -> None:
    call = answered(faulty_server.answers(http(b"no\0pe" + b"x" * 5000, "500 No")))
    assert call.answer.startswith("nope")
    assert len(call.answer) <= LONGEST_ANSWER


def test_no_letter_is_cut_in_two() -> None:
    """What is no UTF-8 any more would be read in another charset, all of it."""
    text = "x" + "Ёлка " * formats.ENOUGH
    call = answered(faulty_server.answers(http(text.encode(), "500 No")))
    assert call.answer == text[:LONGEST_ANSWER]


def test_a_connection_is_kept_where_the_answer_has_an_end() -> None:
    with FaultyServer(faulty_server.answers(http())) as server:
        webhook = listen("gateway.up", url=server.url)
        for _ in range(2):
            webhooks.tell("gateway.up", {"sms_gateway": "main"})
            deliver_all()
            let_time_pass(seconds=6)
        assert len(server.requests) == 2
        assert server.connections == 1
    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_one_that_goes_silent_before_its_status_has_not_heard_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.webhooks.calling.TIMEOUT", PATIENCE)
    with FaultyServer(faulty_server.stays_silent_and(run_out_of_time)) as server:
        webhook = listen("gateway.up", url=server.url)
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
    assert only(webhook).reason == "no usable answer: time ran out"
