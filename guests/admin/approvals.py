"""The questions to sponsors: how each stands, and the pages on which the staff answer in the sponsor's place."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from guests import approvals, durations
from guests.admin import shown
from guests.approvals import Standing, standing
from guests.forms.answering import APPROVE, DENY, ReasonForm, StayForm
from guests.models import Approval, Stage
from portal.admin.display import NOTHING, moment
from portal.admin.rights import HistoryAdmin, caller, demand
from portal.errors import Refusal, Why
from portal.permissions import Right, may

COLOURS = {
    Standing.WAITING: "info",
    Standing.APPROVED: "success",
    Standing.DENIED: "danger",
    Standing.UNANSWERED: "warning",
    Standing.UNPROVEN: "",
}


class StandingFilter(admin.SimpleListFilter):
    """Who waits now, unless more is asked for."""

    title = _("state")
    parameter_name = "standing"
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (
            (None, _("waiting")),
            ("approved", _("approved")),
            ("denied", _("denied")),
            ("unanswered", _("not answered in time")),
            (self.ALL, _("all")),
        )

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        undecided = Q(decided_at=None, registration__verified_at__isnull=False)
        open_now = undecided & Q(registration__stage=Stage.APPROVAL, expires_at__gt=timezone.now())
        found = {
            "approved": Q(approved=True),
            "denied": Q(approved=False),
            "unanswered": undecided & ~open_now,
            self.ALL: Q(),
        }
        return queryset.filter(found.get(str(self.value()), open_now))


@admin.register(Approval)
class ApprovalAdmin(HistoryAdmin):
    """Who is kept to own guests sees the questions to the own person only."""

    area = "USERS"
    change_form_template = "admin/guests/approval/change_form.html"
    hidden = frozenset({"link", "link_digest"})
    list_display = ("who", "state", "whom_", "asked", "until", "answer")
    list_filter = (StandingFilter,)
    search_fields = ("registration__phone", "registration__name", "registration__company", "sponsor__name", "email")
    fieldsets = (
        (None, {"fields": ("state", "guest_name", "guest_phone", "guest_company", "guest_email", "kind", "comes_at")}),
        (_("The question"), {"fields": ("whom_", "email", "phone", "asked", "mailed", "by_sms", "reminded", "until")}),
        (_("The answer"), {"fields": ("decided", "decider", "how_long", "why_not")}),
    )
    readonly_fields = (
        *("state", "guest_name", "guest_phone", "guest_company", "guest_email", "kind", "comes_at", "whom_", "email"),
        *("phone", "asked", "mailed", "by_sms", "reminded", "until", "decided", "decider", "how_long", "why_not"),
    )

    def _right(self, verb: str) -> Right:
        return Right.USERS_READ_SPONSORED if verb == "READ" else super()._right(verb)

    def get_queryset(self, request: HttpRequest) -> Any:
        found = (
            super()
            .get_queryset(request)
            .select_related("registration__guest_type", "registration__guest", "sponsor", "decided_by", "sms__gateway")
        )
        hidden = ("sms__text", "sms__masked_text", "registration__password", "link")
        return approvals.visible_to(caller(request), found.defer(*hidden))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/approve/", wrap(self.approve), name="guests_approval_approve"),
            path("<int:pk>/deny/", wrap(self.deny), name="guests_approval_deny"),
            *super().get_urls(),
        ]

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for how long, and lets the guest in."""
        found = self._found(request, pk)
        form = StayForm(found, request.POST or None)
        offered = approvals.choices(found.registration.guest_type)
        form.fields["duration"].widget = UnfoldAdminSelectWidget(choices=offered)

        def act(given: dict[str, Any]) -> str:
            approvals.approve(found, stay=durations.read(given["duration"]), by=caller(request))
            return gettext("Approved. The guest is sent user name and password by SMS.")

        return self._answer(request, APPROVE, gettext("Approve"), found, form, act)

    def deny(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why, and tells the guest."""
        found = self._found(request, pk)
        form = ReasonForm(request.POST or None)
        form.fields["reason"].widget = UnfoldAdminTextInputWidget(attrs={"maxlength": approvals.LONGEST_REASON})

        def act(given: dict[str, Any]) -> str:
            approvals.deny(found, why=given["reason"], by=caller(request))
            return gettext("Denied. The guest is told so by SMS.")

        return self._answer(request, DENY, gettext("Deny"), found, form, act)

    def _found(self, request: HttpRequest, pk: int) -> Approval:
        demand(request, Right.USERS_READ_SPONSORED, Right.USERS_UPDATE)
        found: Approval | None = self.get_queryset(request).filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def _answer(
        self,
        request: HttpRequest,
        verb: str,
        title: str,
        found: Approval,
        form: forms.Form,
        act: Callable[[dict[str, Any]], str],
    ) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                sentence = act(form.cleaned_data)
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
                self._note_refused(request, verb, found, refusal)
            else:
                self.note(request, verb, 200, found, form.cleaned_data)
                messages.success(request, sentence)
                return HttpResponseRedirect(reverse("admin:guests_approval_changelist"))
        context = {"title": title, "opts": self.opts, "approval": found, "form": form, "denies": verb == DENY}
        page = self.admin_site.each_context(request) | context
        return TemplateResponse(request, "guests/approval_answer.html", page)

    def _note_refused(self, request: HttpRequest, verb: str, found: Approval, refusal: Refusal) -> None:
        with translation.override("en"):
            status = 409 if refusal.why is Why.CONFLICT else 422
            self.note(request, verb, status, found, {"refused": refusal.sentence})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        found = self.get_object(request, object_id)
        offers = found is not None and _is_open(found) and may(request.user, Right.USERS_UPDATE)
        return super().change_view(request, object_id, form_url, {"offers": offers} | (extra_context or {}))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404

    @display(description=_("guest"), header=True)  # type: ignore[untyped-decorator]
    def who(self, approval: Approval) -> list[str]:
        registration = approval.registration
        about = " · ".join(filter(None, (registration.name, registration.company)))
        return [registration.phone or NOTHING, about]

    @admin.display(description=_("state"))
    def state(self, approval: Approval) -> str:
        found = standing.of(approval)
        return shown.label(found.label, COLOURS[found])

    @admin.display(description=_("sponsor"))
    def whom_(self, approval: Approval) -> str:
        return approval.whom or gettext("nobody; the staff decides")

    @admin.display(description=_("asked"))
    def asked(self, approval: Approval) -> str:
        if approval.asked_at is None:
            return gettext("not asked yet") if standing.of(approval) is Standing.WAITING else NOTHING
        fault = [(gettext("no e-mail: %(fault)s") % {"fault": approval.mail_fault},)] if approval.mail_fault else []
        return format_html("{}{}", moment(approval.asked_at), _small(fault))

    @admin.display(description=_("answer by"), ordering="expires_at")
    def until(self, approval: Approval) -> str:
        return moment(approval.expires_at)

    @admin.display(description=_("answer"))
    def answer(self, approval: Approval) -> str:
        if _is_open(approval):
            deeds = ((APPROVE, gettext("Approve")), (DENY, gettext("Deny")))
            links = [(reverse(f"admin:guests_approval_{verb}", args=(approval.pk,)), label) for verb, label in deeds]
            return format_html_join(" · ", '<a class="guest-link" href="{}">{}</a>', links)
        return standing.decided_by(approval) if approval.decided_at else NOTHING

    @admin.display(description=pgettext_lazy("person", "name"))
    def guest_name(self, approval: Approval) -> str:
        return approval.registration.name or NOTHING

    @admin.display(description=_("phone"))
    def guest_phone(self, approval: Approval) -> str:
        return approval.registration.phone or NOTHING

    @admin.display(description=_("company"))
    def guest_company(self, approval: Approval) -> str:
        return approval.registration.company or NOTHING

    @admin.display(description=_("e-mail"))
    def guest_email(self, approval: Approval) -> str:
        return approval.registration.email or NOTHING

    @admin.display(description=_("guest type"))
    def kind(self, approval: Approval) -> str:
        return str(approval.registration.guest_type or NOTHING)

    @admin.display(description=_("phone proven"))
    def comes_at(self, approval: Approval) -> str:
        return moment(approval.registration.verified_at)

    @admin.display(description=_("e-mail sent"))
    def mailed(self, approval: Approval) -> str:
        if approval.mail_fault:
            known = {"fault": approval.mail_fault, "tries": approval.mail_tries, "again": moment(approval.mail_at)}
            return gettext("not sent (%(fault)s), tried %(tries)s times, again at %(again)s") % known
        return moment(approval.mailed_at)

    @admin.display(description=_("SMS"))
    def by_sms(self, approval: Approval) -> str:
        return shown.fate(approval.sms) if approval.sms else NOTHING

    @admin.display(description=_("reminded"))
    def reminded(self, approval: Approval) -> str:
        return moment(approval.reminded_at)

    @admin.display(description=_("decided"))
    def decided(self, approval: Approval) -> str:
        return moment(approval.decided_at)

    @admin.display(description=_("decided by"))
    def decider(self, approval: Approval) -> str:
        return standing.decided_by(approval) if approval.decided_at else NOTHING

    @admin.display(description=_("for how long"))
    def how_long(self, approval: Approval) -> str:
        return durations.in_words(approval.stay) if approval.stay else NOTHING

    @admin.display(description=_("reason"))
    def why_not(self, approval: Approval) -> str:
        return approval.registration.reason or NOTHING


def _is_open(approval: Approval) -> bool:
    return standing.of(approval) is Standing.WAITING


def _small(lines: list[tuple[str]]) -> str:
    return format_html_join("", '<span class="guest-sent">{}</span>', lines)
