"""What staff do to webhooks: create, change, remove, another secret, pause and resume. Knows no HTTP."""

import time
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from yarl import URL

from messaging import addresses, event_types, ringing
from messaging.models import Format, Stop, Webhook, WebhookDelivery, outbox
from messaging.models.webhook import LONGEST_NAME, LONGEST_URL
from messaging.webhooks import schedule, signing
from portal import audit, clock
from portal.encryption import Locked
from portal.errors import DUPLICATE, Refusal, Why
from portal.models import User
from portal.permissions import Right, missing_right

#: No lease is as long as this: what is due later waits for its next try.
AT_REST = timedelta(minutes=1)
#: What is told to each is written where it happens: a program that makes another webhook whenever it starts must not
#: slow down what is sent.
MOST = 100
#: Seconds after which every process knows what a webhook is told of, one that was reading just then too.
KNOWN_AFTER = outbox.UNASKED + 0.5


class Details(TypedDict, total=False):
    """What may be said of a webhook; the fields of `Webhook`."""

    name: str
    url: str
    events: list[str]
    format: str
    verify_tls: bool
    enabled: bool


class Made(NamedTuple):
    """A webhook, and its secret, which is shown this once."""

    webhook: Webhook
    secret: str


def create(*, by: User | None, **details: Unpack[Details]) -> Made:
    """A new webhook. Raises Refusal naming the field; a name that is taken is a conflict, and so is one too many."""
    webhook = Webhook(secret=signing.new_secret(), made_by=by, created=clock.now())
    _describe(webhook, details, by)
    with transaction.atomic():
        _check_count()
        _save(webhook)
    if webhook.enabled:
        transaction.on_commit(_wait_until_known)
    return Made(webhook, webhook.secret)


def _check_count() -> None:
    """Whoever makes another one at this moment waits until the transaction ends: all of them lock the oldest.

    Events for it, whose rows only name it, wait for nobody.
    """
    Webhook.objects.select_for_update(no_key=True).order_by("pk").values("pk").first()
    if Webhook.objects.count() >= MOST:
        sentence = _("There are %(most)s webhooks already; remove those that nobody needs.")
        raise Refusal(sentence % {"most": MOST}, why=Why.CONFLICT)


def change(webhook: Webhook, *, by: User | None, **details: Unpack[Details]) -> Webhook:
    """Changes what is given. Whoever switches it on resumes it, where a 410 had switched it off. Raises as `create`.

    Where it was switched on, or has another address, nothing that was before counts as a failure of it.
    """
    with transaction.atomic():
        current = _locked(webhook)
        was_on, address = current.enabled, current.url
        _describe(current, details, by)
        switched_on = current.enabled and not was_on
        anew = _begin_anew(current) if switched_on or current.url != address else []
        _save(current, update_fields=[*details, *anew])
    if current.enabled and not details.keys().isdisjoint({"events", "enabled"}):
        transaction.on_commit(_wait_until_known)
    return resume(current) if switched_on and current.paused_because == Stop.GONE else _told(current)


def _begin_anew(webhook: Webhook) -> list[str]:
    """Forgets a row of failures; the fields in which it was kept."""
    webhook.failing_since = webhook.rest_until = None
    return ["failing_since", "rest_until"]


def _locked(webhook: Webhook) -> Webhook:
    """The webhook as it is now, locked until the transaction ends. Raises Refusal (not found)."""
    current = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    if current is None:
        raise Refusal(_("This webhook was removed in the meantime."), why=Why.NOT_FOUND)
    return current


def remove(webhook: Webhook) -> None:
    """It is told nothing more. What is on record of it housekeeping throws away."""
    Webhook.objects.filter(pk=webhook.pk).delete()
    transaction.on_commit(outbox.forget)


def rotate(webhook: Webhook) -> Made:
    """Another secret; the present one signs too for a day, the one before it no more. Raises Refusal (not found)."""
    secret, now = signing.new_secret(), clock.now()
    with transaction.atomic():
        current = _locked(webhook)
        current.former_secret, current.former_until = current.secret, now + schedule.FORMER_SIGNS
        current.secret = secret
        # The address as well, so that nothing of it is left that the former key of ENCRYPTION_KEYS has to open.
        current.save(update_fields=["url", "secret", "former_secret", "former_until"])
    return Made(current, secret)


def pause(webhook: Webhook) -> Webhook:
    """Events are kept for it until somebody resumes it. Raises Refusal (a conflict) where it is paused already."""
    now = clock.now()
    if not Webhook.objects.filter(pk=webhook.pk, paused_at=None).update(paused_at=now, paused_because=Stop.PERSON):
        raise Refusal(_("This webhook is paused already."), why=Why.CONFLICT)
    webhook.paused_at, webhook.paused_because = now, Stop.PERSON
    return _told(webhook)


