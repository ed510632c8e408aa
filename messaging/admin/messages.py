"""Messages in the admin: found, read with their timeline, sent again, sent elsewhere or taken back."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging import finding, sending, timeline, waiting
from messaging.admin.deeds import ACTIONS, FROM_PAGE, ask_or_do, buttons_for
from messaging.admin.filters import AgainFilter, BatchFilter, CountedSoFar
from messaging.models import Message
from messaging.sending import Deed
from portal.admin.display import NOTHING, as_written, moment
from portal.admin.filters import TimeRangeFilter
from portal.admin.rights import HistoryAdmin
from portal.permissions import SENDING

#: Unfold's colours by state.
LABELS = {str(state): str(tone) for state, tone in timeline.TONES.items()}


@admin.register(Message)
class MessageAdmin(HistoryAdmin):
    """The journey of every message. Its secret text is in no field here; `shown_text` is the masked one."""

    area = "MESSAGES"
    hidden = frozenset({"text", "masked_text"})
    actions = tuple(ACTIONS)
    change_form_template = "admin/messaging/message/change_form.html"
    list_display = ("id", "coloured_state", "phone", "recipient_label", "kind", "created", "gateway", "reason")
    list_filter = ("state", "kind", "gateway", ("created", TimeRangeFilter), "requested_by", BatchFilter, AgainFilter)
    list_filter_submit = True
    list_select_related = ("gateway",)
    paginator = CountedSoFar
    # What is typed is looked for by `finding`, not by this; without it there is no field to type into.
    search_fields = ("phone",)
    search_help_text = _("A phone or its last digits, a user name, a provider's reference, or the id of a text.")
    readonly_fields = ("shown_text", "why_it_waits", "risk_of_resending")
    fieldsets = (
        (None, {"fields": ("kind", "phone", "recipient_label", "shown_text", "encoding", "segments")}),
        (
            _("Journey"),
            {
                "fields": (
                    *("state", "reason", "why_it_waits", "risk_of_resending"),
                    *("gateway", "wanted", "only_here", "reference"),
                )
            },
        ),
        (_("Times"), {"fields": ("created", "valid_until", "due_at", "submitted_at", "finished_at")}),
        (_("Origin"), {"fields": ("requested_by", "door", "batch", "caller_reference", "resend_of")}),
        (
            _("For the expert"),
            {"fields": ("priority", "epoch", "lease_until", "failures", "unclear", "ask_at", "asked")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # A list decrypts no text; the page of one message reads its own when it shows it.
        return super().get_queryset(request).defer("text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        return finding.find(queryset, search_term), False

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may run the actions."""
        return self.holds(request, *SENDING)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        message = self.get_object(request, object_id)
        known = message is not None and self.has_view_permission(request, message)
        context = {
            "timeline": timeline.of(message) if message and known else [],
            "buttons": buttons_for(message) if message and known and self.has_send_permission(request) else [],
            "checkbox": ACTION_CHECKBOX_NAME,
            "from_page": FROM_PAGE,
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def audited_as(self, obj: Message) -> str:
        return str(obj.pk)

    @display(description=_("state"), ordering="state", label=LABELS)  # type: ignore[untyped-decorator]
    def coloured_state(self, message: Message) -> tuple[str, str]:
        return message.state, message.get_state_display()

    @admin.display(description=_("text"))
    def shown_text(self, message: Message) -> str:
        text = message.shown_text
        return as_written(text) if text else NOTHING

    @admin.display(description=_("waits for"))
    def why_it_waits(self, message: Message) -> str:
        found = waiting.why(message)
        if found is None:
            return NOTHING
        return f"{found.sentence} · {moment(found.until)}" if found.until else str(found.sentence)

    @admin.display(description=_("risk of sending it again"))
    def risk_of_resending(self, message: Message) -> str:
        return sending.risk_of_resending(message) or NOTHING

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        return ask_or_do(self, request, queryset, Deed.RESEND)

    @admin.action(description=_("Cancel"), permissions=["send"])
    def cancel(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        return ask_or_do(self, request, queryset, Deed.CANCEL)

    @admin.action(description=_("Send through another gateway"), permissions=["send"])
    def send_elsewhere(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        return ask_or_do(self, request, queryset, Deed.ELSEWHERE)
