"""The guests app: its lines in the admin's navigation, its part of the front page, and its directory for *Write*."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from messaging import recipients
from portal import registry
from portal.registry import AdminPage

PAGES = (
    AdminPage(_("Guests"), "admin:guests_guest_changelist", "group", ("USERS_READ_SPONSORED",)),
    AdminPage(_("Approvals"), "admin:guests_approval_changelist", "how_to_reg", ("USERS_READ_SPONSORED",)),
    AdminPage(_("Sponsors"), "admin:guests_sponsor_changelist", "handshake", ("SYSTEM_READ",)),
    AdminPage(_("Guest types"), "admin:guests_guesttype_changelist", "category", ("SYSTEM_READ",)),
    AdminPage(_("Terms"), "admin:guests_terms_changelist", "gavel", ("SYSTEM_READ",)),
)


class GuestsConfig(AppConfig):
    name = "guests"
    verbose_name = _("Guests")

    def ready(self) -> None:
        registry.NAVIGATION["guests"] += PAGES
        registry.HOUSEKEEPING += [
            "guests.importing.steps.forget_old_imports",
            "guests.codes.wipe_expired",
            "guests.limits.drop_old_counts",
            "guests.approvals.lapsing.lapse",
            "guests.approvals.asking.ask_waiting",
            "guests.approvals.asking.remind",
            "guests.approvals.mailing.ring_for_mail",
            "guests.captcha.forget_old_challenges",
            "guests.showing.wipe_shown",
            "guests.notice.give_notice",
            "guests.retention.erase_unverified",
            "guests.retention.anonymise_registrations",
            "guests.retention.anonymise_guests",
            "guests.retention.drop_old_codes",
        ]
        registry.OPEN_PATHS += [r"/guest/", r"/r/", r"/x/", r"/captive-portal/api\Z"]
        registry.PAGES["Guest pages"] = "/guest/"
        registry.STALE_FORMS["guest"] = "guests.views.stale.refuse"
        registry.PANELS.append("guests.panels.guests")
        registry.STEPS.append("guests.panels.first_guest")
        registry.CONCERNS.append("guests.panels.approvals")
        recipients.DIRECTORIES.append("guests.directory.search")
        recipients.BY_PID.append("guests.directory.by_pid")
        recipients.RESENT.append("guests.credentials.follow")
