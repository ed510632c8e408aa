"""Second factors in the admin: who has which, and taking away somebody else's when a phone is lost."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.admin.rights import HistoryAdmin, RightsAdmin
from portal.models import RecoveryCodes, TotpDevice, User
from portal.sign_in import confirming, devices, enrolment, policy


@admin.register(TotpDevice)
class TotpDeviceAdmin(HistoryAdmin):
    """Who has which authenticator app. Its owner removes it, or an administrator on the user's page."""

    area = "SYSTEM"
    hidden = frozenset({"key"})
    fields = list_display = ("user", "name", "created_at", "last_used_at", "throttling_failure_count")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("user__username", "pk")


@admin.register(RecoveryCodes)
class RecoveryCodesAdmin(HistoryAdmin):
    """Who has how many recovery codes left."""

    area = "SYSTEM"
    hidden = frozenset({"digests"})
    fields = list_display = ("user", "codes_left", "created_at", "last_used_at")
    readonly_fields = ("codes_left",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("user__username",)

    @admin.display(description=_("codes left"))
    def codes_left(self, codes: RecoveryCodes) -> int:
        return codes.left


class ShowsSecondFactors(RightsAdmin):
    """The part of a user's pages that is about the second factors."""

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
            with transaction.atomic():
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
