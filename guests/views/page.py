"""What all guest pages have in common: the look, and how a refusal is said."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guests import moments
from guests.look import branding
from portal.errors import Refusal

#: Marks a message that is about no field.
PAGE = "page"


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the administrator's look."""
    look = branding.look_of(branding.current(), get_language() or "")
    return render(request, f"guests/{template}.html", {"look": look, **context}, status=status)


def try_again(refusal: Refusal) -> list[str]:
    """When to, where that is known."""
    return [_("You can try again at %(time)s.") % {"time": moments.when_again(refusal.until)}] if refusal.until else []


def say_next(request: HttpRequest, refusal: Refusal) -> None:
    """Keeps the sentence for the page that the browser is sent to."""
    sentence = " ".join([refusal.sentence, *try_again(refusal)])
    messages.error(request, sentence, extra_tags=refusal.field or PAGE)


def said(request: HttpRequest) -> dict[str, str]:
    """What was kept to be said now, by the field that it is about."""
    return {message.extra_tags or PAGE: message.message for message in messages.get_messages(request)}
