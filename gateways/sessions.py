"""Being let in by a provider: who logs in, and the token that all workers share.

One login is under way per gateway, however many workers have messages for it. A refused one stops the gateway and is
never tried again by itself. What a login looks like is the business of `auth/`.
"""

import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from gateways import health, transport
from gateways.auth import Token
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, GatewayHealth, GatewaySession
from gateways.outcomes import (
    CredentialsRefused,
    GatewayFault,
    NotAccepted,
    Outcome,
    RefusedForNow,
)
from gateways.provider import BaseProvider
from portal import clock
from portal.encryption import Locked

logger = logging.getLogger(__name__)

#: A token is renewed this long before its end, so that none ends on its way to the provider.
SKEW = timedelta(seconds=60)
#: A login outlives its own HTTP deadline by this much before another worker may try.
MARGIN = timedelta(seconds=15)
#: How often the row says that the token was used, seconds; the row need not be written for every message.
NOTE_USE_EVERY = 30.0
#: Seconds between two looks whether another worker's login is done.
LOOK_EVERY = 0.1
#: The provider does not accept the tokens that it has just issued: another one would not help.
MOST_REFUSALS = 2


class Busy(Exception):
    """Another worker is logging in at this moment."""


class AccessEnded(NotAccepted):
    """The provider took nothing, because its token is good no more; with a new one the same request may be made."""

    outcome = Outcome.REFUSED_FOR_NOW


@dataclass(frozen=True)
class Entry:
    """A provider that lets us in: what `sign` returns will be believed. `issued_at` tells its token from others."""

    provider: BaseProvider
    token: Token | None = None
    issued_at: datetime | None = None

    def sign(self, request: HttpRequest) -> HttpRequest:
        """The request with the token and with the gateway's word on certificates."""
        signed = self.provider.way.sign(request, self.provider.settings, self.token)
        verify_tls = bool(self.provider.settings.get("verify_tls", True))
        return signed if signed.verify_tls == verify_tls else replace(signed, verify_tls=verify_tls)


def enter(gateway: Gateway, patience: float = 0.0, *, knowingly: bool = False, may_log_in: bool = True) -> Entry:
    """Lets a gateway's requests in, logging in where there is no token that is still good.

    Waits up to `patience` seconds while another worker logs in, then raises Busy; so it does where `may_log_in` forbids
    a login that is needed. `knowingly`: a person wants refused credentials to be tried once more, pause or no pause.
    Raises CredentialsRefused, and then nobody tries again until a person acts; another NotAccepted where the login
    failed, which has paused the gateway; and whatever `Gateway.open` raises. Call it outside any transaction. A gateway
    whose settings were changed since it was read is read again.
    """
    until = time.monotonic() + patience
    while True:
        provider = gateway.open()
        if not knowingly:
            _refuse_if_stopped(gateway)
        if not provider.way.logs_in:
            return Entry(provider)
        session = _session_of(gateway)
        if _has_other_settings(gateway, session.gateway):
            # The session goes with the new ones: neither its token nor its turn may be used with the old ones.
            gateway.refresh_from_db()
            continue
        entry = _entry(provider, session) or (
            _come_by_entry(gateway, provider, session, knowingly)
            if may_log_in and _take_turn(session, gateway)
            else None
        )
        if entry:
            return entry
        if time.monotonic() >= until:
            raise Busy
        time.sleep(LOOK_EVERY)


def _refuse_if_stopped(gateway: Gateway) -> None:
    stopped = GatewayHealth.objects.filter(gateway=gateway, refused_at__isnull=False).first()
    if stopped:
        raise CredentialsRefused(stopped.last_error, stopped.last_remedy)


def _refuse_if_paused(gateway: Gateway) -> None:
    """Questions are asked during a pause too, but nobody logs in for one: that may be what the pause is for."""
    until = health.paused_until(gateway.pk)
    if until:
        raise RefusedForNow("nobody logs in while the gateway is paused", (until - clock.now()).total_seconds())


def _session_of(gateway: Gateway) -> GatewaySession:
    """The session with its gateway as one moment shows them."""
    sessions = GatewaySession.objects.select_related("gateway").filter(gateway=gateway)
    if session := sessions.first():
        return session
    GatewaySession.objects.get_or_create(gateway=gateway)
    return sessions.get()


def _has_other_settings(gateway: Gateway, now: Gateway) -> bool:
    return (gateway.provider, gateway.settings) != (now.provider, now.settings)


def _entry(provider: BaseProvider, session: GatewaySession) -> Entry | None:
    token = _good_token(session)
    if token is None:
        return None
    _note_use(session)
    return Entry(provider, token, session.issued_at)


def _good_token(session: GatewaySession) -> Token | None:
    now = clock.now()
    value = _readable(session.token)
    if not value or not session.issued_at or (session.expires_at and session.expires_at <= now):
        return None
    used_at = session.used_at or session.issued_at
    if session.idles is not None and (now - used_at).total_seconds() >= session.idles:
        return None
    return Token(value, _readable(session.refresh))


def _readable(token: str | None) -> str:
    """The token, empty where there is none or the key that decrypts it is missing: then a new one is logged in for."""
    return "" if token is None or isinstance(token, Locked) else token


def _note_use(session: GatewaySession) -> None:
    now = clock.now()
    every = min(NOTE_USE_EVERY, session.idles / 4) if session.idles is not None else NOTE_USE_EVERY
    if session.used_at is None or (now - session.used_at).total_seconds() >= every:
        GatewaySession.objects.filter(pk=session.pk, issued_at=session.issued_at).update(used_at=now)


