"""OAuthClient: django-oauth-toolkit's application under the name that people know it by."""

from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import Application


class OAuthClient(Application):  # type: ignore[misc]
    """A program with an id and a secret. How one is made, and ends: `portal.clients`."""

    class Meta:
        proxy = True
        verbose_name = _("OAuth2 client")
        verbose_name_plural = _("OAuth2 clients")
        default_permissions = ()
