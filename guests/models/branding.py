"""Branding: what the guest pages look like. One row, the administrator's to change; `guests.look.branding` reads it."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

colour_is_hexadecimal = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", _("Write a colour like #1f5fa8."))


class Branding(models.Model):
    """Name, logo, colours and words; texts by language. The logo is kept here, so that every machine has it."""

    name = models.CharField(_("name"), max_length=60, blank=True, help_text=_("Empty: PORTAL_NAME."))
    logo = models.BinaryField(_("logo"), default=bytes, blank=True)
    logo_type = models.CharField(_("kind of picture"), max_length=20, blank=True, editable=False)
    colour = models.CharField(_("colour"), max_length=7, default="#0b5a8c", validators=[colour_is_hexadecimal])
    ground = models.CharField(_("ground"), max_length=7, default="#f4f6f8", validators=[colour_is_hexadecimal])
    greeting = models.JSONField(_("greeting"), default=dict, blank=True)
    help_text = models.JSONField(_("help"), default=dict, blank=True)

    class Meta:
        verbose_name = _("look of the guest pages")
        verbose_name_plural = _("look of the guest pages")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
