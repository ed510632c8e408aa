"""The guests app: its lines in the admin's navigation, its part of the front page, and its directory for *Write*."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from guests import event_types
from messaging import recipients
from messaging.event_types import EVENT_TYPES
from portal import registry
from portal.registry import AdminPage

PAGES = (
    AdminPage(_("Guests"), "admin:guests_guest_changelist", "group", ("USERS_READ_SPONSORED",)),
    AdminPage(_("Approvals"), "admin:guests_approval_changelist", "how_to_reg", ("USERS_READ_SPONSORED",)),
    AdminPage(_("Sponsors"), "admin:guests_sponsor_changelist", "handshake", ("SYSTEM_READ",)),
    AdminPage(_("Registrations"), "admin:guests_registration_changelist", "login", ("USERS_READ_SPONSORED",)),
    AdminPage(_("Held back"), "admin:guests_limitcount_changelist", "front_hand", ("USERS_READ",)),
    AdminPage(_("Guest types"), "admin:guests_guesttype_changelist", "category", ("SYSTEM_READ",)),
    AdminPage(_("Terms"), "admin:guests_terms_changelist", "gavel", ("SYSTEM_READ",)),
    AdminPage(
        _("Self-registration"), "admin:guests_registrationrules_changelist", "app_registration", ("SYSTEM_READ",)
    ),
    AdminPage(_("Look of the guest pages"), "admin:guests_branding_changelist", "palette", ("SYSTEM_READ",)),
)


class GuestsConfig(AppConfig):
    name = "guests"
    verbose_name = _("Guests")

    def ready(self) -> None:
        registry.NAVIGATION["guests"] += PAGES
        registry.HOUSEKEEPING += [
            "guests.importing.steps.forget_old_imports",
            "guests.registration.codes.wipe_expired",
            "guests.registration.codes.give_back_unsent",
            "guests.limits.drop_old_counts",
            "guests.approvals.lapsing.lapse",
            "guests.approvals.asking.ask_waiting",
            "guests.approvals.asking.remind",
            "guests.approvals.mailing.ring_for_mail",
            "guests.captcha.forget_old_challenges",
            "guests.registration.showing.wipe_shown",
            "guests.notice.give_notice",
            "guests.events.tell_ended",
            "guests.retention.erase_unverified",
            "guests.retention.anonymise_registrations",
            "guests.retention.anonymise_guests",
            "guests.retention.drop_old_codes",
        ]
        registry.OPEN_PATHS += [r"/guest/", r"/r/", r"/x/", r"/captive-portal/api\Z"]
        registry.PAGES["Guest pages"] = "/guest/"
        registry.STALE_FORMS |= dict.fromkeys(("guest", "x"), "guests.views.stale.refuse")
        registry.PANELS += ["guests.panels.guests", "guests.funnel.panel"]
        registry.CONCERNS += ["guests.panels.concerns", "guests.panels.approvals"]
        registry.STEPS += ["guests.panels.first_guest", "guests.panels.first_terms", "guests.panels.own_look"]
        registry.METRICS.append("guests.metrics.families")
        registry.SYSTEM.append(registry.SystemPart(_("Self-registration"), "guests.system.lines"))
        EVENT_TYPES.extend((event_types.VERIFIED, event_types.EXPIRED))
        recipients.DIRECTORIES.append("guests.directory.search")
        recipients.BY_PID.append("guests.directory.by_pid")
        recipients.RESENT.append("guests.credentials.follow")
