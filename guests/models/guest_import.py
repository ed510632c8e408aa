"""GuestImport: a file of guests on its way in. `guests.importing` takes it through its steps."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guests.models.guest import Guest
from guests.models.guest_type import GuestType
from messaging.models import Batch
from portal.encryption import EncryptedJSONField, EncryptedTextField


class Existing(models.TextChoices):
    """What is done where a user name is there already."""

    REFUSE = "refuse", _("refuse the row")
    UPDATE = "update", _("change the guest; empty cells change nothing")
    SKIP = "skip", _("leave the guest as it is")


class Outlook(models.TextChoices):
    """What will become of a row, or has."""

    UNCHECKED = "unchecked", _("not checked yet")
    NEW = "new", _("new")
    UPDATED = "update", _("changed")
    SKIPPED = "skip", _("skipped")
    FAULTY = "faulty", _("faulty")


class Sending(models.TextChoices):
    """Whether credentials were sent to a row's guest. What was asked for is never asked for again."""

    NO = "", _("no")
    ASKED = "asked", _("asked for")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")


class GuestImport(models.Model):
    """A file and what is to be done with it, until its owner is done or a day has passed."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("imported by"), related_name="+")
    created = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    header = EncryptedJSONField(_("headings"))
    mapping = models.JSONField(_("columns"), default=dict)
    guest_type = models.ForeignKey(
        GuestType, models.SET_NULL, verbose_name=_("guest type"), null=True, blank=True, related_name="+"
    )
    existing = models.CharField(_("user names that exist"), max_length=10, choices=Existing.choices)
    sends = models.BooleanField(_("send credentials"), default=False)
    gateway_name = models.CharField(_("gateway"), max_length=255, blank=True)
    #: The last one, where there were so many that they went in several.
    batch = models.ForeignKey(
        Batch, models.SET_NULL, verbose_name=_("batch"), null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name = _("import of guests")
        verbose_name_plural = _("imports of guests")
        default_permissions = ()

    def __str__(self) -> str:
        return f"import {self.pk}"


class GuestImportRow(models.Model):
    """A row of the file under its number there; the headings are row 1. Once it is imported, its cells are wiped."""

    guest_import = models.ForeignKey(GuestImport, models.CASCADE, verbose_name=_("import"), related_name="rows")
    number = models.PositiveIntegerField(_("row"))
    cells = EncryptedJSONField(_("cells"))
    outlook = models.CharField(_("outlook"), max_length=10, choices=Outlook.choices, default=Outlook.UNCHECKED)
    #: Pairs of a field, or nothing, and a sentence.
    faults = EncryptedJSONField(_("faults"), default=list)
    done = models.BooleanField(_("imported"), default=False)
    guest = models.ForeignKey(Guest, models.SET_NULL, verbose_name=_("guest"), null=True, related_name="+")
    sending = models.CharField(_("credentials"), max_length=10, choices=Sending.choices, default=Sending.NO, blank=True)
    refused = EncryptedTextField(_("refused because"), default="")

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        default_permissions = ()
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=("guest_import", "number"), name="guest_import_row_number")]

    def __str__(self) -> str:
        return f"{self.guest_import_id}/{self.number}"
