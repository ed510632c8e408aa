"""Routes of messaging: *Write*, the providers' door, and of the API `send_sms` and what goes out and in."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, re_path

from messaging import callbacks
from messaging.admin import write
from messaging.api.batches import BatchView, CancelBatch, SendBatch
from messaging.api.inbound import InboundMessages, InboundMessageView, InboundSearch, OptOuts, OptOutSearch, OptOutView
from messaging.api.messages import Cancel, Forget, Messages, MessageSearch, MessageView, Resend
from messaging.api.sends import SendSms, SendTest
from messaging.api.webhook_deliveries import Replay, WebhookDeliveries, WebhookDeliverySearch, WebhookDeliveryView
from messaging.api.webhooks import Pause, Resume, RotateSecret, Test, Webhooks, WebhookSearch, WebhookView
from messaging.dropin import kannel
from messaging.dropin.smsc import sends as smsc_sends
from messaging.dropin.smsc import states as smsc_states
from messaging.dropin.smsmobileapi import lists as smsmobileapi_lists
from messaging.dropin.smsmobileapi import sends as smsmobileapi_sends
from messaging.dropin.targetsms import codes as targetsms_codes
from messaging.dropin.targetsms import get_calls as targetsms_get_calls
from messaging.dropin.targetsms import json_calls as targetsms_json_calls
from messaging.dropin.targetsms import questions as targetsms_questions
from messaging.dropin.targetsms import sends as targetsms_sends
from portal.api.routes import route

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/messages/write/", admin.site.admin_view(write.page), name="messages.write"),
    path("admin/messages/measure/", admin.site.admin_view(write.measure), name="messages.measure"),
    path("admin/messages/people/", admin.site.admin_view(write.people), name="messages.people"),
    re_path(r"^callbacks/(?P<gateway_id>[0-9]{1,18})/(?P<key>[^/]+)/?\Z", callbacks.callback, name="callback"),
    # At the addresses that programs written for these systems know.
    route("sendsms", smsmobileapi_sends.SendSms, "smsmobileapi.sendsms"),
    route("resend", smsmobileapi_sends.ResendSms, "smsmobileapi.resend"),
    route("deletesms", smsmobileapi_sends.DeleteSms, "smsmobileapi.deletesms"),
    route("log/sent/sms", smsmobileapi_lists.SentLog, "smsmobileapi.log"),
    route("getsms", smsmobileapi_lists.ReceivedSms, "smsmobileapi.getsms"),
    route("cgi-bin/sendsms", kannel.SendSms, "kannel.sendsms"),
    route(r"sys/send\.php", smsc_sends.Send, "smsc.send"),
    route("rest/send", smsc_sends.SendJson, "smsc.rest_send"),
    route(r"sys/status\.php", smsc_states.Status, "smsc.status"),
    route(r"sys/balance\.php", smsc_states.Balance, "smsc.balance"),
    route("gateway/mobile/list", smsmobileapi_lists.Phones, "smsmobileapi.phones"),
    route(r"password_generation/api\.php", targetsms_codes.GenerateCode, "targetsms.password_generation"),
    route("xml", targetsms_sends.SendXml, "targetsms.send"),
    route(r"xml/state\.php", targetsms_questions.States, "targetsms.state"),
    route(r"xml/balance\.php", targetsms_questions.Balance, "targetsms.balance"),
    route(r"xml/originator\.php", targetsms_questions.Senders, "targetsms.originator"),
    route(r"xml/time\.php", targetsms_questions.Time, "targetsms.time"),
    route(r"xml/incoming\.php", targetsms_questions.Inbound, "targetsms.incoming"),
    route(r"sendsmsjson\.php", targetsms_json_calls.JsonCall, "targetsms.json"),
    route(r"sendsms\.php", targetsms_get_calls.GetCall, "targetsms.sendsms"),
]

api_urlpatterns: list[URLPattern | URLResolver] = [
    route("sms_gateways/send_sms", SendSms, "sms_gateways.send_sms"),
    route("sms_gateways/send_sms_batch", SendBatch, "sms_gateways.send_sms_batch"),
    route("batch/(?P<id>[^/]+)/cancel", CancelBatch, "batch.cancel"),
    route("batch/(?P<id>[^/]+)", BatchView, "batch"),
    route("sms_gateway/(?P<id>[^/]+)/test", SendTest, "sms_gateway.test"),
    route("messages", Messages, "messages"),
    route("messages/search", MessageSearch, "messages.search"),
    route("message/(?P<id>[^/]+)/resend", Resend, "message.resend"),
    route("message/(?P<id>[^/]+)/cancel", Cancel, "message.cancel"),
    route("message/(?P<id>[^/]+)/forget", Forget, "message.forget"),
    route("message/(?P<id>[^/]+)", MessageView, "message"),
    route("inbound_messages", InboundMessages, "inbound_messages"),
    route("inbound_messages/search", InboundSearch, "inbound_messages.search"),
    route("inbound_message/(?P<id>[^/]+)", InboundMessageView, "inbound_message"),
    route("opt_outs", OptOuts, "opt_outs"),
    route("opt_outs/search", OptOutSearch, "opt_outs.search"),
    route("opt_out/(?P<id>[^/]+)", OptOutView, "opt_out"),
    route("webhooks", Webhooks, "webhooks"),
    route("webhooks/search", WebhookSearch, "webhooks.search"),
    route("webhook/(?P<id>[^/]+)/rotate_secret", RotateSecret, "webhook.rotate_secret"),
    route("webhook/(?P<id>[^/]+)/test", Test, "webhook.test"),
    route("webhook/(?P<id>[^/]+)/pause", Pause, "webhook.pause"),
    route("webhook/(?P<id>[^/]+)/resume", Resume, "webhook.resume"),
    route("webhook/(?P<id>[^/]+)", WebhookView, "webhook"),
    route("webhook_deliveries", WebhookDeliveries, "webhook_deliveries"),
    route("webhook_deliveries/search", WebhookDeliverySearch, "webhook_deliveries.search"),
    route("webhook_delivery/(?P<id>[^/]+)/replay", Replay, "webhook_delivery.replay"),
    route("webhook_delivery/(?P<id>[^/]+)", WebhookDeliveryView, "webhook_delivery"),
]
