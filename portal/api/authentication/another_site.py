"""Pages of other sites sign nobody in: their guesses would block the host of whoever reads them."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request


class FromAnotherSite(PermissionDenied):
    """403: a page of another site sends the browser here, where its guesses would block the host of who reads it."""

    default_detail = "Pages of another site cannot sign in here."


def refuse(request: Request | HttpRequest) -> None:
    """Raises FromAnotherSite where `makes` the call."""
    if makes(request):
        raise FromAnotherSite


def makes(request: Request | HttpRequest) -> bool:
    """Whether a browser says that a page from elsewhere made the call. Programs say nothing of the kind."""
    # Of pictures and links, which have no Origin, this one is said; over plain HTTP only the other.
    if request.META.get("HTTP_SEC_FETCH_SITE") in {"cross-site", "same-site"}:
        return True
    origin = str(request.META.get("HTTP_ORIGIN", ""))
    return origin == "null" or (origin.startswith(("http://", "https://")) and _host_of(origin) != request.get_host())


def _host_of(origin: str) -> str:
    """With its port; empty where that is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
