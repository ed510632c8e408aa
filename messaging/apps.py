"""The messaging app: tells workers that shut down to take nothing more."""

from celery.signals import worker_shutting_down
from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from gateways import changes
from portal import registry
from portal.registry import AdminPage, Watched

READS = ("MESSAGES_READ",)
SENDS = ("SYSTEM_CREATE", "SMS_GATEWAY_READ", "SMS_SEND_METHOD_AVAILABLE")
PAGES = (
    AdminPage(_("Write"), "messages.write", "edit", SENDS),
    AdminPage(_("Messages"), "admin:messaging_message_changelist", "sms", READS),
    AdminPage(_("Batches"), "admin:messaging_batch_changelist", "stacked_email", READS),
    AdminPage(_("Attempts"), "admin:messaging_attempt_changelist", "outbox", READS),
    AdminPage(_("Receipts"), "admin:messaging_deliveryevent_changelist", "done_all", READS),
    AdminPage(_("Inbound messages"), "admin:messaging_inboundmessage_changelist", "inbox", READS),
    AdminPage(_("Opt-outs"), "admin:messaging_optout_changelist", "notifications_off", ("USERS_READ",)),
    AdminPage(_("Message templates"), "admin:messaging_messagetemplate_changelist", "edit_note", ("SYSTEM_READ",)),
)

#: Two lists of one subject.
WEBHOOKS = (
    AdminPage(_("Webhooks"), "admin:messaging_webhook_changelist", "webhook", ("SYSTEM_READ",)),
    AdminPage(_("Deliveries"), "admin:messaging_webhookdelivery_changelist", "outbox", ("SYSTEM_READ",)),
)
#: What says nothing of which events a webhook is told of.
UNMINDED = (
    *("name", "url", "format", "verify_tls", "secret", "former_secret", "former_until"),
    *("failing_since", "rest_until", "last_failure", "last_success"),
)


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        changes.LISTENERS += ["messaging.tasks.gateway_changed", "messaging.tasks.gateway_told"]
        registry.WATCHED.append(Watched("messaging.Webhook", unminded=UNMINDED))
        registry.NAVIGATION["messages"] += PAGES
        registry.ACTIONS["Sms"] = "messaging.api.actions.ACTIONS"
        registry.NAVIGATION["system"].insert(1, WEBHOOKS[0])
        registry.TABS.append(list(WEBHOOKS))
        registry.OPEN_PATHS.append("/callbacks/")
        registry.METRICS += ["messaging.metrics.families", "messaging.webhook_metrics.families"]
        registry.SYSTEM.append(registry.SystemPart(_("Calls of providers"), "messaging.system.lines"))
        registry.HOUSEKEEPING += [
            "messaging.tallies.keep_tallies",
            "messaging.retention.anonymise_messages",
            "messaging.retention.anonymise_inbound",
            "messaging.retention.anonymise_events",
            "messaging.retention.anonymise_batches",
            "messaging.webhooks.gateways_told.look_at_all",
            "messaging.webhooks.upkeep.give_up",
            "messaging.webhooks.upkeep.forget",
        ]
        registry.CONCERNS += ["messaging.panels.concerns", "messaging.panels.webhooks"]
        # What is asked first stands first, whatever apps were there before.
        registry.PANELS[:0] = ["messaging.panels.day", "messaging.panels.queues"]
        registry.PANELS += ["messaging.panels.month", "messaging.panels.costs"]
        registry.STEPS.append("messaging.panels.first_test")
        worker_shutting_down.connect(_stop_claiming, weak=False)


def _stop_claiming(**_: object) -> None:
    import_string("messaging.drains.stop_claiming")()
