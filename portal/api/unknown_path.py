"""The answer for paths of the API that do not exist."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.views import ApiView
from portal.permissions import Right


class UnknownPath(ApiView):
    """Any other path below /api/v1/: rights first, as documented, then 404."""

    action = "unknown_path"
    schema = None

    def needed_rights(self, request: Request) -> tuple[Right, ...]:
        return (right_by_method(str(request.method), request.path),)

    def answer(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotFound(f"Unknown path {request.path}")

    get = head = options = post = put = patch = delete = trace = answer


def right_by_method(method: str, path: str) -> Right:
    """The SYSTEM right of a path that has no right of its own; a POST ending in /search reads."""
    if method in {"GET", "HEAD", "OPTIONS", "TRACE"} or (method == "POST" and path.rstrip("/").endswith("/search")):
        return Right.SYSTEM_READ
    return {"POST": Right.SYSTEM_CREATE, "DELETE": Right.SYSTEM_DELETE}.get(method, Right.SYSTEM_UPDATE)
