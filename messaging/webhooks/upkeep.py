"""Housekeeping of webhooks: what waited too long is given up, and what is old is thrown away, in small transactions."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from messaging.models import Delivered, Webhook, WebhookDelivery, WebhookEvent
from messaging.webhooks import schedule
from portal import clock, counting
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


def forget_about(subject: str) -> int:
    """Whoever is to be forgotten: what was to be told or has been told of this is gone at once; how many events.

    In the caller's transaction. What a receiver has heard it keeps.
    """
    # The second condition leads SQLite to the index, and says that what is about nobody is never meant.
    events = list(WebhookEvent.objects.filter(about=subject, about__gt="").values_list("pk", flat=True))
    return _drop(_deliveries_of(events), events) if events else 0


def _give_up(most: int) -> int:
    waiting = WebhookDelivery.objects.filter(due_at__isnull=False, since__lt=clock.now() - schedule.GIVEN_UP_AFTER)
    with transaction.atomic():
        # Locked, so that none is counted that was delivered, or given up by somebody else, at this moment.
        some = waiting.order_by("since").select_for_update(skip_locked=True).values_list("pk", "webhook")
        found = list(some[:most])
        waiting.filter(pk__in=[pk for pk, _webhook in found]).update(
            state=Delivered.GIVEN_UP, due_at=None, reason=TOO_LONG
        )
        transaction.on_commit(partial(_count, [webhook for _pk, webhook in found]))
    return len(found)


def _count(lost: list[int]) -> None:
    for webhook_id, many in Counter(lost).items():
        counting.add("webhook_deliveries_lost", many, webhook=webhook_id)


def _forget_events(most: int) -> int:
    # They may say what somebody wrote, and from which phone, and that is kept no longer here than where it came from.
    kept = min(schedule.KEPT, timedelta(days=settings.MESSAGE_RETENTION_DAYS))
    old = WebhookEvent.objects.filter(at__lt=clock.now() - kept).order_by("at")
    keys = list(old.values_list("pk", flat=True)[:most])
    return _drop(_deliveries_of(keys), keys) if keys else 0


def _deliveries_of(events: list[int]) -> Iterable[int]:
    return WebhookDelivery.objects.filter(event__in=events).values_list("pk", flat=True)


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
        # Whoever writes down what became of a call waits, and then finds nothing to add its call to.
        list(WebhookDelivery.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))
        WebhookDelivery.objects.filter(pk__in=keys).delete()
        WebhookEvent.objects.filter(pk__in=events).delete()
    return len(events or keys)
