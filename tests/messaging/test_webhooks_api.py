"""`webhooks` and `webhook_deliveries` of the API."""

from collections.abc import Iterator
from typing import Any

import pytest

from messaging import webhooks
from messaging.models import Webhook, WebhookDelivery
from portal.models import AuditEvent, IdempotencyRecord, User
from portal.permissions import Right
from tests.conftest import Api
from tests.messaging.hooks import deliver_all, listen, listening, only
from tests.portal.admin_pages import staff_with
from tests.simulators.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

URL = "https://desk.example.org/hooks?key=canary-4711"
BODY = {"name": "hotel desk", "url": URL, "events": ["message.delivered", "sms.received"]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def post(api: Api, user: User, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return api(user).post(f"/api/v1/{path}", body or {}, format="json", headers=headers or None)


class TestWebhooks:
    def test_one_is_made_with_a_secret_that_is_shown_once(self, api: Api, admin: User) -> None:
        answer = post(api, admin, "webhooks", BODY)
        assert answer.status_code == 201
        made = answer.json()
        webhook = Webhook.objects.get(pk=made["id"])
        assert made["secret"] == webhook.secret
        assert answer.headers["Location"] == f"/api/v1/webhook/{webhook.pk}"
        item = api(admin).get(f"/api/v1/webhook/{webhook.pk}").json()["item"]
        assert (item["state"], item["waiting"], item["url"], item["made_by"]) == ("ok", 0, URL, "admin")
        assert "secret" not in item
        assert webhook.secret not in str(api(admin).get("/api/v1/webhooks").json())

    def test_a_repeat_with_the_same_key_makes_no_second_one_and_shows_no_secret(self, api: Api, admin: User) -> None:
        first = post(api, admin, "webhooks", BODY, **{"Idempotency-Key": "k-1"}).json()
        again = post(api, admin, "webhooks", BODY, **{"Idempotency-Key": "k-1"}).json()
        assert Webhook.objects.count() == 1
        assert again == {name: value for name, value in first.items() if name != "secret"}
        assert first["secret"] not in IdempotencyRecord.objects.get().answer

    def test_the_trail_has_neither_the_secret_nor_what_is_behind_the_host(self, api: Api, admin: User) -> None:
        secret = post(api, admin, "webhooks", BODY).json()["secret"]
        pk = Webhook.objects.get().pk
        api(admin).patch(f"/api/v1/webhook/{pk}", {"url": f"{URL}-2"}, format="json")
        rotated = post(api, admin, f"webhook/{pk}/rotate_secret").json()["secret"]
        trail = str(list(AuditEvent.objects.values()))
        assert AuditEvent.objects.filter(action="webhooks", status=201).exists()
        assert "https://desk.example.org/…" in trail
        for canary in ("canary-4711", secret, rotated):
            assert canary not in trail

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"url": "ftp://x/"}, "url"), ({"events": []}, "events"), ({"events": ["x"]}, "events"),
            ({"format": "xml"}, "format"), ({"name": ""}, "name"), ({"nome": "x"}, "nome"),
            ({"format": "smsmobileapi_v1"}, "events"), ({"events": "sms.received"}, "events"),
        ],
    )  # fmt: skip
    def test_what_it_cannot_be_is_refused_by_the_name_of_the_field(
        self, api: Api, admin: User, change: dict[str, Any], field: str
    ) -> None:
        answer = post(api, admin, "webhooks", BODY | change)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_a_name_is_used_once(self, api: Api, admin: User) -> None:
        post(api, admin, "webhooks", BODY)
        assert post(api, admin, "webhooks", BODY).status_code == 409

    def test_a_change_keeps_what_is_not_given(self, api: Api, admin: User) -> None:
        webhook = listen("sms.received")
        answer = api(admin).patch(f"/api/v1/webhook/{webhook.pk}", {"enabled": False}, format="json")
        assert answer.status_code == 200
        found = Webhook.objects.get()
        assert (found.enabled, found.events, found.secret) == (False, ["sms.received"], webhook.secret)

    def test_it_is_removed(self, api: Api, admin: User) -> None:
        webhook = listen("sms.received")
        assert api(admin).delete(f"/api/v1/webhook/{webhook.pk}").status_code == 200
        assert not Webhook.objects.exists()

    def test_what_is_behind_the_host_is_for_those_who_may_change_it(self, api: Api, auditor: User) -> None:
        webhook = listen("sms.received", url=URL)
        one = api(auditor).get(f"/api/v1/webhook/{webhook.pk}").json()["item"]
        (listed,) = api(auditor).get("/api/v1/webhooks").json()["items"]
        assert one["url"] == listed["url"] == "https://desk.example.org/…"

    def test_a_search_finds(self, api: Api, auditor: User) -> None:
        listen("sms.received")
        query = {"op": "equals", "field": "name", "value": "receiver 0"}
        assert len(post(api, auditor, "webhooks/search", {"query": query}).json()["items"]) == 1

    def test_nobody_has_sent_what_he_may_not_read(self, api: Api) -> None:
        clerk = staff_with("clerk", Right.SYSTEM_CREATE, Right.SYSTEM_READ)
        answer = post(api, clerk, "webhooks", BODY)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "events"


