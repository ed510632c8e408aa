"""What all guest pages have in common: the look, and how a moment and a refusal are said."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guests import branding
from portal.errors import Refusal

#: Marks a message that is about no field.
PAGE = "page"


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the administrator's look."""
    look = branding.look_of(branding.current(), get_language() or "")
    return render(request, f"guests/{template}.html", {"look": look, **context}, status=status)


def moment(at: datetime) -> str:
    """To the second where it is today."""
    there = timezone.localtime(at)
    is_today = there.date() == timezone.localdate()
    return time_format(there, "H:i:s") if is_today else date_format(there, "j E Y, H:i")


def try_again(refusal: Refusal) -> list[str]:
    """When to, where that is known."""
    return [_("You can try again at %(time)s.") % {"time": moment(refusal.until)}] if refusal.until else []


def say_next(request: HttpRequest, refusal: Refusal) -> None:
    """Keeps the sentence for the page that the browser is sent to."""
    sentence = " ".join([refusal.sentence, *try_again(refusal)])
    messages.error(request, sentence, extra_tags=refusal.field or PAGE)


def said(request: HttpRequest) -> dict[str, str]:
    """What was kept to be said now, by the field that it is about."""
    return {message.extra_tags or PAGE: message.message for message in messages.get_messages(request)}
