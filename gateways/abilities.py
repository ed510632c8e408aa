"""What a provider can do, in the words of whoever chooses one."""

from collections.abc import Iterator

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways import configuration
from gateways.provider import BaseProvider

#: Any address: some providers report only where they can be told one.
CALLBACK_URL = "https://portal.example.org/callbacks/1/key/"


def of_kind(provider: type[BaseProvider]) -> list[str | Promise]:
    """What it can do as it is set up at first."""
    try:
        return of(provider(configuration.to_begin_with(provider), callback_url=CALLBACK_URL))
    except Exception:  # noqa: BLE001 — a provider's file may fail in any way
        return []


def of(provider: BaseProvider) -> list[str | Promise]:
    """What it can do as it is set up."""
    return list(_named(provider))


def calls(provider: type[BaseProvider]) -> bool:
    """Whether it may call the portal."""
    return provider.read_callback is not BaseProvider.read_callback


def _named(provider: BaseProvider) -> Iterator[str | Promise]:
    if provider.sends_receipts and calls(type(provider)):
        yield _("receipts by call")
    if provider.can_query:
        yield _("receipts when asked")
    if provider.dedupe_key:
        yield _("a repeat is not sent twice")
    if provider.can_look_up:
        yield _("can be asked whether it has a message")
    if provider.can_tell_balance:
        yield _("balance")
    if provider.can_fetch_inbound or provider.hears_inbound:
        yield _("takes what guests write")
    if provider.code_placeholder:
        yield _("makes the one-time code")
