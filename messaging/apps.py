"""The messaging app: tells workers that shut down to take nothing more."""

from celery.signals import worker_shutting_down
from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from gateways import changes


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        changes.LISTENERS.append("messaging.tasks.gateway_changed")
        worker_shutting_down.connect(_stop_claiming, weak=False)


def _stop_claiming(**_: object) -> None:
    import_string("messaging.drains.stop_claiming")()
