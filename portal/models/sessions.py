"""ApiSession: one sign-in of a program, and all the tokens by which it was renewed since."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiSession(models.Model):
    """What django-oauth-toolkit calls a family: its tokens are in its own tables, and here is what these do not hold.

    The checksums are those of tokens that django-oauth-toolkit may have deleted: their late use is no guess.
    """

    family = models.UUIDField(_("token family"), unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="api_sessions"
    )
    client = models.ForeignKey(
        "oauth2_provider.Application", models.CASCADE, verbose_name=_("client"), related_name="sessions"
    )
    # A digest of the password's hash: another password ends the session.
    given_for = models.CharField(_("given for the password"), max_length=128, editable=False)
    access_checksum = models.CharField(_("token's checksum"), max_length=64, db_index=True, editable=False)
    former_checksum = models.CharField(
        _("checksum of the token before"), max_length=64, db_index=True, blank=True, default="", editable=False
    )
    created = models.DateTimeField(_("signed in"), auto_now_add=True)
    address = models.GenericIPAddressField(_("signed in from"), null=True, blank=True)
    last_used = models.DateTimeField(_("last used"))
    last_address = models.GenericIPAddressField(_("last used from"), null=True, blank=True)
    renewable_until = models.DateTimeField(_("can be renewed until"), db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("API session")
        verbose_name_plural = _("API sessions")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user} {self.created:%Y-%m-%d %H:%M:%S}"
