"""Staff who sign in: people and programs."""

from django.contrib.auth.models import AbstractUser
from django.utils.translation import gettext_lazy as _

from portal.permissions import Right


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A member of staff or a program of theirs. Guests are `guests.Guest`, never users."""

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        default_permissions = ()
        permissions = tuple((right.value, right.label) for right in Right)
