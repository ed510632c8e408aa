"""How sentences about gateways are put together for the admin."""

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext

from gateways.models import Gateway


def told(gateway: Gateway, says: Any, remedy: str = "") -> str:
    """What an action did, as a message on top of a page."""
    sentence = gettext("Gateway “%(name)s”: %(says)s") % {"name": gateway, "says": says}
    if not remedy:
        return sentence
    return format_html("{}<br>{}", sentence, gettext("What to do: %s") % in_their_words(remedy))


def in_their_words(kept: str) -> str:
    """A sentence of ours that is kept in English, in the reader's language where the catalogue has it."""
    return gettext(kept) if kept else ""
