"""API keys in the admin: what each is for and when it was last used, making one, shown this once, and revoking it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from portal import key_makers, keys, narrowing
from portal.admin.display import NOTHING, moment
from portal.admin.narrowing import WORDS, NarrowedAdmin, NarrowingForm
from portal.models import ApiKey, User
from portal.narrowing import State
from portal.permissions import Right


class StateFilter(admin.SimpleListFilter):
    """Those that still open the API, those that have ended, those that were revoked."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state, WORDS[state]) for state in (State.VALID, State.ENDED, State.REVOKED)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> "QuerySet[ApiKey]":
        if self.value() == State.VALID:
            return queryset.filter(keys.in_time())
        if self.value() == State.ENDED:
            return queryset.filter(revoked_at=None).exclude(keys.in_time())
        return queryset.filter(revoked_at__isnull=False) if self.value() == State.REVOKED else queryset


class KeyForm(NarrowingForm):
    """What a new key is for."""

    left_to_domain = frozenset({"name"})

    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("User"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
        help_text=_("What is done with the key is done in this user's name."),
    )

    class Meta:
        model = ApiKey
        fields = ("user", "name", *narrowing.COLUMNS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if "name" in fields:
            fields["name"].help_text = _("Which program it is for, and where that runs.")
        fields["user"].queryset = key_makers.users_for(self.maker)
        fields["user"].initial = self.maker.pk


@admin.register(ApiKey)
class ApiKeyAdmin(NarrowedAdmin):
    """A key is made and revoked; what it is for never changes. A revoked one may be taken off the list."""

    area = "SYSTEM"
    form = KeyForm
    change_form_template = "admin/portal/apikey/change_form.html"
    hidden = frozenset({"digest"})
    confirmed_first = frozenset({"add"})
    secret_title = _("The new API key")
    actions = ("revoke_selected",)
    list_display = ("known_by", "owner", "coloured_state", "for_rights", "for_gateways", "for_networks", "used", "ends")
    list_display_links = ("known_by",)
    list_filter = (StateFilter, "last_used")
    list_select_related = ("user",)
    search_fields = ("name", "beginning", "user__username")
    ordering = ("-created",)
    shown = (
        *("name", "begins", "owner", "state", "for_rights", "for_gateways", "for_networks", "ends"),
        *("created", "made_by", "last_used", "last_address", "revoked_at"),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ApiKey]":
        found: QuerySet[ApiKey] = super().get_queryset(request)
        return found.select_related("user", "made_by").defer("digest")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        over = obj is None or keys.state_of(obj) in {State.REVOKED, State.ENDED}
        return super().has_delete_permission(request, obj) and over

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may end a key."""
        return self.holds(request, Right.SYSTEM_READ, Right.SYSTEM_DELETE)

    def get_urls(self) -> list[URLPattern]:
        revoke = path("<int:pk>/revoke/", self.admin_site.admin_view(self.revoke_view), name="portal_apikey_revoke")
        return [revoke, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        found = self.get_object(request, object_id)
        offers = found is not None and found.revoked_at is None and self.has_revoke_permission(request)
        return super().change_view(request, object_id, form_url, {"offers_revoking": offers} | (extra_context or {}))

    def state_of(self, row: ApiKey) -> State:
        return keys.state_of(row)

    def make(self, maker: User, **given: Any) -> tuple[ApiKey, str]:
        return key_makers.make(maker, **given)

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        done = sum(self._revoke(request, key) for key in queryset)
        messages.success(request, ngettext("%d key was revoked.", "%d keys were revoked.", done) % done)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button on the page of a key."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = self.get_queryset(request).filter(pk=pk).first()
        if key is None:
            raise Http404
        self._revoke(request, key)
        messages.success(request, gettext("“%s” was revoked.") % key.name)
        return HttpResponseRedirect(reverse("admin:portal_apikey_change", args=(pk,)))

    @transaction.atomic
    def _revoke(self, request: HttpRequest, key: ApiKey) -> bool:
        before = keys.state_of(key)
        revoked = keys.revoke(key)
        if revoked:
            changes = {"state": (before.value, State.REVOKED.value)}
            self.note(request, "revoke", 200, key, {"user": key.user.get_username()}, changes)
        return revoked

    @display(description=_("key"), header=True, ordering="name")  # type: ignore[untyped-decorator]
    def known_by(self, key: ApiKey) -> list[str]:
        return [key.name, f"{key.beginning}…"]

    @admin.display(description=_("begins with"))
    def begins(self, key: ApiKey) -> str:
        return f"{key.beginning}…"

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, key: ApiKey) -> str:
        return str(key.user)

    @display(description=_("last used"), header=True, ordering="last_used")  # type: ignore[untyped-decorator]
    def used(self, key: ApiKey) -> list[str]:
        return [moment(key.last_used), key.last_address or ""] if key.last_used else [NOTHING, ""]
