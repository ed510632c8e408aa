"""AuditEvent: who did what."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One call that changed or sent something, or tried to: who, from where, what, on what, with what result.

    `changes` has for each field its old and its new value. Everything is masked before it is stored.
    """

    at = models.DateTimeField(_("when"), auto_now_add=True, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, blank=True, db_index=False
    )
    user_name = models.CharField(_("user name"), max_length=150, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    action = models.CharField(_("action"), max_length=100)
    object_id = models.CharField(_("object"), max_length=200, blank=True)
    method = models.CharField(_("method"), max_length=10, blank=True)
    path = models.CharField(_("path"), max_length=300, blank=True)
    request = models.JSONField(_("request"), default=dict, blank=True)
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    status = models.PositiveSmallIntegerField(_("result"))

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ()
        ordering = ("-at", "-id")
        indexes = [
            models.Index(fields=["user", "at"], name="audit_of_user"),
            models.Index(fields=["object_id", "at"], name="audit_of_object"),
            models.Index(fields=["action", "at"], name="audit_of_action"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.user_name} {self.action} {self.status}"
