"""Guests in the admin. `accounts` writes them; a password is never shown, only whether there is one."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from guests import accounts
from guests.models import Guest
from portal.admin.rights import DomainAdmin, DomainForm
from portal.models import User
from portal.permissions import Right, may


class GuestForm(DomainForm):
    """The end of the stay is checked by `accounts`, whose sentence says more than a constraint's name."""

    left_to_domain = frozenset({"valid_until"})


@admin.register(Guest)
class GuestAdmin(DomainAdmin):
    """People with network credentials."""

    area = "USERS"
    form = GuestForm
    hidden = frozenset({"password"})
    list_display = (
        "username",
        "phone",
        "first_name",
        "last_name",
        "company",
        "valid_until",
        "suspended",
        "password_set",
    )
    list_filter = ("suspended", "valid_until", "language")
    search_fields = ("username", "phone", "first_name", "last_name", "email", "company")
    autocomplete_fields = ("sponsor",)
    fieldsets = (
        (None, {"fields": ("username", "phone", "first_name", "last_name", "email", "company", "language", "notes")}),
        (_("Stay"), {"fields": ("valid_from", "valid_until", "sponsor", "suspended", "suspended_why")}),
        (_("Kept by the portal"), {"fields": ("password_set", "last_credentials", "created")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("sponsor").defer("last_credentials__text")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ["password_set", "last_credentials", "created"]
        if obj is not None:
            fixed.append("username")
        if not may(request.user, Right.SYSTEM_READ):
            # Its choice is a list of the staff.
            fixed.append("sponsor")
        return fixed

    def save_model(self, request: HttpRequest, obj: Guest, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            accounts.change(obj, **{name: given[name] for name in form.changed_data})
        else:
            obj.pk = _create(request.user, given).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Guest) -> None:
        accounts.remove(obj)

    @admin.display(description=_("has a password"), boolean=True)
    def password_set(self, guest: Guest) -> bool:
        return guest.has_password


def _create(by: Any, given: dict[str, Any]) -> Guest:
    """Where no sponsor is chosen it is who creates the guest."""
    sponsored = given if given.get("sponsor") else {name: value for name, value in given.items() if name != "sponsor"}
    return accounts.create(by=by if isinstance(by, User) else None, **sponsored)
