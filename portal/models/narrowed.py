"""Narrowed: what lets a program in for less than all that its user may. What it means: `portal.narrowing`."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Narrowed(models.Model):
    """The columns that API keys and OAuth2 clients share."""

    rights = models.JSONField(_("rights"), default=list, blank=True, help_text=_("None: all rights of the user."))
    #: By id: the ground knows no gateways.
    gateways = models.JSONField(_("gateways"), default=list, blank=True, help_text=_("None: all gateways."))
    networks = models.JSONField(
        _("networks"), default=list, blank=True, help_text=_("Where it may be used from; none: from everywhere.")
    )
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True, help_text=_("Empty: it does not end."))

    class Meta:
        abstract = True
