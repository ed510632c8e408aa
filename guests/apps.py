"""The guests app: its lines in the admin's navigation, and its directory for who writes to guests."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from messaging import recipients
from portal import registry
from portal.registry import AdminPage

PAGES = (AdminPage(_("Guests"), "admin:guests_guest_changelist", "group", ("USERS_READ",)),)


class GuestsConfig(AppConfig):
    name = "guests"
    verbose_name = _("Guests")

    def ready(self) -> None:
        registry.NAVIGATION["guests"] += PAGES
        recipients.DIRECTORIES.append("guests.directory.search")
