"""What apps hand down to the ground from their `apps.py`: functions as dotted strings, resolved when they are needed.

The ground imports no app, and this module imports nothing of the portal's, so that it can be used before models are
loaded.
"""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class AdminPage(NamedTuple):
    """A line of the admin's navigation: `address` is the name of a route, `needs` the wire names of all its rights."""

    label: str | Promise
    address: str
    icon: str
    needs: tuple[str, ...] = ()


#: In `needs`: all rights there are.
EVERY_RIGHT = ("*",)


#: The sections of the admin's navigation in their order, each with its pages; `title` is what people read.
SECTIONS: dict[str, str | Promise] = {
    "overview": "",
    "messages": _("Messages"),
    "guests": _("Guests"),
    "gateways": _("Gateways"),
    "people": _("People and rights"),
    "system": _("System"),
}
NAVIGATION: dict[str, list[AdminPage]] = {
    "overview": [AdminPage(_("Dashboard"), "admin:index", "dashboard")],
    "messages": [],
    "guests": [],
    "gateways": [],
    "people": [
        AdminPage(_("Users"), "admin:portal_user_changelist", "person", ("SYSTEM_READ",)),
        AdminPage(_("Roles"), "admin:auth_group_changelist", "badge", ("SYSTEM_READ",)),
        AdminPage(_("API tokens"), "admin:portal_apitoken_changelist", "key", ("SYSTEM_READ",)),
    ],
    "system": [
        AdminPage(_("Audit trail"), "admin:portal_auditevent_changelist", "history", ("AUDITING_READ",)),
        AdminPage(_("Answers kept"), "admin:portal_idempotencyrecord_changelist", "repeat", ("SYSTEM_READ",)),
        AdminPage(_("API documentation"), "api-docs", "menu_book"),
    ],
}

#: Steps of the first run, in order: functions without arguments that return a line to print, or nothing.
FIRST_RUN: list[str] = []

#: Pages an administrator is shown at the start: what it is, and its path.
PAGES: dict[str, str] = {"Admin": "/admin/", "API documentation": "/api/docs/"}

#: Functions without arguments that throw away what has had its time and return how many things they removed.
HOUSEKEEPING: list[str] = [
    "portal.housekeeping.drop_old_drafts",
    "portal.housekeeping.drop_expired_sessions",
    "portal.health.forget_old_workers",
    "portal.api.authentication.drop_old_tokens",
    "portal.api.commit.drop_old_answers",
]

#: What must be there for `/readyz`, by the name it says; functions without arguments, true where all is well.
NEEDS: dict[str, str] = {
    "database": "portal.health.database_answers",
    "broker": "portal.health.broker_answers",
    "worker": "portal.health.worker_is_alive",
}

#: Panels of the admin's front page, in their order: functions (request) -> portal.admin.dashboard.Panel, or None where
#: the user lacks the right.
PANELS: list[str] = []

#: What may need a person now: functions (request) -> portal.admin.dashboard.Concern's, as many as there are.
CONCERNS: list[str] = ["portal.admin.concerns.workers"]

#: What a fresh portal still needs: functions (request) -> portal.admin.dashboard.Step, or None.
STEPS: list[str] = []
