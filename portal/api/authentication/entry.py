"""What every call is asked in turn: a key, a name with a password, or a token. The first that is there decides."""

import base64
import binascii

from django.http import HttpRequest
from knox.settings import knox_settings
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from portal import callers
from portal.api.authentication import access, keys, passwords, tokens
from portal.models import ApiKey, ApiToken, User
from portal.ways import WayIn, is_open


class KeyAuthentication(BaseAuthentication):
    """An API key: `X-API-Key: gsp_…`, `?apikey=gsp_…` or `Authorization: Bearer gsp_…`."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """The user, narrowed to what the key is for, and the key; None without one. Raises what `keys` does."""
        if not is_open(WayIn.API_KEY):
            return None
        bearer = tokens.presented_token(request)
        presented = keys.presented_key(request) or (bearer if keys.looks_like_one(bearer) else "")
        if not presented:
            return None
        key = keys.key_of(request, presented)
        return key.user, key


class BasicAuthentication(BaseAuthentication):
    """`Authorization: Basic …` with name and password in Base64, or plain as Mobile SMARTS lets them be written."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey | None] | None:
        """The user, and the key that stood for the password; None without such a header. Raises as `each_time` does."""
        pair = presented_pair(request) if is_open(WayIn.BASIC) else None
        return None if pair is None else passwords.each_time(request, *pair)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer X` and bare `X`. A good token slides before anything asks for rights."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken | AccessToken] | None:
        """The user and the token; None without a token. Raises NotSignedIn."""
        presented = tokens.presented_token(request)
        if not presented:
            return None
        if access.looks_like_one(presented):
            given = access.token_of(request, presented)
            return given.user, given
        token = tokens.token_of(request)
        tokens.slide(token, callers.address_of(request))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return str(knox_settings.AUTH_HEADER_PREFIX)


def presented_pair(request: Request | HttpRequest) -> tuple[str, str] | None:
    """Name and password of a Basic header, or None without one; both empty where it holds none.

    Source: Mobile SMARTS, «Авторизация в системе через REST API», BASIC: `{login}:{password}`, and «допускается
    base64». What decodes to UTF-8 with a colon in it is Base64, anything else is taken as it stands.
    """
    scheme, _, rest = str(request.META.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
    if scheme.lower() != tokens.BASIC:
        return None
    written = rest.strip()
    try:
        decoded = base64.b64decode(written, validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    # A server hands headers over as Latin-1, whatever they were.
    plain = decoded if ":" in decoded else written.encode("latin-1", "replace").decode("utf-8", "replace")
    name, _, password = plain.partition(":")
    # No database takes a NUL, and no user's name has one.
    return name.replace("\0", "\ufffd"), password
