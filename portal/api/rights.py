"""The permission behind every view of the API: it declares its rights, or is public, or is refused."""

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from portal.api.authentication.refusals import ForSomeGateways, NotSignedIn
from portal.permissions import Right, is_for_some_gateways, missing_right

if TYPE_CHECKING:
    from portal.api.views import ApiView


def lacking(right: Right) -> PermissionDenied:
    """403 in the documented sentence."""
    return PermissionDenied(f"Unauthorized access, lacking the {right} administrative role")


class HasDeclaredRights(BasePermission):
    """Asks `portal.permissions` for the rights a view declares for the method; the first one missing is named."""

    def has_permission(self, request: Request, view: "ApiView | Any") -> bool:
        if getattr(view, "public", False):
            return True
        if not request.user.is_authenticated:
            raise NotSignedIn
        needed = view.needed_rights(request)
        if needed is None:
            raise PermissionDenied("Unauthorized access: this call declares no right")
        if missing := missing_right(request.user, *needed):
            raise lacking(missing)
        if getattr(view, "of_all_gateways", False) and is_for_some_gateways(request.user):
            raise ForSomeGateways
        return True
