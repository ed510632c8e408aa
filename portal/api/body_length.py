"""Whether a body says how long it is."""

from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request


class LengthRequired(APIException):
    """411: the body comes in chunks, and nothing says how long it is."""

    status_code = 411
    default_detail = "Length Required. Send the body with a Content-Length header, not in chunks."


def demand_length(request: Request | HttpRequest) -> None:
    """Raises LengthRequired. Django reads as many bytes as were announced: of such a body none, as if it were empty."""
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired
