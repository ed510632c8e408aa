"""SpentChallenge: a proof of work that was taken, so that it is taken once. `guests.captcha.proofs` writes it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SpentChallenge(models.Model):
    """One challenge. The constraint decides which of several posts with one solution passes."""

    digest = models.CharField(_("digest"), max_length=64, unique=True)
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("spent challenge")
        verbose_name_plural = _("spent challenges")
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest
