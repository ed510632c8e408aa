"""Pages of rows that programs begin by coming in, and that people can look at and end: to delete one is to end it."""

from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.admin.rights import DomainAdmin


class IsAlive(SimpleListFilter):
    """Those that still open the API, or those that have ended."""

    title = _("state")
    parameter_name = "alive"

    def alive(self) -> Q:
        """The condition on rows that still open it."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("valid")), ("no", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(self.alive())
        return queryset.exclude(self.alive()) if self.value() == "no" else queryset


class OnlyEndedAdmin(DomainAdmin):
    """Nobody adds or changes a row here. In the list the action that deletes is called `ends_selected`."""

    ends_selected: ClassVar[str | Promise]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        if "delete_selected" in found:
            act, name, _description = found["delete_selected"]
            found["delete_selected"] = (act, name, str(self.ends_selected))
        return found
