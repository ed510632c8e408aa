"""Staff and their roles. Nobody can give what he does not hold, nor take over the account of somebody who holds more.

Only who holds every right changes roles, the superuser flag and the rights of users; and a user who holds a right
that the signed-in one lacks can be looked at and neither changed nor deleted.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import PermissionDenied
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from portal import expiry
from portal.admin import matrix
from portal.admin.display import NOTHING, moment
from portal.admin.matrix import in_words
from portal.admin.preferences import zones
from portal.admin.roles import GivesRights, holds_every_right
from portal.admin.second_factors import ShowsSecondFactors
from portal.models import User
from portal.permissions import holds_more
from portal.sign_in import confirming

PRIVILEGES = ("is_superuser", "groups", "user_permissions")


ACCOUNT_COLOURS = {"on": "success", "soon": "warning", "over": "danger", "off": "danger"}


class EndingFilter(admin.SimpleListFilter):
    """Accounts that a person should think of."""

    title = _("account ends")
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("soon")), ("over", _("has ended"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[User]") -> "QuerySet[User]":
        asked = {"soon": expiry.soon_over(), "over": expiry.over()}.get(str(self.value()))
        return queryset.filter(asked) if asked else queryset


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Django's own shows parts of the password's hash; this one shows nothing of it."""

    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, choices=zones, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = User
        fields = ("username",)
        field_classes = {"username": UsernameField}


@admin.register(User)
class UserAdmin(ShowsSecondFactors, GivesRights, DjangoUserAdmin):  # type: ignore[type-arg]
    """Staff: people and programs that sign in."""

    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "role_names", "account_state", "last_login")
    list_filter = ("groups", "is_active", "is_staff", "is_superuser", EndingFilter)
    readonly_fields = ("password_state", "password_link", "second_factors", "last_login", "date_joined", "may_do")
    # Django's two lists side by side are wider than a phone, and than some desks.
    filter_horizontal = ()
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        rights = "user_permissions" if self._may_give_rights(request, obj) else "own_rights"
        password = "password_link" if self.has_change_permission(request, obj) else "password_state"
        return (
            (None, {"fields": ("username", password)}),
            (_("Sign-in"), {"fields": ("second_factors", "password_opens_api", "is_program")}),
            (_("Personal info"), {"fields": ("first_name", "last_name", "email", "language", "time_zone")}),
            (_("Permissions"), {"fields": ("is_active", "expires_at", "is_staff", "is_superuser", "groups", rights)}),
            (_("What this person may do"), {"fields": ("may_do",)}),
            (_("Important dates"), {"fields": ("last_login", "date_joined")}),
        )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        found: QuerySet[User] = super().get_queryset(request)
        return found.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = () if self._may_give_rights(request, obj) else (*PRIVILEGES, "own_rights")
        return (*super().get_readonly_fields(request, obj), *fixed)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "groups":
            kwargs |= {"widget": UnfoldAdminCheckboxSelectMultipleWidget, "label": _("Roles"), "help_text": ""}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _may_give_rights(self, request: HttpRequest, obj: User | None) -> bool:
        return holds_every_right(request.user) and self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Django asks for both too: an account is added in two steps and the second one changes it.
        return super().has_add_permission(request, obj) and super().has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not self._is_above(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not self._is_above(request, obj)

    def _is_above(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is not None and holds_more(obj, request.user)

    @admin.display(description=pgettext_lazy("person", "name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or NOTHING

    @admin.display(description=_("roles"))
    def role_names(self, user: User) -> str:
        names = sorted(group.name for group in user.groups.all())
        return ", ".join([gettext("every right"), *names] if user.is_superuser else names) or NOTHING

    @display(description=_("account"), ordering="expires_at", label=ACCOUNT_COLOURS)  # type: ignore[untyped-decorator]
    def account_state(self, user: User) -> tuple[str, str]:
        return _account_state(user)

    @admin.display(description=_("rights"))
    def may_do(self, user: User) -> str:
        context = {"groups": matrix.may_do(user), "asleep": matrix.is_asleep(user), "sees_all": user.is_superuser}
        return render_to_string("admin/portal/may_do.html", context)

    @admin.display(description=_("password"))
    def password_state(self, user: User) -> str:
        return gettext("is set") if user.has_usable_password() else gettext("is not set")

    @admin.display(description=_("password"))
    def password_link(self, user: User) -> str:
        address = reverse("admin:auth_user_password_change", args=(user.pk,))
        return format_html('{} · <a href="{}">{}</a>', self.password_state(user), address, gettext("set another one"))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002
        # Forbidden first, so that nobody is asked for nothing.
        if not self.has_change_permission(request, self.get_object(request, unquote(id))):
            raise PermissionDenied
        return self._set_password(request, id, form_url)

    @confirming.confirmed
    def _set_password(self, request: HttpRequest, pk: str, form_url: str) -> Any:
        return super().user_change_password(request, pk, form_url)

    @admin.display(description=_("rights of their own"))
    def own_rights(self, user: User) -> str:
        return in_words(matrix.own_rights(user))


def _account_state(user: User) -> tuple[str, str]:
    """In one word and its colour: off, over, over soon, or on."""
    end = moment(expiry.end_of(user))
    if not user.is_active:
        return "off", gettext("switched off")
    if expiry.has_ended(user):
        return "over", gettext("ended on %(when)s") % {"when": end}
    if expiry.ends_soon(user):
        return "soon", gettext("ends on %(when)s") % {"when": end}
    return "on", gettext("active")
