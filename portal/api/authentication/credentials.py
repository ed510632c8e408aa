"""Whatever lets a call in, told apart: keys, tokens from `login` and the envelope, sessions, and OAuth2 clients."""

from datetime import datetime
from typing import Any

from oauth2_provider.models import AccessToken
from rest_framework.request import Request

from portal import callers
from portal.api.authentication import access, entry, keys, passwords, tokens
from portal.errors import Refusal, Why
from portal.models import ApiKey, ApiToken
from portal.models.narrowed import Narrowed
from portal.ways import WayIn, is_open


def of_request(request: Request, *, uses: bool) -> Any:
    """What the call carries, with its `user`; unless it `uses` it, its end is not moved by that.

    Raises NotSignedIn, and what `keys` raises.
    """
    bearer = tokens.presented_token(request)
    key = keys.presented_key(request) or (bearer if keys.looks_like_one(bearer) else "")
    if key and is_open(WayIn.API_KEY):
        return keys.key_of(request, key)
    name, password = entry.presented_pair(request) or ("", "")
    if keys.looks_like_one(password) and is_open(WayIn.API_KEY) and is_open(WayIn.BASIC):
        return passwords.each_time(request, name, password)[1]
    if access.looks_like_one(bearer):
        return access.token_of(request, bearer, uses=uses)
    token = tokens.token_of(request)
    if uses:
        tokens.slide(token, callers.address_of(request))
    return token


def kind_of(credential: Any) -> str:
    """Its name among `portal.ways`."""
    if isinstance(credential, ApiToken):
        return str(credential.way)
    if isinstance(credential, ApiKey):
        return WayIn.API_KEY.value
    return (WayIn.SESSION if access.is_session(credential) else WayIn.OAUTH2).value


def program_of(credential: Any) -> str:
    """Which of its user's programs it belongs to; empty for what belongs to the user: tokens given for a password."""
    if isinstance(credential, ApiKey):
        return f"key {credential.pk}"
    if isinstance(credential, AccessToken) and not access.is_session(credential):
        return f"client {credential.application_id}"
    return ""


def narrowing_of(credential: Any) -> Narrowed | None:
    """What it is for, where it belongs to a program: the key itself, or a token with what its client is for."""
    return credential if program_of(credential) else None


def end_of(credential: Any) -> datetime | None:
    """When it ends unless it is used again; None where it does not end by itself."""
    if isinstance(credential, ApiKey):
        return credential.expires_at
    end: datetime = access.end_of(credential) if isinstance(credential, AccessToken) else credential.expiry
    return end


def end(credential: Any) -> None:
    """Ends it, and a session with whatever would renew it. Raises Refusal for keys and passwords."""
    if isinstance(credential, ApiToken):
        tokens.end(credential)
    elif isinstance(credential, AccessToken):
        access.end(credential)
    else:
        raise Refusal("Only a token can be logged out.", why=Why.CONFLICT)
