"""Staff and their roles. Nobody can give what he does not hold, nor take over the account of somebody who holds more.

Only who holds every right changes roles, the superuser flag and the rights of users; and a user who holds a right
that the signed-in one lacks can be looked at and neither changed nor deleted.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from portal.admin.rights import RightsAdmin
from portal.models import User
from portal.permissions import Right, granted_to, may, rights_of
from portal.sign_in import confirming, devices, enrolment, policy

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
    """Rights as the documents spell them."""
    return ", ".join(Right(name).label for name in permissions.values_list("codename", flat=True)) or "—"


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of rights under their labels."""

    def label_from_instance(self, obj: Any) -> str:
        return Right(obj.codename).label


class GivesRights(RightsAdmin):
    """Pages with a choice of rights. Whoever submits them is asked again who he is."""

    area = "SYSTEM"
    confirmed_first = frozenset({"add", "change", "delete"})

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
    readonly_fields = ("password_state", "password_link", "second_factors", "last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        rights = "user_permissions" if self._may_give_rights(request, obj) else "own_rights"
        password = "password_link" if self.has_change_permission(request, obj) else "password_state"
        return (
            (None, {"fields": ("username", password)}),
            (_("Sign-in"), {"fields": ("second_factors", "password_opens_api", "is_program")}),
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

    @admin.display(description=_("second factors"))
    def second_factors(self, user: User) -> str:
        count = len(devices.apps_of(user)) + len(devices.passkeys_of(user))
        if not count:
            return gettext("none")
        address = reverse("admin:portal_user_second_factors", args=(user.pk,))
        return format_html('{} · <a href="{}">{}</a>', count, address, gettext("look at them"))

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.second_factors_view)
        return [path("<int:pk>/second-factors/", page, name="portal_user_second_factors"), *super().get_urls()]

    def second_factors_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What somebody else comes in with, to be removed when a phone is lost."""
        user = get_object_or_404(User, pk=pk)
        if not self.has_view_permission(request, user):
            raise PermissionDenied
        if request.method == "POST" and not self.has_change_permission(request, user):
            raise PermissionDenied
        return self._second_factors_page(request, user)

    @confirming.confirmed
    def _second_factors_page(self, request: HttpRequest, user: User) -> HttpResponseBase:
        if request.method == "POST":
            enrolment.remove_all(user)
            self.note(request, "second_factors_remove", 200, user, {})
            messages.success(request, gettext("The second factors were removed. The password alone is enough now."))
            return redirect(reverse("admin:portal_user_change", args=(user.pk,)))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Second factors"),
            "original": user,
            "opts": self.opts,
            "apps": devices.apps_of(user),
            "passkeys": devices.passkeys_of(user),
            "codes_left": devices.codes_left(user),
            "may_remove": self.has_change_permission(request, user),
            "required": policy.is_required(),
        }
        return TemplateResponse(request, "portal/sign_in/second_factors.html", context)

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

    @admin.display(description=_("rights"))
    def role_rights(self, group: Group) -> str:
        return in_words(group.permissions.filter(pk__in=portal_rights()))
