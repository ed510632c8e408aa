"""Webhooks and their deliveries in the admin: a secret that is shown once, buttons, and telling an event again."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging import webhooks
from messaging.models import Delivered, Stop, Webhook, WebhookDelivery
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.messaging.hooks import deliver_all, listen, listening, only
from tests.portal.admin_pages import page, questions, signed_in, staff_with
from tests.simulators.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

URL = "https://desk.example.org/hooks/canary-4711"
FORM = {"name": "hotel desk", "url": URL, "events": ["sms.received"], "format": "standard", "verify_tls": "on",
        "enabled": "on"}  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def client(admin: User) -> Client:
    return signed_in(admin)


def act(client: Client, webhook: Webhook, name: str) -> str:
    address = reverse("admin:messaging_webhook_act", args=(webhook.pk, name))
    text: str = client.post(address, follow=True).content.decode()
    return text


class TestTheSecret:
    def test_it_is_shown_when_the_webhook_is_made_and_never_again(self, client: Client) -> None:
        answer = client.post(page(Webhook, "add"), FORM)
        webhook = Webhook.objects.get()
        assert webhook.secret in answer.content.decode()
        assert "no-store" in answer.headers["Cache-Control"]
        for address in (page(Webhook, "change", webhook.pk), page(Webhook, "changelist"), reverse("admin:index")):
            assert webhook.secret not in client.get(address).content.decode()

    def test_another_one_is_made_after_what_it_means_was_said(self, client: Client) -> None:
        webhook = listen("sms.received")
        address = reverse("admin:messaging_webhook_secret", args=(webhook.pk,))
        assert "24 hours" in client.get(address).content.decode()
        assert Webhook.objects.get().secret == webhook.secret
        shown = client.post(address).content.decode()
        found = Webhook.objects.get()
        assert found.secret in shown
        assert (found.former_secret, found.secret == webhook.secret) == (webhook.secret, False)

    def test_the_trail_has_neither_the_secret_nor_what_is_behind_the_host(self, client: Client) -> None:
        client.post(page(Webhook, "add"), FORM)
        webhook = Webhook.objects.get()
        client.post(page(Webhook, "change", webhook.pk), FORM | {"url": f"{URL}-2"})
        client.post(reverse("admin:messaging_webhook_secret", args=(webhook.pk,)))
        trail = str(list(AuditEvent.objects.values()))
        actions = set(AuditEvent.objects.values_list("action", flat=True))
        assert {f"admin:messaging_webhook_{verb}" for verb in ("add", "change", "rotate_secret")} <= actions
        for canary in ("canary-4711", webhook.secret, Webhook.objects.get().secret):
            assert canary not in trail


class TestTheForm:
    def test_what_is_refused_stands_at_its_field(self, client: Client) -> None:
        html = client.post(page(Webhook, "add"), FORM | {"url": "nowhere"}).content.decode()
        assert "begins with https://" in html
        html = client.post(page(Webhook, "add"), {**FORM, "events": []}).content.decode()
        assert "at least one event" in html
        assert not Webhook.objects.exists()

    def test_a_change_keeps_what_is_not_changed(self, client: Client) -> None:
        webhook = listen("sms.received")
        client.post(page(Webhook, "change", webhook.pk), FORM | {"events": ["gateway.up", "gateway.down"]})
        found = Webhook.objects.get()
        assert (found.name, found.events, found.secret) == (
            "hotel desk",
            ["gateway.down", "gateway.up"],
            webhook.secret,
        )

    def test_a_reader_sees_no_more_of_the_address_than_its_host(self, auditor: User) -> None:
        webhook = listen("sms.received", url=URL)
        reader = signed_in(auditor)
        for address in (page(Webhook, "change", webhook.pk), page(Webhook, "changelist")):
            html = reader.get(address).content.decode()
            assert "https://desk.example.org/…" in html
            assert "canary-4711" not in html


class TestButtons:
    def test_a_test_says_what_was_answered(self, client: Client, receiver: Receiver) -> None:
        webhook = listening(receiver, "sms.received")
        assert "it answered 204" in act(client, webhook, "send_test")
        receiver.down = True
        assert "the answer was 500" in act(client, webhook, "send_test")
        assert AuditEvent.objects.filter(action="admin:messaging_webhook_test").count() == 2

    def test_it_is_paused_and_resumed(self, client: Client) -> None:
        webhook = listen("sms.received")
        html = act(client, webhook, "pause")
        assert Webhook.objects.get().paused_because == Stop.PERSON
        assert "/act/resume/" in html
        assert "/act/pause/" not in html
        act(client, webhook, "resume")
        assert Webhook.objects.get().paused_at is None

    def test_what_is_refused_is_said_and_written_down(self, client: Client) -> None:
        webhook = webhooks.pause(listen("sms.received"))
        assert "paused already" in act(client, webhook, "pause")
        assert AuditEvent.objects.filter(action="admin:messaging_webhook_pause", status=409).exists()

    @pytest.mark.parametrize("name", ["act/pause", "act/send_test", "secret"])
    def test_a_reader_is_refused(self, auditor: User, name: str) -> None:
        webhook = listen("sms.received")
        reader = signed_in(auditor)
        assert f"/{name}/" not in reader.get(page(Webhook, "change", webhook.pk)).content.decode()
        assert reader.post(f"/admin/messaging/webhook/{webhook.pk}/{name}/").status_code == 403
        assert Webhook.objects.get().paused_at is None

    def test_there_is_no_other_deed(self, client: Client) -> None:
        webhook = listen("sms.received")
        assert client.post(f"/admin/messaging/webhook/{webhook.pk}/act/delete_model/").status_code == 404
        assert client.get(f"/admin/messaging/webhook/{webhook.pk}/act/pause/").status_code == 405


class TestDeliveries:
    def test_they_are_told_again(self, client: Client, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
        row = only(webhook)
        chosen = {"action": "replay", "_selected_action": [row.pk]}
        html = client.post(page(WebhookDelivery, "changelist"), chosen, follow=True).content.decode()
        assert "1 event is told again" in html
        deliver_all()
        client.post(reverse("admin:messaging_webhookdelivery_replay", args=(row.pk,)))
        deliver_all()
        assert len(receiver.heard) == 3
        assert AuditEvent.objects.filter(action="admin:messaging_webhookdelivery_replay").count() == 2

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"state__exact": "delivered"}, 1), ({"state__exact": "failed"}, 0), ({"type": "gateway.up"}, 1),
            ({"type": "sms.received"}, 0), ({"q": "msg_"}, 1), ({"q": "msg_0x"}, 0),
        ],
    )  # fmt: skip
    def test_they_are_found(self, client: Client, receiver: Receiver, asked: dict[str, str], found: int) -> None:
        listening(receiver, "gateway.up")
        webhooks.tell("gateway.up", {"sms_gateway": "main"})
        deliver_all()
        html = client.get(page(WebhookDelivery, "changelist"), asked).content.decode()
        assert len(re.findall(r'name="_selected_action"', html)) == found

    def test_one_shows_its_calls_and_what_was_said_to_those_who_may_read_messages(
        self, auditor: User, receiver: Receiver
    ) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.statuses, receiver.answer = [500], "we do not like it"
        webhooks.tell("gateway.up", {"sms_gateway": "canary-main"})
        deliver_all()
        address = page(WebhookDelivery, "change", only(webhook).pk)
        html = signed_in(auditor).get(address).content.decode()
        for text in ("canary-main", "we do not like it", "the answer was 500"):
            assert text in html
        html = signed_in(staff_with("clerk", Right.SYSTEM_READ)).get(address).content.decode()
        assert "the answer was 500" in html
        for text in ("canary-main", "we do not like it"):
            assert text not in html

    def test_one_that_waits_for_a_person_names_no_time_of_its_next_try(self, client: Client) -> None:
        webhook = listen("gateway.up")
        webhooks.tell("gateway.up", {})
        address = page(WebhookDelivery, "changelist")
        assert "when the webhook is resumed" not in client.get(address).content.decode()
        webhooks.pause(webhook)
        assert "when the webhook is resumed" in client.get(address).content.decode()
        Webhook.objects.update(paused_at=None, enabled=False)
        assert (
            "when the webhook is resumed"
            in client.get(page(WebhookDelivery, "change", only(webhook).pk)).content.decode()
        )

    def test_a_reader_cannot_have_one_told_again(self, auditor: User) -> None:
        webhook = listen("gateway.up")
        webhooks.tell("gateway.up", {})
        row = only(webhook)
        WebhookDelivery.objects.update(state=Delivered.FAILED, due_at=None)
        reader = signed_in(auditor)
        assert reader.post(reverse("admin:messaging_webhookdelivery_replay", args=(row.pk,))).status_code == 403
        assert only(webhook).state == Delivered.FAILED

    def test_a_list_asks_no_more_the_longer_it_is(self, client: Client) -> None:
        listen("gateway.up")
        webhooks.tell("gateway.up", {})
        few = len(questions(client, page(WebhookDelivery, "changelist")))
        for _ in range(9):
            webhooks.tell("gateway.up", {})
        assert len(questions(client, page(WebhookDelivery, "changelist"))) == few


class TestTheFrontPage:
    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ({"enabled": False, "paused_because": Stop.GONE}, "410 Gone"),
            ({"paused_because": Stop.FAILING, "paused_at": "2026-01-01T00:00Z"}, "paused after three days"),
            ({"failing_since": "2026-01-01T00:00Z", "last_failure": "no line"}, "no line"),
        ],
    )
    def test_it_says_who_is_told_nothing(self, client: Client, row: dict[str, object], sentence: str) -> None:
        webhook = listen("sms.received")
        Webhook.objects.update(**row)
        html = client.get(reverse("admin:index")).content.decode()
        assert sentence in html
        assert page(Webhook, "change", webhook.pk) in html

    def test_one_that_a_person_paused_needs_nobody(self, client: Client) -> None:
        webhook = webhooks.pause(listen("sms.received"))
        Webhook.objects.update(failing_since=timezone.now() - timedelta(minutes=1))
        assert page(Webhook, "change", webhook.pk) not in client.get(reverse("admin:index")).content.decode()
