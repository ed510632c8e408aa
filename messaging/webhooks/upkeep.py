"""Housekeeping of webhooks: what waited too long is given up, and what is old is thrown away, in small transactions."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from messaging.models import Delivered, Webhook, WebhookDelivery, WebhookEvent, WebhookTry
from messaging.webhooks import schedule
from portal import clock
from portal.portions import in_portions

#: How many rows one transaction changes.
SOME = 500
TOO_LONG = gettext_noop("it waited for five days, because its webhook failed, was paused or switched off")


def give_up() -> int:
    """What could not be delivered for so long is of no use any more."""
    return in_portions(_give_up, SOME)


def forget() -> int:
    """Events that are old, with what they say and what became of them; and deliveries of webhooks that are removed."""
    return in_portions(_forget_events, SOME) + in_portions(_forget_removed, SOME)


def _give_up(most: int) -> int:
    waiting = WebhookDelivery.objects.filter(due_at__isnull=False, since__lt=clock.now() - schedule.GIVEN_UP_AFTER)
    some = list(waiting.order_by("since").values_list("pk", flat=True)[:most])
    return waiting.filter(pk__in=some).update(state=Delivered.GIVEN_UP, due_at=None, reason=TOO_LONG) if some else 0


def _forget_events(most: int) -> int:
    # They may say what somebody wrote, and from which phone, and that is kept no longer here than where it came from.
    kept = min(schedule.KEPT, timedelta(days=settings.MESSAGE_RETENTION_DAYS))
    old = WebhookEvent.objects.filter(at__lt=clock.now() - kept).order_by("at")
    keys = list(old.values_list("pk", flat=True)[:most])
    return _drop(WebhookDelivery.objects.filter(event__in=keys).values_list("pk", flat=True), keys) if keys else 0


def _forget_removed(most: int) -> int:
    removed = next((pk for pk in _told() if not Webhook.objects.filter(pk=pk).exists()), None)
    if removed is None:
        return 0
    left = WebhookDelivery.objects.filter(webhook_id=removed).order_by("pk")
    return _drop(left.values_list("pk", flat=True)[:most], [])


def _told() -> Iterator[int]:
    """The keys of webhooks that have deliveries, each found by one look into an index, however many those are."""
    found: int | None = 0
    while found is not None:
        later = WebhookDelivery.objects.filter(webhook_id__gt=found).order_by("webhook_id", "id")
        found = later.values_list("webhook_id", flat=True).first()
        if found is not None:
            yield found


def _drop(deliveries: Iterable[int], events: list[int]) -> int:
    """Takes away these deliveries with their calls, and these events; how many of the ones or the others."""
    keys = list(deliveries)
    with transaction.atomic():
        WebhookTry.objects.filter(delivery__in=keys).delete()
        WebhookDelivery.objects.filter(pk__in=keys).delete()
        WebhookEvent.objects.filter(pk__in=events).delete()
    return len(events or keys)
