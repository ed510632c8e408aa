"""*Send a test* on the pages of gateways, which know no messages."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from gateways.admin import ACTIONS, GatewayAdmin, action, told
from gateways.admin.asking import Question, ask, was_answered
from gateways.models import Gateway
from messaging import phones, sending, waiting
from messaging.models import Message
from portal.admin.rights import caller
from portal.errors import Refusal
from portal.permissions import Right, may


class SendForm(forms.Form):
    """Where the test goes, and what it says."""

    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("In any usual spelling. Empty: the test number of the gateway."),
        widget=UnfoldAdminTextInputWidget({"inputmode": "tel", "autocomplete": "off"}),
    )
    text = forms.CharField(
        label=_("Text"),
        max_length=2000,
        required=False,
        strip=False,
        help_text=_("Empty: a sentence that says what it is."),
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )

    def clean_phone(self) -> str:
        written: str = self.cleaned_data["phone"].strip()
        try:
            return phones.normalise(written) if written else ""
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence) from None


@action(_("Send a test"), icon="send", needs="send", asks=True)
def send_test(pages: GatewayAdmin, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
    """Through each gateway and no other."""
    numbers = {gateway.test_number for gateway in queryset}
    question = Question(
        request,
        "send_test",
        queryset,
        title=gettext("Send a test"),
        about=gettext("A real message, through this gateway and no other. The provider may charge for it."),
        button=gettext("Send"),
        form=SendForm(
            request.POST if was_answered(request) else None,
            initial={"phone": numbers.pop() if len(numbers) == 1 else ""},
        ),
    )
    if not question.is_answered or question.form is None:
        return ask(pages, question)
    for gateway in queryset:
        _send(pages, request, gateway, **question.form.cleaned_data)
    return None


def _send(pages: GatewayAdmin, request: HttpRequest, gateway: Gateway, phone: str, text: str) -> None:
    try:
        message = sending.send_test(gateway, phone=phone, text=text, requested_by=caller(request))
    except Refusal as refusal:
        with translation.override("en"):
            pages.note(request, "test", 422, gateway, {"refused": refusal.sentence})
        messages.error(request, told(gateway, refusal.sentence))
        return
    pages.note(request, "test", 200, gateway, {"id": message.pk})
    waits = waiting.why(message)
    level = messages.WARNING if waits and waits.reason else messages.SUCCESS
    messages.add_message(request, level, _sentence(request, message, waits))


def _sentence(request: HttpRequest, message: Message, waits: waiting.Waiting | None) -> str:
    sentence = told(message.gateway, gettext("the test is message %(id)s.") % {"id": message.pk})
    if waits and waits.reason:
        why = gettext("It waits: %s.") % waits.sentence
        sentence = f"{sentence} {why}"
    if not may(request.user, Right.MESSAGES_READ):
        return sentence
    address = reverse("admin:messaging_message_change", args=(message.pk,))
    return format_html('{} <a class="underline" href="{}">{}</a>', sentence, address, gettext("See what becomes of it"))


ACTIONS.append(send_test)
