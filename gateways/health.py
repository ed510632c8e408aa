"""Whether a gateway may be used: its breaker, and whether its credentials are refused. Not here: which is next.

The breaker pauses a gateway whose account is at fault, or that leaves message after message without an answer, for a
growing while; then one message goes on trial. Refused credentials stop it until a person acts, because providers
block hosts that try again.
"""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from gateways.changes import Change, tell
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault, storable
from portal import clock

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
#: So many messages in a row that nobody answers, and the gateway is taken for dead.
TROUBLES_TO_PAUSE = 5
#: What an administrator can do where the provider's file names no remedy; kept in English, shown in their language.
CORRECT_CREDENTIALS = gettext_noop(
    "correct the login, password or key in the gateway's settings, or check the connection again"
)


class Breaker(models.TextChoices):
    """Whether messages pass: all, none until the pause ends, or one on trial."""

    CLOSED = "closed", _("closed")
    OPEN = "open", _("open")
    HALF_OPEN = "half_open", _("half open")


def of(gateway: Gateway) -> GatewayHealth:
    """Its health; a gateway without the row has never had an error."""
    return getattr(gateway, "health", None) or GatewayHealth(gateway=gateway)


def breaker(health: GatewayHealth) -> Breaker:
    """The breaker's state now."""
    if not health.faults:
        return Breaker.CLOSED
    return Breaker.OPEN if health.open_until and health.open_until > clock.now() else Breaker.HALF_OPEN


def may_be_used(health: GatewayHealth) -> bool:
    """Whether a message may be handed to it now, be it on trial."""
    return health.refused_at is None and breaker(health) is not Breaker.OPEN


def pause_after(faults: int) -> timedelta:
    """How long to leave a gateway alone after so many faults in a row: 30 s, 60 s, … 10 minutes."""
    return min(FIRST_PAUSE * int(2 ** min(faults - 1, 10)), LONGEST_PAUSE)


def record_fault(
    gateway_id: int, fault: GatewayFault, settings_at: datetime | None = None, asked_as: Gateway | None = None
) -> bool:
    """Pauses the gateway; refused credentials stop it. Faults that come in meanwhile change nothing.

    `asked_as` is the gateway as the provider was asked, and `settings_at` its health's: what is said of settings
    that are not the present ones is no news. False where it is none.
    """
    with transaction.atomic():
        _health, made = GatewayHealth.objects.get_or_create(gateway_id=gateway_id)
        health = GatewayHealth.objects.select_for_update().get(gateway_id=gateway_id)
        if _is_outdated(health, None if made else settings_at, asked_as):
            return False
        if health.refused_at is None:
            if isinstance(fault, CredentialsRefused):
                _stop(health, fault)
            else:
                _pause(health, fault)
    return True


def settings_at(gateway_id: int) -> datetime | None:
    """Which settings are in force at this moment."""
    return GatewayHealth.objects.filter(gateway_id=gateway_id).values_list("settings_at", flat=True).first()


def settings_as_read(gateway: Gateway) -> datetime | None:
    """Which settings these are, where the gateway was read with its health; compared for being the same, never by time.

    Two machines' clocks differ.
    """
    found: GatewayHealth | None = gateway._state.fields_cache.get("health")
    return found.settings_at if found else None


def _is_outdated(health: GatewayHealth, settings_at: datetime | None, asked_as: Gateway | None) -> bool:
    """Whether the settings were changed, or found well, since the provider was asked. Call it with the row locked."""
    if settings_at is not None and settings_at != health.settings_at:
        return True
    if asked_as is None:
        return False
    now = Gateway.objects.only("provider", "settings").get(pk=health.pk)
    return (now.provider, now.settings) != (asked_as.provider, asked_as.settings)


def _stop(health: GatewayHealth, fault: CredentialsRefused) -> None:
    now = clock.now()
    error = _error(fault.reason, fault.remedy or CORRECT_CREDENTIALS, now)
    GatewayHealth.objects.filter(pk=health.pk).update(refused_at=now, proven=False, **error)
    tell(health.pk, Change.REFUSED)


def _pause(health: GatewayHealth, fault: GatewayFault) -> None:
    now = clock.now()
    if health.open_until and health.open_until > now:
        return
    faults = health.faults + 1
    until = now + max(pause_after(faults), timedelta(seconds=fault.pause))
    error = _error(fault.reason, fault.remedy, now)
    GatewayHealth.objects.filter(pk=health.pk).update(open_until=until, faults=faults, troubles=0, **error)
    tell(health.pk, Change.PAUSED)


def _error(reason: str, remedy: str, now: datetime) -> dict[str, object]:
    return {"last_error": storable(reason), "last_remedy": storable(remedy), "last_error_at": now}


def record_trouble(gateway_id: int, messages: int, reason: str) -> None:
    """So many messages got no answer at all. Enough in a row pause the gateway; on trial, one is enough."""
    record_error(gateway_id, reason)
    GatewayHealth.objects.filter(gateway_id=gateway_id).update(troubles=F("troubles") + messages)
    silent = GatewayHealth.objects.filter(Q(faults__gt=0) | Q(troubles__gte=TROUBLES_TO_PAUSE), gateway_id=gateway_id)
    if silent.exists():
        record_fault(gateway_id, GatewayFault(reason))


def record_error(gateway_id: int, reason: str, remedy: str = "") -> None:
    """Remembers the last error and leaves the gateway open. What has stopped or paused one stays there to be read."""
    GatewayHealth.objects.get_or_create(gateway_id=gateway_id)
    now = clock.now()
    _not_paused(gateway_id, now).filter(refused_at=None).update(**_error(reason, remedy, now))


def record_success(gateway_id: int, settings_at: datetime | None = None, asked_as: Gateway | None = None) -> None:
    """The provider answered about a message: its settings work, and faults are forgotten. The last error stays.

    During a pause it proves nothing: it answers a call that was under way when the fault came. Nor does it of
    settings that are not the present ones; `settings_at` and `asked_as` are those of `record_fault`. Writes only where
    there is something to forget.
    """
    forgettable = Q(faults__gt=0) | Q(troubles__gt=0) | Q(proven=False)
    changed = _not_paused(gateway_id, clock.now()).filter(forgettable, refused_at=None)
    if not changed.exists():
        return
    with transaction.atomic():
        health = changed.select_for_update().first()
        if health is None or _is_outdated(health, settings_at, asked_as):
            return
        GatewayHealth.objects.filter(pk=health.pk).update(faults=0, troubles=0, open_until=None, proven=True)
        if health.faults:
            tell(gateway_id, Change.RECOVERED)


def _not_paused(gateway_id: int, now: datetime) -> models.QuerySet[GatewayHealth]:
    return GatewayHealth.objects.filter(Q(open_until=None) | Q(open_until__lte=now), gateway_id=gateway_id)


def begin_anew(gateway_id: int, *, proven: bool = False) -> None:
    """A person changed the settings, or found them well: whoever mends an account need not wait."""
    GatewayHealth.objects.filter(gateway_id=gateway_id).update(
        faults=0, troubles=0, open_until=None, refused_at=None, proven=proven, settings_at=clock.now()
    )
    tell(gateway_id, Change.SETTINGS)


def end_pause(gateway_id: int) -> bool:
    """A person will not wait for the pause to end: the next message goes on trial. False where there is no pause."""
    now = clock.now()
    paused = GatewayHealth.objects.filter(gateway_id=gateway_id, open_until__gt=now, refused_at=None)
    ended = paused.update(open_until=now) == 1
    if ended:
        tell(gateway_id, Change.SETTINGS)
    return ended


def limit(gateway: Gateway) -> int:
    """How many messages may be in flight: none while it may not be used, one on trial, else its own limit.

    On trial are the first message after a pause, and the first with credentials that have never worked: a wrong
    password must reach the provider once, not fifty times.
    """
    return limit_by(gateway, GatewayHealth.objects.filter(gateway=gateway).first() or GatewayHealth(gateway=gateway))


def limit_by(gateway: Gateway, health: GatewayHealth) -> int:
    """The same, by health that was read already."""
    if not may_be_used(health):
        return 0
    on_trial = health.faults > 0 or is_untried(gateway, health)
    return 1 if on_trial else gateway.max_in_flight


def is_untried(gateway: Gateway, health: GatewayHealth) -> bool:
    """Whether each request carries a secret that has never worked: until one message went through, it is alone.

    Where a token is logged in for, the login is the trial.
    """
    if health.proven:
        return False
    provider = gateway.abilities()
    return bool(provider.secrets) and not provider.way.logs_in


def paused_until(gateway_id: int) -> datetime | None:
    """When the pause ends, or None where there is none."""
    return (
        GatewayHealth.objects.filter(gateway_id=gateway_id, open_until__gt=clock.now())
        .values_list("open_until", flat=True)
        .first()
    )
