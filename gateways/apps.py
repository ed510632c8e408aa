"""The gateways app: its checks, and the event loop that lives as long as a worker's process."""

from typing import Any

from celery.signals import worker_process_init, worker_process_shutdown, worker_shutdown
from django.apps import AppConfig
from django.core import checks
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from gateways.checks import refuse_sandbox_in_production
from portal import registry
from portal.registry import AdminPage, Watched

READS = ("SMS_GATEWAY_READ",)
#: The sandbox phone shows passwords, so it is for those who hold every right.
PAGES = (
    AdminPage(_("Gateways"), "admin:gateways_gateway_changelist", "cell_tower", READS),
    AdminPage(_("Sandbox phone"), "sandbox", "smartphone", registry.EVERY_RIGHT),
)

#: What says nothing of whether a gateway may be used; a daily limit is asked about anew each time.
UNMINDED = (
    *("troubles", "proven", "settings_at", "last_error", "last_remedy", "last_error_at"),
    *("pace_tokens", "pace_at", "day", "day_count"),
    *("balance", "currency", "balance_at", "balance_warned", "inbound_at", "inbound_heard_at"),
)


class GatewaysConfig(AppConfig):
    name = "gateways"
    verbose_name = _("Gateways")

    def ready(self) -> None:
        checks.register(refuse_sandbox_in_production, deploy=True)
        registry.FIRST_RUN.append("gateways.first_run.make_sandbox")
        registry.PAGES["Sandbox phone"] = "/sandbox/"
        registry.HOUSEKEEPING.append("gateways.sandbox.forget_old_sandbox_messages")
        registry.HOUSEKEEPING.append("gateways.tasks.keep_accounts")
        registry.NAVIGATION["gateways"] += PAGES
        registry.GATEWAYS.append("gateways.accounts.names")
        registry.METRICS.append("gateways.metrics.families")
        registry.CONCERNS.append("gateways.panels.concerns")
        registry.PANELS.append("gateways.panels.gateways")
        registry.STEPS.append("gateways.panels.first_gateway")
        registry.WATCHED += [Watched("gateways.Gateway"), Watched("gateways.GatewayHealth", unminded=UNMINDED)]
        # A pool of threads lives in the main process, where the first call starts the loop: a loop that was there
        # before a pool of processes forks would be of no use to them.
        worker_process_init.connect(start_network)
        worker_process_shutdown.connect(stop_network)
        worker_shutdown.connect(stop_network)


def start_network(**_: Any) -> None:
    """Named late: models cannot be imported yet when an app is configured."""
    import_string("gateways.transport.start")()


def stop_network(**_: Any) -> None:
    """The same at the end."""
    import_string("gateways.transport.stop")()
