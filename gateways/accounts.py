"""What staff do to gateways: create, change, delete, put in order. Knows no HTTP."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q
from django.forms.models import model_to_dict
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gateways import changes, configuration, health, sessions
from gateways.changes import Change
from gateways.models import Gateway, GatewayHealth, new_callback_key
from portal.encryption import Locked
from portal.errors import DUPLICATE, Refusal, Why

#: The step between priorities, so that another gateway can be put between two by its number.
STEP = 10


class Details(TypedDict, total=False):
    """What may be said of a gateway; the fields of `Gateway`. `settings` are those of its provider's Config."""

    name: str
    provider: str
    settings: dict[str, Any]
    sender: str
    priority: int
    rate_per_second: float
    max_in_flight: int
    timeout: float
    prefixes: list[str]
    enabled: bool
    is_default: bool
    daily_limit: int | None
    strict: bool
    test_number: str
    balance_warning: Decimal | None
    segment_price: Decimal | None
    currency: str


def names() -> dict[int, str]:
    """Of every gateway its name by its id, in the order of names."""
    return dict(Gateway.objects.order_by("name").values_list("pk", "name"))


def create(**details: Unpack[Details]) -> Gateway:
    """A new gateway. Raises Refusal (a name that is taken is a conflict) or ValidationError naming the field."""
    gateway = Gateway()
    _describe(gateway, details)
    _save(gateway)
    return gateway


def draft(**details: Unpack[Details]) -> Gateway:
    """A gateway that is checked as a new one is, and stored nowhere. Raises ValidationError naming the field."""
    gateway = Gateway(pk=0)
    _describe(gateway, {"name": "draft", **details})
    return gateway


def change(gateway: Gateway, **details: Unpack[Details]) -> None:
    """Changes what is given. Settings are merged key by key, unless the provider is another one.

    New settings end the gateway's pause and its session: whoever mends an account need not wait. Raises as `create`
    does, and a conflict where nothing would be the default gateway any more.
    """
    before = (gateway.provider, gateway.settings)
    if gateway.is_default and not details.get("is_default", True):
        # Without a default gateway, a send that names none would fail from now on.
        sentence = _("Make another gateway the default instead.")
        raise Refusal(sentence, field="is_default", why=Why.CONFLICT)
    _describe(gateway, details)
    # Together: nobody may see the new settings with the old session.
    with transaction.atomic():
        _save(gateway)
        if (gateway.provider, gateway.settings) != before:
            sessions.forget(gateway.pk)
            health.begin_anew(gateway.pk)
        else:
            changes.tell(gateway.pk, Change.SETTINGS)


def delete(gateway: Gateway) -> None:
    """Raises Refusal (a conflict) where messages on record went through it."""
    try:
        gateway.delete()
    except ProtectedError:
        sentence = _("Gateway “%(name)s” has messages on record and cannot be deleted; switch it off instead.")
        raise Refusal(sentence % {"name": gateway.name}, why=Why.CONFLICT) from None


def renew_callback_key(gateway: Gateway) -> None:
    """Another callback address from now on; calls to the former one are refused."""
    gateway.callback_key = new_callback_key()
    gateway.save(update_fields=["callback_key"])
    changes.tell(gateway.pk, Change.SETTINGS)


def reorder(ids: Sequence[int]) -> None:
    """Makes this the order in which gateways are tried. Raises Refusal (a conflict) unless all of them are named."""
    with transaction.atomic():
        _write_order(_locked(), ids)


def move(gateway: Gateway, places: int) -> None:
    """Earlier by so many places, or with a negative number later; never over either end."""
    with transaction.atomic():
        rows = _locked()
        ids = [row.pk for row in rows]
        if gateway.pk not in ids:
            raise _order_is_old()
        place = ids.index(gateway.pk)
        ids.insert(max(0, place - places), ids.pop(place))
        _write_order(rows, ids)


def _locked() -> list[Gateway]:
    """All gateways in their order. The locks are taken in one order, so that two callers cannot wait for each other."""
    rows = Gateway.objects.select_for_update().only("pk", "name", "priority").order_by("pk")
    return sorted(rows, key=lambda row: (row.priority, row.name))


def _write_order(rows: Sequence[Gateway], ids: Sequence[int]) -> None:
    if sorted(ids) != sorted(row.pk for row in rows):
        raise _order_is_old()
    by_id = {row.pk: row for row in rows}
    for number, pk in enumerate(ids, start=1):
        if by_id[pk].priority != number * STEP:
            Gateway.objects.filter(pk=pk).update(priority=number * STEP)


def _hold_default(gateway: Gateway) -> None:
    """Locks this one and the default one, in the order of `_locked`; what is sent by them waits for nobody."""
    rows = Gateway.objects.select_for_update(no_key=True).filter(Q(is_default=True) | Q(pk=gateway.pk))
    list(rows.order_by("pk").values_list("pk"))


def _order_is_old() -> Refusal:
    sentence = _("Gateways were added or deleted meanwhile: load the list again, then put them in order.")
    return Refusal(sentence, why=Why.CONFLICT)


def seal_of(gateway: Gateway) -> str:
    """Stands for all that can be said of the gateway, and says none of it: whoever changes it shows what they saw."""
    stored = gateway.settings.token if isinstance(gateway.settings, Locked) else gateway.settings
    said = {**model_to_dict(gateway), "settings": stored}
    return salted_hmac(
        "gateways.accounts", json.dumps(said, sort_keys=True, default=str), algorithm="sha256"
    ).hexdigest()


def _describe(gateway: Gateway, details: Details) -> None:
    same_provider = details.get("provider", gateway.provider) == gateway.provider
    kept = configuration.stored_settings(gateway) if same_provider else {}
    given = details.get("settings", {})
    for name, value in details.items():
        setattr(gateway, name, value)
    if not same_provider or "settings" in details:
        gateway.settings = configuration.checked(gateway.provider, given, kept)
    # A gateway whose provider's file is gone can still be switched off.
    unchanged = {"provider"} if gateway.pk and same_provider else set()
    gateway.full_clean(exclude={"settings", *unchanged}, validate_unique=False, validate_constraints=False)


def _save(gateway: Gateway) -> None:
    """Writes the gateway; being the default one is taken from whichever had it."""
    try:
        with transaction.atomic():
            if gateway.is_default:
                _hold_default(gateway)
                Gateway.objects.filter(is_default=True).exclude(pk=gateway.pk).update(is_default=False)
            gateway.save()
            GatewayHealth.objects.get_or_create(gateway=gateway)
    except IntegrityError:
        taken = Gateway.objects.filter(name=gateway.name).exclude(pk=gateway.pk).exists()
        sentence = DUPLICATE if taken else _("Another gateway was made the default at the same time; try again.")
        raise Refusal(sentence, field="name" if taken else "is_default", why=Why.CONFLICT) from None