def resume(webhook: Webhook) -> Webhook:
    """It is called again, and all that waits goes out at once; what was tried before has all its tries before it.

    But for what a worker has in its hands: if this was the last try, it stays that. What was never tried is due as it
    is, and may be very much: it is not written anew.
    """
    calm: dict[str, Any] = {
        "enabled": True, "paused_at": None, "paused_because": Stop.NONE, "failing_since": None, "rest_until": None,
    }  # fmt: skip
    now = clock.now()
    # What a worker has in its hands stays there until its lease is over; what is due within a minute comes by itself.
    soon = Q(due_at__gt=now, due_at__lte=now + AT_REST)
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(**calm)
        tried = WebhookDelivery.objects.filter(webhook=webhook, tries__gt=0, due_at__isnull=False)
        tried.exclude(soon).update(due_at=now, since=now, tries=0)
        # Whoever writes down an answer to one at this moment waits for nobody.
        locked = tried.filter(soon).select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)
        WebhookDelivery.objects.filter(pk__in=list(locked)).update(since=now, tries=0)
    if not webhook.enabled:
        transaction.on_commit(_wait_until_known)
    for name, value in calm.items():
        setattr(webhook, name, value)
    transaction.on_commit(partial(ringing.ring_soon, webhook.pk, outbox.DELIVER))
    return _told(webhook)


def _describe(webhook: Webhook, details: Details, by: User | None) -> None:
    for name, value in details.items():
        setattr(webhook, name, value.strip() if isinstance(value, str) else value)
    if not webhook.name or len(webhook.name) > LONGEST_NAME:
        sentence = _("Give a name of at most %(most)s characters.")
        raise Refusal(sentence % {"most": LONGEST_NAME}, field="name")
    if not isinstance(webhook.url, Locked):
        webhook.url = _address(webhook.url)
    if webhook.format not in Format.values:
        raise Refusal(_("Choose one of: %(names)s.") % {"names": ", ".join(Format.values)}, field="format")
    webhook.events = _checked_events(webhook, by)


def _address(given: str) -> str:
    """The address as it is called. Where its host is, is looked at then: a name may lead elsewhere by that time."""
    if given == audit.mask_address(given):
        sentence = _("Give the whole address: what is shown of it leaves out what is behind the host.")
        raise Refusal(sentence, field="url")
    split, url = addresses.parts_of(given), _in_ascii(given)
    if split is None or not url or split.scheme not in {"http", "https"} or not split.hostname:
        raise Refusal(_("Give an address that begins with https:// or http://."), field="url")
    if split.username is not None or split.fragment:
        raise Refusal(_("The address may hold no password before the host, and nothing behind a #."), field="url")
    if len(url) > LONGEST_URL:
        raise Refusal(_("The address may have %(most)s characters.") % {"most": LONGEST_URL}, field="url")
    return url


def _in_ascii(url: str) -> str:
    """As it goes over the network; empty where it cannot. `https://касса.рф` is `https://xn--80aa2a3aa.xn--p1ai`."""
    try:
        return url if url.isascii() else str(URL(url))
    except ValueError:
        return ""


def _checked_events(webhook: Webhook, by: User | None) -> list[str]:
    given = set(webhook.events)
    if unknown := sorted(given - set(event_types.names())):
        raise Refusal(_("There is no event “%(name)s”.") % {"name": unknown[0][:40]}, field="events")
    if not given:
        raise Refusal(_("Choose at least one event."), field="events")
    if webhook.format == Format.SMSMOBILEAPI_V1 and given != {event_types.RECEIVED}:
        sentence = _("In the format of SMSmobileAPI only %(name)s can be told.")
        raise Refusal(sentence % {"name": event_types.RECEIVED}, field="events")
    for one in event_types.EVENT_TYPES:
        if by is not None and one.name in given and (missing := missing_right(by, Right(one.needs))):
            sentence = _("To have %(name)s sent you need the right “%(right)s”.")
            raise Refusal(sentence % {"name": one.name, "right": missing.label}, field="events", why=Why.INVALID)
    return [name for name in event_types.names() if name in given]


def _save(webhook: Webhook, update_fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            webhook.save(update_fields=update_fields)
    except IntegrityError:
        raise Refusal(DUPLICATE, field="name", why=Why.CONFLICT) from None
    _told(webhook)


def _wait_until_known() -> None:
    """Whoever changed it may do at once what it is to be told of, and the process that does it must know."""
    time.sleep(KNOWN_AFTER)


def _told(webhook: Webhook) -> Webhook:
    transaction.on_commit(outbox.forget)
    return webhook
