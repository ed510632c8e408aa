"""Delivering: signed calls, tries by the table, a pause after days of failures; and what housekeeping throws away."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import WebhookVerificationError

from gateways.models import Gateway
from gateways.outcomes import InboundSms
from messaging import inbound, webhooks
from messaging.guids import RECEIVED, guid_of
from messaging.models import Delivered, InboundMessage, Stop, Webhook, WebhookDelivery, WebhookEvent, WebhookTry
from messaging.webhooks import delivering, keeping, schedule, upkeep
from messaging.webhooks.calling import call_all
from portal.errors import Refusal
from tests.messaging.hooks import deliver_all, let_time_pass, listen, listening, only
from tests.servers import free_port
from tests.simulators.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def tell(**data: object) -> None:
    webhooks.tell("gateway.up", {"sms_gateway": "main", **data})


class TestACall:
    def test_it_is_signed_so_that_the_library_of_the_receiver_believes_it(self, receiver: Receiver) -> None:
        listening(receiver, "gateway.up")
        tell()
        deliver_all()
        (heard,) = receiver.heard
        assert (heard.type, heard.data) == ("gateway.up", {"sms_gateway": "main"})
        assert heard.id == WebhookEvent.objects.get().uid
        assert heard.headers["content-type"].startswith("application/json")
        assert only(Webhook.objects.get()).state == Delivered.DELIVERED
        assert Webhook.objects.get().last_success

    def test_one_with_a_wrong_signature_is_refused(self, receiver: Receiver) -> None:
        listening(receiver, "gateway.up")
        receiver.secret = listen("gateway.down").secret
        tell()
        deliver_all()
        assert receiver.refused == ["No matching signature found"]
        assert only(Webhook.objects.get(name="receiver 0")).last_status == 401

    def test_an_old_one_that_is_replayed_by_a_stranger_is_refused(self, receiver: Receiver) -> None:
        listening(receiver, "gateway.up")
        tell()
        deliver_all()
        (heard,) = receiver.heard
        old = {**heard.headers, "webhook-timestamp": str(int(heard.headers["webhook-timestamp"]) - 6 * 60)}
        with pytest.raises(WebhookVerificationError, match="too old"):
            receiver.verify(heard.body, old)

    def test_a_former_secret_signs_for_a_day(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        former = receiver.secret
        secret = webhooks.rotate(webhook).secret
        tell()
        deliver_all()
        receiver.secret = secret
        tell()
        deliver_all()
        assert len(receiver.heard) == 2
        Webhook.objects.update(former_until=timezone.now())
        receiver.secret = former
        tell()
        deliver_all()
        assert len(receiver.heard) == 2
        assert len(receiver.refused) == 1

    def test_the_body_is_the_same_to_the_byte_at_every_try(self, receiver: Receiver) -> None:
        listening(receiver, "gateway.up")
        receiver.statuses = [500]
        tell(name="Ёлка")
        deliver_all()
        let_time_pass(seconds=6)
        deliver_all()
        assert len({body for _headers, body in receiver.calls}) == 1
        assert len({headers["webhook-id"] for headers, _body in receiver.calls}) == 1

    def test_an_old_receiver_of_smsmobileapi_reads_what_it_knows(self, receiver: Receiver, sandbox: Gateway) -> None:
        listening(receiver, "sms.received", format="smsmobileapi_v1")
        at = timezone.make_aware(datetime(2026, 1, 20, 10, 14, 50))  # noqa: DTZ001 — in the portal's zone
        inbound.store(sandbox, [InboundSms("+123456789", "привет", "g-1", at)])
        deliver_all()
        (_headers, body) = receiver.calls[0]
        said = json.loads(body)
        assert set(said) == {"date", "hour", "time_received", "message", "number", "guid"}
        assert (said["message"], said["number"]) == ("привет", "+123456789")
        assert said["time_received"] == "2026-01-20 10:14:50"
        assert said["guid"] == guid_of(InboundMessage.objects.get().pk, RECEIVED)
        assert len(receiver.heard) == 1

    def test_what_an_old_receiver_has_no_words_for_is_not_told_and_hinders_nothing_else(
        self, receiver: Receiver, sandbox: Gateway
    ) -> None:
        webhook = listening(receiver, "gateway.up", "sms.received")
        tell()
        webhooks.change(webhook, by=None, format="smsmobileapi_v1", events=["sms.received"])
        inbound.store(sandbox, [InboundSms("+123456789", "привет", "g-1", timezone.now())])
        deliver_all()
        untold = WebhookDelivery.objects.get(event__type="gateway.up")
        assert (untold.state, untold.due_at) == (Delivered.FAILED, None)
        assert "not among those" in untold.reason
        assert WebhookDelivery.objects.get(event__type="sms.received").state == Delivered.DELIVERED
        assert [json.loads(body)["message"] for _headers, body in receiver.calls] == ["привет"]
        with pytest.raises(Refusal, match=r"Choose gateway\.up among the events"):
            webhooks.replay(untold)
        webhook.refresh_from_db()
        assert (webhook.failing_since, len(receiver.calls)) == (None, 1)

    def test_a_secret_whose_key_is_missing_is_a_failure_with_its_remedy(
        self, receiver: Receiver, settings: Settings
    ) -> None:
        listening(receiver, "gateway.up")
        tell()
        settings.ENCRYPTION_KEYS = ["another key that is long enough for it"]
        deliver_all()
        assert receiver.calls == []
        assert "ENCRYPTION_KEYS" in only(Webhook.objects.get()).reason

    def test_another_secret_and_its_address_help_where_the_key_of_those_before_is_missing(
        self, receiver: Receiver, settings: Settings
    ) -> None:
        listening(receiver, "gateway.up")
        settings.ENCRYPTION_KEYS = ["another key that is long enough for it"]
        webhook = webhooks.change(Webhook.objects.get(), by=None, url=f"{receiver.url}/hook")
        receiver.secret = webhooks.rotate(webhook).secret
        tell()
        deliver_all()
        assert len(receiver.heard) == 1


class TestTries:
    @pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
    def test_whatever_is_no_2xx_is_told_again(self, receiver: Receiver, status: int) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.statuses = [status]
        tell()
        deliver_all()
        found = only(webhook)
        assert (found.state, found.tries, found.last_status) == (Delivered.PENDING, 1, status)
        assert found.due_at
        let_time_pass(seconds=6)
        deliver_all()
        assert only(webhook).state == Delivered.DELIVERED
        assert [call.status for call in WebhookTry.objects.all()] == [status, 204]

    def test_a_receiver_that_does_not_answer_at_all_is_told_again(self, receiver: Receiver) -> None:
        webhook = listen("gateway.up", url=f"http://127.0.0.1:{free_port()}/")
        tell()
        deliver_all()
        found = only(webhook)
        assert (found.state, found.last_status) == (Delivered.PENDING, None)
        assert "not accepted" in found.reason

    def test_after_the_last_try_it_has_failed(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.down = True
        tell()
        for _ in schedule.PAUSES:
            deliver_all()
            Webhook.objects.update(failing_since=timezone.now())
            let_time_pass(hours=27)
            WebhookDelivery.objects.update(since=timezone.now())
        assert len(receiver.calls) == len(schedule.PAUSES)
        assert (only(webhook).state, only(webhook).due_at) == (Delivered.FAILED, None)

    def test_a_receiver_may_ask_for_more_time_within_the_table(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.statuses, receiver.headers = [503], {"retry-after": "3600"}
        tell()
        before = timezone.now()
        deliver_all()
        due_at = only(webhook).due_at
        assert due_at
        assert due_at >= before + timedelta(hours=1)

    @pytest.mark.parametrize("asked", [float("inf"), 10.0**9])
    def test_nonsense_waits_no_longer_than_the_table(self, asked: float) -> None:
        pause = schedule.pause_after(1, asked)
        assert pause
        assert pause <= timedelta(hours=24 * (1 + schedule.JITTER))

    @pytest.mark.parametrize("asked", [float("nan"), -5.0, 0.0])
    def test_no_time_at_all_is_the_tables(self, asked: float) -> None:
        pause = schedule.pause_after(1, asked)
        assert pause
        assert timedelta(seconds=5) <= pause <= timedelta(seconds=6)

    def test_a_webhook_that_fails_gets_one_call_however_much_waits(self, receiver: Receiver) -> None:
        listening(receiver, "gateway.up")
        receiver.down = True
        tell()
        deliver_all()
        for _ in range(30):
            tell()
        deliver_all()
        assert len(receiver.calls) == 1
        let_time_pass(seconds=6)
        deliver_all()
        assert len(receiver.calls) == 2
        receiver.down = False
        let_time_pass(seconds=6)
        deliver_all()
        let_time_pass(minutes=6)
        deliver_all()
        assert len(set(receiver.ids)) == 31


class TestTheEnd:
    def test_410_switches_it_off_with_a_warning(self, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.statuses = [410]
        tell()
        with caplog.at_level(logging.WARNING, "messaging.webhooks"):
            deliver_all()
        webhook.refresh_from_db()
        assert (webhook.enabled, webhook.paused_because) == (False, Stop.GONE)
        assert "410" in caplog.text
        assert receiver.url not in caplog.text
        tell()
        assert WebhookEvent.objects.count() == 1

    def test_days_of_nothing_but_failures_pause_it_and_resuming_sends_what_waited(
        self, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.down = True
        tell()
        deliver_all()
        for hours in (24, 24, 23):
            let_time_pass(hours=hours)
            deliver_all()
        webhook.refresh_from_db()
        assert webhook.paused_at is None
        let_time_pass(hours=3)
        with caplog.at_level(logging.WARNING, "messaging.webhooks"):
            deliver_all()
        webhook.refresh_from_db()
        assert webhook.paused_because == Stop.FAILING
        assert "is paused" in caplog.text
        tell()
        calls = len(receiver.calls)
        deliver_all()
        assert len(receiver.calls) == calls
        receiver.down = False
        webhooks.resume(webhook)
        deliver_all()
        assert len(set(receiver.ids)) == 2

    def test_a_success_between_ends_the_count_of_days(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.statuses = [500]
        tell()
        deliver_all()
        webhook.refresh_from_db()
        assert webhook.failing_since
        let_time_pass(seconds=6)
        deliver_all()
        found = Webhook.objects.get()
        assert (found.failing_since, found.rest_until) == (None, None)

    def test_a_call_that_was_in_the_air_when_somebody_resumed_does_not_pause_it_again(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.down = True
        tell()
        deliver_all()
        let_time_pass(days=4)
        webhook.refresh_from_db()
        claimed, not_after = delivering.claim(webhook)
        late = call_all(webhook, claimed, not_after)
        webhooks.resume(Webhook.objects.get())
        delivering.settle(webhook, late)
        webhook.refresh_from_db()
        assert (webhook.paused_at, webhook.failing_since, webhook.rest_until) == (None, None, None)

    def test_resuming_gives_what_was_tried_all_its_tries_and_writes_nothing_else(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.down = True
        for _ in range(3):
            tell()
        deliver_all()
        webhooks.pause(webhook)
        let_time_pass(days=2)
        tell()
        untried = WebhookDelivery.objects.get(tries=0)
        before = timezone.now()
        webhooks.resume(webhook)
        assert set(WebhookDelivery.objects.values_list("tries", flat=True)) == {0}
        assert all(one.since >= before for one in WebhookDelivery.objects.exclude(pk=untried.pk))
        assert WebhookDelivery.objects.get(pk=untried.pk).since == untried.since
        receiver.down = False
        deliver_all()
        assert len(set(receiver.ids)) == 4

    def test_resuming_gives_all_its_tries_to_what_is_due_in_a_moment_too(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.down = True
        tell()
        deliver_all()
        webhooks.pause(webhook)
        due_at = timezone.now() + timedelta(seconds=30)
        WebhookDelivery.objects.update(tries=9, due_at=due_at)
        webhooks.resume(webhook)
        assert (only(webhook).tries, only(webhook).due_at) == (0, due_at)

    def test_the_reason_of_one_that_is_gone_is_that_answer(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        for _ in range(2):
            tell()
        claimed, not_after = delivering.claim(webhook)
        receiver.statuses = [410]
        gone = call_all(webhook, claimed[:1], not_after)
        receiver.statuses = [500]
        delivering.settle(webhook, [*gone, *call_all(webhook, claimed[1:], not_after)])
        webhook.refresh_from_db()
        assert webhook.paused_because == Stop.GONE
        assert "410" in webhook.last_failure

    def test_one_of_which_much_waits_makes_room_for_others(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivering, "LONGEST", 0.0)
        monkeypatch.setattr(delivering, "AT_ONCE", 1)
        webhook = listening(receiver, "gateway.up")
        for _ in range(2):
            tell()
        delivering.deliver(webhook.pk)
        assert len(receiver.heard) == 1
        assert delivering.due() == [webhook.pk]
        delivering.deliver(webhook.pk)
        assert len(receiver.heard) == 2

    def test_of_those_that_answer_whoever_was_told_longest_ago_comes_first(self, receiver: Receiver) -> None:
        lately, long_ago, never = (listen("gateway.up") for _ in range(3))
        tell()
        for webhook, minutes in ((lately, 1), (long_ago, 60)):
            told_at = timezone.now() - timedelta(minutes=minutes)
            Webhook.objects.filter(pk=webhook.pk).update(last_success=told_at)
        assert delivering.due() == [never.pk, long_ago.pk, lately.pk]

    def test_those_that_answer_are_rung_for_first_and_then_whoever_rested_longest(self, receiver: Receiver) -> None:
        briefly, long, well = (listen("gateway.up") for _ in range(3))
        tell()
        for webhook, seconds in ((briefly, 1), (long, 60)):
            Webhook.objects.filter(pk=webhook.pk).update(rest_until=timezone.now() - timedelta(seconds=seconds))
        assert delivering.due() == [well.pk, long.pk, briefly.pk]

    def test_what_waits_for_five_days_is_given_up(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        webhooks.pause(webhook)
        tell()
        let_time_pass(days=4)
        assert upkeep.give_up() == 0
        let_time_pass(days=2)
        assert upkeep.give_up() == 1
        assert (only(webhook).state, only(webhook).due_at) == (Delivered.GIVEN_UP, None)


class TestLeases:
    def test_what_a_dead_worker_had_another_tells_again_under_the_same_id(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        tell()
        claimed, not_after = delivering.claim(webhook)
        call_all(webhook, claimed, not_after)
        deliver_all()
        assert len(receiver.heard) == 1
        let_time_pass(seconds=36)
        deliver_all()
        assert len(receiver.heard) == 2
        assert len(set(receiver.ids)) == 1
        assert only(webhook).state == Delivered.DELIVERED

    def test_a_worker_that_comes_late_writes_nothing(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        tell()
        claimed, not_after = delivering.claim(webhook)
        receiver.statuses = [500]
        late = call_all(webhook, claimed, not_after)
        let_time_pass(seconds=36)
        deliver_all()
        delivering.settle(webhook, late)
        assert only(webhook).state == Delivered.DELIVERED
        assert WebhookTry.objects.count() == 1

    def test_a_worker_that_is_late_before_it_calls_does_not_call(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        tell()
        claimed, _not_after = delivering.claim(webhook)
        (answer,) = call_all(webhook, claimed, timezone.now() - timedelta(seconds=1))
        assert receiver.calls == []
        assert "too late" in answer.reason

    def test_two_claims_never_share_a_delivery(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        for _ in range(30):
            tell()
        first, _ = delivering.claim(webhook)
        second, _ = delivering.claim(webhook)
        assert len(first) == delivering.AT_ONCE
        assert len({row.pk for row in (*first, *second)}) == 30


class TestRepeating:
    def test_a_replay_has_the_same_id_and_a_new_time(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        tell()
        deliver_all()
        webhooks.replay(only(webhook))
        deliver_all()
        assert len(receiver.heard) == 2
        assert len(set(receiver.ids)) == 1

    def test_what_waits_is_not_replayed(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        tell()
        with pytest.raises(Refusal, match="waits already"):
            webhooks.replay(only(webhook))

    def test_a_test_is_told_at_once_even_where_it_is_paused(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        webhooks.pause(webhook)
        tested = webhooks.test(webhook)
        assert tested.works
        assert [heard.type for heard in receiver.heard] == ["webhook.test"]

    def test_a_test_that_fails_is_not_told_again(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        receiver.down = True
        tested = webhooks.test(webhook)
        assert (tested.works, tested.says) == (False, "the answer was 500")
        assert (only(webhook).state, only(webhook).tries) == (Delivered.FAILED, 1)
        webhook.refresh_from_db()
        assert webhook.failing_since is None

    def test_a_test_of_an_old_receiver_is_in_its_own_words_and_by_the_portals_clock(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "sms.received", format="smsmobileapi_v1")
        with timezone.override("Asia/Kamchatka"):
            assert webhooks.test(webhook).works
        said = json.loads(receiver.calls[0][1])
        assert set(said) >= {"guid", "number", "message"}
        at = WebhookEvent.objects.get().at.astimezone(timezone.get_default_timezone())
        assert said["time_received"] == f"{at:%Y-%m-%d %H:%M:%S}"


class TestForgetting:
    def test_events_go_after_thirty_days_with_all_that_was_said(self, receiver: Receiver) -> None:
        listening(receiver, "gateway.up")
        tell()
        deliver_all()
        assert upkeep.forget() == 0
        WebhookEvent.objects.update(at=timezone.now() - timedelta(days=31))
        assert upkeep.forget() == 1
        for model in (WebhookEvent, WebhookDelivery, WebhookTry):
            assert not model._default_manager.exists()

    def test_nothing_is_kept_longer_than_what_it_tells_of(self, receiver: Receiver, settings: Settings) -> None:
        settings.MESSAGE_RETENTION_DAYS = 7
        listening(receiver, "gateway.up")
        tell()
        deliver_all()
        WebhookEvent.objects.update(at=timezone.now() - timedelta(days=6))
        assert upkeep.forget() == 0
        WebhookEvent.objects.update(at=timezone.now() - timedelta(days=8))
        assert upkeep.forget() == 1

    def test_a_webhook_that_is_removed_takes_its_deliveries_along_and_hinders_nobody(self, receiver: Receiver) -> None:
        webhook, other = listening(receiver, "gateway.up"), listen("gateway.up")
        tell()
        deliver_all()
        Webhook.objects.filter(pk=webhook.pk).delete()
        # This process does not know yet.
        tell()
        upkeep.forget()
        assert set(WebhookDelivery.objects.values_list("webhook", flat=True)) == {other.pk}

    def test_a_removed_one_is_called_no_more(self, receiver: Receiver) -> None:
        webhook = listening(receiver, "gateway.up")
        tell()
        keeping.remove(webhook)
        deliver_all()
        delivering.deliver(webhook.pk)
        assert receiver.calls == []
