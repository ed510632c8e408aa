"""Pages of a model that has one row: no list, nothing to add or delete, and the row need not be there yet."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from portal.admin.rights import DomainAdmin

#: The only row there is.
ROW = 1


class OneRowAdmin(DomainAdmin):
    """Where the list would be, there is the form."""

    area = "SYSTEM"

    def current(self) -> Any:
        """The row, or how it is before somebody writes it."""
        raise NotImplementedError

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return self.current() if str(object_id) == str(ROW) else None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return self.change_view(request, str(ROW), extra_context=extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        shown = {"show_save_and_continue": False, "show_close": False, "page": self.page()}
        return super().change_view(request, object_id, form_url, shown | (extra_context or {}))

    def page(self) -> str:
        """The address of the form."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, gettext("Saved."))
        return HttpResponseRedirect(self.page())

    def audited_as(self, obj: Any) -> str:
        return str(self.opts.verbose_name)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404
