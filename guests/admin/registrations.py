"""Registrations in the admin: who tried to come in, how far it went, what is kept of it. Nothing is written."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guests import accounts, durations
from guests.admin import shown
from guests.admin.filters import ProgressFilter
from guests.captive import reading
from guests.models import Approval, CodeMessage, Guest, Registration
from guests.registration import TRIES
from messaging import phones
from portal.admin.display import NOTHING
from portal.admin.filters import TimeRangeFilter
from portal.admin.rights import HistoryAdmin, caller
from portal.errors import Refusal
from portal.permissions import Right, may

#: So many messages with a code are listed on the page.
MESSAGES_SHOWN = 20


def visible_to(user: Any, rows: QuerySet[Registration]) -> QuerySet[Registration]:
    """Those of the guests whom the user may see; who sees own guests only sees no unfinished ones."""
    return rows.filter(guest__in=accounts.visible_to(user)) if accounts.sees_own_only(user) else rows


@admin.register(Registration)
class RegistrationAdmin(HistoryAdmin):
    """One line for each browser that tried to come in."""

    area = "USERS"
    hidden = frozenset({"token_digest", "password", "device", "code"})
    change_form_template = "admin/guests/registration/change_form.html"
    list_display = ("phone", "how_far", "created", "origin", "whence", "account", "tried")
    list_filter = ("stage", ProgressFilter, "origin", "purpose", ("created", TimeRangeFilter))
    list_filter_submit = True
    # What is typed is looked for below, not by this; without it there is no field to type into.
    search_fields = ("phone",)
    search_help_text = _("A phone in any spelling, a user name, or the MAC of a device")
    fieldsets = (
        (None, {"fields": ("how_far", "reason", "purpose", "origin", "account", "guest_type")}),
        (_("Said"), {"fields": ("phone", "name", "email", "company", "language")}),
        (_("Came from"), {"fields": ("address", "mac", "ssid", "browser")}),
        (_("Terms of use"), {"fields": ("agreed", "terms_accepted_at", "proof", "address_then")}),
        (_("Times"), {"fields": ("created", "verified_at", "finished_at", "anonymised_at", "tried")}),
    )
    readonly_fields = ("how_far", "account", "ssid", "browser", "agreed", "proof", "address_then", "tried")

    def _right(self, verb: str) -> Right:
        return Right.USERS_READ_SPONSORED if verb == "READ" else super()._right(verb)

    def get_queryset(self, request: HttpRequest) -> Any:
        found: QuerySet[Registration] = super().get_queryset(request)
        # Neither a list nor a page decrypts a password.
        rows = found.select_related("guest", "guest_type", "terms").defer("password", "terms__text")
        return visible_to(caller(request), rows)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        typed = search_term.strip()
        return queryset.filter(_meant_by(typed)) if typed else queryset, False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        registration = self.get_object(request, object_id) if self.has_view_permission(request) else None
        context = self._around(request, registration) if registration else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _around(self, request: HttpRequest, registration: Registration) -> dict[str, Any]:
        """What stands below the fields: messages, the sponsor's answer, devices."""
        sent = CodeMessage.objects.filter(Q(registration=registration) | Q(code=registration.code_id))
        rows = sent.select_related("message__gateway")
        rows = rows.defer("message__text", "message__masked_text")[:MESSAGES_SHOWN]
        approval = Approval.objects.select_related("sponsor", "decided_by").filter(registration=registration).first()
        return {
            "registration": registration,
            "codes": [(one, shown.fate(one.message)) for one in rows],
            "credentials_sent": registration.credentials_id and registration.credentials,
            "sees_messages": may(request.user, Right.MESSAGES_READ),
            "approval": approval,
            "stay": durations.in_words(approval.stay) if approval and approval.stay else "",
            "devices": registration.guest.devices.all() if registration.guest else [],
        }

    def audited_as(self, obj: Registration) -> str:
        return str(obj.pk)

    @admin.display(description=_("stage"), ordering="stage")
    def how_far(self, registration: Registration) -> str:
        return shown.stage(registration)

    @admin.display(description=_("came from"), ordering="address")
    def whence(self, registration: Registration) -> str:
        device = " · ".join(filter(None, (registration.mac, self.ssid(registration))))
        return format_html('<div>{}<span class="guest-sent">{}</span></div>', registration.address or NOTHING, device)

    @admin.display(description=_("network"))
    def ssid(self, registration: Registration) -> str:
        return str(registration.arrival.get("ssid") or "")

    @admin.display(description=_("browser"))
    def browser(self, registration: Registration) -> str:
        return f"{registration.device[:12]}…" if registration.device else NOTHING

    @admin.display(description=_("guest"), ordering="guest__username")
    def account(self, registration: Registration) -> str:
        if registration.guest is None:
            return NOTHING
        address = reverse("admin:guests_guest_change", args=(registration.guest_id,))
        return format_html('<a class="guest-link" href="{}">{}</a>', address, registration.guest.username)

    @admin.display(description=_("codes tried"), ordering="tries")
    def tried(self, registration: Registration) -> str:
        return gettext("%(tries)s of %(most)s") % {"tries": registration.tries, "most": TRIES}

    @admin.display(description=_("version"))
    def agreed(self, registration: Registration) -> str:
        terms = registration.terms
        if terms is None:
            return gettext("none were published")
        address = reverse("admin:guests_terms_change", args=(terms.pk,))
        name = gettext("%(version)s, %(language)s") % {
            "version": terms.version,
            "language": terms.get_language_display(),
        }
        return format_html('<a class="guest-link" href="{}">{}</a>', address, name)

    @admin.display(description=_("SHA-256 of the text"))
    def proof(self, registration: Registration) -> str:
        digest = registration.terms.digest if registration.terms else NOTHING
        return format_html('<code class="guest-why">{}</code>', digest)

    @admin.display(description=_("from the address"))
    def address_then(self, registration: Registration) -> str:
        return registration.address if registration.terms and registration.address else NOTHING


def _meant_by(typed: str) -> Q:
    """What was typed decides the column; each has an index."""
    found = Q(guest__in=Guest.objects.filter(username=typed))
    if mac := reading.mac(typed):
        found |= Q(mac=mac)
    try:
        return found | Q(phone=phones.normalise(typed))
    except Refusal:
        return found
