"""Bearer tokens: who is calling, how long a token lives, and which documented text an ended one gets."""

import re
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.crypto import hash_token
from knox.settings import knox_settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from portal import callers, defender, expiry
from portal.api import standing
from portal.models import ApiToken, User

SHAPE = re.compile(r"[0-9a-f]{64}")

#: An ended token's digest is kept this long: it chooses the text, and its use is no guess.
KEPT_AFTER_END = timedelta(hours=24)


class NotSignedIn(AuthenticationFailed):
    """401: no token, or one that was left idle. `guessed` is true where somebody may be trying tokens."""

    default_detail = "Invalid token. Login again using /api/v1/login"
    guessed = False


class UnknownToken(NotSignedIn):
    """401: a token we never gave out, or one that ended more than KEPT_AFTER_END ago."""

    guessed = True


class PastLimit(NotSignedIn):
    """401: a token in steady use that reached its longest life."""

    default_detail = "Invalid token info"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer X` and bare `X`. A good token slides before anything asks for rights."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The user and the token; None without a token. Raises NotSignedIn."""
        if not presented_token(request):
            return None
        token = token_of(request)
        slide(token, callers.address_of(request))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return str(knox_settings.AUTH_HEADER_PREFIX)


def presented_token(request: Request | HttpRequest) -> str:
    """What the Authorization header carries, without its prefix; may be anything at all."""
    header = str(request.META.get("HTTP_AUTHORIZATION", "")).strip()
    prefix, _, rest = header.partition(" ")
    return rest.strip() if prefix.lower() == knox_settings.AUTH_HEADER_PREFIX.lower() else header


def token_of(request: Request | HttpRequest) -> ApiToken:
    """The live token that the request carries; a guess is told to the Defender. Raises NotSignedIn."""
    presented = presented_token(request)
    try:
        return find_token(presented)
    except NotSignedIn as refused:
        if refused.guessed and presented:
            defender.report(request, way=defender.Way.TOKEN)
        raise


def find_token(presented: str) -> ApiToken:
    """The live token of an active user. Raises NotSignedIn, UnknownToken or PastLimit."""
    token = _stored(presented)
    if token.expiry <= timezone.now():
        # Only a token in use until the end has slid as far as its limit.
        raise PastLimit if token.expiry >= limit_of(token) else NotSignedIn
    if not expiry.may_act(token.user) or not _is_still_good(token):
        raise NotSignedIn
    return token


def _is_still_good(token: ApiToken) -> bool:
    """Whether what was given for the token would still get one: the same password, and a user whom it lets in here."""
    if not token.given_for:
        return True
    return token.user.password_opens_api and constant_time_compare(token.given_for, token.user.get_session_auth_hash())


def _stored(presented: str) -> ApiToken:
    if not SHAPE.fullmatch(presented):
        raise UnknownToken
    digest = hash_token(presented)
    token = standing.of(digest)
    if token is not None and token.expiry <= timezone.now():
        # Another process may have moved its end.
        token = standing.read_anew(digest)
    if token is None or token.expiry <= timezone.now() - KEPT_AFTER_END:
        raise UnknownToken
    return token


def limit_of(token: ApiToken) -> datetime:
    """The moment past which no use keeps the token alive."""
    limit: datetime = token.created + knox_settings.AUTO_REFRESH_MAX_TTL
    return limit


def slide(token: ApiToken, address: str | None) -> None:
    """Counts this use, from this address: moves the expiry, in the database only every MIN_REFRESH_INTERVAL seconds."""
    now = timezone.now()
    limit = limit_of(token)
    expiry = min(now + knox_settings.TOKEN_TTL, limit)
    gained = (expiry - token.expiry).total_seconds()
    if gained > knox_settings.MIN_REFRESH_INTERVAL or (expiry == limit and gained > 0):
        # A use elsewhere at the same time may have moved it further, or a logout may have ended it: neither is undone.
        ApiToken.objects.filter(pk=token.pk, expiry__gt=now, expiry__lt=expiry).update(
            expiry=expiry, last_used=now, last_address=address
        )
        token.expiry, token.last_used, token.last_address = expiry, now, address
        standing.slid(token)


def drop_old_tokens() -> int:
    """Housekeeping: forgets tokens that ended more than KEPT_AFTER_END ago. Returns how many."""
    forgotten: tuple[int, object] = ApiToken.objects.filter(expiry__lt=timezone.now() - KEPT_AFTER_END).delete()
    return forgotten[0]
