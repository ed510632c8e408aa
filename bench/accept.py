"""Accepting: what `send_sms` costs beside a view of the same framework that does nothing."""

import json
from functools import partial

from django.conf import settings
from django.test import RequestFactory
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.measuring import Way
from gateways.first_run import make_sandbox
from portal.models import ApiToken, User
from portal.urls import urlpatterns as portal_urlpatterns
from portal.wsgi import application

REQUESTS = 200
BODY = json.dumps({"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Wi-Fi is back"})


class Empty(APIView):
    """Django, its middleware and the REST framework, and nothing else."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        """Does nothing."""
        return Response({"status": 200})


urlpatterns = [path("empty", Empty.as_view()), *portal_urlpatterns]


def ways() -> list[Way]:
    """An empty view, and a send."""
    settings.ROOT_URLCONF = __name__
    make_sandbox()
    _, token = ApiToken.objects.create(user=User.objects.create_superuser("bench"))
    send = partial(_post, "/api/v1/sms_gateways/send_sms", token)
    return [
        Way("an empty view of the REST framework", partial(_post, "/empty", token), runs=REQUESTS),
        Way("send_sms", send, runs=REQUESTS),
    ]


def _post(url: str, token: str) -> None:
    request = RequestFactory(headers={"host": "127.0.0.1", "authorization": f"Bearer {token}"}).post(
        url, BODY, content_type="application/json"
    )
    response = application.get_response(request)
    assert response.status_code == 200, f"answered {response.status_code}"
    response.close()
