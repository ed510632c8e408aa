"""Pages of other sites sign nobody in: their guesses would block the host of whoever reads them."""

from urllib.parse import urlsplit

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request


class FromAnotherSite(PermissionDenied):
    """403: a page of another site sends the browser here, where its guesses would block the host of who reads it."""

    default_detail = "Pages of another site cannot sign in here."


def refuse(request: Request) -> None:
    """Raises FromAnotherSite where a browser says that a page from elsewhere made the call. Programs say nothing."""
    origin = request.headers.get("Origin", "")
    if origin == "null" or (
        origin.startswith(("http://", "https://")) and urlsplit(origin).netloc != request.get_host()
    ):
        raise FromAnotherSite
