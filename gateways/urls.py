"""Routes of gateways: the sandbox phone's page, and the collection `sms_gateways` of the API."""

from django.urls import URLPattern, path

from gateways import api, views
from portal.api.routes import route

urlpatterns: list[URLPattern] = [
    path("sandbox/", views.phone, name="sandbox"),
    path("sandbox/inbox/", views.inbox, name="sandbox-inbox"),
]

api_urlpatterns: list[URLPattern] = [
    route("sms_gateways", api.Gateways, "sms_gateways"),
    route("sms_gateways/preview", api.DraftPreview, "sms_gateways.preview"),
    route("sms_gateways/search", api.GatewaySearch, "sms_gateways.search"),
    route("sms_gateway/(?P<id>[^/]+)/check", api.GatewayCheck, "sms_gateway.check"),
    route("sms_gateway/(?P<id>[^/]+)/preview", api.GatewayPreview, "sms_gateway.preview"),
    route("sms_gateway/(?P<id>[^/]+)", api.GatewayView, "sms_gateway"),
]
