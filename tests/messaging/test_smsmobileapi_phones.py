"""`/gateway/mobile/list/` and `/deletesms/` of SMSmobileAPI."""

import pytest

from gateways.models import Gateway
from messaging import forgetting
from messaging.guids import guid_of
from messaging.models import Message, State
from portal.models import AuditEvent, User
from tests.messaging.conftest import Send
from tests.messaging.programs import both_methods, call, key_of


@both_methods
def test_gateways_are_shown_as_phones(sandbox: Gateway, operator: User, method: str) -> None:
    Gateway.objects.create(name="off", provider="sandbox", enabled=False)
    assert call("/gateway/mobile/list", method, apikey=key_of(operator)).json() == {
        "success": True, "connected_available": 1, "connected_limit": 1, "connected_now": 1, "filters": {},
        "items": [{"sid": "sandbox", "name": "sandbox", "connected": "1"}], "note": "",
    }  # fmt: skip


def test_those_of_the_key_alone(sandbox: Gateway, operator: User) -> None:
    hotel = Gateway.objects.create(name="hotel", provider="sandbox")
    answer = call("/gateway/mobile/list/", apikey=key_of(operator, gateways=[hotel.pk]))
    assert [item["sid"] for item in answer.json()["items"]] == ["hotel"]


def test_a_wrong_key_is_told_apart_from_no_gateways(operator: User) -> None:
    assert call("/gateway/mobile/list/", apikey="x").status_code == 403
    assert call("/gateway/mobile/list/", apikey=key_of(operator)).json()["connected_now"] == 0


class TestDelete:
    @both_methods
    def test_the_provider_deletes_its_record(
        self, send: Send, operator: User, method: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message, deleted = send(), list[Message]()

        def forget(message: Message, *, by: User) -> None:
            assert by == operator
            deleted.append(message)

        Message.objects.update(requested_by=operator)
        monkeypatch.setattr(forgetting, "forget", forget)
        answer = call("/deletesms/", method, apikey=key_of(operator), guid=guid_of(message.pk))
        assert answer.json() == {"result": {"error": 0, "deleted": "1"}}
        assert deleted == [message]
        assert AuditEvent.objects.get().object_id == str(message.pk)

    def test_one_that_cannot_is_an_error_of_the_application(self, send: Send, operator: User) -> None:
        message = send()
        Message.objects.update(requested_by=operator, state=State.DELIVERED, reference="1")
        answer = call("/deletesms", apikey=key_of(operator), guid=guid_of(message.pk))
        assert (answer.status_code, answer.json()["result"]["error"]) == (200, 409)

    def test_messages_of_others_are_not_there(self, send: Send, operator: User) -> None:
        answer = call("/deletesms", apikey=key_of(operator), guid=guid_of(send().pk))
        assert (answer.status_code, answer.json()["error"]) == (400, 404)
