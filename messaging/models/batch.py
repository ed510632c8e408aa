"""Batch: one text, or several, for many phones, accepted in one go. Its messages know it."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from gateways.models import Gateway

LONGEST_NAME = 80
LONGEST_TOKEN = 64
#: What a batch is called that came by the API. Texts are wiped in time, and a name is not.
BY_API = gettext_noop("By the API")


class Batch(models.Model):
    """What was asked for at once. `taken` of its `total` items were looked at; the refused ones are named.

    `token` names the form it came from: the same one makes no second batch.
    """

    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    created = models.DateTimeField(_("accepted"), default=timezone.now, db_index=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("requested by"), null=True, blank=True
    )
    wanted = models.ForeignKey(
        Gateway, models.PROTECT, verbose_name=_("gateway asked for"), null=True, blank=True, related_name="+"
    )
    again_of = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("what failed of"), null=True, blank=True, related_name="again_as"
    )
    scheduled_for = models.DateTimeField(_("to be sent"), null=True, blank=True)
    total = models.PositiveIntegerField(_("recipients"), default=0)
    taken = models.PositiveIntegerField(_("looked at"), default=0)
    # Of each: its place in the batch, its reference, the field at fault and a sentence; and the caller's name of a
    # field that nobody knows. Never the phone or the text.
    refused = models.JSONField(_("refused"), default=list, blank=True)
    token = models.CharField(_("token of its form"), max_length=LONGEST_TOKEN, unique=True, null=True, editable=False)  # noqa: DJ001 — many without one
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        default_permissions = ()
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.pk} {self.shown_name}"

    @property
    def shown_name(self) -> str:
        """Its name; the one that we gave is in the reader's language."""
        return gettext(self.name) if self.name == BY_API else self.name

    def forget(self, reference: str) -> None:
        """Takes what names this one out of the refused."""
        if any(one["reference"] == reference for one in self.refused):
            self.refused = [_unnamed(one) if one["reference"] == reference else one for one in self.refused]
            self.save(update_fields=["refused"])

    def forget_all(self) -> None:
        """Takes what names anybody out of the refused; how many there were stays."""
        if self.refused:
            self.refused = [_unnamed(one) for one in self.refused]
            self.save(update_fields=["refused"])


def _unnamed(refused: dict[str, Any]) -> dict[str, Any]:
    return {"place": refused["place"], "reference": "", "field": refused["field"], "message": ""}
