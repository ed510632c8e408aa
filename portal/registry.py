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
        AdminPage(_("Roles"), "admin:portal_role_changelist", "badge", ("SYSTEM_READ",)),
        AdminPage(_("API tokens"), "admin:portal_apitoken_changelist", "key", ("SYSTEM_READ",)),
        AdminPage(_("Defender"), "admin:portal_watchedhost_changelist", "shield", ("SYSTEM_READ",)),
    ],
    "system": [
        AdminPage(_("System"), "admin:system", "dns", ("SYSTEM_READ",)),
        AdminPage(_("Audit trail"), "admin:portal_auditevent_changelist", "history", ("AUDITING_READ",)),
        AdminPage(_("Answers kept"), "admin:portal_idempotencyrecord_changelist", "repeat", ("SYSTEM_READ",)),
        AdminPage(_("API documentation"), "api-docs", "menu_book"),
    ],
}

#: Lists of one subject that share the line of the first of them.
TABS: list[list[AdminPage]] = [
    [
        AdminPage(_("Hosts"), "admin:portal_watchedhost_changelist", "shield", ("SYSTEM_READ",)),
        AdminPage(_("Refused sign-ins"), "admin:portal_refusedtry_changelist", "gpp_bad", ("SYSTEM_READ",)),
        AdminPage(_("Allowed networks"), "admin:portal_allowednetwork_changelist", "verified_user", ("SYSTEM_READ",)),
    ],
    [
        AdminPage(_("API tokens"), "admin:portal_apitoken_changelist", "key", ("SYSTEM_READ",)),
        AdminPage(_("API keys"), "admin:portal_apikey_changelist", "vpn_key", ("SYSTEM_READ",)),
        AdminPage(_("API sessions"), "admin:portal_apisession_changelist", "devices", ("SYSTEM_READ",)),
        AdminPage(_("OAuth2 clients"), "admin:portal_oauthclient_changelist", "apps", ("SYSTEM_READ",)),
    ],
]

#: What keys and clients may be narrowed to beside rights and networks: functions without arguments that give the id and
#: the name of every gateway.
GATEWAYS: list[str] = []

#: Steps of the first run, in order: functions without arguments that return a line to print, or nothing.
FIRST_RUN: list[str] = []

#: Pages an administrator is shown at the start: what it is, and its path.
PAGES: dict[str, str] = {"Admin": "/admin/", "API documentation": "/api/docs/"}

#: The objects of the action envelope, by their names on the wire: mappings from the name of an action to the
#: `portal.api.actions.action.Action`.
ACTIONS: dict[str, str] = {"User": "portal.api.actions.user.ACTIONS"}

#: Functions without arguments that throw away what has had its time and return how many things they removed.
HOUSEKEEPING: list[str] = [
    "portal.housekeeping.drop_old_drafts",
    "portal.housekeeping.drop_expired_sessions",
    "portal.housekeeping.drop_old_mail",
    "portal.health.forget_old_workers",
    "portal.audit.drop_old_events",
    "portal.api.authentication.tokens.drop_old_tokens",
    "portal.sessions.drop_old_tokens",
    "portal.clients.drop_closed",
    "portal.api.commit.drop_old_answers",
    "portal.api.repeats.drop_old_records",
    "portal.defender.blocks.drop_old_hosts",
    "portal.defender.counting.drop_old_tries",
    "portal.versions.forget_old_notes",
    "portal.rates.drop_old_counts",
]


class Watched(NamedTuple):
    """A table whose changes end what processes keep in memory (`portal.versions`), by the name of its model.

    `unminded` columns may change, and `only_earlier`, which is one of them, may be moved to a later time. Where
    `inserts` is false a new row is no change of anything that was known.
    """

    model: str
    unminded: tuple[str, ...] = ()
    only_earlier: str = ""
    inserts: bool = True


#: What decides who may do what and through whom.
WATCHED: list[Watched] = [
    Watched("portal.User", unminded=("last_login",), inserts=False),
    # A use moves a token's end to a later time, every twenty seconds.
    Watched(
        "portal.ApiToken",
        unminded=("last_used", "last_address", "expiry"),
        only_earlier="expiry",
        inserts=False,
    ),
    Watched("portal.ApiKey", unminded=("last_used", "last_address"), inserts=False),
    # Their end is set once; a session's end takes its tokens along, and a client may act for somebody else.
    Watched("oauth2_provider.AccessToken", inserts=False),
    Watched("oauth2_provider.Application", inserts=False),
    Watched("portal.OAuthClient", inserts=False),
    Watched("portal.User_groups"),
    Watched("portal.User_user_permissions"),
    Watched("auth.Group_permissions"),
    Watched("auth.Permission"),
]

#: Paths that the Defender leaves open to blocked hosts, as regular expressions; through none of them one signs in.
OPEN_PATHS: list[str] = [
    r"/\Z",
    r"/static/",
    r"/language/\Z",
    r"/healthz\Z",
    r"/readyz\Z",
    r"/api/docs/?\Z",
    r"/api/v1/openapi\.json/?\Z",
]

#: Who says that a form is out of date, by the first part of its path: views (request, reason) as Django calls them.
STALE_FORMS: dict[str, str] = {}

#: What must be there for `/readyz`, by the name it says; functions without arguments, true where all is well.
NEEDS: dict[str, str] = {
    "database": "portal.health.database_answers",
    "broker": "portal.health.broker_answers",
    "worker": "portal.health.worker_is_alive",
}


class SystemPart(NamedTuple):
    """A part of the system page: its heading, and a function without arguments that gives `portal.system` lines."""

    title: str | Promise
    lines: str


#: The parts of the system page in their order.
SYSTEM: list[SystemPart] = [
    SystemPart(_("Versions"), "portal.system.ground.versions"),
    SystemPart(_("Processes"), "portal.system.ground.processes"),
    SystemPart(_("Broker"), "portal.system.ground.broker"),
    SystemPart(_("Database"), "portal.system.ground.database"),
    SystemPart(_("Configuration"), "portal.system.ground.configuration"),
    SystemPart(_("Housekeeping and disk"), "portal.system.ground.upkeep"),
]

#: What `/metrics` tells beside the web's own; functions without arguments that yield families of prometheus_client.
METRICS: list[str] = ["portal.metrics.of_the_ground"]
#: Panels of the admin's front page, in their order: functions (request) -> portal.admin.dashboard.Panel, or None where
#: the user lacks the right.
PANELS: list[str] = ["portal.admin.concerns.blocked_hosts"]

#: What may need a person now: functions (request) -> portal.admin.dashboard.Concern's, as many as there are.
CONCERNS: list[str] = ["portal.admin.concerns.workers", "portal.admin.concerns.accounts_that_end"]

#: What a fresh portal still needs: functions (request) -> portal.admin.dashboard.Step, or None.
STEPS: list[str] = []
