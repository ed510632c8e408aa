"""The pages of guest types."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from guests import durations, guest_types, passwords
from guests.models import GuestType
from portal.admin.display import NOTHING
from portal.admin.rights import RightsAdmin
from portal.errors import Refusal
from portal.permissions import Right, may


class StayField(forms.CharField):
    """A duration as people here write it: 12h, 5D."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return durations.written(value) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> timedelta:
        try:
            return durations.read(super().clean(value))
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence) from None


class GuestTypeForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a type must fulfil is said by the domain; here it is put at its field."""

    default_stay = StayField(label=_("Usual stay"), help_text=_("A number and m, h, D or W: 12h, 5D."))
    longest_stay = StayField(label=_("Longest stay"), help_text=_("Beyond this only who may change types extends it."))
    roles = forms.ModelMultipleChoiceField(
        label=_("Roles that may give it"),
        queryset=Group.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: everybody who makes guests."),
    )
    days = forms.TypedMultipleChoiceField(
        label=capfirst(_("days")),
        coerce=int,
        required=False,
        choices=[(number + 1, name) for number, name in WEEKDAYS.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: every day."),
    )

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or self.cleaned_data
        if {"default_stay", "longest_stay"} <= set(given):
            self._check(guest_types.check_stays, given["default_stay"], given["longest_stay"])
        if {"password_style", "password_length"} <= set(given):
            self._check(passwords.check_length, given["password_style"], given["password_length"])
        if given.get("notice_hours") == 0:
            self.add_error("notice_hours", gettext("Write 1 or more, or leave it empty: then no notice is given."))
        if bool(given.get("hours_from")) != bool(given.get("hours_until")):
            self.add_error("hours_until", gettext("Give both hours or none."))
        return given

    def _check(self, check: Any, *values: Any) -> None:
        try:
            check(*values)
        except Refusal as refusal:
            self.add_error(refusal.field, refusal.sentence)


@admin.register(GuestType)
class GuestTypeAdmin(RightsAdmin):
    """How long guests stay, and what their passwords look like."""

    area = "SYSTEM"
    form = GuestTypeForm
    list_display = ("name", "enabled", "usual", "longest", "self_service", "when", "password", "many")
    list_filter = ("enabled", "self_service")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "roles")}),
        (_("Stay"), {"fields": ("default_stay", "longest_stay", "counts_from")}),
        (_("Passwords"), {"fields": ("password_style", "password_length")}),
        (
            _("Self-registration"),
            {
                "description": _(
                    "The days and hours are checked when guests register themselves, and the devices when the network "
                    "names them. Whom staff create is not bound by them."
                ),
                "fields": (
                    *("self_service", "needs_approval", "may_extend", "notice_hours"),
                    *("days", "hours_from", "hours_until", "devices"),
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(guest_count=Count("guests"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who may send holds SYSTEM_CREATE too, and that alone makes nobody an author of types.
        return super().has_add_permission(request, obj) and may(request.user, Right.SYSTEM_READ)

    @admin.display(description=_("usual stay"), ordering="default_stay")
    def usual(self, kind: GuestType) -> str:
        return durations.in_words(kind.default_stay)

    @admin.display(description=_("longest stay"), ordering="longest_stay")
    def longest(self, kind: GuestType) -> str:
        return durations.in_words(kind.longest_stay)

    @admin.display(description=_("days and hours"))
    def when(self, kind: GuestType) -> str:
        return guest_types.times_of(kind) or NOTHING

    @admin.display(description=_("passwords"))
    def password(self, kind: GuestType) -> str:
        return f"{kind.password_length} · {kind.get_password_style_display()}"

    @admin.display(description=_("guests"), ordering="guest_count")
    def many(self, kind: Any) -> int:
        return int(kind.guest_count)
