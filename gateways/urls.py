"""Routes of gateways: the sandbox phone's page, and the collection `sms_gateways` of the API."""

from django.urls import URLPattern, path

from gateways import views

urlpatterns: list[URLPattern] = [
    path("sandbox/", views.phone, name="sandbox"),
    path("sandbox/inbox/", views.inbox, name="sandbox-inbox"),
]

api_urlpatterns: list[URLPattern] = []
