"""How pages of the admin show values for which Django has no manner of its own."""

import json
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html

NOTHING = "—"


def moment(at: datetime | None) -> str:
    """A point in time as its reader writes it, in the portal's time zone."""
    return str(formats.localize(timezone.localtime(at))) if at else NOTHING


def pretty(value: Any) -> str:
    """JSON as people read it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def preformatted(text: str) -> str:
    """With its line breaks; the page grows no wider than the screen."""
    return format_html('<pre class="as-written">{}</pre>', text)


def as_written(text: str) -> str:
    """A text that people wrote, with its line breaks."""
    return format_html('<span class="as-written">{}</span>', text)
