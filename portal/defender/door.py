"""The door: the one middleware that turns blocked hosts away, before any way in is tried."""

import re
from collections.abc import Callable
from functools import cache

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import resolve
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import callers
from portal.defender.blocks import recently_blocked
from portal.defender.counting import TURNED_AWAY
from portal.models import WatchedHost
from portal.registry import OPEN_PATHS

API = "/api/v1"
STATUS = 429


class Door:
    """Asks once before a request, and once after it: a sign-in may have found its host or its user blocked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _open_paths().match(request.path_info):
            return self.get_response(request)
        row = _blocked(request)
        response = None if row else self.get_response(request)
        row = row or request.META.get(TURNED_AWAY)
        return turned_away(request, row) if row else response  # type: ignore[return-value]


def turned_away(request: HttpRequest, row: WatchedHost) -> HttpResponse:
    """The answer to who is blocked: a page for people, JSON for programs, and when to come back."""
    seconds = max(1, round((row.until - timezone.now()).total_seconds())) if row.until else 1
    response = _in_words_of_the_view(request, row, seconds) or _in_our_words(request, row, seconds)
    response.headers["Retry-After"] = str(seconds)
    add_never_cache_headers(response)
    # Django would write a WARNING for each; that the host was blocked is in the log already.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _in_words_of_the_view(request: HttpRequest, row: WatchedHost, seconds: int) -> HttpResponse | None:
    """A view that speaks as another system's API does says this, too, in its own way."""
    says = getattr(_view_of(request), "turned_away", None)
    if says is None:
        return None
    with translation.override("en"):
        answer: HttpResponse | None = says(request, " ".join(sentences(row, seconds)))
    if answer is not None:
        answer.headers.setdefault("Content-Language", "en")
    return answer


def _in_our_words(request: HttpRequest, row: WatchedHost, seconds: int) -> HttpResponse:
    if _is_for_programs(request) or "text/html" not in request.headers.get("Accept", ""):
        with translation.override("en"):
            response: HttpResponse = JsonResponse(_body(request, " ".join(sentences(row, seconds))), status=STATUS)
        response.headers["Content-Language"] = "en"
        return response
    return render(request, "portal/blocked.html", {"sentences": sentences(row, seconds)}, status=STATUS)


def sentences(row: WatchedHost, seconds: int) -> list[str]:
    """What happened, when to come back, and what helps sooner."""
    if row.blocked_by_id or row.reason:
        what = _("An administrator blocked sign-ins from here.")
    elif row.username:
        what = _("Too many sign-ins under this name were refused from this host.")
    else:
        what = _("Too many sign-ins were refused from this host.")
    return [what, _when(seconds), _("An administrator can unblock it in the Defender.")]


def _when(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if minutes < 120:
        return ngettext("Try again in %d minute.", "Try again in %d minutes.", minutes) % minutes
    hours = -(-minutes // 60)
    return ngettext("Try again in %d hour.", "Try again in %d hours.", hours) % hours


def _blocked(request: HttpRequest) -> WatchedHost | None:
    try:
        return recently_blocked(callers.host_of(callers.address_of(request)))
    except DatabaseError:
        # Without the database nobody comes in either, and the view knows better how to say so.
        return None


def _is_for_programs(request: HttpRequest) -> bool:
    """Whether no person reads the answer, whatever the headers ask for: the API, with its addresses elsewhere."""
    return request.path_info.startswith(API) or hasattr(_view_of(request), "adds_status")


def _body(request: HttpRequest, message: str) -> dict[str, object]:
    """As the called view's family answers: some repeat the status in the body."""
    repeats = request.path_info.startswith(API) and getattr(_view_of(request), "adds_status", True)
    return {"message": message} | ({"status": STATUS} if repeats else {})


def _view_of(request: HttpRequest) -> type | None:
    try:
        return getattr(resolve(request.path_info).func, "cls", None)
    except Http404:
        return None


@cache
def _open_paths() -> re.Pattern[str]:
    """Of all apps; they have handed theirs down before the first request."""
    return re.compile("|".join(OPEN_PATHS))
