"""Routes of messaging: `send_sms` and the collection `messages` of the API."""

from django.urls import URLPattern, URLResolver

from messaging.api.messages import Cancel, Messages, MessageSearch, MessageView, Resend
from messaging.api.sends import SendSms
from portal.api.routes import route

urlpatterns: list[URLPattern | URLResolver] = []

api_urlpatterns: list[URLPattern | URLResolver] = [
    route("sms_gateways/send_sms", SendSms, "sms_gateways.send_sms"),
    route("messages", Messages, "messages"),
    route("messages/search", MessageSearch, "messages.search"),
    route("message/(?P<id>[^/]+)/resend", Resend, "message.resend"),
    route("message/(?P<id>[^/]+)/cancel", Cancel, "message.cancel"),
    route("message/(?P<id>[^/]+)", MessageView, "message"),
]
