"""What can be done with gateways: buttons on the page of one, actions of the list.

Each is a function of the pages, the request and the rows, as Django's actions are; `action` says how it is offered.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from gateways import accounts, balance, checking, health, providers, samples, standing
from gateways.admin.asking import Question, ask
from gateways.admin.wording import told
from gateways.checking import Finding
from gateways.models import Gateway, is_phone
from gateways.preview import Preview
from portal.errors import Refusal

LEVELS = {True: messages.SUCCESS, False: messages.ERROR, None: messages.WARNING}

Fits = Callable[[Gateway], bool]


def always(_gateway: Gateway) -> bool:
    """For what can be done with any gateway."""
    return True


def action(
    description: str | Promise,
    *,
    icon: str,
    needs: str = "change",
    asks: bool = False,
    single: bool = False,
    fits: Fits = always,
) -> Callable[[Any], Any]:
    """`needs` is a permission of the pages; one that `asks` shows a page first; a `single` one is no action of lists.

    `fits` says of a gateway whether the button makes sense there.
    """

    def described(function: Any) -> Any:
        function.short_description, function.allowed_permissions = description, [needs]
        function.icon, function.asks, function.single, function.fits = icon, asks, single, fits
        return function

    return described


def tells_balance(gateway: Gateway) -> bool:
    """Whether its provider can be asked for the balance."""
    return bool(getattr(providers.find(gateway.provider), "can_tell_balance", False))


def is_paused(gateway: Gateway) -> bool:
    """Whether there is a pause to end."""
    return standing.paused_until(gateway) is not None


@action(_("Check the connection"), icon="network_check")
def check_connection(pages: Any, request: HttpRequest, queryset: Any) -> None:
    for gateway in queryset:
        _show(pages, request, "check", gateway, checking.check(gateway))


@action(_("Balance now"), icon="account_balance_wallet", fits=tells_balance)
def ask_balance(pages: Any, request: HttpRequest, queryset: Any) -> None:
    for gateway in queryset:
        _show(pages, request, "balance", gateway, balance.ask_now(gateway))


def _show(pages: Any, request: HttpRequest, verb: str, gateway: Gateway, found: Finding) -> None:
    pages.note(request, verb, 200, gateway, {"works": found.works})
    messages.add_message(request, LEVELS[found.works], told(gateway, found.says, found.remedy))


class SampleForm(forms.Form):
    """The message whose request is shown."""

    phone = forms.CharField(
        label=_("Phone"),
        max_length=20,
        validators=[is_phone],
        initial=samples.PHONE,
        widget=UnfoldAdminTextInputWidget({"inputmode": "tel"}),
    )
    text = forms.CharField(
        label=_("Text"), max_length=2000, required=False, strip=False, widget=UnfoldAdminTextareaWidget({"rows": 3})
    )


@action(_("Show the request"), icon="code", asks=True)
def show_request(pages: Any, request: HttpRequest, queryset: Any) -> HttpResponseBase:
    sample = SampleForm(request.POST if "phone" in request.POST else None)
    given = sample.cleaned_data if sample.is_valid() else {}
    context = {
        **pages.admin_site.each_context(request),
        "title": gettext("The request as it would be made"),
        "opts": pages.opts,
        "form": sample,
        "requests": [(gateway, *_requested(gateway, given)) for gateway in queryset],
        "question": Question(request, "show_request", queryset),
    }
    return TemplateResponse(request, "admin/gateways/gateway/requests.html", context)


def _requested(gateway: Gateway, sample: dict[str, str]) -> tuple[Preview | None, str]:
    """The request, or why there is none."""
    try:
        return samples.request_of(gateway, **sample), ""
    except Refusal as refusal:
        return None, refusal.sentence


@action(_("Try again now"), icon="play_arrow", fits=is_paused)
def try_again(pages: Any, request: HttpRequest, queryset: Any) -> None:
    for gateway in queryset:
        with transaction.atomic():
            ended = health.end_pause(gateway.pk)
            pages.note(request, "try", 200 if ended else 409, gateway, {})
        if ended:
            messages.success(request, told(gateway, gettext("the next message tries it.")))
        else:
            messages.warning(request, told(gateway, gettext("it is not paused any more.")))


@action(_("Switch on"), icon="toggle_on", fits=lambda gateway: not gateway.enabled)
def switch_on(pages: Any, request: HttpRequest, queryset: Any) -> None:
    _switch(pages, request, queryset, enabled=True)


@action(_("Switch off"), icon="toggle_off", fits=lambda gateway: gateway.enabled)
def switch_off(pages: Any, request: HttpRequest, queryset: Any) -> None:
    _switch(pages, request, queryset, enabled=False)


def _switch(pages: Any, request: HttpRequest, queryset: Any, *, enabled: bool) -> None:
    verb = "switch_on" if enabled else "switch_off"
    done = sum(_change(pages, request, verb, gateway, enabled=enabled) for gateway in queryset)
    if not done:
        return
    if enabled:
        said = ngettext("%(count)s gateway is switched on.", "%(count)s gateways are switched on.", done)
    else:
        said = ngettext("%(count)s gateway is switched off.", "%(count)s gateways are switched off.", done)
    messages.success(request, said % {"count": done})


@action(_("Make it the default"), icon="star", single=True, fits=lambda gateway: not gateway.is_default)
def make_default(pages: Any, request: HttpRequest, queryset: Any) -> None:
    for gateway in queryset:
        if _change(pages, request, "make_default", gateway, is_default=True):
            messages.success(request, told(gateway, gettext("it is the default one now.")))


def _change(pages: Any, request: HttpRequest, verb: str, gateway: Gateway, **details: Any) -> bool:
    """Changes one and writes it down; a refusal is shown, and stops none of the others."""
    try:
        with transaction.atomic():
            accounts.change(gateway, **details)
            pages.note(request, verb, 200, gateway, {})
    except Refusal as refusal:
        with translation.override("en"):
            pages.note(request, verb, 409, gateway, {"refused": refusal.sentence})
        messages.error(request, told(gateway, refusal.sentence))
        return False
    return True


@action(_("New callback key"), icon="key", asks=True, single=True)
def renew_callback_key(pages: Any, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
    question = Question(
        request,
        "renew_callback_key",
        queryset,
        title=gettext("Another callback address"),
        about=gettext(
            "The present callback address stops working at once. Until the new one is pasted at the provider, its "
            "calls are refused: receipts come later or not at all, and what guests write is lost."
        ),
        button=gettext("Make a new key"),
        danger=True,
    )
    if not question.is_answered:
        return ask(pages, question)
    for gateway in queryset:
        with transaction.atomic():
            accounts.renew_callback_key(gateway)
            pages.note(request, "renew_callback", 200, gateway, {})
        messages.success(request, told(gateway, gettext("paste its new callback address at the provider.")))
    return None


#: Messaging hands down its own.
ACTIONS: list[Any] = [
    *(check_connection, show_request, ask_balance, try_again),
    *(switch_on, switch_off, make_default, renew_callback_key),
]
