"""An authenticator app being set up: a page shows a key, and a code proves that the app has it.

Until then the key is on that page only, sealed for its user; looking at the page writes nothing.
"""

from typing import Any

from django.http import HttpRequest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from portal import admin_trail
from portal.errors import Refusal
from portal.models import TotpDevice, User
from portal.sign_in import enrolment, sealing
from portal.sign_in.forms import AppForm

PURPOSE = "authenticator app"
#: Seconds for which the page may stay open.
PATIENCE = 60 * 60


class AppSetUp:
    """One look at the page: the form, and what a good one made."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self.request, self.user = request, user
        self.key = self._carried_key() or enrolment.new_key()
        self.form = AppForm(request.POST if request.method == "POST" else None, initial={"name": _("My phone")})

    def device(self) -> TotpDevice | None:
        """The app, set up; None where there is still something to fill in."""
        if not self.form.is_valid():
            return None
        given = self.form.cleaned_data
        try:
            device = enrolment.add_app(self.user, self.key, given["code"], given["name"])
        except Refusal as refusal:
            self.form.add_error(refusal.field, refusal.sentence)
            admin_trail.note(self.request, "second_factor_add", 422, details={"by": "app"}, user=self.user)
            return None
        details = {"by": "app", "name": given["name"]}
        admin_trail.note(
            self.request, "second_factor_add", 201, object_id=str(self.user), details=details, user=self.user
        )
        return device

    def context(self) -> dict[str, Any]:
        """What the page shows."""
        address = enrolment.address_for_apps(self.user, self.key)
        return {
            "form": self.form,
            "key": enrolment.in_groups(self.key),
            "address": address,
            "qr_code": mark_safe(enrolment.qr_code(address)),  # noqa: S308 — made here, of squares
            "sealed_key": sealing.seal(PURPOSE, self.user, self.key),
        }

    def _carried_key(self) -> str:
        """The key that the page showed; empty where it is too old, and another one is shown."""
        try:
            return str(sealing.unseal(PURPOSE, self.user, self.request.POST.get("key", ""), PATIENCE))
        except sealing.Broken:
            return ""
