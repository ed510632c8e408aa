"""Messages whose time is over: nobody can be dialled by what is left. Small transactions, for seconds of each minute.

Rows are looked at in the order in which they were made, and how far that has come is kept, so that what was done
costs nothing. A message that is still under way is waited for.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Left

from messaging.models import FINAL, Attempt, Batch, DeliveryEvent, InboundMessage, Message, Step
from portal import clock
from portal.models import LastRun
from portal.portions import in_portions

#: How many rows of a kind one transaction changes.
SOME = 200
#: A batch may have refused thousands of items.
FEW = 20
#: Of a phone its country and range are left, for statistics.
LEFT, HIDDEN = 5, "*" * 7
#: Under this name and the model's is kept how far it has come.
PROGRESS = "retention"


def anonymise_messages() -> int:
    """Phone, recipient and what providers wrote about it."""
    return in_portions(_anonymise_messages, SOME)


def anonymise_inbound() -> int:
    """What people wrote, and from which phone; that they asked for no more messages is kept as an opt-out."""
    return in_portions(partial(_write_over, InboundMessage, "received_at", {"phone": _masked(), "text": ""}), SOME)


def anonymise_events() -> int:
    """What providers reported in their own words."""
    return in_portions(partial(_write_over, DeliveryEvent, "received_at", {"detail": ""}), SOME)


def anonymise_batches() -> int:
    """What the refused items of batches were called, and why they were refused."""
    return in_portions(_anonymise_batches, FEW)


def _anonymise_batches(most: int) -> int:
    keys = [row.pk for row in _some(Batch, "created", most)]
    if keys:
        with transaction.atomic():
            for batch in Batch.objects.select_for_update().filter(pk__in=keys).order_by("pk"):
                batch.forget_all()
            _note(Batch, keys[-1])
    return len(keys)


def _anonymise_messages(most: int) -> int:
    keys = [row.pk for row in takewhile(lambda row: row.state in FINAL, _some(Message, "created", most))]
    if not keys:
        return 0
    with transaction.atomic():
        Message.objects.filter(pk__in=keys).update(
            phone=_masked(),
            recipient_label="",
            caller_reference=None,
            text=None,
            masked_text="",
            reason="",
            code_digest="",
        )
        Attempt.objects.filter(message__in=keys).update(detail="", exchange={})
        Step.objects.filter(message__in=keys).update(reason="")
        _note(Message, keys[-1])
    return len(keys)


def _write_over(model: type[models.Model], time: str, values: Mapping[str, Any], most: int) -> int:
    keys = [row.pk for row in _some(model, time, most)]
    if keys:
        with transaction.atomic():
            model._default_manager.filter(pk__in=keys).update(**values)
            _note(model, keys[-1])
    return len(keys)


def _some(model: type[models.Model], time: str, most: int) -> list[Any]:
    """The next rows, up to the first whose time is not over."""
    columns = ("pk", time, "state") if model is Message else ("pk", time)
    rows = model._default_manager.filter(pk__gt=_reached(model)).order_by("pk").only(*columns)[:most]
    before = _before()
    return list(takewhile(lambda row: getattr(row, time) < before, rows))


def _masked() -> Concat:
    return Concat(Left("phone", LEFT), Value(HIDDEN))


def _before() -> datetime:
    return clock.now() - timedelta(days=settings.MESSAGE_RETENTION_DAYS)


def _reached(model: type[models.Model]) -> int:
    kept = LastRun.objects.filter(name=_name(model)).first()
    return int(kept.result["until"]) if kept else 0


def _note(model: type[models.Model], key: int) -> None:
    kept = {"at": clock.now(), "seconds": 0, "result": {"until": key}}
    LastRun.objects.update_or_create(name=_name(model), defaults=kept)


def _name(model: type[models.Model]) -> str:
    return f"{PROGRESS} {model._meta.model_name}"
