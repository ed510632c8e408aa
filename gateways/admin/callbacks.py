"""The addresses to paste at a gateway's provider, and where there."""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.functional import Promise

from gateways import abilities, providers
from gateways.models import Gateway
from portal.encryption import Locked


def addresses(gateway: Gateway) -> list[tuple[str | Promise, str]]:
    """Each with where it is pasted; none where the portal does not know its own address."""
    provider = providers.find(gateway.provider)
    if not provider or not gateway.callback_url:
        return []
    return [(paste.where, f"{gateway.callback_url}{paste.query}") for paste in provider.pastes]


def shown(gateway: Gateway) -> Any:
    """The addresses with their buttons, or why there is nothing to paste."""
    provider = providers.find(gateway.provider)
    context = {
        "gateway": gateway,
        "addresses": addresses(gateway),
        "calls": provider is not None and abilities.calls(provider),
        "pastes": bool(provider and provider.pastes),
        "address_missing": not settings.PORTAL_URL,
        "locked": isinstance(gateway.callback_key, Locked),
    }
    return render_to_string("admin/gateways/gateway/callbacks.html", context)
