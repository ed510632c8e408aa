"""Staff and their roles. Nobody can give what he does not hold, nor take over the account of somebody who holds more.

Only who holds every right changes roles, the superuser flag and the rights of users; and a user who holds a right
that the signed-in one lacks can be looked at and neither changed nor deleted.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from portal.admin.rights import RightsAdmin
from portal.models import User
from portal.permissions import Right, granted_to, may, rights_of

PRIVILEGES = ("is_superuser", "groups", "user_permissions")


def holds_every_right(user: User | AnonymousUser) -> bool:
    """Whether the user may say what others may do."""
    return may(user, *Right)


def holds_more(target: User, than: User | AnonymousUser) -> bool:
    """Whether the target holds a right that the other lacks; a switched-off account counts as if it were on."""
    return not granted_to(target) <= rights_of(than)


def portal_rights() -> QuerySet[Permission]:
    """The permissions that are rights of the portal; Django's own are given to nobody."""
    return Permission.objects.filter(
        content_type__app_label="portal", content_type__model="user", codename__in=list(Right)
    ).order_by("codename")


def in_words(permissions: QuerySet[Permission]) -> str:
    """Rights as the documents spell them; what is no right of the portal is left out."""
    names = sorted(permission.codename for permission in permissions)
    return ", ".join(Right(name).label for name in names if name in Right.__members__) or "—"


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of rights under their labels."""

    def label_from_instance(self, obj: Any) -> str:
        return Right(obj.codename).label


class GivesRights(RightsAdmin):
    """Pages with a choice of rights."""

    area = "SYSTEM"

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.remote_field.model is Permission:
            kwargs |= {"queryset": portal_rights(), "form_class": RightsField}
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Django's own shows parts of the password's hash; this one shows nothing of it."""

    class Meta:
        model = User
        fields = ("username",)
        field_classes = {"username": UsernameField}


@admin.register(User)
class UserAdmin(GivesRights, DjangoUserAdmin):  # type: ignore[type-arg]
    """Staff: people and programs that sign in."""

    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser")
    readonly_fields = ("password_state", "password_link", "last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        rights = "user_permissions" if self._may_give_rights(request, obj) else "own_rights"
        password = "password_link" if self.has_change_permission(request, obj) else "password_state"
        return (
            (None, {"fields": ("username", password)}),
            (_("Personal info"), {"fields": ("first_name", "last_name", "email")}),
            (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", rights)}),
            (_("Important dates"), {"fields": ("last_login", "date_joined")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = () if self._may_give_rights(request, obj) else (*PRIVILEGES, "own_rights")
        return (*super().get_readonly_fields(request, obj), *fixed)

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

    @admin.display(description=_("password"))
    def password_state(self, user: User) -> str:
        return gettext("is set") if user.has_usable_password() else gettext("is not set")

    @admin.display(description=_("password"))
    def password_link(self, user: User) -> str:
        address = reverse("admin:auth_user_password_change", args=(user.pk,))
        return format_html('{} · <a href="{}">{}</a>', self.password_state(user), address, gettext("set another one"))

    @admin.display(description=_("rights of their own"))
    def own_rights(self, user: User) -> str:
        return in_words(user.user_permissions.filter(pk__in=portal_rights()))


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(GivesRights):
    """Roles are groups; everything about them is for those who hold every right."""

    search_fields = ("name",)
    ordering = ("name",)
    filter_horizontal = ("permissions",)
    list_display = ("name", "role_rights")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "permissions" if holds_every_right(request.user) else "role_rights")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if holds_every_right(request.user) else ("role_rights",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds_every_right(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds_every_right(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds_every_right(request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        found: QuerySet[Group] = super().get_queryset(request)
        return found.prefetch_related("permissions")

    @admin.display(description=_("rights"))
    def role_rights(self, group: Group) -> str:
        return in_words(group.permissions.all())