class TestDeeds:
    def test_another_secret_is_answered_and_both_are_good(self, api: Api, admin: User, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        answer = post(api, admin, f"webhook/{webhook.pk}/rotate_secret").json()
        assert answer["secret"] not in {"", receiver.secret}
        webhooks.tell("gateway.up", {})
        deliver_all()
        receiver.secret = answer["secret"]
        webhooks.tell("gateway.up", {})
        deliver_all()
        assert len(receiver.heard) == 2

    def test_a_test_says_whether_it_was_heard(self, api: Api, admin: User, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        answer = post(api, admin, f"webhook/{webhook.pk}/test").json()
        assert answer["works"] is True
        assert "204" in answer["message"]
        receiver.down = True
        answer = post(api, admin, f"webhook/{webhook.pk}/test").json()
        assert (answer["works"], answer["message"]) == (False, "the answer was 500")

    def test_it_is_paused_and_resumed(self, api: Api, admin: User, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        assert post(api, admin, f"webhook/{webhook.pk}/pause").json()["item"]["state"] == "paused"
        assert post(api, admin, f"webhook/{webhook.pk}/pause").status_code == 409
        webhooks.forget()
        webhooks.tell("gateway.up", {})
        deliver_all()
        assert receiver.calls == []
        answer = post(api, admin, f"webhook/{webhook.pk}/resume").json()
        assert (answer["item"]["state"], answer["item"]["waiting"]) == ("ok", 1)
        deliver_all()
        assert len(receiver.heard) == 1


class TestDeliveries:
    def test_each_is_listed_with_what_became_of_it(self, api: Api, auditor: User, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
        (item,) = api(auditor).get("/api/v1/webhook_deliveries").json()["items"]
        assert (item["webhook"], item["type"], item["state"], item["last_status"]) == (
            webhook.pk, "gateway.up", "delivered", 204,
        )  # fmt: skip
        assert item["event"] == receiver.heard[0].id
        query = {"op": "equals", "field": "event", "value": item["event"]}
        assert post(api, auditor, "webhook_deliveries/search", {"query": query}).json()["items"] == [item]

    def test_one_shows_its_calls_and_what_was_said_to_those_who_may_read_messages(
        self, api: Api, auditor: User, receiver: Receiver
    ) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.statuses, receiver.answer = [500], "we do not like main"
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
        path = f"/api/v1/webhook_delivery/{only(webhook).pk}"
        item = api(auditor).get(path).json()["item"]
        assert '"sms_gateway":"main"' in item["body"]
        assert [(call["status"], call["answer"]) for call in item["calls"]] == [(500, "we do not like main")]
        clerk = staff_with("clerk", Right.SYSTEM_READ)
        item = api(clerk).get(path).json()["item"]
        assert (item["body"], item["calls"][0]["answer"]) == (None, "")

    def test_one_is_told_again(self, api: Api, admin: User, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        webhooks.tell("gateway.up", {})
        path = f"webhook_delivery/{only(webhook).pk}/replay"
        assert post(api, admin, path).status_code == 409
        deliver_all()
        assert post(api, admin, path).status_code == 200
        deliver_all()
        assert len(receiver.heard) == 2
        assert WebhookDelivery.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "webhooks", "SYSTEM_READ"), ("POST", "webhooks", "SYSTEM_CREATE"),
        ("POST", "webhooks/search", "SYSTEM_READ"), ("GET", "webhook/1", "SYSTEM_READ"),
        ("PATCH", "webhook/1", "SYSTEM_UPDATE"), ("PUT", "webhook/1", "SYSTEM_UPDATE"),
        ("DELETE", "webhook/1", "SYSTEM_DELETE"), ("POST", "webhook/1/rotate_secret", "SYSTEM_UPDATE"),
        ("POST", "webhook/1/test", "SYSTEM_UPDATE"), ("POST", "webhook/1/pause", "SYSTEM_UPDATE"),
        ("POST", "webhook/1/resume", "SYSTEM_UPDATE"), ("GET", "webhook_deliveries", "SYSTEM_READ"),
        ("POST", "webhook_deliveries/search", "SYSTEM_READ"), ("GET", "webhook_delivery/1", "SYSTEM_READ"),
        ("POST", "webhook_delivery/1/replay", "SYSTEM_UPDATE"),
    ],
)  # fmt: skip
def test_each_call_names_the_right_it_needs(api: Api, nobody: User, method: str, path: str, right: str) -> None:
    answer = api(nobody).generic(method, f"/api/v1/{path}", "{}", content_type="application/json")
    assert answer.status_code == 403
    assert right in answer.json()["message"]
