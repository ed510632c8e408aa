"""What people wrote to us, and who wants no more, in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from messaging import opt_outs
from messaging.models import InboundMessage, OptOut
from portal.admin.display import NOTHING, as_written
from portal.admin.rights import DomainAdmin, DomainForm, HistoryAdmin, caller


@admin.register(InboundMessage)
class InboundMessageAdmin(HistoryAdmin):
    """What people wrote to us, word for word."""

    area = "MESSAGES"
    hidden = frozenset({"text", "fingerprint"})
    fields = ("gateway", "phone", "shown_text", "opted", "reference", "at", "received_at")
    readonly_fields = ("shown_text",)
    list_display = ("received_at", "phone", "shown_text", "opted", "gateway", "at")
    list_filter = ("opted", "gateway", "received_at")
    list_select_related = ("gateway",)
    search_fields = ("phone", "reference")

    def audited_as(self, obj: InboundMessage) -> str:
        return str(obj.pk)

    @admin.display(description=_("text"))
    def shown_text(self, inbound: InboundMessage) -> str:
        return as_written(inbound.text) if inbound.text else NOTHING


class OptOutForm(DomainForm):
    """The phone may be written in any usual way; `opt_outs` spells it and knows whether it is there already."""

    left_to_domain = frozenset({"phone"})


@admin.register(OptOut)
class OptOutAdmin(DomainAdmin):
    """Phones that want no information; `opt_outs` writes them. One is put on the list or taken off it, not changed."""

    area = "USERS"
    form = OptOutForm
    list_display = ("phone", "since", "added_by", "note")
    list_filter = ("since",)
    list_select_related = ("added_by",)
    search_fields = ("phone", "note")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("phone", "since", "inbound", "added_by", "note") if obj else ("phone", "note")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: OptOut, form: Any, change: bool) -> None:
        obj.pk = opt_outs.add(**form.cleaned_data, added_by=caller(request)).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: OptOut) -> None:
        opt_outs.opt_in(obj.phone)

    def audited_as(self, obj: OptOut) -> str:
        return str(obj.pk)
