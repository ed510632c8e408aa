"""Tokens of the API: who holds one, when and from where it was last used, and ending it."""

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from portal.admin.display import moment
from portal.admin.only_ended import IsAlive, OnlyEndedAdmin
from portal.api.authentication import tokens
from portal.models import ApiToken


class IsLivingToken(IsAlive):
    """By the moment at which each ends."""

    def alive(self) -> Q:
        return Q(expiry__gt=timezone.now())


@admin.register(ApiToken)
class ApiTokenAdmin(OnlyEndedAdmin):
    """A token can be looked at and ended; it is given out by the API's login only."""

    area = "SYSTEM"
    #: Whose token ends signs in again or stays out.
    ends_selected = _("End the selected tokens")
    hidden = frozenset({"digest", "token_key", "given_for"})
    list_display = ("owner", "token_state", "last_used", "last_address", "issued", "address", "ends")
    fields = ("owner", "state", *list_display[2:])
    readonly_fields = ("owner", "state", "issued", "ends")
    list_filter = (IsLivingToken, "last_used")
    list_select_related = ("user",)
    search_fields = ("user__username", "address", "last_address")
    ordering = ("-created",)

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        # The row stays for a day: the token is known, and its use is no guess.
        tokens.end(obj)

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, token: ApiToken) -> str:
        return str(token.user)

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> str:
        return gettext("valid") if token.expiry > timezone.now() else gettext("ended")

    @display(description=_("state"), label={"valid": "success", "ended": "danger"})  # type: ignore[untyped-decorator]
    def token_state(self, token: ApiToken) -> tuple[str, str]:
        alive = token.expiry > timezone.now()
        return ("valid", gettext("valid")) if alive else ("ended", gettext("ended"))

    @admin.display(description=_("issued"), ordering="created")
    def issued(self, token: ApiToken) -> str:
        return moment(token.created)

    @admin.display(description=_("expires"), ordering="expiry")
    def ends(self, token: ApiToken) -> str:
        return moment(token.expiry)
