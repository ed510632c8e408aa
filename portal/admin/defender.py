"""The Defender's pages: who is blocked and who is watched, what was refused of late, and networks that are not blocked.

Whoever may read the system sees them; whoever may change it blocks and unblocks.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from portal import callers, defender
from portal.admin.display import NOTHING
from portal.admin.rights import DomainAdmin, DomainForm, HistoryAdmin
from portal.defender import allowed
from portal.models import AllowedNetwork, RefusedTry, WatchedHost
from portal.permissions import Right, may

SUGGESTED_MINUTES = 60


class UnderUpdate(DomainAdmin):
    """Pages where every change is the one right to change the system."""

    area = "SYSTEM"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may_change(self, request: HttpRequest) -> bool:
        """Whether the signed-in person blocks and unblocks."""
        return may(request.user, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)


class StateFilter(admin.SimpleListFilter):
    """Those who are blocked, unless all are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("watched", _("Not blocked (yet)")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Blocked now")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        blocked = WatchedHost.objects.blocked().values("pk")
        return queryset.exclude(pk__in=blocked) if self.value() == "watched" else queryset.filter(pk__in=blocked)


class BlockForm(DomainForm):
    """What a person says to block a host, or one user there."""

    minutes = forms.IntegerField(
        label=_("For how many minutes"),
        min_value=1,
        initial=SUGGESTED_MINUTES,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = WatchedHost
        fields = ("host", "username", "minutes", "reason")
        help_texts = {
            "host": _("An address such as 192.0.2.7. Of an IPv6 address the whole network of 64 bits is blocked."),
            "username": _("Empty: nobody signs in from this host. With a name only this user does not."),
        }

    #: A host that is watched already is simply blocked.
    left_to_domain = frozenset({"host", "username"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reason" in self.fields:
            self.fields["reason"].required = True

    def validate_unique(self) -> None:
        """`defender.block` knows what to do with one that is there."""

    def validate_constraints(self) -> None:
        """As for `validate_unique`."""


@admin.register(WatchedHost)
class WatchedHostAdmin(UnderUpdate):
    """Hosts, and users at hosts, whose sign-ins were refused or that a person blocked."""

    form = BlockForm
    actions = ("unblock",)
    list_display = ("host", "user", "why", "count", "first_try", "last_try", "until", "free")
    list_filter = (StateFilter,)
    list_select_related = ("blocked_by",)
    search_fields = ("host", "username", "reason")
    ordering = (F("until").desc(nulls_last=True), F("last_try").desc(nulls_last=True))
    readonly_fields = ("why",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("host", "username", "minutes", "reason")
        return ("host", "username", "why", "count", "first_try", "last_try", "until", "times", "blocked_by")

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if self.may_change(request) else self.list_display[:-1]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_unblock_permission(self, request: HttpRequest) -> bool:
        """Who may run the action."""
        return self.may_change(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": gettext("Defender")} | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        free = path(
            "<int:pk>/unblock/", self.admin_site.admin_view(self.unblock_view), name="portal_watchedhost_unblock"
        )
        return [free, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: WatchedHost, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("host", "username", "minutes", "reason")}
        by: Any = request.user
        obj.pk = defender.block(**given, by=by, own_address=callers.address_of(request)).pk
        obj.refresh_from_db()

    @admin.action(description=_("Unblock"), permissions=["unblock"])
    def unblock(self, request: HttpRequest, queryset: Any) -> None:
        rows = list(queryset)
        for row in rows:
            self._unblock(request, row)
        done = len(rows)
        messages.success(request, ngettext("%d was unblocked.", "%d were unblocked.", done) % done)

    def unblock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The one click."""
        if not self.may_change(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = WatchedHost.objects.filter(pk=pk).first()
        # One that another click or the time has freed is what was wanted.
        if row is not None:
            self._unblock(request, row)
            messages.success(request, gettext("%(host)s was unblocked.") % {"host": row})
        return HttpResponseRedirect(reverse("admin:portal_watchedhost_changelist"))

    def _unblock(self, request: HttpRequest, row: WatchedHost) -> None:
        with transaction.atomic():
            self.note(request, "unblock", 200, row, {"refused": row.count})
            defender.unblock(row)

    @admin.display(description=_("user"), ordering="username")
    def user(self, row: WatchedHost) -> str:
        return row.username or gettext("everybody")

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, row: WatchedHost) -> str:
        if row.reason:
            by = row.blocked_by.get_username() if row.blocked_by else NOTHING
            return gettext("%(reason)s (%(user)s)") % {"reason": row.reason, "user": by}
        return gettext("too many refused sign-ins") if row.until else gettext("refused sign-ins")

    @admin.display(description=_("unblock"))
    def free(self, row: WatchedHost) -> str:
        if not row.is_blocked(timezone.now()):
            return NOTHING
        return render_to_string("portal/unblock_button.html", {"row": row})


@admin.register(RefusedTry)
class RefusedTryAdmin(HistoryAdmin):
    """What was refused of late. What was tried is kept nowhere."""

    area = "SYSTEM"
    fields = list_display = ("at", "host", "address", "username", "way")
    list_filter = ("way", "at")
    search_fields = ("host", "address", "username")


class AllowedNetworkForm(DomainForm):
    """A single address will do as well; `allowed` knows how it is spelled."""

    left_to_domain = frozenset({"network"})


@admin.register(AllowedNetwork)
class AllowedNetworkAdmin(UnderUpdate):
    """Networks whose hosts are never blocked as a whole, beside those of the setting."""

    form = AllowedNetworkForm
    list_display = ("network", "note", "since", "added_by")
    list_select_related = ("added_by",)
    list_before_template = "portal/allowed_by_settings.html"
    search_fields = ("network", "note")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("network", "note", "since", "added_by") if obj else ("network", "note")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        given = {"allowed_by_settings": allowed.by_settings()}
        return super().changelist_view(request, given | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: AllowedNetwork, form: Any, change: bool) -> None:
        by: Any = request.user
        obj.pk = allowed.allow(**form.cleaned_data, by=by).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: AllowedNetwork) -> None:
        allowed.disallow(obj)
