"""Resend, cancel, send elsewhere: one page that says what it means for how many, and then the deed."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from gateways.models import Gateway
from messaging import sending
from messaging.admin.consent import has_confirmed, who_is_it
from messaging.models import CANCELLABLE, RESENDABLE, Door, Message
from messaging.sending import Deed, Done, Outlook
from portal import admin_trail
from portal.admin.rights import RightsAdmin, caller
from portal.errors import Refusal

#: On the page of one message its buttons carry this name, so that one comes back there.
FROM_PAGE = "from_page"
#: What the page that asks has told: the last message there was, with how many it can be done, how many may come twice.
LAST, ABLE, RISKY = "last", "able", "risky"
#: The actions of the list, by what they do.
ACTIONS = {"send_again": Deed.RESEND, "cancel": Deed.CANCEL, "send_elsewhere": Deed.ELSEWHERE}
#: How many of the skipped are named in one sentence, and in the audit trail.
NAMED = 10


@dataclass(frozen=True)
class Words:
    """How a deed is called on its page and on its button."""

    title: str | Promise
    button: str | Promise
    variant: str = "primary"


WORDS = {
    Deed.RESEND: Words(gettext_lazy("Send messages again"), gettext_lazy("Send again")),
    Deed.CANCEL: Words(gettext_lazy("Cancel messages"), gettext_lazy("Cancel them"), "danger"),
    Deed.ELSEWHERE: Words(gettext_lazy("Send messages through another gateway"), gettext_lazy("Send through it")),
}


class GatewayChoice(forms.Form):
    """Through which gateway, where that is the question."""

    gateway: Any = forms.ModelChoiceField(
        Gateway.objects.filter(enabled=True), label=gettext_lazy("Gateway"), widget=UnfoldAdminSelectWidget
    )


def buttons_for(message: Message) -> list[tuple[str, str | Promise]]:
    """What can be done with one message now: actions and their names."""
    waits = message.state in CANCELLABLE
    again = message.state in RESENDABLE and message.text and not Message.objects.filter(resend_of=message).exists()
    found: list[tuple[str, str | Promise]] = [("send_again", _("Send again"))] if again else []
    if again or (waits and not message.only_here and not message.unclear):
        found.append(("send_elsewhere", _("Send through another gateway")))
    return [*found, ("cancel", _("Cancel"))] if waits else found


def ask_or_do(pages: RightsAdmin, request: HttpRequest, rows: QuerySet[Message], deed: Deed) -> HttpResponseBase | None:
    """The page that asks, until a person has confirmed; then it is done. Where more has come in since, it asks anew."""
    rows = _that_were_counted(request, rows)
    choice = GatewayChoice(request.POST if has_confirmed(request) else None) if deed is Deed.ELSEWHERE else None
    if not has_confirmed(request) or (choice and not choice.is_valid()):
        return _ask(pages, request, rows, deed, choice)
    if deed is not Deed.CANCEL and len(rows[:2]) > 1 and (question := who_is_it(request)):
        return question
    if _is_more_than_told(request, sending.outlook(deed, rows)):
        messages.warning(request, _("More messages came in since you looked; look at the figures once more."))
        return _ask(pages, request, rows, deed, choice)
    gateway = choice.cleaned_data["gateway"] if choice else None
    try:
        done = _do(rows, deed, gateway, request)
    except Refusal as refusal:
        _note(request, deed, 409, {"refused": refusal.sentence})
        messages.error(request, refusal.sentence)
    else:
        _note(request, deed, 200, {"done": done.count, "refused": list(done.refused)[:NAMED]})
        _tell(request, deed, done)
    return _back(request)


def _that_were_counted(request: HttpRequest, rows: QuerySet[Message]) -> QuerySet[Message]:
    """Without those that were accepted after the page that asked had counted them."""
    last = _number(request, LAST)
    return rows if last is None else rows.filter(pk__lte=last)


def _is_more_than_told(request: HttpRequest, now: Outlook) -> bool:
    """Whether it would be done to more of them, or more might arrive twice, than the page that asked has said."""
    told = ((_number(request, ABLE), now.able), (_number(request, RISKY), now.risky))
    return any(before is not None and before < present for before, present in told)


def _number(request: HttpRequest, name: str) -> int | None:
    given = request.POST.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _ask(
    pages: RightsAdmin, request: HttpRequest, rows: QuerySet[Message], deed: Deed, choice: GatewayChoice | None
) -> HttpResponseBase:
    action = next(name for name, meant in ACTIONS.items() if meant is deed)
    outlook = sending.outlook(deed, rows)
    context = {
        **pages.admin_site.each_context(request),
        "title": WORDS[deed].title,
        "opts": pages.opts,
        "words": WORDS[deed],
        "outlook": outlook,
        "deed": deed,
        "form": choice,
        "hidden": [
            ("action", action),
            ("select_across", request.POST.get("select_across", "0")),
            ("index", request.POST.get("index", "0")),
            (FROM_PAGE, request.POST.get(FROM_PAGE, "")),
            (LAST, rows.aggregate(last=Max("pk"))["last"] or 0),
            (ABLE, outlook.able),
            (RISKY, outlook.risky),
            *((ACTION_CHECKBOX_NAME, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
        "back": _back_to(request),
    }
    return TemplateResponse(request, "admin/messaging/message/confirm.html", context)


def _do(rows: QuerySet[Message], deed: Deed, gateway: Gateway | None, request: HttpRequest) -> Done:
    """One message gets the sentence that fits it; of many the count and some names are told."""
    some = list(rows.order_by("pk")[:2])
    if len(some) != 1:
        return sending.do_all(deed, rows, by=caller(request), gateway=gateway)
    message, by = some[0], caller(request)
    if deed is Deed.CANCEL:
        sending.cancel(message, by=by)
    elif gateway:
        sending.send_elsewhere(message, gateway, by=by, door=Door.PAGES)
    else:
        sending.resend(message, requested_by=by, door=Door.PAGES)
    return Done(1)


def _tell(request: HttpRequest, deed: Deed, done: Done) -> None:
    if done.count:
        sentence = {
            Deed.RESEND: ngettext("%d message will be sent again.", "%d messages will be sent again.", done.count),
            Deed.CANCEL: ngettext("%d message was cancelled.", "%d messages were cancelled.", done.count),
            Deed.ELSEWHERE: ngettext(
                "%d message goes through the other gateway.", "%d messages go through the other gateway.", done.count
            ),
        }[deed]
        messages.success(request, sentence % done.count)
    else:
        messages.warning(request, _("With none of these messages this can be done."))
    for key, why in list(done.refused.items())[:NAMED]:
        messages.error(request, _("Message %(id)s: %(why)s") % {"id": key, "why": why})


def _note(request: HttpRequest, deed: Deed, status: int, details: dict[str, Any]) -> None:
    """One line in the audit trail, however many messages it was about."""
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    everything = request.POST.get("select_across") == "1"
    about = {"all that are found": request.GET.urlencode()} if everything else {"messages": chosen[:50]}
    object_id = chosen[0] if len(chosen) == 1 and not everything else ""
    admin_trail.note(request, f"messaging_message_{deed}", status, object_id=object_id, details=details | about)


def _back_to(request: HttpRequest) -> str:
    page = request.POST.get(FROM_PAGE, "")
    if page.isdecimal():
        return reverse("admin:messaging_message_change", args=(page,))
    return request.get_full_path()


def _back(request: HttpRequest) -> HttpResponseBase:
    return HttpResponseRedirect(_back_to(request))
