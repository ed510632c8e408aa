"""What tokens are given for: a password or another token (sessions), or a client's secret (`client_grants`). The
protocol is oauthlib's and django-oauth-toolkit's; here is what the portal asks beside, and whom it tells.

Each request has a validator of its own, because passwords, the Defender and the audit trail need the request.
"""

import hashlib
import json
import logging
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request as OAuthRequest
from oauthlib.common import urlencode
from oauthlib.oauth2 import LegacyApplicationServer, OAuth2Error
from oauthlib.oauth2.rfc6749 import errors

from portal import callers, defender, sessions
from portal.api.authentication import passwords
from portal.api.authentication.entry import presented_pair
from portal.api.authentication.tokens import BASIC
from portal.api.commit import Done, commit_once
from portal.api.views import ApiView
from portal.models import ApiSession, OAuthClient
from portal.sessions import ANYBODY
from portal.strangers import name_to_keep

logger = logging.getLogger(__name__)

#: What RFC 6749's words mean here, where oauthlib says no more.
SENTENCES = {
    "invalid_client": "No client has this id and this secret.",
    "invalid_grant": "This token renews nothing: it is unknown, was used before, or has ended. Sign in again.",
    "invalid_scope": "There is no such scope: leave it out.",
    "unauthorized_client": "This client may not come in by this way, or has nobody to act as.",
    "unsupported_grant_type": "This address gives no token for this grant_type.",
}
#: Requests of one program with the same token that come so close together: those that are slower end nothing.
AT_ONCE = timedelta(seconds=2)
#: What is looked at in a body; RFC 6749 has everything else passed over.
FIELDS = ("grant_type", "username", "password", "refresh_token", "client_id", "client_secret", "scope")


class Grants(OAuth2Validator):  # type: ignore[misc]
    """What both kinds share. `view` is the one that was called."""

    server_class: ClassVar[type[Any]]

    def __init__(self, view: ApiView) -> None:
        self.view = view

    def lifetime(self, request: OAuthRequest) -> int:
        """Seconds that the token asked for lasts."""
        raise NotImplementedError

    def _load_application(self, client_id: str | None, request: OAuthRequest) -> Application | None:
        # No database takes a NUL; a header may hold one.
        return super()._load_application((client_id or "").replace("\x00", "?"), request)

    def authenticate_client(self, request: OAuthRequest, *args: Any, **options: Any) -> bool:
        """Whether the client gave its secret, in the header or in the body; a wrong one is told to the Defender."""
        known = bool(super().authenticate_client(request, *args, **options))
        if known and request.client_id and request.client_id != request.client.client_id:
            raise errors.InvalidRequestError("The header and the body name different clients.", request=request)
        if not known and (request.client_id or self._extract_basic_auth(request)):
            defender.report(self.view.request, way=defender.Way.CLIENT)
        # Others may have used up the tries while the secret was looked at: a right one shows as little as a wrong one.
        return known and defender.may_try(self.view.request, "")

    def save_bearer_token(self, token: dict[str, Any], request: OAuthRequest, *args: Any, **options: Any) -> None:
        """Together with its event in the audit trail."""

        def save() -> Done:
            self._hold_client(request)
            super(Grants, self).save_bearer_token(token, request, *args, **options)
            return Done({}, object_id="" if request.client.client_id == ANYBODY else str(request.client))

        commit_once(self.view, save)

    def _hold_client(self, request: OAuthRequest) -> None:
        """Raises InvalidClientError where the client was closed, or has another secret than the one that was looked
        at. From now on nothing of the kind happens until the transaction ends.
        """
        client = request.client
        as_it_was = {name: getattr(client, name) for name in ("client_secret", "user_id", "authorization_grant_type")}
        same = Application.objects.select_for_update().filter(pk=client.pk, **as_it_was)
        # All programs share the one that has no secret, and need not wait for each other.
        if client.client_id != ANYBODY and same.first() is None:
            raise errors.InvalidClientError(request=request)


