"""Staff who sign in: people and programs."""

from django.contrib.auth.models import AbstractUser
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

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        default_permissions = ()
        permissions = tuple((right.value, right.label) for right in Right)
