"""How a webhook fares: what counts as a row of failures, what begins it anew, and who is left alone for how long."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import webhooks
from messaging.models import Stop, Webhook
from messaging.webhooks import delivering
from messaging.webhooks.calling import call_all
from portal.errors import Refusal, Why
from portal.models import User
from tests.conftest import Api
from tests.messaging.hooks import deliver_all, let_time_pass, listening
from tests.portal.admin_pages import page, signed_in
from tests.simulators.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def tell(times: int = 1) -> None:
    for _ in range(times):
        webhooks.tell("gateway.up", {"sms_gateway": "main"})


def fail_for_days(receiver: Receiver) -> Webhook:
    webhook = listening(receiver, "gateway.up")
    receiver.down = True
    tell()
    deliver_all()
    let_time_pass(days=2)
    return webhook


def test_one_that_was_off_for_long_is_not_paused_by_its_first_failure(receiver: Receiver) -> None:
    webhook = webhooks.change(fail_for_days(receiver), by=None, enabled=False)
    let_time_pass(days=30)
    webhooks.change(webhook, by=None, enabled=True)
    webhooks.forget()
    deliver_all()
    found = Webhook.objects.get()
    assert found.paused_at is None
    assert found.failing_since
    assert found.failing_since > timezone.now() - timedelta(minutes=1)


def test_one_that_had_nothing_to_be_told_for_days_is_not_paused_by_its_next_failure(receiver: Receiver) -> None:
    fail_for_days(receiver)
    let_time_pass(days=7)
    deliver_all()
    found = Webhook.objects.get()
    assert found.paused_at is None
    assert found.failing_since
    assert found.failing_since > timezone.now() - timedelta(minutes=1)


def test_another_address_has_never_failed_and_is_called_at_once(receiver: Receiver) -> None:
    webhook = fail_for_days(receiver)
    Webhook.objects.update(rest_until=timezone.now() + timedelta(minutes=5))
    receiver.down = False
    webhooks.change(webhook, by=None, url=f"{receiver.url}/mended")
    deliver_all()
    assert len(receiver.heard) == 1


def test_the_same_address_again_changes_nothing_of_it(receiver: Receiver) -> None:
    webhook = fail_for_days(receiver)
    before = Webhook.objects.get().failing_since
    webhooks.change(webhook, by=None, url=f"{receiver.url}/hook", name="another name")
    assert before
    assert Webhook.objects.get().failing_since == before


def test_a_410_of_the_former_address_does_not_switch_off_the_new_one(receiver: Receiver) -> None:
    webhook = listening(receiver, "gateway.up")
    receiver.statuses = [410]
    tell()
    claimed, not_after = delivering.claim(webhook)
    late = call_all(webhook, claimed, not_after)
    webhooks.change(Webhook.objects.get(), by=None, url=f"{receiver.url}/mended")
    delivering.settle(webhook, late)
    assert Webhook.objects.get().enabled
    receiver.statuses = [410]
    tell()
    deliver_all()
    let_time_pass(seconds=6)
    deliver_all()
    assert Webhook.objects.get().paused_because == Stop.GONE


@pytest.mark.parametrize("answered_well", [0, 1])
def test_a_receiver_that_asks_for_time_is_given_it_for_all_that_waits(
    receiver: Receiver, answered_well: int, api: Api, admin: User
) -> None:
    webhook = listening(receiver, "gateway.up")
    receiver.statuses, receiver.headers = [204] * answered_well + [429], {"retry-after": "3600"}
    tell(answered_well + 1)
    before = timezone.now()
    deliver_all()
    tell()
    deliver_all()
    assert len(receiver.calls) == answered_well + 1
    rest_until = Webhook.objects.get().rest_until
    assert rest_until
    assert rest_until >= before + timedelta(hours=1)
    item = api(admin).get(f"/api/v1/webhook/{webhook.pk}").json()["item"]
    assert item["rest_until"] > f"{before:%Y-%m-%dT%H}"
    assert "/act/resume/" in signed_in(admin).get(page(Webhook, "change", webhook.pk)).content.decode()
    webhooks.resume(webhook)
    deliver_all()
    assert len(receiver.calls) > answered_well + 1


def test_what_was_removed_meanwhile_is_refused_in_a_sentence(receiver: Receiver) -> None:
    webhook = listening(receiver, "gateway.up")
    Webhook.objects.all().delete()
    for deed in (lambda: webhooks.change(webhook, by=None, name="b"), lambda: webhooks.rotate(webhook)):
        with pytest.raises(Refusal, match="removed") as found:
            deed()
        assert found.value.why is Why.NOT_FOUND
