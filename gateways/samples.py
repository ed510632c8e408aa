"""What a gateway would send: the request for a sample message. The gateway may be stored or not yet."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from gateways import accounts
from gateways.models import Gateway
from gateways.outcomes import NotAccepted, OutboundSms, Refused
from gateways.preview import Preview, preview
from portal import clock
from portal.encryption import KeyMissing
from portal.errors import Refusal, Why

PHONE = "+79161234567"
TEXT = "Wi-Fi: пароль <1234>"


def request_of(gateway: Gateway, *, phone: str = "", text: str = "") -> Preview:
    """The request for a sample message, without secrets; nothing is sent, whatever state the gateway is in.

    Raises Refusal where its provider's file refuses the sample (`text`), or cannot make a request at all (a conflict).
    """
    try:
        provider = gateway.open()
        text = text or f"{TEXT} {provider.code_placeholder}".strip()
        valid_until = clock.now() + timedelta(minutes=10)
        return preview(provider, OutboundSms("portal-sample-1", phone or PHONE, text, gateway.sender, valid_until, 1))
    except NotAccepted as error:
        raise Refusal(error.reason, field="text" if isinstance(error, Refused) else "") from None
    except KeyMissing as error:
        raise Refusal(str(error), why=Why.CONFLICT) from None
    except Exception as error:  # noqa: BLE001 — a provider's file may fail in any way
        sentence = _("The provider's file cannot make a request of these settings (%(error)s).")
        raise Refusal(sentence % {"error": type(error).__name__}, why=Why.CONFLICT) from None


def request_of_settings(
    *, provider: str, settings: dict[str, Any], sender: str = "", phone: str = "", text: str = ""
) -> Preview:
    """As `request_of`, of settings that are not stored. Raises ValidationError naming the field at fault too."""
    return request_of(accounts.draft(provider=provider, settings=settings, sender=sender), phone=phone, text=text)
