"""Who is held back by a limit and why, and the brake. Who sees all guests sees it; who may change them releases."""

import ipaddress
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from guests import durations, limits
from guests.limits import brake
from guests.limits.of_messages import WITHIN_RANGE, network_of
from guests.models import LimitCount, Scope
from messaging import phones
from portal.admin.display import NOTHING, moment
from portal.admin.rights import HistoryAdmin, caller, demand
from portal.errors import Refusal
from portal.permissions import Right, may

SEES = (Right.USERS_READ,)
RELEASES = (Right.USERS_READ, Right.USERS_UPDATE)
OF_ADDRESSES = (Scope.ADDRESS, Scope.NETWORK)
#: Marks that are made of what a browser keeps; whole they tell nobody more.
SHOWN_OF_A_MARK = 17

WHY = {
    Scope.PHONE: _("So many messages went to this phone."),
    Scope.ADDRESS: _("So many messages were asked for from this address."),
    Scope.NETWORK: _("So many messages were asked for from this network."),
    Scope.DEVICE: _("So many messages were asked for from this device."),
    Scope.PREFIX: _("So many messages went to phones that begin like this; robots take numbers in a row."),
    Scope.COUNTRY: _("So many messages went to phones of this country."),
    Scope.PORTAL: _("So many messages went out altogether; it is what they may cost."),
    Scope.GUESSES: _("So many wrong passwords of this guest were tried from one address."),
    Scope.GUESSES_ADDRESS: _("So many wrong passwords were tried from this address."),
    Scope.GUESSES_NAME: _("So many wrong passwords of this guest were tried."),
    Scope.SPONSOR: _("This sponsor was asked so many times."),
}
OWN_NETWORK = _("If this is your own network, add it to GUEST_NETWORKS.")


class HeldBackFilter(admin.SimpleListFilter):
    """Those who are held back, unless all that counts is asked for."""

    title = _("state")
    parameter_name = "counts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All counts"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Held back now")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LimitCount]) -> QuerySet[LimitCount]:
        return queryset if self.value() == "all" else queryset.filter(pk__in=limits.held_back().values("pk"))


