"""Tokens for the secrets of OAuth2 clients: who gets one, and for how long."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from oauthlib.common import Request as OAuthRequest
from oauthlib.oauth2 import BackendApplicationServer
from oauthlib.oauth2.rfc6749 import errors

from portal import callers, expiry, narrowing
from portal.api.grants import Grants
from portal.models import OAuthClient


class ClientGrants(Grants):
    """`client_credentials`, as SMSmobileAPI has them (API documentation, «OAuth2»)."""

    server_class = BackendApplicationServer
    #: Whether a secret was looked at.
    _has_looked = False
    #: Who comes, once that is known.
    _client: OAuthClient

    def lifetime(self, request: OAuthRequest) -> int:
        """It does not outlive its client."""
        ends, most = self._client.expires_at, int(settings.API_OAUTH2_SECONDS)
        return most if ends is None else max(1, min(most, int((ends - timezone.now()).total_seconds())))

    def authenticate_client(self, request: OAuthRequest, *args: Any, **options: Any) -> bool:
        """As it is, and for a client that there is not it takes as long."""
        known = super().authenticate_client(request, *args, **options)
        if not self._has_looked:
            make_password(request.client_secret or "")
        return known

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        self._has_looked = True
        return bool(super()._check_secret(provided_secret, stored_secret))

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, request: OAuthRequest, *args: Any, **options: Any
    ) -> bool:
        """Whether the client may come by itself, and has somebody to act as who may.

        Raises InvalidClientError where it has ended or comes from elsewhere. It gave its secret, so that is no guess.
        """
        self.view.request.user = client.user or self.view.request.user
        self._client = self._found(client, request)
        allowed = bool(super().validate_grant_type(client_id, grant_type, client, request, *args, **options))
        return allowed and client.user is not None and expiry.may_act(client.user)

    def _found(self, client: Application, request: OAuthRequest) -> OAuthClient:
        # One that was deleted meanwhile, or that our pages do not show because it was not made there, is none.
        found = OAuthClient.objects.filter(pk=client.pk).first()
        if found is None:
            raise errors.InvalidClientError(request=request)
        if narrowing.has_ended(found):
            raise errors.InvalidClientError("This client has ended.", request=request)
        if not narrowing.is_good_from(found, callers.address_of(self.view.request)):
            raise errors.InvalidClientError("This client may not be used from this address.", request=request)
        return found

    def _create_access_token(
        self, expires: Any, request: OAuthRequest, token: dict[str, Any], source_refresh_token: Any = None
    ) -> AccessToken:
        # django-oauth-toolkit's would belong to nobody.
        request.user = request.client.user
        return super()._create_access_token(expires, request, token, source_refresh_token)
