"""MessageTemplate: the text of a kind of message in a language."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.retries import Kind


class MessageTemplate(models.Model):
    """The text of a kind of message in a language, with `$placeholders`."""

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    text = models.TextField(_("text"), help_text=_("May use $username, $password and $portal."))

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "language"], name="one_template_per_language")]

    def __str__(self) -> str:
        return f"{self.kind} {self.language}"
