"""Staff who sign in: people and programs."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.permissions import Right


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A member of staff or a program of theirs. Guests are `guests.Guest`, never users."""

    is_program = models.BooleanField(
        _("is a program"), default=False, help_text=_("A program uses the API and cannot sign in to the admin.")
    )
    password_opens_api = models.BooleanField(
        _("may sign in to the API with the password"),
        default=True,
        help_text=_("Switched off by itself when the person sets up a second factor, which the API does not ask for."),
    )
    expires_at = models.DateTimeField(
        _("account ends"),
        null=True,
        blank=True,
        db_index=True,
        help_text=_("From then on nobody signs in with it; empty: it does not end."),
    )
    language = models.CharField(
        _("language"), max_length=5, choices=settings.LANGUAGES, blank=True, help_text=_("Empty: the browser's.")
    )
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        default_permissions = ()
        permissions = tuple((right.value, right.documented) for right in Right)


class Role(Group):
    """Django's group, under the word people use."""

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        default_permissions = ()