@admin.register(LimitCount)
class HeldBackAdmin(HistoryAdmin):
    """Counts that are used up, each with a button that begins it anew."""

    area = "USERS"
    actions = ("release",)
    list_display = ("whom", "reason", "figures", "until", "refused", "free")
    list_filter = (HeldBackFilter, "scope")
    list_before_template = "admin/guests/limitcount/brake.html"
    search_fields = ("key",)
    search_help_text = _("A phone in any spelling, an address, or the beginning of what is shown")
    ordering = ("-refused", "-since")
    fields = ("what", "whom", "figures", "since", "until", "refused", "why")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        now, found = timezone.now(), brake.current()
        shown = {
            "title": gettext("Held back"),
            "brake": found,
            "brake_is_pulled": brake.is_pulled(found, now),
            "never_entered": found.sent - found.entered,
            "may_release": may(request.user, *RELEASES),
        }
        return super().changelist_view(request, shown | (extra_context or {}))

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if may(request.user, *RELEASES) else self.list_display[:-1]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset.filter(_meant_by(search_term.strip())), False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/release/", wrap(self.release_view), name="guests_limitcount_release"),
            path("brake/release/", wrap(self.release_brake), name="guests_brake_release"),
            *super().get_urls(),
        ]

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Who may run the action."""
        return self.holds(request, *RELEASES)

    @admin.action(description=_("Release"), permissions=["release"])
    def release(self, request: HttpRequest, queryset: Any) -> None:
        rows = list(queryset)
        for row in rows:
            self._release(request, row)
        done = len(rows)
        messages.success(request, ngettext("%d count begins anew.", "%d counts begin anew.", done) % done)

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The one click."""
        demand(request, *RELEASES)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = LimitCount.objects.filter(pk=pk).first()
        # What another click or the time has released is what was wanted.
        if row is not None:
            self._release(request, row)
            messages.success(request, gettext("Released: %(whom)s") % {"whom": self.whom(row)})
        return HttpResponseRedirect(_list())

    def release_brake(self, request: HttpRequest) -> HttpResponse:
        """Asks, then lets registration go on."""
        demand(request, *RELEASES)
        found = brake.current()
        if not brake.is_pulled(found, timezone.now()):
            messages.info(request, gettext("Registration is not stopped."))
            return HttpResponseRedirect(_list())
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Release the brake"),
                "opts": self.opts,
            }
            budget = [{"figures": self.figures(row), "until": self.until(row)} for row in _budget()]
            context |= {"brake": found, "never_entered": found.sent - found.entered, "back": _list(), "budget": budget}
            return TemplateResponse(request, "guests/brake_release.html", context)
        with transaction.atomic():
            brake.release(caller(request))
            for row in _budget() if "budget" in request.POST else ():
                self._release(request, row)
            self.note(request, "release_brake", 200, found, {"codes": found.sent, "entered": found.entered})
        messages.success(request, gettext("Registration goes on."))
        return HttpResponseRedirect(_list())

    def audited_as(self, obj: Any) -> str:
        return limits.name_to_keep(obj) if isinstance(obj, LimitCount) else str(obj)

    def _release(self, request: HttpRequest, row: LimitCount) -> None:
        with transaction.atomic():
            self.note(request, "release", 200, row, {"count": row.count, "most": row.most, "refused": row.refused})
            limits.release(row)

    @admin.display(description=_("what is counted"), ordering="scope")
    def what(self, row: LimitCount) -> str:
        return row.get_scope_display()

    @admin.display(description=_("of whom"), ordering="key")
    def whom(self, row: LimitCount) -> str:
        if not row.key:
            return gettext("everybody")
        return f"{row.key[:SHOWN_OF_A_MARK]}…" if _is_mark(row) else row.key

    @admin.display(description=_("count"), ordering="count")
    def figures(self, row: LimitCount) -> str:
        said = {"count": row.count, "most": row.most, "span": durations.in_words(row.span)}
        return gettext("%(count)s of %(most)s in %(span)s") % said

    @admin.display(description=_("until"))
    def until(self, row: LimitCount) -> str:
        return moment(_end(row)) if row.count >= row.most else NOTHING

    @admin.display(description=_("reason"))
    def why(self, row: LimitCount) -> str:
        hint = f" {OWN_NETWORK}" if row.scope in OF_ADDRESSES else ""
        return format_html('<span class="guest-why">{}{}</span>', WHY[Scope(row.scope)], hint)

    @admin.display(description=_("what is counted"), ordering="scope")
    def reason(self, row: LimitCount) -> str:
        return format_html(
            '<div>{}<span class="guest-sent">{}</span></div>', capfirst(row.get_scope_display()), self.why(row)
        )

    @admin.display(description=_("release"))
    def free(self, row: LimitCount) -> str:
        if row.count < row.most:
            return NOTHING
        return render_to_string("admin/guests/limitcount/release_button.html", {"row": row, "whom": self.whom(row)})


def _budget() -> QuerySet[LimitCount]:
    """What the whole portal may send, where that is used up: then no guest gets a code, brake or no brake."""
    return limits.held_back().filter(scope=Scope.PORTAL).order_by("minutes")


def _list() -> str:
    return reverse("admin:guests_limitcount_changelist")


def _end(row: LimitCount) -> datetime:
    return row.since + row.span


def _is_mark(row: LimitCount) -> bool:
    return row.scope == Scope.DEVICE and len(row.key) > SHOWN_OF_A_MARK


def _meant_by(typed: str) -> Q:
    """The counts of a phone and of its range, of an address and its network, and whatever begins like this."""
    found = Q(key__startswith=typed)
    try:
        phone = phones.normalise(typed)
    except Refusal:
        pass
    else:
        found |= Q(scope=Scope.PHONE, key=phone) | Q(scope=Scope.PREFIX, key=phone[:-WITHIN_RANGE])
    try:
        ipaddress.ip_address(typed)
    except ValueError:
        return found
    return found | Q(key=network_of(typed))
