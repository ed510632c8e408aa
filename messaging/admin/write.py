"""*Write*: a text to guests, typed numbers or a CSV; looked at once more before it is sent."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from gateways.models import Gateway
from messaging import number_lists, opt_outs, recipients, sending, templates
from messaging.admin import metering
from messaging.admin.consent import has_confirmed, who_is_it
from messaging.admin.write_form import WriteForm
from messaging.models import Door, MessageTemplate
from messaging.retries import Kind
from portal import admin_trail
from portal.admin.rights import caller, demand
from portal.errors import Refusal
from portal.permissions import SENDING, Right, may

#: How many phones of a list are shown, and how many faulty rows.
SHOWN, FAULTS_SHOWN = 10, 50
#: The field that holds an E.164 phone of a batch goes by this name in the form.
FIELDS = {"items": None, "token": None, "gateway": "gateway", "schedule": "schedule"}


@never_cache
def page(request: HttpRequest) -> HttpResponseBase:
    """The form; then the page that asks whether to send; then the batch."""
    demand(request, *SENDING)
    return who_is_it(request) or _step(request)


def _step(request: HttpRequest) -> HttpResponseBase:
    if request.method != "POST":
        return _form(request, WriteForm(user=caller(request)))
    if "fill" in request.POST or "edit" in request.POST:
        return _form(request, WriteForm(user=caller(request), initial=_as_given(request)))
    form = WriteForm(request.POST, request.FILES, user=caller(request))
    if not form.is_valid():
        return _form(request, form)
    return _send(request, form) if has_confirmed(request) else _ask(request, form)


def _as_given(request: HttpRequest) -> dict[str, Any]:
    """What was typed so far, with the template's text where one was chosen."""
    given = dict(request.POST.items())
    chosen = str(given.get("template", ""))
    if "fill" in request.POST and chosen.isdecimal():
        found = MessageTemplate.objects.filter(pk=chosen, kind=Kind.INFORMATION).first()
        given["text"] = _filled(found) if found else given.get("text", "")
    return given


def _form(request: HttpRequest, form: WriteForm) -> HttpResponseBase:
    known = MessageTemplate.objects.filter(kind=Kind.INFORMATION)
    context = {
        "form": form,
        "texts": {str(one.pk): _filled(one) for one in known},
        "choosers": bool(recipients.DIRECTORIES),
    }
    return _page(request, "admin/messaging/write.html", _("Write"), context)


def _filled(template: MessageTemplate) -> str:
    try:
        return templates.sample(template.kind, template.text)
    except Refusal:
        return template.text


def _ask(request: HttpRequest, form: WriteForm) -> HttpResponseBase:
    gateway, text = form.cleaned_data["gateway"], form.cleaned_data["text"]
    measure = sending.measured(text)
    people, faults = form.people, form.cleaned_data["file"].errors
    suppressed = len(opt_outs.among(people))
    context = {
        "carried": form.carried(),
        "people": people[:SHOWN],
        "count": len(people),
        "more": len(people) - SHOWN,
        "duplicates": form.duplicates,
        "suppressed": suppressed,
        "faults": list(faults.items())[:FAULTS_SHOWN],
        "fault_count": len(faults),
        "text": text,
        "gateway": gateway,
        "measure": metering.in_words(measure),
        "cost": metering.cost(gateway, measure.segments, len(people) - suppressed),
        "schedule": form.cleaned_data["schedule"],
    }
    return _page(request, "admin/messaging/write_confirm.html", _("Send this message?"), context)


def _send(request: HttpRequest, form: WriteForm) -> HttpResponseBase:
    given = form.cleaned_data
    try:
        batch = sending.send_many(
            form.items(),
            gateway_name=given["gateway"].name,
            requested_by=caller(request),
            due_at=given["schedule"],
            token=given["token"],
            door=Door.WRITE,
        )
    except Refusal as refusal:
        form.add_error(FIELDS.get(refusal.field), refusal.sentence)
        return _form(request, form)
    details = {"recipients": batch.total, "gateway": given["gateway"].name, "schedule": str(given["schedule"] or "")}
    admin_trail.note(request, "messaging_batch_send", 201, object_id=str(batch.pk), details=details)
    return HttpResponseRedirect(reverse("admin:messaging_batch_change", args=(batch.pk,)))


def _page(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponseBase:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})


@never_cache
@require_POST
def measure(request: HttpRequest) -> JsonResponse:
    """What the text on a page costs as it stands: for *Write*, and with sample values for templates."""
    given = request.POST
    if "kind" in given:
        if not may(caller(request), Right.SYSTEM_CREATE):
            demand(request, Right.SYSTEM_UPDATE)
        known = given["kind"] in Kind.values
        return JsonResponse(metering.sampled(given["kind"], given.get("text", "")) if known else {})
    demand(request, *SENDING)
    found = metering.measured(given.get("text", ""))
    if "wrong" not in found:
        chosen = given.get("gateway", "")
        gateway = Gateway.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
        guests = [pid for pid in given.get("guests", "").replace(",", "\n").splitlines() if pid.strip()]
        try:
            count = len(number_lists.typed(given.get("numbers", "")).phones) + len(guests)
        except Refusal as refusal:
            return JsonResponse({"wrong": refusal.sentence})
        found["cost"] = metering.cost(gateway, found["segments"], count)
    return JsonResponse(found)


@never_cache
@require_GET
def people(request: HttpRequest) -> JsonResponse:
    """The people whom a few letters may mean."""
    demand(request, *SENDING)
    found = recipients.search(request.GET.get("q", ""), caller(request))
    return JsonResponse({"people": [person._asdict() for person in found]})
