"""Step: a turn in a message's journey of which neither an attempt nor a receipt tells."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway
from messaging.models.states import State, Wait
from portal.models import User


class Step(models.Model):
    """The message became `state`, waited for something, or was moved. Written by `Message` alone and never changed.

    A message that is taken, handed over and delivered at once has none.
    """

    message = models.ForeignKey("messaging.Message", models.CASCADE, verbose_name=_("message"), related_name="steps")
    at = models.DateTimeField(_("time"), default=timezone.now)
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    waits_for = models.CharField(_("waits because"), max_length=20, choices=Wait.choices, blank=True, default=Wait.NONE)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    gateway = models.ForeignKey(Gateway, models.PROTECT, verbose_name=_("gateway"), related_name="+")
    came_from = models.ForeignKey(
        Gateway, models.PROTECT, verbose_name=_("gateway it left"), null=True, blank=True, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("by"), null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        default_permissions = ()
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.message_id} {self.get_state_display()}"

    @classmethod
    def after(cls, message: Any, left: int, by: User | None) -> "Step":
        """What is on record of the change that was just made to the message; `left` is the gateway it was at before."""
        return cls(
            message=message,
            state=message.state,
            waits_for=message.waits_for,
            until=(message.due_at or message.ask_at) if message.waits_for else None,
            reason=message.reason,
            gateway_id=message.gateway_id,
            came_from_id=left if left != message.gateway_id else None,
            by=by,
        )

    @classmethod
    def of_row(cls, key: int, here: int, by: User | None, changes: Mapping[str, Any]) -> "Step":
        """The same of a row that was changed among many, and is not in memory; `here` is the gateway it was at."""
        target = changes.get("gateway")
        return cls(
            message_id=key,
            state=changes["state"],
            reason=changes.get("reason", ""),
            gateway_id=target.pk if target else here,
            came_from_id=here if target and target.pk != here else None,
            by=by,
        )
