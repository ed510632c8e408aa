"""What an error looks like on the wire. One function turns whatever was raised into the documented answer."""

import logging
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from portal.errors import Refusal, Why

logger = logging.getLogger(__name__)

INVALID = "Invalid input"
MISSING = "Missing required fields"
REQUIRED = "Required field missing"
NOT_FOUND = "Not Found. The requested resource could not be found"
UNKNOWN_ITEM = "Unable to get resource with this identifier"
FAILED = "Internal Server Error. Check server side logs for details"
BUSY = "The database is busy or away. Try again."

STATUS_OF = {
    Why.INVALID: 422,
    Why.NOT_FOUND: 404,
    Why.CONFLICT: 409,
    Why.TOO_MANY: 429,
    Why.UNAVAILABLE: 503,
}


class InvalidArguments(exceptions.APIException):
    """422 with errors of a shape of its own: `{"scope", "value", "message"}` for the arguments of a list or a search,
    `{"index", "field", "message"}` for the items of a batch.
    """

    status_code = 422

    def __init__(self, message: str, errors: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.errors = errors


def answer_exception(exc: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to anything a view raised. `context["view"].wire_names` translates the field of a Refusal."""
    known = _known(exc, getattr(context.get("view"), "wire_names", {}))
    if known is None:
        logger.error("A view failed: %s", context.get("view").__class__.__name__, exc_info=exc)
        known = error(500, FAILED)
    return known


def error(status: int, message: str, errors: list[dict[str, Any]] | None = None, **headers: str) -> Response:
    """An error's answer; `status` is added to its body by the view. A keyword `Retry_After` is a header."""
    body: dict[str, Any] = {"message": message}
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def _known(exc: Exception, wire_names: Mapping[str, str]) -> Response | None:
    if isinstance(exc, Refusal):
        return _refused(exc, wire_names)
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc.get_full_details())
    if isinstance(exc, DjangoValidationError):
        return _invalid(exceptions.ValidationError(_messages(exc)).get_full_details())
    if isinstance(exc, exceptions.APIException):
        return _framework(exc)
    return _django(exc)


def _refused(refusal: Refusal, wire_names: Mapping[str, str]) -> Response:
    sentence = str(refusal.sentence)
    errors = [{"field": wire_names.get(refusal.field, refusal.field), "message": sentence}] if refusal.field else None
    answer = error(STATUS_OF[refusal.why], INVALID if errors and refusal.why is Why.INVALID else sentence, errors)
    if refusal.until:
        answer.headers["Retry-After"] = str(_seconds_until(refusal.until))
    return answer


def _seconds_until(moment: datetime) -> int:
    return max(1, math.ceil((moment - timezone.now()).total_seconds()))


def _messages(exc: DjangoValidationError) -> Any:
    return exc.message_dict if hasattr(exc, "error_dict") else exc.messages


def faults(details: Any) -> list[tuple[str, str]]:
    """Field and sentence of every error in `ValidationError.get_full_details()`; one of the whole has no field."""
    return [(field, REQUIRED if code == "required" else text) for field, text, code in _flat(details)]


def _invalid(details: Any) -> Response:
    found = faults(details)
    errors = [{"field": field, "message": sentence} for field, sentence in found if field]
    if not errors:
        return error(422, found[0][1] if found else INVALID)
    return error(422, MISSING if all(sentence == REQUIRED for _, sentence in found) else INVALID, errors)


def _flat(details: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Field, text and code of every error; `settings.url` and `items.0.pid` name what is inside something."""
    if isinstance(details, list):
        for index, item in enumerate(details):
            yield from _flat(item, path if _is_leaf(item) else _join(path, str(index)))
    elif _is_leaf(details):
        yield path, str(details["message"]), str(details["code"])
    else:
        for name, item in details.items():
            inside = path if name in {api_settings.NON_FIELD_ERRORS_KEY, "__all__"} else _join(path, str(name))
            yield from _flat(item, inside)


def _is_leaf(details: Any) -> bool:
    return isinstance(details, dict) and details.keys() == {"message", "code"} and isinstance(details["message"], str)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _framework(exc: exceptions.APIException) -> Response:
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW_Authenticate"] = str(auth_header)
    if wait := getattr(exc, "wait", None):
        headers["Retry_After"] = str(int(wait))
    return error(exc.status_code, str(exc.detail), getattr(exc, "errors", None), **headers)


def _django(exc: Exception) -> Response | None:
    if isinstance(exc, Http404):
        return error(404, UNKNOWN_ITEM)
    if isinstance(exc, DjangoPermissionDenied):
        return error(403, str(exc) or "Unauthorized access")
    if isinstance(exc, RequestDataTooBig):
        return error(413, "Bad Request. The body is too large.")
    if isinstance(exc, UnreadablePostError):
        return error(400, "Bad Request. The body broke off.")
    if isinstance(exc, OperationalError):
        logger.error("The database did not answer", exc_info=exc)
        return error(503, BUSY, Retry_After="1")
    return None


def server_error(request: HttpRequest) -> HttpResponse:
    """What failed outside a view; programs read JSON, people a page."""
    if request.path.startswith("/api/"):
        return JsonResponse({"message": FAILED, "status": 500}, status=500, headers={"Content-Language": "en"})
    return defaults.server_error(request)
