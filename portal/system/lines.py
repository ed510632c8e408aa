"""What a line of the system page is made of."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Words = str | Promise


class State(models.TextChoices):
    """How it is; the worst comes last."""

    OK = "ok", gettext_lazy("well")
    WARNING = "warning", gettext_lazy("look at it")
    ERROR = "error", gettext_lazy("at fault")


class Line(NamedTuple):
    """One thing: what it is, how it is, and what to do where it is not well."""

    about: Words
    value: Words = ""
    state: State = State.OK
    remedy: Words = ""


def seconds(length: timedelta | float) -> str:
    """A short length of time."""
    number = length.total_seconds() if isinstance(length, timedelta) else length
    if abs(number) < 120:
        return _("%(number)s s") % {"number": f"{number:.0f}" if abs(number) >= 10 else f"{number:.1f}"}
    if abs(number) < 7200:
        return _("%(number)d min") % {"number": number // 60}
    return _("%(number)d h") % {"number": number // 3600}


def ago(at: datetime | None) -> str:
    """How long ago it was."""
    return _("%(time)s ago") % {"time": seconds(timezone.now() - at)} if at else _("never")
