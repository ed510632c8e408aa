"""Choosing a provider: for a new gateway, and on purpose for one that has one."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from gateways import abilities, providers
from gateways.models import Gateway


@dataclass(frozen=True)
class Card:
    """A provider as it is offered; `abilities` are short words for what it can do."""

    name: str
    label: str
    about: str | Promise
    abilities: list[str | Promise]
    present: bool


def cards(gateway: Gateway | None) -> list[Card]:
    """Those whose files can be loaded, by label."""
    found = ((name, providers.find(name)) for name in providers.names())
    offered = [
        Card(
            name,
            provider.label or name,
            provider.about,
            abilities.of_kind(provider),
            gateway is not None and gateway.provider == name,
        )
        for name, provider in found
        if provider
    ]
    return sorted(offered, key=lambda card: card.label.lower())


def choose(pages: Any, request: HttpRequest, address: str, gateway: Gateway | None = None) -> HttpResponseBase:
    """The page of all providers; each leads to `address` with its name."""
    context = {
        **pages.admin_site.each_context(request),
        "title": _("Which provider?"),
        "subtitle": str(gateway) if gateway else None,
        "opts": pages.opts,
        "cards": cards(gateway),
        "address": address,
        "gateway": gateway,
        "broken": [name for name in providers.names() if providers.find(name) is None],
    }
    return TemplateResponse(request, "admin/gateways/gateway/choose.html", context)
