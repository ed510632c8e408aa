"""What a person does to many messages at once, and through another gateway."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateways.models import Gateway
from messaging import opt_outs, sending
from messaging.models import Message, State, Step, Wait
from messaging.retries import Kind
from messaging.sending import Deed
from portal.errors import Refusal
from portal.models import AuditEvent, User
from portal.permissions import SENDING, Right
from tests.messaging.conftest import Send, fresh
from tests.portal.admin_pages import a_message, page, signed_in, staff_with

MANY = 3000


@pytest.fixture
def second(db: None) -> Gateway:
    """Another gateway."""
    return Gateway.objects.create(name="second", provider="sandbox")


@pytest.fixture
def browser(db: None) -> Client:
    """Of somebody who may read messages and send, in English."""
    client = signed_in(staff_with("clerk", Right.MESSAGES_READ, *SENDING))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def many(gateway: Gateway, count: int = MANY, **changes: object) -> list[Message]:
    """So many messages that are alike."""
    model = a_message(gateway, **changes)
    fields = [field for field in Message._meta.concrete_fields if not field.primary_key and not field.generated]
    copies = [Message(**{field.attname: getattr(model, field.attname) for field in fields}) for _ in range(count - 1)]
    return [model, *Message.objects.bulk_create(copies, batch_size=500)]


def everything(client: Client, action: str, query: str = "", **fields: str) -> str:
    """Runs an action on all that a list finds, across its pages."""
    first = Message.objects.order_by("pk").values_list("pk", flat=True)[0]
    form = {"action": action, "_selected_action": str(first), "select_across": "1", **fields}
    html: str = client.post(f"{page(Message, 'changelist')}?{query}", form, follow=True).content.decode()
    return html


def test_thousands_are_cancelled_in_few_statements(browser: Client, sandbox: Gateway) -> None:
    many(sandbox, state=State.QUEUED)
    kept = a_message(sandbox, state=State.DELIVERED)
    assert "You chose 3001 messages." in everything(browser, "cancel")
    assert not Message.objects.filter(state=State.CANCELLED).exists()
    with CaptureQueriesContext(connection) as queries:
        html = everything(browser, "cancel", confirmed="yes")
    assert "3000 messages were cancelled." in html
    assert len(queries) < 150
    assert fresh(kept).state == State.DELIVERED
    assert Step.objects.filter(state=State.CANCELLED, by__username="clerk").count() == MANY
    assert AuditEvent.objects.filter(action="admin:messaging_message_cancel").count() == 1


def test_thousands_are_sent_again_once(browser: Client, sandbox: Gateway) -> None:
    many(sandbox, text="password 1234")
    opt_outs.opt_out("+79160000000")
    a_message(sandbox, phone="+79160000000", kind=Kind.INFORMATION, masked_text="")
    assert "3001 messages will be sent again." in everything(browser, "send_again", confirmed="yes")
    again = Message.objects.filter(resend_of__isnull=False)
    assert again.filter(state=State.QUEUED).count() == MANY
    assert again.filter(state=State.SUPPRESSED).count() == 1
    first = again.order_by("pk")[0]
    assert (first.text, first.masked_text, first.resend_of and first.resend_of.text) == (
        "password 1234", "password ••••••••", None,
    )  # fmt: skip
    assert "With none of these messages this can be done." in everything(
        browser, "send_again", "state__exact=failed", confirmed="yes"
    )
    assert again.count() == MANY + 1


def test_only_what_the_list_shows_is_meant(browser: Client, sandbox: Gateway) -> None:
    a_message(sandbox, state=State.QUEUED, phone="+79161234567")
    other = a_message(sandbox, state=State.QUEUED, phone="+79161234568")
    everything(browser, "cancel", "q=%2B79161234567", confirmed="yes")
    assert Message.objects.filter(state=State.CANCELLED).count() == 1
    assert fresh(other).state == State.QUEUED


def test_many_go_through_another_gateway(browser: Client, sandbox: Gateway, second: Gateway) -> None:
    waiting = a_message(sandbox, state=State.HELD)
    scheduled = a_message(sandbox, state=State.QUEUED, waits_for=Wait.SCHEDULE)
    failed = a_message(sandbox)
    alone = a_message(sandbox, state=State.QUEUED, only_here=True)
    unclear = a_message(sandbox, state=State.UNKNOWN, unclear=1)
    due_at = scheduled.due_at
    asked = everything(browser, "send_elsewhere")
    assert "This can be done with 3 of them." in asked
    assert "This field is required." in everything(browser, "send_elsewhere", confirmed="yes")
    assert fresh(waiting).gateway == sandbox
    html = everything(browser, "send_elsewhere", confirmed="yes", gateway=str(second.pk))
    assert "3 messages go through the other gateway." in html
    assert (fresh(waiting).gateway, fresh(waiting).wanted, fresh(waiting).state) == (second, second, State.QUEUED)
    assert (fresh(scheduled).gateway, fresh(scheduled).due_at, fresh(scheduled).waits_for) == (
        second, due_at, Wait.SCHEDULE,
    )  # fmt: skip
    assert Message.objects.get(resend_of=failed).gateway == second
    assert {fresh(alone).gateway, fresh(unclear).gateway} == {sandbox}


def test_a_gateway_that_leaves_the_phone_out_is_no_way(send: Send, second: Gateway) -> None:
    message = send()
    Gateway.objects.filter(pk=second.pk).update(prefixes=["+7926"])
    second.refresh_from_db()
    with pytest.raises(Refusal) as refused:
        sending.send_elsewhere(message, second, by=None)
    assert "prefixes" in refused.value.sentence
    done = sending.do_all(Deed.ELSEWHERE, Message.objects.all(), by=None, gateway=second)
    assert (done.count, list(done.refused)) == (0, [message.pk])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": State.QUEUED, "only_here": True}, "is a test"),
        ({"state": State.UNKNOWN, "unclear": 1}, "can go through no other gateway now"),
        ({"state": State.CLAIMED}, "can go through no other gateway now"),
        ({"state": State.DELIVERED}, "can go through no other gateway now"),
        ({"state": State.QUEUED, "unclear": 1}, "can go through no other gateway now"),
    ],
)
def test_it_goes_elsewhere_only_where_it_was_certainly_not_sent(
    sandbox: Gateway, second: Gateway, changes: dict[str, object], why: str
) -> None:
    message = a_message(sandbox, **changes)
    with pytest.raises(Refusal) as refused:
        sending.send_elsewhere(message, second, by=None)
    assert why in refused.value.sentence
    assert fresh(message).gateway == sandbox


def test_a_worker_that_was_quicker_keeps_it(send: Send, second: Gateway) -> None:
    message = send()
    Message.objects.update(state=State.CLAIMED, epoch=1)
    with pytest.raises(Refusal):
        sending.send_elsewhere(message, second, by=None)


def test_a_gateway_that_is_switched_off_is_refused(send: Send, second: Gateway) -> None:
    message = send()
    Gateway.objects.filter(pk=second.pk).update(enabled=False)
    with pytest.raises(Refusal):
        sending.send_elsewhere(message, second, by=None)
    with pytest.raises(Refusal):
        sending.do_all(Deed.ELSEWHERE, Message.objects.all(), by=None, gateway=second)
    with pytest.raises(Refusal):
        sending.do_all(Deed.ELSEWHERE, Message.objects.all(), by=None)


def test_a_button_on_the_page_comes_back_to_it(browser: Client, sandbox: Gateway, admin: User) -> None:
    message = a_message(sandbox, state=State.QUEUED)
    address = page(Message, "change", message.pk)
    assert 'value="cancel"' in browser.get(address).content.decode()
    form = {"action": "cancel", "_selected_action": message.pk, "from_page": message.pk}
    asked = browser.post(page(Message, "changelist"), form)
    assert address in asked.content.decode()
    assert browser.post(page(Message, "changelist"), form | {"confirmed": "yes"}).headers["Location"] == address
    event = AuditEvent.objects.get(action="admin:messaging_message_cancel")
    assert event.object_id == str(message.pk)


class TestWhatCameInSince:
    """Between the page that asks and the answer."""

    def hidden(self, client: Client, action: str) -> dict[str, str]:
        """What the page that asks carries along."""
        first = str(Message.objects.order_by("pk").values_list("pk", flat=True)[0])
        form = {"action": action, "_selected_action": first, "select_across": "1"}
        response = client.post(page(Message, "changelist"), form)
        return {"confirmed": "yes", **{name: str(value) for name, value in response.context["hidden"]}}

    def test_messages_that_were_accepted_later_are_left_alone(self, browser: Client, sandbox: Gateway) -> None:
        many(sandbox, 2, state=State.QUEUED)
        given = self.hidden(browser, "cancel")
        late = a_message(sandbox, state=State.QUEUED)
        browser.post(page(Message, "changelist"), given)
        assert Message.objects.filter(state=State.CANCELLED).count() == 2
        assert fresh(late).state == State.QUEUED

    def test_more_that_may_arrive_twice_are_asked_about_anew(self, browser: Client, sandbox: Gateway) -> None:
        one = many(sandbox, 2)[0]
        given = self.hidden(browser, "send_again")
        Message.objects.filter(pk=one.pk).update(state=State.UNRESOLVED)
        asked = browser.post(page(Message, "changelist"), given)
        assert asked.context["outlook"].risky == 1
        assert not Message.objects.filter(resend_of__isnull=False).exists()
        again = {"confirmed": "yes", **{name: str(value) for name, value in asked.context["hidden"]}}
        browser.post(page(Message, "changelist"), again)
        assert Message.objects.filter(resend_of__isnull=False).count() == 2
