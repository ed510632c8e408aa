"""The timeline of a message: what happened, in order, from what is on record."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from gateways.models import Gateway
from gateways.outcomes import ReceiptState
from messaging import opt_outs, retries, sending, timeline
from messaging.claiming import claim
from messaging.models import Attempt, DeliveryEvent, Door, Message, State, Step, Taken, Wait, outbox
from messaging.retries import Kind
from messaging.timeline import What
from portal.models import User
from tests.conftest import Api
from tests.messaging.conftest import Send, begin, fresh, let_time_pass
from tests.portal.admin_pages import a_message, page, questions, signed_in


def claimed(gateway: Gateway) -> Message:
    """A message that a worker has and whose attempt is on record."""
    [message], _next_in = claim(gateway)
    begin(gateway, [message])
    return message


def told(message: Message) -> list[str]:
    """The kinds of the entries."""
    return [entry.what.value for entry in timeline.of(fresh(message))]


def test_a_message_that_goes_through_at_once_leaves_no_step(send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    message.mark_submitted(Taken("17"), expects_receipt=True, may_ask=True)
    fresh(message).record_receipt(ReceiptState.DELIVERED)
    assert not Step.objects.exists()
    assert told(message) == [What.ACCEPTED, What.ATTEMPT, What.ENDED]


def test_the_happy_path_asks_the_database_for_no_more_than_one_change(send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    # Whether webhooks listen a process asks once a second.
    outbox.listeners()
    with CaptureQueriesContext(connection) as queries:
        message.mark_submitted(Taken("17"), expects_receipt=True, may_ask=True)
    assert len(queries) == 1


def test_every_wait_stays_on_record_with_its_reason_and_its_end(send: Send, sandbox: Gateway) -> None:
    send()
    claimed(sandbox).postpone("the line was dead", timedelta(seconds=5))
    let_time_pass(10)
    claimed(sandbox).hold("no funds")
    let_time_pass(60)
    claimed(sandbox).mark_unclear("no answer", retries.ClearUp.LOOK_UP, settle=timedelta(seconds=9))
    waits = [entry for entry in timeline.of(Message.objects.get()) if entry.what is What.WAITS]
    assert [(str(entry.sentence), entry.detail) for entry in waits] == [
        ("Waits: it will be tried again", "the line was dead"),
        ("Waits: the gateway is paused", "no funds"),
        ("Waits: an unclear attempt is being cleared up", "no answer"),
    ]
    assert all(entry.until and entry.until > entry.at for entry in waits)


def test_a_loser_leaves_no_step(send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    Message.objects.update(epoch=99)
    assert not message.postpone("late", timedelta(seconds=5))
    assert not Step.objects.exists()


def test_a_move_names_both_gateways(send: Send, sandbox: Gateway) -> None:
    message = send()
    other = Gateway.objects.create(name="second", provider="sandbox")
    assert Message.move_waiting([message], other) == 1
    entries = timeline.of(fresh(message))
    assert [entry.gateway for entry in entries] == ["sandbox", "second"]
    assert str(entries[1].sentence) == "Moved from gateway “sandbox” to “second”"


def test_what_is_moved_suppressed_or_lapsed_together_leaves_a_step_each_in_one_insert(
    send: Send, sandbox: Gateway
) -> None:
    messages = [send() for _ in range(5)]
    other = Gateway.objects.create(name="second", provider="sandbox")
    with CaptureQueriesContext(connection) as queries:
        Message.move_waiting(messages, other)
    assert sum("INSERT" in query["sql"] for query in queries) == 1
    assert Step.objects.filter(came_from=sandbox, gateway=other).count() == 5
    opt_outs.opt_out("+79161234567")
    assert Step.objects.filter(state=State.SUPPRESSED).count() == 5
    late = send("+79160000000")
    let_time_pass(retries.RULES[Kind.INFORMATION].validity.total_seconds() + 1)
    Message.lapse_overdue(timezone.now())
    assert fresh(late).state == State.LAPSED
    assert told(late) == [What.ACCEPTED, What.ENDED]
    assert Step.objects.get(message=late).state == State.LAPSED


def test_more_than_one_turn_lapses_what_is_overdue(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.models.message.SOME", 2)
    messages = [send() for _ in range(5)]
    let_time_pass(retries.RULES[Kind.INFORMATION].validity.total_seconds() + 1)
    Message.lapse_overdue(timezone.now())
    assert {fresh(one).state for one in messages} == {State.LAPSED}
    assert Step.objects.count() == 5


def test_who_cancelled_it_is_told(send: Send, admin: User) -> None:
    message = send()
    sending.cancel(message, by=admin)
    [_accepted, ended] = timeline.of(fresh(message))
    assert (ended.what, str(ended.sentence), ended.by) == (What.ENDED, "cancelled", "admin")


def test_it_says_by_whom_and_through_which_way_it_came(api: Api, operator: User, sandbox: Gateway) -> None:
    call = {"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Hello"}
    api(operator).post("/api/v1/sms_gateways/send_sms", call, format="json")
    # A request leaves its own language behind.
    with translation.override("en"):
        [accepted] = timeline.of(Message.objects.get())
    assert (accepted.by, accepted.detail) == ("operator", "the API · asked for gateway “sandbox”")
    assert Message.objects.get().door == Door.API


def test_a_resend_is_told_on_both_sides(send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    message.fail("refused")
    again = sending.resend(fresh(message), requested_by=None)
    entry = next(entry for entry in timeline.of(fresh(message)) if entry.what is What.RESENT)
    assert entry.message_id == again.pk
    assert timeline.of(fresh(again))[0].message_id == message.pk


def test_what_became_unclear_and_was_delivered_after_all_is_told_in_full(send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    message.mark_unclear("no answer", retries.ClearUp.PERSON, settle=timedelta())
    fresh(message).record_receipt(ReceiptState.DELIVERED)
    assert told(message) == [What.ACCEPTED, What.ATTEMPT, What.CHANGED, What.ENDED]


def test_the_page_shows_attempts_with_their_time_and_redacted_answer(admin: User, sandbox: Gateway) -> None:
    message = a_message(sandbox)
    now = timezone.now()
    Attempt.objects.create(
        message=message, gateway=sandbox, epoch=1, key="k", started_at=now, finished_at=now + timedelta(seconds=1.5),
        outcome="refused", detail="the line was dead", exchange={"status": 200, "body": "<b>no</b>"},
    )  # fmt: skip
    DeliveryEvent.objects.create(gateway=sandbox, message=message, reference="r1", state="expired", detail="no reach")
    client = signed_in(admin)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    html = client.get(page(Message, "change", message.pk)).content.decode()
    for shown in ("Handed over: refused", "1.50 s", "the line was dead", "&lt;b&gt;no", "Receipt: expired", "no reach"):
        assert shown in html
    assert '<ol class="timeline">' in html


def test_the_page_asks_no_more_questions_for_a_longer_journey(admin: User, sandbox: Gateway) -> None:
    client, message = signed_in(admin), a_message(sandbox)

    address = page(Message, "change", message.pk)
    _tell(message, sandbox, admin, 1)
    short = len(questions(client, address))
    _tell(message, sandbox, admin, 8)
    assert len(questions(client, address)) == short


def _tell(message: Message, gateway: Gateway, by: User, count: int) -> None:
    epoch = Attempt.objects.count()
    for number in range(count):
        Attempt.objects.create(message=message, gateway=gateway, epoch=epoch + number, key="k")
        DeliveryEvent.objects.create(message=message, gateway=gateway, reference="r", state="expired")
        Step.objects.create(message=message, gateway=gateway, state="queued", waits_for=Wait.RETRY, by=by)


def test_the_api_tells_the_same(api: Api, auditor: User, send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    message.postpone("the line was dead", timedelta(seconds=5))
    found: list[dict[str, Any]] = api(auditor).get(f"/api/v1/message/{message.pk}").json()["item"]["timeline"]
    assert [entry["what"] for entry in found] == [What.ACCEPTED, What.ATTEMPT, What.WAITS]
    assert found[2]["detail"] == "the line was dead"


def test_steps_go_with_their_message(send: Send, sandbox: Gateway) -> None:
    send()
    message = claimed(sandbox)
    message.hold("no funds")
    Message.objects.all().delete()
    assert not Step.objects.exists()


def test_a_reader_sees_no_buttons(auditor: User, sandbox: Gateway) -> None:
    client: Client = signed_in(auditor)
    html = client.get(page(Message, "change", a_message(sandbox).pk)).content.decode()
    assert 'name="action"' not in html
