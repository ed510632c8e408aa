"""What a text costs, in words for the pages that show it while it is written. `texts` counts; nothing else does."""

from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gateways.models import Gateway
from messaging import sending, templates, texts
from portal.errors import Refusal


def measured(text: str) -> dict[str, Any]:
    """How many segments and what room is left; or what is wrong with the text."""
    try:
        found = sending.measured(text)
    except Refusal as refusal:
        return {"wrong": refusal.sentence}
    return {"says": in_words(found), "segments": found.segments, "text": texts.tidy(text)}


def in_words(found: texts.Measure) -> str:
    """`UCS-2 · 2 segments · 67 characters · 67 left`"""
    segments = ngettext("%d segment", "%d segments", found.segments) % found.segments
    units = ngettext("%d character", "%d characters", found.units) % found.units
    left = ngettext("%d left in the last segment", "%d left in the last segment", found.left) % found.left
    return " · ".join((found.encoding, segments, units, left))


def sampled(kind: str, text: str) -> dict[str, Any]:
    """The same for a template, with sample values in it."""
    try:
        templates.check(kind, text)
        return measured(templates.sample(kind, text))
    except Refusal as refusal:
        return {"wrong": refusal.sentence}


def cost(gateway: Gateway | None, segments: int, recipients: int) -> str:
    """What it will cost through this gateway, as far as its price is known."""
    count = ngettext("%d recipient", "%d recipients", recipients) % recipients
    if gateway is None or gateway.segment_price is None:
        return _("%(recipients)s · the gateway has no price of a segment") % {"recipients": count}
    price = price_of(gateway, segments, recipients)
    return _("%(recipients)s · costs about %(price)s") % {"recipients": count, "price": price}


def price_of(gateway: Gateway, segments: int, recipients: int) -> str:
    """`1 234,50 RUB`"""
    total = (gateway.segment_price or Decimal(0)) * segments * recipients
    return f"{formats.number_format(total, decimal_pos=2, force_grouping=True)} {gateway.currency}".rstrip()
