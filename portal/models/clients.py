"""OAuthClient: django-oauth-toolkit's application, and what it is for of all that its user may do."""

from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import Application

from portal.models.narrowed import Narrowed


class OAuthClient(Narrowed, Application):  # type: ignore[misc, django-manager-missing]
    """A program with an id and a secret. How one is made, and ends: `portal.clients`.

    The one that all programs share which were not set up is an application and no client.
    """

    class Meta:
        verbose_name = _("OAuth2 client")
        verbose_name_plural = _("OAuth2 clients")
        default_permissions = ()
