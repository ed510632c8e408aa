"""At a person's wish: an event is told once more, or one that says nothing is told to see whether it arrives."""

from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from messaging import event_types, ringing
from messaging.models import Delivered, Webhook, WebhookDelivery, outbox
from messaging.webhooks import delivering, formats
from messaging.webhooks.calling import call_all
from portal import clock
from portal.errors import Refusal, Why


class Tested(NamedTuple):
    """What a test found out, and its delivery."""

    works: bool
    says: str
    delivery: WebhookDelivery


def replay(delivery: WebhookDelivery) -> None:
    """Tells the event once more, under the same id and with a new time, whatever became of it before.

    Raises Refusal (a conflict) where it waits anyway, where its webhook is switched off, or is not told of such events.
    """
    now = clock.now()
    webhook = Webhook.objects.filter(pk=delivery.webhook_id, enabled=True).first()
    if webhook is None:
        raise Refusal(_("Switch the webhook on first."), why=Why.CONFLICT)
    if not formats.may_be_told(webhook, delivery.event):
        sentence = _("Choose %(name)s among the events of the webhook first.")
        raise Refusal(sentence % {"name": delivery.event.type}, why=Why.CONFLICT)
    over = WebhookDelivery.objects.filter(pk=delivery.pk, due_at=None)
    if not over.update(state=Delivered.PENDING, due_at=now, since=now, tries=0, reason=""):
        raise Refusal(_("This delivery waits already."), why=Why.CONFLICT)
    transaction.on_commit(partial(ringing.ring_soon, delivery.webhook_id, outbox.DELIVER))


def test(webhook: Webhook) -> Tested:
    """Tells the webhook a `webhook.test`, now and once, also where it is paused. Call it outside any transaction."""
    said = {"webhook": webhook.name, "message": f"{settings.PORTAL_NAME}: a test of the webhook {webhook.name}"}
    until = clock.now() + delivering.LEASE
    (event,) = outbox.put(event_types.TEST, [said], [webhook.pk], taken_until=until)
    delivery = WebhookDelivery.objects.select_related("event").get(event=event)
    (answer,) = call_all(webhook, [delivery], until)
    delivering.settle(webhook, [answer], again=False)
    if answer.is_success:
        told = {"status": answer.status, "time": answer.milliseconds}
        return Tested(True, _("it answered %(status)s after %(time)s ms") % told, delivery)
    return Tested(False, answer.reason, delivery)
