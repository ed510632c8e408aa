"""`/resend/` of SMSmobileAPI."""

from typing import Any

import pytest

from gateways.models import Gateway
from messaging.guids import guid_of
from messaging.models import Door, Message, State
from portal.models import AuditEvent, User
from tests.messaging.conftest import Send
from tests.messaging.programs import both_methods, call, key_of


@pytest.fixture
def own(send: Send, operator: User) -> Message:
    """A message of the operator's that failed."""
    message = send()
    Message.objects.filter(pk=message.pk).update(requested_by=operator, state=State.FAILED, reason="no route")
    return Message.objects.get(pk=message.pk)


def resend(user: User, message: Message, method: str = "GET") -> Any:
    return call("/resend/", method, apikey=key_of(user), guid=guid_of(message.pk))


@both_methods
def test_a_message_in_error_is_sent_again_as_a_new_one(own: Message, operator: User, method: str) -> None:
    told = resend(operator, own, method).json()["result"]
    again = Message.objects.get(resend_of=own)
    assert (told["error"], told["sent"], told["id"]) == (0, "1", guid_of(again.pk))
    assert (again.text, again.door, again.requested_by) == ("Привет", Door.SMSMOBILEAPI, operator)
    assert (AuditEvent.objects.get().object_id, AuditEvent.objects.get().status) == (str(own.pk), 200)


@pytest.mark.parametrize("state", [State.UNDELIVERED, State.EXPIRED])
def test_so_is_one_that_did_not_arrive(own: Message, operator: User, state: State) -> None:
    Message.objects.update(state=state)
    assert resend(operator, own).json()["result"]["error"] == 0


@pytest.mark.parametrize("state", [State.QUEUED, State.SUBMITTED, State.DELIVERED, State.NO_RECEIPT, State.UNRESOLVED])
def test_one_that_is_not_in_error_is_an_error_of_the_application(own: Message, operator: User, state: State) -> None:
    Message.objects.update(state=state)
    answer = resend(operator, own)
    assert (answer.status_code, answer.json()["result"]["error"]) == (200, 409)
    assert answer.json()["result"]["sent"] == "0"
    assert Message.objects.count() == 1
    assert AuditEvent.objects.get().status == 409


def test_a_second_time_is_refused(own: Message, operator: User) -> None:
    resend(operator, own)
    told = resend(operator, own).json()["result"]
    assert (told["error"], told["note"]) == (409, f"Message {own.pk} was already sent again as {own.pk + 1}.")


def test_messages_of_others_are_not_there(own: Message, sandbox: Gateway) -> None:
    other = User.objects.create_superuser("other")
    Message.objects.update(requested_by=None)
    assert resend(other, own).json()["result"]["error"] == 0  # an administrator reads all messages
    operator = User.objects.get(username="operator")
    answer = resend(operator, own)
    assert (answer.status_code, answer.json()["message"]) == (400, "guid: There is no message with this guid.")


@pytest.mark.parametrize("guid", ["17", "0" * 40, "x" * 40, "abc'"])
def test_an_unknown_guid_is_400(own: Message, operator: User, guid: str) -> None:
    answer = call("/resend/", apikey=key_of(operator), guid=guid)
    assert (answer.status_code, answer.json()["error"]) == (400, 404)


def test_without_a_guid_it_is_400(operator: User) -> None:
    assert call("/resend", apikey=key_of(operator)).json()["message"] == "guid: Required field missing"
