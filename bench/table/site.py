"""What the table's gunicorn serves: the portal, and beside it a view that does nothing behind the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from portal.urls import urlpatterns as portal_urlpatterns


@csrf_exempt
def empty(_request: HttpRequest) -> HttpResponse:
    """Nothing."""
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("empty", empty), *portal_urlpatterns]
