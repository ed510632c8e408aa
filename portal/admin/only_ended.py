"""Pages of rows that programs begin by coming in, and that people can look at and end: to delete one is to end it."""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.functional import Promise

from portal.admin.rights import RightsAdmin


class OnlyEndedAdmin(RightsAdmin):
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
