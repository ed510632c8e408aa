"""*Send a test* on the pages of gateways, which know no messages."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways.admin import ACTIONS, GatewayAdmin, told
from messaging import sending, waiting
from messaging.admin.callers import caller
from messaging.models import Message
from portal.errors import Refusal
from portal.permissions import Right, may


@admin.action(description=_("Send a test"), permissions=["send"])
def send_test(pages: GatewayAdmin, request: HttpRequest, queryset: Any) -> None:
    """Through each gateway and no other, to its test number."""
    for gateway in queryset:
        try:
            message = sending.send_test(gateway, phone="", text="", requested_by=caller(request))
        except Refusal as refusal:
            with translation.override("en"):
                pages.note(request, "test", 422, gateway, {"refused": refusal.sentence})
            messages.error(request, told(gateway, refusal.sentence))
        else:
            pages.note(request, "test", 200, gateway, {"id": message.pk})
            waits = waiting.why(message)
            level = messages.WARNING if waits and waits.reason else messages.SUCCESS
            messages.add_message(request, level, _test_sentence(request, message, waits))


def _test_sentence(request: HttpRequest, message: Message, waits: waiting.Waiting | None) -> str:
    sentence = told(message.gateway, gettext("the test is message %(id)s.") % {"id": message.pk})
    if waits and waits.reason:
        why = gettext("It waits: %s.") % waits.sentence
        sentence = f"{sentence} {why}"
    if not may(request.user, Right.MESSAGES_READ):
        return sentence
    address = reverse("admin:messaging_message_change", args=(message.pk,))
    return format_html('{} <a href="{}">{}</a>', sentence, address, gettext("See what becomes of it"))


ACTIONS.append(send_test)
