"""A form that came without its token: the page was open for too long, or the browser keeps no cookies."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string
from django.views.csrf import csrf_failure

from portal.registry import STALE_FORMS


def refuse(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Says so, in the way of whoever has pages below this path; else as the admin does."""
    own = STALE_FORMS.get(request.path_info.lstrip("/").partition("/")[0])
    answer: HttpResponseBase = import_string(own)(request, reason) if own else csrf_failure(request, reason)
    return answer