def _take_turn(session: GatewaySession, gateway: Gateway) -> bool:
    """Whether this worker is the one that logs in. The turn it takes is what its answer may be written with."""
    now = clock.now()
    free = GatewaySession.objects.filter(Q(busy_until=None) | Q(busy_until__lte=now), pk=session.pk, turn=session.turn)
    # Twice the time-out: a refused renewal is followed by a login.
    busy_until = now + timedelta(seconds=2 * gateway.timeout) + MARGIN
    if free.update(turn=F("turn") + 1, busy_until=busy_until) != 1:
        return False
    session.turn += 1
    return True


def _come_by_entry(gateway: Gateway, provider: BaseProvider, session: GatewaySession, knowingly: bool) -> Entry | None:
    """In by a renewal or a login, kept for all workers; None where the settings were changed meanwhile.

    The turn ends with a higher number than it began with: whoever looked while it lasted has to look again.
    """
    mine = GatewaySession.objects.filter(pk=session.pk, turn=session.turn)
    ended = {"turn": F("turn") + 1, "busy_until": None}
    try:
        # Once more, because the worker that had the turn before may have failed since we looked.
        if not knowingly:
            _refuse_if_stopped(gateway)
            _refuse_if_paused(gateway)
        token = _new_token(gateway, provider, session)
    except BaseException:
        # Only now: whoever takes the next turn must find what health was told.
        mine.update(**ended)
        raise
    now = clock.now()
    kept = mine.update(
        token=token.value,
        refresh=token.refresh or None,
        issued_at=now,
        used_at=now,
        expires_at=None if token.lasts is None else now + _safe_life(token.lasts),
        idles=token.idles,
        **ended,
    )
    return Entry(provider, token, now) if kept else None


def _new_token(gateway: Gateway, provider: BaseProvider, session: GatewaySession) -> Token:
    """By a renewal, else by a login; a failure is told to the gateway's health."""
    settings_at = health.settings_at(gateway.pk)
    try:
        return _renew(gateway, provider, session) or _log_in(gateway, provider)
    except NotAccepted as error:
        _tell_health(gateway, error, settings_at)
        raise


def _safe_life(lasts: float) -> timedelta:
    life = timedelta(seconds=lasts)
    return life - min(SKEW, life / 2)


def _tell_health(gateway: Gateway, error: NotAccepted, settings_at: datetime | None) -> None:
    if not isinstance(error, GatewayFault):
        pause = error.retry_after if isinstance(error, RefusedForNow) else 0.0
        error = GatewayFault(f"the login failed: {error.reason}", pause=pause)
    health.record_fault(gateway.pk, error, settings_at, gateway)


def _renew(gateway: Gateway, provider: BaseProvider, session: GatewaySession) -> Token | None:
    """A new token by the old one; None where that is not possible or refused, and a login is needed."""
    old = Token(_readable(session.token), _readable(session.refresh))
    request = provider.way.refresh(provider.settings, old) if old.refresh else None
    if request is None:
        return None
    try:
        return provider.way.read_refresh(provider.settings, _fetch(gateway, provider, request))
    except CredentialsRefused:
        return None


def _log_in(gateway: Gateway, provider: BaseProvider) -> Token:
    request = provider.way.login(provider.settings)
    return provider.way.read_login(provider.settings, _fetch(gateway, provider, request))


def _fetch(gateway: Gateway, provider: BaseProvider, request: HttpRequest) -> HttpResponse:
    verify_tls = bool(provider.settings.get("verify_tls", True))
    return transport.fetch(replace(request, verify_tls=verify_tls), gateway.timeout)


def ended(gateway_id: int, issued_at: datetime | None) -> NotAccepted:
    """An answer said that the token issued then is good no more. Drops it; a newer one is left alone.

    Gives the outcome of that request: AccessEnded, or a fault of the gateway where new tokens are refused as well.
    """
    sessions = GatewaySession.objects.filter(gateway=gateway_id)
    if issued_at is not None:
        sessions.filter(token__isnull=False, issued_at=issued_at).update(token=None, refusals=F("refusals") + 1)
    if sessions.filter(refusals__gte=MOST_REFUSALS).update(refusals=0):
        return GatewayFault("the provider does not accept the token that it has just issued")
    return AccessEnded("the session at the provider had ended")


def worked(gateway_id: int) -> None:
    """An answer showed that the token is accepted. Writes only where there was a doubt."""
    doubted = GatewaySession.objects.filter(gateway=gateway_id, refusals__gt=0)
    if doubted.exists():
        doubted.update(refusals=0)


def forget(gateway_id: int) -> None:
    """The settings are other ones: what was logged in for with the old ones is used no more, nor what is under way."""
    _drop(GatewaySession.objects.filter(gateway=gateway_id))


def _drop(sessions: QuerySet[GatewaySession]) -> bool:
    """Nothing is left of these sessions, and whoever is logging in has lost the turn; false where there were none."""
    nothing = {"token": None, "refresh": None, "issued_at": None, "busy_until": None, "refusals": 0}
    return bool(sessions.update(**nothing, turn=F("turn") + 1))


def leave_unused() -> None:
    """Gives back the tokens of gateways that are switched off, where the provider knows how."""
    for session in GatewaySession.objects.filter(gateway__enabled=False, token__isnull=False).select_related("gateway"):
        token = Token(_readable(session.token))
        # One worker gives it back.
        if _drop(GatewaySession.objects.filter(pk=session.pk, turn=session.turn)) and token.value:
            _leave(session.gateway, token)


def _leave(gateway: Gateway, token: Token) -> None:
    provider = gateway.abilities()
    try:
        request = provider.way.logout(provider.settings, token)
        if request is not None:
            _fetch(gateway, provider, request)
    except Exception as error:  # noqa: BLE001 — it ends by itself, and we have forgotten it
        logger.info("gateway %s: its token could not be given back (%s)", gateway.pk, type(error).__name__)
