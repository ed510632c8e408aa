"""Messages in the admin: read with their secrets masked, sent again and cancelled by those who may send."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gateways.models import Gateway
from messaging.models import Attempt, DeliveryEvent, Message, State
from messaging.retries import Kind
from portal.models import AuditEvent, User
from portal.permissions import SENDING, Right
from tests.portal.admin_pages import SECRET, a_message, page, signed_in, staff_with

Bells = list[tuple[str, tuple[object, ...]]]


@pytest.fixture
def browser(db: None) -> Client:
    """Of somebody who may read messages and send, in English."""
    client = signed_in(staff_with("clerk", Right.MESSAGES_READ, *SENDING))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def act(client: Client, action: str, *messages: Message, **fields: Any) -> Any:
    """Runs an action of the list, confirmed, and shows the page it leads to."""
    form = {"action": action, "_selected_action": [message.pk for message in messages], "confirmed": "yes", **fields}
    return client.post(page(Message, "changelist"), form, follow=True)


def said(response: Any) -> list[str]:
    """The messages on top of the page."""
    return [str(message) for message in response.context["messages"]]


def test_a_page_shows_the_masked_text(browser: Client, sandbox: Gateway) -> None:
    html = browser.get(page(Message, "change", a_message(sandbox).pk)).content.decode()
    assert "password ••••••••" in html
    assert SECRET not in html


def test_a_page_shows_a_free_text_while_it_is_kept(browser: Client, sandbox: Gateway) -> None:
    message = a_message(sandbox, kind=Kind.INFORMATION, text="The pool is <open>")
    address = page(Message, "change", message.pk)
    assert "The pool is &lt;open&gt;" in browser.get(address).content.decode()
    Message.objects.update(text=None)
    assert browser.get(address).status_code == 200


def test_a_page_shows_attempts_and_receipts(browser: Client, sandbox: Gateway) -> None:
    message = a_message(sandbox)
    Attempt.objects.create(message=message, gateway=sandbox, epoch=1, key="k", detail="the line was dead")
    DeliveryEvent.objects.create(gateway=sandbox, message=message, reference="r", state="expired", detail="no reach")
    html = browser.get(page(Message, "change", message.pk)).content.decode()
    assert "the line was dead" in html
    assert "no reach" in html


def test_a_page_says_why_a_message_waits(browser: Client, sandbox: Gateway) -> None:
    message = a_message(sandbox, state=State.QUEUED, waits_for="retry", due_at=timezone.now() + timedelta(minutes=5))
    assert "it will be tried again" in browser.get(page(Message, "change", message.pk)).content.decode()


def test_a_failed_message_is_sent_again_once(browser: Client, sandbox: Gateway, bells: Bells) -> None:
    message = a_message(sandbox)
    assert said(act(browser, "send_again", message)) == ["1 message will be sent again."]
    again = Message.objects.get(resend_of=message)
    assert again.state == State.QUEUED
    assert again.requested_by is not None
    assert again.requested_by.username == "clerk"

    assert "can be sent again" in said(act(browser, "send_again", again))[0]
    refused = said(act(browser, "send_again", message))
    assert refused == [f"Message {message.pk} was already sent again as {again.pk}."]
    assert Message.objects.count() == 2


def test_what_may_arrive_twice_is_said_on_its_page_and_before_it_is_sent_again(
    browser: Client, sandbox: Gateway
) -> None:
    risk = "The first one may have been delivered, so that two copies may arrive."
    unclear, failed = a_message(sandbox, state=State.UNRESOLVED), a_message(sandbox)
    shown = {row.pk: browser.get(page(Message, "change", row.pk)).content.decode() for row in (unclear, failed)}
    assert [pk for pk, html in shown.items() if risk in html] == [unclear.pk]
    asked = act(browser, "send_again", unclear, failed, confirmed="").content.decode()
    assert "Of 1 message nobody knows whether it was delivered: it may arrive twice." in asked
    assert not Message.objects.filter(resend_of__isnull=False).exists()
    assert said(act(browser, "send_again", unclear, failed)) == ["2 messages will be sent again."]


def test_what_cannot_be_done_stops_none_of_the_others_and_is_named_before(browser: Client, sandbox: Gateway) -> None:
    delivered = a_message(sandbox, state=State.DELIVERED)
    failed = a_message(sandbox)
    asked = act(browser, "send_again", delivered, failed, confirmed="")
    assert [one.pk for one in asked.context["outlook"].skipped] == [delivered.pk]
    assert said(act(browser, "send_again", delivered, failed)) == ["1 message will be sent again."]
    assert Message.objects.filter(resend_of=failed).exists()
    event = AuditEvent.objects.get(action="admin:messaging_message_resend")
    assert (event.status, event.request["done"], event.request["messages"]) == (
        200, 1, [str(delivered.pk), str(failed.pk)],
    )  # fmt: skip


def test_a_waiting_message_is_cancelled(browser: Client, sandbox: Gateway) -> None:
    waiting = a_message(sandbox, state=State.QUEUED)
    late = a_message(sandbox, state=State.SUBMITTED)
    shown = said(act(browser, "cancel", waiting, late))
    assert shown == ["1 message was cancelled."]
    assert Message.objects.get(pk=waiting.pk).state == State.CANCELLED
    assert Message.objects.get(pk=late.pk).state == State.SUBMITTED


@pytest.mark.parametrize("action", ["send_again", "cancel", "send_elsewhere"])
@pytest.mark.parametrize("lacking", SENDING)
def test_who_lacks_one_of_the_sending_rights_can_do_neither(sandbox: Gateway, lacking: Right, action: str) -> None:
    rights = {Right.MESSAGES_READ, *SENDING} - {lacking}
    client = signed_in(staff_with("reader", *rights))
    message = a_message(sandbox, state=State.QUEUED if action == "cancel" else State.FAILED)
    refused = act(client, action, message)
    assert refused.status_code == 403
    assert lacking.value in refused.content.decode()
    assert Message.objects.get().state == message.state
    assert f'value="{action}"' not in client.get(page(Message, "changelist")).content.decode()


def test_nobody_changes_a_message(admin: User, sandbox: Gateway) -> None:
    message = a_message(sandbox)
    client = signed_in(admin)
    assert client.post(page(Message, "change", message.pk), {"state": "delivered"}).status_code == 403
    assert client.post(page(Message, "delete", message.pk), {"post": "yes"}).status_code == 403
    assert Message.objects.get().state == State.FAILED