class SessionGrants(Grants):
    """`password` and `refresh_token`, as Mobile SMARTS has them («Авторизация методом POST», «Восстановление…»)."""

    server_class = LegacyApplicationServer
    #: Whether the caller named a client that was set up.
    _names_known_client = False

    def lifetime(self, request: OAuthRequest) -> int:
        return int(settings.API_SESSION_SECONDS)

    def _load_application(self, client_id: str | None, request: OAuthRequest) -> Application | None:
        """The client of this id; for an id that nobody set up the client of any program, unless that is closed."""
        found = super()._load_application(client_id, request)
        if found is not None and found.client_id != ANYBODY:
            self._names_known_client = True
            return found
        takes_any = settings.API_SESSION_CLIENTS == "any" and not self._names_known_client
        request.client = sessions.anybody() if takes_any else None
        return request.client

    def client_authentication_required(self, request: OAuthRequest, *args: Any, **options: Any) -> bool:
        """Whoever names a client that was set up needs its secret; of others whatever they send is passed over."""
        required = bool(super().client_authentication_required(request, *args, **options))
        return required and not self._is_anybody(request)

    def _is_anybody(self, request: OAuthRequest) -> bool:
        pair = presented_pair(self.view.request)
        if pair is not None:
            self._load_application(unquote_plus(pair[0]), request)
        self._load_application(request.client_id, request)
        if self._names_known_client or request.client is None:
            return False
        request.client_id = request.client.client_id
        return True

    def authenticate_client(self, request: OAuthRequest, *args: Any, **options: Any) -> bool:
        """As it is; one that gave its secret and was not made on our pages is none, which is no guess."""
        return super().authenticate_client(request, *args, **options) and _was_set_up(request.client)

    def authenticate_client_id(self, client_id: str | None, request: OAuthRequest, *args: Any, **options: Any) -> bool:
        known = bool(super().authenticate_client_id(client_id, request, *args, **options))
        if known and request.client.client_id != ANYBODY:
            known = _was_set_up(request.client)
        if known:
            request.client_id = request.client.client_id
        return known

    def validate_user(
        self, username: str, password: str, client: Application, request: OAuthRequest, *args: Any, **options: Any
    ) -> bool:
        """Raises what `passwords.sign_in` does."""
        self.view.audit_name = name_to_keep(username)
        request.user = self.view.request.user = passwords.sign_in(self.view.request, username, password)
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, request: OAuthRequest, *args: Any, **options: Any
    ) -> bool:
        """Not django-oauth-toolkit's own: that warns with each password, against what the administrator opened."""
        return bool(client.allows_grant_type(Application.GRANT_PASSWORD))

    def validate_refresh_token(
        self, refresh_token: str, client: Application, request: OAuthRequest, *args: Any, **options: Any
    ) -> bool:
        """Whether it renews a session that still stands. One that was used before has ended its session by then, unless
        both requests came at once.
        """
        with transaction.atomic():
            if _was_used_just_now(refresh_token):
                return False
            stands = bool(super().validate_refresh_token(refresh_token, client, request, *args, **options))
        if not stands:
            self._tell(refresh_token)
            return False
        session = ApiSession.objects.get(family=request.refresh_token_instance.token_family)
        self.view.request.user = request.user
        if not sessions.is_still_good(request.user, session.given_for):
            sessions.end(session)
            return False
        return True

    def _tell(self, refused: str) -> None:
        """The Defender of a guess, and the log of a session that ended because one of its tokens came twice."""
        known = RefreshToken.objects.filter(token_checksum=_checksum(refused)).first()
        if known is None:
            defender.report(self.view.request, way=defender.Way.TOKEN)
            return
        session = ApiSession.objects.filter(family=known.token_family).select_related("user").first()
        if session is not None and known.revoked and sessions.end(session):
            self.view.audit_name = session.user.get_username()
            logger.warning("A refresh token of %s came a second time: its session has ended", self.view.audit_name)

    def _save_bearer_token(self, token: dict[str, Any], request: OAuthRequest, *args: Any, **options: Any) -> None:
        renewed = getattr(request, "refresh_token_instance", None)
        if renewed is not None and not _is_ours(renewed):
            # Another request was faster with the same token and has the session.
            raise errors.InvalidGrantError(request=request)
        super()._save_bearer_token(token, request, *args, **options)

    def _create_refresh_token(
        self, request: OAuthRequest, code: str, access_token: AccessToken, previous: RefreshToken | None
    ) -> RefreshToken:
        made = super()._create_refresh_token(request, code, access_token, previous)
        address = callers.address_of(self.view.request)
        if previous is None:
            sessions.note_begun(made, request.user, address)
        else:
            sessions.note_renewed(made, address)
        return made


def _was_set_up(client: Application) -> bool:
    """Whether our pages show it, or did."""
    return OAuthClient.objects.filter(pk=client.pk).exists()


def _was_used_just_now(refresh_token: str) -> bool:
    """Whether another request was a moment faster with the same token; one that is about to be has to wait."""
    found = RefreshToken.objects.select_for_update().filter(token_checksum=_checksum(refresh_token)).first()
    return found is not None and found.revoked is not None and timezone.now() - found.revoked < AT_ONCE


def _checksum(token: str) -> str:
    """Under which it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def _is_ours(refresh_token: RefreshToken) -> bool:
    """Whether it is still unused; from now on nobody else uses it until the transaction ends."""
    return RefreshToken.objects.select_for_update().filter(pk=refresh_token.pk, revoked=None).first() is not None


def answer(grants: type[Grants], view: ApiView, fields: dict[str, str]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """What RFC 6749 answers to these fields: the body, the status, and headers.

    Raises what `passwords.sign_in` does.
    """
    validator = grants(view)
    server = grants.server_class(validator, token_expires_in=validator.lifetime)
    given = {name: value for name in FIELDS if (value := fields.get(name))}
    try:
        _check_grant_type(given.get("grant_type"), server.grant_types)
        headers, body, status = server.create_token_response(
            view.request.path, "POST", urlencode(given.items()), _headers(view)
        )
    except OAuth2Error as error:
        headers, body, status = error.headers, error.json, error.status_code
    told: dict[str, Any] = json.loads(body)
    if "error" in told:
        told["message"] = told.get("error_description") or SENTENCES.get(told["error"], told["error"])
    return told, status, {name: headers[name] for name in ("WWW-Authenticate",) if name in headers}


def _check_grant_type(named: str | None, known: dict[str, Any]) -> None:
    """oauthlib would ask for the name and the password first."""
    if named is None:
        raise errors.InvalidRequestError("Missing grant_type parameter.")
    if named not in known:
        raise errors.UnsupportedGrantTypeError


def _headers(view: ApiView) -> dict[str, str]:
    scheme, _, rest = str(view.request.META.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
    # django-oauth-toolkit stumbles over anything but ASCII in it, and knows one spelling of the scheme.
    basic = {"HTTP_AUTHORIZATION": f"Basic {rest.strip()}"} if scheme.lower() == BASIC and rest.isascii() else {}
    return {"Content-Type": "application/x-www-form-urlencoded"} | basic
