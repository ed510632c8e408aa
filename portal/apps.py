"""The ground app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from portal import checks


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        checks.register_all()
