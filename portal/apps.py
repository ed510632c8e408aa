"""The ground app, and Django's admin with our site in the place of its own."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _

from portal import checks, sqlite


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        checks.register_all()
        sqlite.register()


class PortalAdminConfig(admin_apps.AdminConfig):
    """`django.contrib.admin`; INSTALLED_APPS names this class."""

    default = False
    default_site = "portal.admin_site.PortalAdminSite"
