"""Roles are groups; everything about them is for those who hold every right."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Count, ManyToManyField, Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from portal.admin import matrix
from portal.admin.matrix import RightsField, portal_rights
from portal.admin.rights import RightsAdmin
from portal.models import Role
from portal.permissions import Right, may


def holds_every_right(user: Any) -> bool:
    """Whether the user may say what others may do."""
    return may(user, *Right)


class GivesRights(RightsAdmin):
    """Pages with a choice of rights. Whoever submits them is asked again who he is."""

    area = "SYSTEM"
    confirmed_first = frozenset({"add", "change", "delete"})

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.remote_field.model is not Permission:
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        return RightsField(portal_rights(), required=not db_field.blank, label=db_field.verbose_name.capitalize())


admin.site.unregister(Group)


@admin.register(Role)
class RoleAdmin(GivesRights):
    """Roles are groups; everything about them is for those who hold every right."""

    search_fields = ("name",)
    ordering = ("name",)
    list_display = ("name", "members", "role_rights")
    list_after_template = "admin/portal/role/overview.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        found: QuerySet[Role] = super().get_queryset(request)
        ours = Prefetch("permissions", queryset=portal_rights(), to_attr="ours")
        return found.annotate(member_count=Count("user")).prefetch_related(ours)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"overview": matrix.overview()} | (extra_context or {}))

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
    def role_rights(self, group: Any) -> str:
        return matrix.in_words(Right(permission.codename) for permission in group.ours)

    @admin.display(description=_("users"), ordering="member_count")
    def members(self, group: Any) -> str:
        address = reverse("admin:portal_user_changelist")
        return format_html('<a href="{}?groups__id__exact={}">{}</a>', address, group.pk, group.member_count)
