"""Questions to a provider, all but a submit: asked with the shared token; and what an answer says of the gateway."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from gateways import health, sessions, transport
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway
from gateways.outcomes import CredentialsRefused, GatewayFault, NotAccepted, Unreadable
from gateways.provider import BaseProvider

T = TypeVar("T")


def ask(
    gateway: Gateway,
    build: Callable[[BaseProvider], HttpRequest],
    read: Callable[[BaseProvider, HttpResponse], T],
    *,
    knowingly: bool = False,
) -> T:
    """One question to a provider, other than a submit, and what its answer means.

    Where the token had ended, once more with a new one. Raises NotAccepted (a fault is told to the gateway's health),
    Busy, or Unreadable. Call it outside any transaction.
    """
    try:
        return _ask_once(gateway, build, read, knowingly)
    except sessions.AccessEnded:
        return _ask_once(gateway, build, read, knowingly)


def _ask_once(
    gateway: Gateway,
    build: Callable[[BaseProvider], HttpRequest],
    read: Callable[[BaseProvider, HttpResponse], T],
    knowingly: bool,
) -> T:
    entry = sessions.enter(gateway, patience=gateway.timeout, knowingly=knowingly)
    settings_at = health.settings_at(gateway.pk)
    response = transport.fetch(entry.sign(build(entry.provider)), gateway.timeout)
    if not entry.provider.way.ended(response):
        return _read(gateway, entry.provider, response, read, settings_at)
    outcome = sessions.ended(gateway.pk, entry.issued_at)
    if isinstance(outcome, GatewayFault):
        health.record_fault(gateway.pk, outcome, settings_at, gateway)
    raise outcome


def _read(
    gateway: Gateway,
    provider: BaseProvider,
    response: HttpResponse,
    read: Callable[[BaseProvider, HttpResponse], T],
    settings_at: datetime | None,
) -> T:
    try:
        found = read(provider, response)
    except CredentialsRefused as fault:
        health.record_fault(gateway.pk, fault, settings_at, gateway)
        raise
    except GatewayFault as fault:
        # It may be a right that only questions need: whether messages pass, messages tell.
        health.record_error(gateway.pk, fault.reason, fault.remedy)
        raise
    except (NotAccepted, Unreadable):
        raise
    except Exception as error:  # noqa: BLE001 — a provider's file may fail on an answer in any way
        raise Unreadable(f"the answer could not be read ({type(error).__name__})") from None
    if provider.way.logs_in:
        sessions.worked(gateway.pk)
    return found
