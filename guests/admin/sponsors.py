"""The pages of sponsors: whom guests may name."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from guests.models import Sponsor
from messaging import phones
from portal.admin.rights import RightsAdmin
from portal.errors import Refusal
from portal.permissions import Right, may


class SponsorForm(forms.ModelForm):  # type: ignore[type-arg]
    """Address and phone are kept in the one spelling by which they are found."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        others = Sponsor.objects.filter(email__iexact=email).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(self.instance.unique_error_message(Sponsor, ("email",)))
        return email

    def clean_phone(self) -> str:
        raw: str = self.cleaned_data["phone"]
        try:
            return phones.normalise(raw) if raw.strip() else ""
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence) from None


@admin.register(Sponsor)
class SponsorAdmin(RightsAdmin):
    """Who vouches for guests. An account is needed only to see one's own guests, or where the rules demand it."""

    area = "SYSTEM"
    form = SponsorForm
    fields = ("name", "email", "phone", "language", "user", "enabled")
    list_display = ("name", "email", "phone", "user", "enabled")
    list_filter = ("enabled",)
    list_select_related = ("user",)
    search_fields = ("name", "email", "phone")
    autocomplete_fields = ("user",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who may send holds SYSTEM_CREATE too, and that alone makes nobody an author of rules.
        return super().has_add_permission(request, obj) and may(request.user, Right.SYSTEM_READ)
