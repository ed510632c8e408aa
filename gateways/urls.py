"""Routes of gateways: the sandbox phone's page, and the collection `sms_gateways` of the API."""

from django.urls import URLPattern, path

from gateways import views
from gateways.api.gateways import Gateways, GatewaySearch, GatewayView
from gateways.api.trials import DraftPreview, GatewayCheck, GatewayPreview
from portal.api.routes import route

urlpatterns: list[URLPattern] = [
    path("sandbox/", views.phone, name="sandbox"),
    path("sandbox/inbox/", views.inbox, name="sandbox-inbox"),
]

api_urlpatterns: list[URLPattern] = [
    route("sms_gateways", Gateways, "sms_gateways"),
    route("sms_gateways/preview", DraftPreview, "sms_gateways.preview"),
    route("sms_gateways/search", GatewaySearch, "sms_gateways.search"),
    route("sms_gateway/(?P<id>[^/]+)/check", GatewayCheck, "sms_gateway.check"),
    route("sms_gateway/(?P<id>[^/]+)/preview", GatewayPreview, "sms_gateway.preview"),
    route("sms_gateway/(?P<id>[^/]+)", GatewayView, "sms_gateway"),
]
