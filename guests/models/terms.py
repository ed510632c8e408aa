"""Terms: what guests agree to, in a language, one version after another."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Terms(models.Model):
    """A version of the terms in a language: a draft until it is published, and unchangeable from then on.

    `guests.terms` writes it. `digest` proves which text somebody agreed to.
    """

    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), max_length=100_000)
    digest = models.CharField(_("SHA-256 of the text"), max_length=64)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        default_permissions = ()
        ordering = ("language", "-version")
        constraints = [
            models.UniqueConstraint(fields=["language", "version"], name="terms_version_is_given_once"),
            models.UniqueConstraint(
                fields=["language"], condition=Q(published_at__isnull=True), name="terms_have_one_draft"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_language_display()} {self.version}"

    @property
    def is_published(self) -> bool:
        """Whether it can no longer be changed."""
        return self.published_at is not None
