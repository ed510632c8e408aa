"""How a gateway and its state are shown, in the list and on its page."""

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways import configuration, health, pace, providers, standing
from gateways.admin.wording import in_their_words
from gateways.models import Gateway, GatewaySession
from gateways.standing import Standing
from portal.admin.display import NOTHING, moment
from portal.encryption import Locked

#: Unfold's words for the colours.
COLOURS = {
    Standing.OK: "success",
    Standing.PAUSED: "warning",
    Standing.CREDENTIALS_REFUSED: "danger",
    Standing.OFF: "default",
}


def label(text: Any, colour: str) -> SafeString:
    """A coloured word."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": colour})


class Columns:
    """What `GatewayAdmin` shows and nobody fills in."""

    @admin.display(description=_("provider"))
    def provider_label(self, gateway: Gateway) -> str:
        provider = providers.find(gateway.provider)
        return provider.label if provider else gettext("%(name)s: its file is missing") % {"name": gateway.provider}

    @admin.display(description=_("state"))
    def standing(self, gateway: Gateway) -> Any:
        found = standing.of(gateway)
        why = health.of(gateway).last_error if found in {Standing.PAUSED, Standing.CREDENTIALS_REFUSED} else ""
        shown = label(found.label, COLOURS[found])
        also = label(gettext("default"), "primary") if gateway.is_default else ""
        return format_html('<div>{} {}<div class="gateway-why">{}</div></div>', shown, also, in_their_words(why))

    @admin.display(description=_("breaker"))
    def breaker(self, gateway: Gateway) -> Any:
        return health.breaker(health.of(gateway)).label

    @admin.display(description=_("paused until"))
    def paused_until(self, gateway: Gateway) -> str:
        return moment(standing.paused_until(gateway))

    @admin.display(description=_("last error"))
    def last_error(self, gateway: Gateway) -> str:
        return in_their_words(health.of(gateway).last_error) or NOTHING

    @admin.display(description=_("remedy"))
    def last_remedy(self, gateway: Gateway) -> str:
        return in_their_words(health.of(gateway).last_remedy) or NOTHING

    @admin.display(description=_("last error at"))
    def last_error_at(self, gateway: Gateway) -> str:
        return moment(health.of(gateway).last_error_at)

    @admin.display(description=_("balance"))
    def balance(self, gateway: Gateway) -> Any:
        found = health.of(gateway)
        if found.balance is None:
            return NOTHING
        left = f"{found.balance} {found.currency}".rstrip()
        warning = standing.BALANCE_WARNINGS.get(found.balance_warned)
        return format_html("<div>{} {}</div>", left, label(warning, "warning")) if warning else left

    @admin.display(description=_("balance asked at"))
    def balance_at(self, gateway: Gateway) -> str:
        return moment(health.of(gateway).balance_at)

    @admin.display(description=_("sent today"))
    def sent_today(self, gateway: Gateway) -> str:
        sent = pace.sent_today(health.of(gateway))
        return str(sent) if gateway.daily_limit is None else f"{sent} / {gateway.daily_limit}"

    @admin.display(description=_("per segment"))
    def price(self, gateway: Gateway) -> str:
        if gateway.segment_price is None:
            return NOTHING
        return f"{gateway.segment_price.normalize():f} {gateway.currency}".rstrip()

    @admin.display(description=_("its settings have worked"), boolean=True)
    def proven(self, gateway: Gateway) -> bool:
        return health.of(gateway).proven

    @admin.display(description=_("logged in at the provider since"))
    def logged_in(self, gateway: Gateway) -> str:
        session: GatewaySession | None = getattr(gateway, "session", None)
        return moment(session.issued_at if session else None)

    @admin.display(description=_("settings"))
    def shown_settings(self, gateway: Gateway) -> Any:
        """For those who may not change them."""
        if isinstance(gateway.settings, Locked):
            return NOTHING
        provider = providers.find(gateway.provider)
        labels = configuration.labels(provider) if provider else {}
        shown = configuration.shown(gateway).items()
        lines = ((capfirst(labels.get(key, key)), _plain(value)) for key, value in shown)
        return format_html_join("", "<div><b>{}</b>: {}</div>", lines) or NOTHING


def _plain(value: Any) -> str:
    if value == configuration.MASK:
        return gettext("kept")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value) if value not in {None, ""} else NOTHING
