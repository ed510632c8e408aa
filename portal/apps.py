"""The ground app, and Django's admin with our site in the place of its own."""

from typing import Any

from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_ready, worker_shutdown
from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from portal import checks, sqlite


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        checks.register_all()
        sqlite.register()
        pre_migrate.connect(unwatch, sender=self)
        post_migrate.connect(watch, sender=self)
        # Before anything is looked at: with a clock of its own a worker would take living ones for dead.
        worker_init.connect(start_clock)
        worker_process_init.connect(start_clock)
        # A pool of threads lives in the main process, a pool of processes in its own.
        worker_ready.connect(start_counting)
        worker_process_init.connect(start_counting)
        worker_process_shutdown.connect(stop_counting)
        worker_shutdown.connect(stop_counting)


def unwatch(using: str, **_: Any) -> None:
    """Named late: models cannot be imported yet when an app is configured."""
    import_string("portal.versions.unwatch")(using)


def watch(using: str, **_: Any) -> None:
    """The same after a migration."""
    import_string("portal.versions.watch")(using)


def start_clock(**_: Any) -> None:
    """Named late: models cannot be imported yet when an app is configured."""
    import_string("portal.clock.start")()


def start_counting(**_: Any) -> None:
    """The same for what it counts."""
    import_string("portal.counting.start")()


def stop_counting(**_: Any) -> None:
    """And at the end, where the worker also takes its leave."""
    import_string("portal.counting.stop")()
    import_string("portal.health.say_goodbye")()
    import_string("portal.clock.stop")()


class PortalAdminConfig(admin_apps.AdminConfig):
    """`django.contrib.admin`; INSTALLED_APPS names this class."""

    default = False
    default_site = "portal.admin_site.PortalAdminSite"
