"""Routes for tests of what all drop-ins share: a call that sends, in plain text."""

from typing import ClassVar

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver
from rest_framework.request import Request

from messaging import sending
from messaging.dropin.door import DropInView, Fault, GatewayFields
from messaging.retries import Kind
from portal.api.commit import Done
from portal.api.routes import route
from portal.permissions import SENDING
from portal.ways import DropIn


class Send(DropInView):
    """Send a text."""

    system = DropIn.KANNEL
    rights: ClassVar = {"GET": SENDING, "POST": SENDING}

    def refuse(self, fault: Fault) -> HttpResponse:
        """The status in the body alone."""
        return HttpResponse(f"{fault.status} {fault.field}: {fault.sentence}", content_type="text/plain")

    def get(self, request: Request) -> HttpResponse:
        """Send it."""
        asked = self.validated(GatewayFields)

        def work() -> Done:
            message = sending.send(
                phone=self.fields.get("to", ""),
                text=self.fields.get("text", ""),
                kind=Kind.INFORMATION,
                gateway_name=self.gateway_called(asked["sms_gateway"], self.fields.get("from", "")),
                requested_by=self.caller,
            )
            return Done({"id": message.pk}, object_id=str(message.pk))

        return HttpResponse(f"sent {self.once(work)['id']}", content_type="text/plain")

    post = get


urlpatterns: list[URLPattern | URLResolver] = [route("cgi-bin/send", Send, "dropin.send")]
handler500 = "portal.api.envelope.server_error"
