"""MessageTemplate: the text of a kind of message in a language."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from messaging.retries import Kind


class MessageTemplate(models.Model):
    """The text of a kind of message in a language, with `$placeholders`. Information has several, told by name."""

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    name = models.CharField(
        _("name"),
        max_length=100,
        blank=True,
        help_text=_("Tells several texts of information apart; empty for codes and credentials."),
    )
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        default_permissions = ()
        ordering = ("kind", "name", "language")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "language"],
                name="one_template_per_language",
                condition=~Q(kind=Kind.INFORMATION),
                violation_error_message=_("There is a text of this kind in this language already; change that one."),
            ),
            models.UniqueConstraint(
                fields=["kind", "language", "name"],
                name="one_template_per_name",
                violation_error_message=_("There is a text with this name in this language; name it differently."),
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.get_kind_display(), self.name, self.get_language_display())))

    @classmethod
    def text_in(cls, kind: Kind, language: str) -> str | None:
        """The text of codes or credentials in this language, or where it is missing in the portal's."""
        languages = [language, settings.LANGUAGE_CODE]
        found = dict(cls.objects.filter(kind=kind, language__in=languages).values_list("language", "text"))
        return next((found[one] for one in languages if one in found), None)
