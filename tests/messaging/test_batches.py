"""Many messages accepted at once, at a later time too, and the pages on which one watches them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from gateways.models import Gateway
from messaging import opt_outs, progress, sending, texts, waiting
from messaging.claiming import anything_due, claim
from messaging.models import Batch, Message, State, Step, Wait
from messaging.models.batch import BY_API
from messaging.progress import Group
from messaging.sending import Faulty, Item
from portal.errors import Refusal, Why
from portal.models import AuditEvent, User
from portal.permissions import SENDING, Right
from tests.messaging.conftest import Send, fresh, let_time_pass
from tests.portal.admin_pages import a_message, page, signed_in, staff_with

Bells = list[tuple[str, tuple[object, ...]]]
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def phones(count: int) -> list[Item]:
    """So many good items."""
    return [Item(f"+7916{number:07}", "The pool is open") for number in range(count)]


def send(items: Sequence[Item | Faulty], **options: Any) -> Batch:
    """Accepts them by the default gateway."""
    return sending.send_many(items, **{"gateway_name": "", "requested_by": None} | options)


def test_good_items_are_accepted_and_faulty_ones_named(sandbox: Gateway) -> None:
    items = [Item("8 916 123-45-67", "Hello"), Item("nobody", "Hello", "row 7"), Item("+79161234568", " ")]
    batch = send(items)
    assert [message.phone for message in batch.messages.all()] == ["+79161234567"]
    assert [(one["place"], one["reference"], one["field"]) for one in batch.refused] == [
        (2, "row 7", "phone"), (3, "", "text"),
    ]  # fmt: skip
    assert (batch.total, batch.taken) == (3, 3)


@pytest.mark.parametrize(("text", "field"), [("Hello", None), ("x" * 2000, "text")])
def test_a_text_that_many_have_is_measured_once_be_it_good_or_too_long(
    monkeypatch: pytest.MonkeyPatch, text: str, field: str | None
) -> None:
    measured, measure = [], texts.measure

    def noted(written: str) -> texts.Measure:
        measured.append(written)
        return measure(written)

    monkeypatch.setattr(texts, "measure", noted)
    found = sending.look_at([Item("+79161234567", text, str(row)) for row in range(3)])
    assert [(one.reference, getattr(one, "field", None)) for one in found] == [(str(row), field) for row in range(3)]
    assert measured == [text]


def test_thousands_take_few_statements_and_one_bell_per_gateway(
    sandbox: Gateway, bells: Bells, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), CaptureQueriesContext(connection) as queries:
        batch = send(phones(3000))
    assert batch.messages.count() == 3000
    assert len(queries) < 200
    assert bells == [("messaging.tasks.drain", (sandbox.pk,))]


def test_who_opted_out_is_on_record_and_gets_nothing(sandbox: Gateway) -> None:
    opt_outs.opt_out("+79160000001")
    send(phones(3))
    suppressed = Message.objects.get(state=State.SUPPRESSED)
    assert (suppressed.phone, suppressed.text, suppressed.due_at) == ("+79160000001", None, None)


def test_the_same_form_twice_is_one_batch(sandbox: Gateway) -> None:
    first = send(phones(5), token="t")
    assert send(phones(5), token="t") == first
    assert Message.objects.count() == 5
    with pytest.raises(Refusal) as refused:
        send(phones(6), token="t")
    assert refused.value.why is Why.CONFLICT
    assert Message.objects.count() == 5


def test_a_batch_that_is_cut_off_is_not_accepted_and_can_be_sent_again(
    sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        assert Message.objects.count() == 5
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("messaging.sending.many.note_so_many", cut_off)
        with pytest.raises(KeyboardInterrupt):
            send(phones(5), token="t")
    assert not Message.objects.exists()
    assert not Batch.objects.exists()
    assert send(phones(5), token="t").taken == 5
    assert sorted(Message.objects.values_list("phone", flat=True)) == [item.phone for item in phones(5)]


def test_the_same_form_when_its_time_is_over_is_the_same_batch(sandbox: Gateway) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        due_at = NOW + timedelta(minutes=1)
        first = send(phones(1), token="t", due_at=due_at)
        clock.move_to(due_at + timedelta(minutes=1))
        assert send(phones(1), token="t", due_at=due_at) == first


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_at_once_by_many_is_one_batch(sandbox: Gateway) -> None:
    def sent(_: int) -> int:
        try:
            return send(phones(20), token="t").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(sent, range(8)))) == 1
    assert Message.objects.count() == 20


def test_what_its_door_found_faulty_is_refused_at_its_place(sandbox: Gateway) -> None:
    items: list[Item | Faulty] = [
        Faulty("text", "Not a valid string.", "row 1"),
        *phones(1),
        Faulty("items", "No object."),
    ]
    batch = send(items)
    assert [tuple(one.values()) for one in batch.refused] == [
        (1, "row 1", "text", "Not a valid string."), (3, "", "items", "No object."),
    ]  # fmt: skip
    assert batch.messages.count() == 1


def test_too_many_or_none_are_refused(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.sending.many.MOST", 3)
    for items in ([], phones(4)):
        with pytest.raises(Refusal) as refused:
            send(items)
        assert refused.value.field == "items"
    assert not Batch.objects.exists()


@pytest.mark.parametrize("shift", [timedelta(0), timedelta(minutes=-1), timedelta(days=30, seconds=1)])
def test_a_time_that_is_over_or_too_far_is_refused(sandbox: Gateway, shift: timedelta) -> None:
    with time_machine.travel(NOW, tick=False), pytest.raises(Refusal) as refused:
        send(phones(1), due_at=NOW + shift)
    assert refused.value.field == "schedule"
    assert not Batch.objects.exists()


def test_a_scheduled_message_waits_for_its_time_and_stands_in_nobodys_way(sandbox: Gateway) -> None:
    due_at = NOW + timedelta(days=30)
    with time_machine.travel(NOW, tick=False) as clock:
        batch = send(phones(2), due_at=due_at)
        late = batch.messages.all()[0]
        assert late.valid_until == due_at + timedelta(hours=24)
        found = waiting.why(late)
        assert found is not None
        assert (found.reason, found.until) == (Wait.SCHEDULE, due_at)
        assert Step.objects.filter(waits_for=Wait.SCHEDULE, until=due_at).count() == 2
        assert not anything_due(sandbox)
        now = sending.send(phone="+79161234567", text="x", kind="code", gateway_name="", requested_by=None)  # type: ignore[arg-type]
        assert anything_due(sandbox)
        clock.move_to(NOW + timedelta(seconds=5))
        assert [one.pk for one in claim(sandbox)[0]] == [now.pk]
        clock.move_to(due_at + timedelta(seconds=1))
        assert {one.batch_id for one in claim(sandbox)[0]} == {batch.pk}


def test_an_unclear_message_of_a_late_time_is_not_given_up_for_its_age(sandbox: Gateway) -> None:
    now = timezone.now()
    a_message(sandbox, state=State.UNKNOWN, unclear=1, created=now - timedelta(days=29), valid_until=now)
    Message.end_silence(now - timedelta(hours=72))
    assert Message.objects.get().state == State.UNKNOWN


def test_a_scheduled_one_is_cancelled(sandbox: Gateway, admin: User) -> None:
    batch = send(phones(3), due_at=timezone.now() + timedelta(hours=1))
    assert sending.cancel_batch(batch, by=admin) == 3
    assert set(batch.messages.values_list("state", "text")) == {(State.CANCELLED, None)}


def test_stop_reaches_what_is_scheduled(sandbox: Gateway) -> None:
    send(phones(1), due_at=timezone.now() + timedelta(hours=1))
    opt_outs.opt_out("+79160000000")
    assert Message.objects.get().state == State.SUPPRESSED


def test_what_failed_is_sent_again_as_a_batch_of_its_own(sandbox: Gateway, admin: User) -> None:
    batch = send(phones(4))
    states = (State.FAILED, State.UNRESOLVED, State.DELIVERED, State.EXPIRED)
    for message, state in zip(batch.messages.order_by("pk"), states, strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    again = sending.resend_failed(batch, by=admin, without_risk=True)
    assert (again.again_of, again.total, again.messages.count()) == (batch, 2, 2)
    assert sending.resend_failed(batch, by=admin, without_risk=False).messages.count() == 1
    with pytest.raises(Refusal):
        sending.resend_failed(batch, by=admin, without_risk=False)


def test_progress_counts_what_is_done_and_knows_its_end(sandbox: Gateway) -> None:
    batch = send([*phones(4), Item("nobody", "x")])
    keys = list(batch.messages.order_by("pk").values_list("pk", flat=True))
    found = progress.now(batch)
    assert (found.total, found.gone, found.refused, found.over) == (5, 1, 1, False)
    for key, state in zip(keys, (State.DELIVERED, State.SUBMITTED, State.FAILED, State.UNKNOWN), strict=True):
        Message.objects.filter(pk=key).update(state=state)
    found = progress.now(batch)
    assert (found.gone, found.over) == (4, False)
    assert {group.value: count for group, count in found.groups.items() if count} == {
        "delivered": 1, "handed_over": 1, "failed": 1, "unclear": 1,
    }  # fmt: skip
    Message.objects.update(state=State.DELIVERED)
    assert progress.now(batch).over
    assert progress.now(batch).groups[Group.DELIVERED] == 4


def test_a_batch_that_was_cut_off_comes_to_an_end_and_says_so(sandbox: Gateway) -> None:
    batch = sending.open_batch("Credentials", 30, gateway_name="", requested_by=None)
    sending.go_on(batch, 20)
    assert not progress.now(batch).over
    batch.created -= progress.CUT_OFF_AFTER + timedelta(seconds=1)
    found = progress.now(batch)
    assert (found.over, found.cut_off) == (True, 10)
    assert "10 were cut off" in found.sentence


def test_every_state_is_in_one_group() -> None:
    told = [state for states in progress.STATES.values() for state in states]
    assert sorted(told) == sorted(State)


@pytest.fixture
def clerk(db: None) -> Client:
    """May send and read messages."""
    client = signed_in(staff_with("clerk", Right.MESSAGES_READ, *SENDING))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def test_the_page_tells_and_its_figures_lead_to_the_lists_behind_them(clerk: Client, sandbox: Gateway) -> None:
    batch = send([*phones(2), Item("nobody", "x", "row 9")])
    html = clerk.get(page(Batch, "change", batch.pk)).content.decode()
    assert "1 of 3 messages are done" in html
    assert f"?batch={batch.pk}&amp;state__in=failed,undelivered,expired,lapsed" in html
    assert "row 9" in html
    found = clerk.get(f"/admin/messaging/batch/{batch.pk}/progress/").json()
    assert (found["gone"], found["total"], found["over"], found["groups"]["waiting"]) == (1, 3, False, 2)


def test_the_page_names_what_was_refused_and_the_field_that_nobody_knows(clerk: Client, sandbox: Gateway) -> None:
    faulty = [Faulty("text", "Too long.", "row 2"), Faulty("items", "Unknown field.", unknown="mesage")]
    html = clerk.get(page(Batch, "change", send([*phones(1), *faulty]).pk)).content.decode()
    assert "<li>2 row 2: Too long.</li>" in html
    assert "<li>3: mesage: Unknown field.</li>" in html


def test_the_list_counts_all_batches_in_one_question(clerk: Client, sandbox: Gateway) -> None:
    send(phones(1))
    clerk.get(page(Batch, "changelist"))

    def questions() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert clerk.get(page(Batch, "changelist")).status_code == 200
        return len(queries)

    one = questions()
    for _ in range(5):
        send(phones(2))
    assert questions() == one


def test_what_has_not_gone_is_cancelled_from_its_page(clerk: Client, sandbox: Gateway) -> None:
    batch = send(phones(2))
    address = f"/admin/messaging/batch/{batch.pk}/cancel/"
    clerk.get(address)
    clerk.post(address)
    assert batch.messages.filter(state=State.QUEUED).count() == 2
    assert clerk.post(address, {"confirmed": "yes"}).headers["Location"] == page(Batch, "change", batch.pk)
    assert batch.messages.filter(state=State.CANCELLED).count() == 2
    assert AuditEvent.objects.filter(action="admin:messaging_batch_cancel", object_id=str(batch.pk)).exists()


def test_the_page_that_sends_again_names_the_risk_first(clerk: Client, sandbox: Gateway) -> None:
    batch = send(phones(3))
    keys = list(batch.messages.values_list("pk", flat=True))
    Message.objects.filter(pk__in=keys[:2]).update(state=State.FAILED)
    Message.objects.filter(pk=keys[2]).update(state=State.UNRESOLVED)
    address = f"/admin/messaging/batch/{batch.pk}/again/"
    html = clerk.get(address).content.decode()
    assert "2 messages that certainly failed are sent again" in html
    assert "Also 1 message of which nobody knows whether it was delivered" in html
    clerk.post(address, {"confirmed": "yes"})
    assert Batch.objects.get(again_of=batch).messages.count() == 2
    clerk.post(address, {"confirmed": "yes", "with_risk": "yes"})
    assert Message.objects.filter(resend_of=keys[2]).exists()


@pytest.mark.parametrize("verb", ["cancel", "again"])
@pytest.mark.parametrize("lacking", SENDING)
def test_who_lacks_a_right_is_told_which(sandbox: Gateway, lacking: Right, verb: str) -> None:
    batch = send(phones(1))
    client = signed_in(staff_with("reader", *({Right.MESSAGES_READ, *SENDING} - {lacking})))
    response = client.post(f"/admin/messaging/batch/{batch.pk}/{verb}/", {"confirmed": "yes"})
    assert response.status_code == 403
    assert lacking.value in response.content.decode()
    assert Message.objects.get().state == State.QUEUED


def test_an_operator_watches_his_own_batch_and_no_other(sandbox: Gateway, operator: User) -> None:
    own, other = send(phones(1), requested_by=operator), send(phones(1))
    client = signed_in(operator)
    for batch, status in ((own, 200), (other, 403)):
        assert client.get(page(Batch, "change", batch.pk)).status_code == status
    assert client.get(f"/admin/messaging/batch/{own.pk}/progress/").status_code == 200
    assert client.get(f"/admin/messaging/batch/{other.pk}/progress/").status_code == 404


def test_time_that_passes_lapses_what_is_scheduled_only_after_its_own_day(send: Send, sandbox: Gateway) -> None:
    batch = sending.send_many(phones(1), gateway_name="", requested_by=None, due_at=timezone.now() + timedelta(hours=2))
    let_time_pass(25 * 3600)
    Message.lapse_overdue(timezone.now())
    assert fresh(batch.messages.get()).state == State.QUEUED
    let_time_pass(3600)
    Message.lapse_overdue(timezone.now())
    assert fresh(batch.messages.get()).state == State.LAPSED


def test_a_form_is_not_sent_with_items_that_were_looked_at(sandbox: Gateway) -> None:
    with pytest.raises(TypeError, match="as they came"):
        sending.send_many(sending.look_at(phones(1)), gateway_name="", requested_by=None, token="form 1")
    assert not Batch.objects.exists()


@pytest.mark.parametrize(("language", "shown"), [("ru", "Через API"), ("en", "By the API")])
def test_one_that_came_by_the_api_is_called_so_in_the_readers_language(
    sandbox: Gateway, admin: User, language: str, shown: str
) -> None:
    batch = send(phones(1), name=BY_API)
    client = signed_in(admin)
    for address in (page(Batch, "changelist"), page(Batch, "change", batch.pk)):
        html = client.get(address, headers={"Accept-Language": language}).content.decode()
        assert shown in html
        assert language == "en" or BY_API not in html


def test_what_people_call_one_is_not_translated(sandbox: Gateway) -> None:
    with translation.override("ru"):
        assert send(phones(1), name="Messages").shown_name == "Messages"
