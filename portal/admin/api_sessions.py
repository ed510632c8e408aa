"""Sessions of programs in the admin: who opened one, when and from where it was last used, and ending it."""

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from portal import sessions
from portal.admin.display import moment
from portal.admin.only_ended import IsAlive, OnlyEndedAdmin
from portal.models import ApiSession


class IsLivingSession(IsAlive):
    """Those that can be renewed count as well."""

    def alive(self) -> Q:
        return sessions.alive()


@admin.register(ApiSession)
class ApiSessionAdmin(OnlyEndedAdmin):
    """A session can be looked at and ended; it is begun with a password only. One that ended is gone in a day."""

    area = "SYSTEM"
    ends_selected = _("End the selected sessions")
    hidden = frozenset({"family", "access_checksum", "former_checksum", "given_for"})
    list_display = ("owner", "session_state", "program", "used", "last_address", "begun", "address", "until")
    fields = ("owner", "state", *list_display[2:])
    readonly_fields = fields
    list_filter = (IsLivingSession, "last_used")
    list_select_related = ("user", "client")
    search_fields = ("user__username", "client__name", "address", "last_address")
    ordering = ("-created",)

    def delete_model(self, request: HttpRequest, obj: ApiSession) -> None:
        # The row stays for a day: its tokens are known, and their use is no guess.
        sessions.end(obj)

    @admin.display(description=_("user"), ordering="user__username")
    def owner(self, session: ApiSession) -> str:
        return str(session.user)

    @admin.display(description=_("state"))
    def state(self, session: ApiSession) -> str:
        return gettext("valid") if _is_alive(session) else gettext("ended")

    @display(description=_("state"), label={"valid": "success", "ended": "danger"})  # type: ignore[untyped-decorator]
    def session_state(self, session: ApiSession) -> tuple[str, str]:
        return ("valid", gettext("valid")) if _is_alive(session) else ("ended", gettext("ended"))

    @admin.display(description=_("client"), ordering="client__name")
    def program(self, session: ApiSession) -> str:
        return gettext("any program") if session.client.client_id == sessions.ANYBODY else str(session.client)

    @admin.display(description=_("last used"), ordering="last_used")
    def used(self, session: ApiSession) -> str:
        return moment(session.last_used)

    @admin.display(description=_("signed in"), ordering="created")
    def begun(self, session: ApiSession) -> str:
        return moment(session.created)

    @admin.display(description=_("can be renewed until"), ordering="renewable_until")
    def until(self, session: ApiSession) -> str:
        return moment(session.ended_at or session.renewable_until)


def _is_alive(session: ApiSession) -> bool:
    return session.ended_at is None and session.renewable_until > timezone.now()
