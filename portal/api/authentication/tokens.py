"""Tokens of ours: who is calling, how long one lives, and which documented text an ended one gets."""

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.crypto import hash_token
from knox.settings import knox_settings
from rest_framework.request import Request

from portal import defender, expiry
from portal.api import standing
from portal.api.authentication.refusals import NotSignedIn, PastLimit, UnknownToken
from portal.keys import PREFIX
from portal.models import ApiToken, User
from portal.ways import WayIn, is_open

SHAPE = re.compile(r"[0-9a-f]{64}")
#: What stands before a name and a password instead.
BASIC = "basic"

#: An ended token's digest is kept this long: it chooses the text, and its use is no guess.
KEPT_AFTER_END = timedelta(hours=24)


def presented_token(request: Request | HttpRequest) -> str:
    """What the Authorization header carries, without its prefix; may be anything at all but a name with a password."""
    header = str(request.META.get("HTTP_AUTHORIZATION", "")).strip()
    prefix, _, rest = header.partition(" ")
    if prefix.lower() == BASIC:
        # Not where that way is closed, either: a good password there would count as a guess at tokens.
        return ""
    return rest.strip() if prefix.lower() == knox_settings.AUTH_HEADER_PREFIX.lower() else header


def token_of(request: Request | HttpRequest) -> ApiToken:
    """The live token that the request carries; a guess is told to the Defender. Raises NotSignedIn."""
    presented = presented_token(request)
    try:
        return find_token(presented)
    except NotSignedIn as refused:
        # A key is here only while keys open nothing: nobody guesses any then, and a program that has one goes on.
        if refused.guessed and presented and not presented.startswith(PREFIX):
            defender.report(request, way=defender.Way.TOKEN)
        raise


def find_token(presented: str) -> ApiToken:
    """The live token of an active user. Raises NotSignedIn, UnknownToken or PastLimit."""
    token = _stored(presented)
    if token.expiry <= timezone.now():
        # Only a token in use until the end has slid as far as its limit.
        raise PastLimit if token.expiry >= limit_of(token) else NotSignedIn
    if not expiry.may_act(token.user) or not _is_still_good(token) or not is_open(WayIn(token.way)):
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
    token = standing.tokens.of(digest)
    if token is not None and token.expiry <= timezone.now():
        # Another process may have moved its end.
        token = standing.tokens.read_anew(digest)
    if token is None or token.expiry <= timezone.now() - KEPT_AFTER_END:
        raise UnknownToken
    return token


def limit_of(token: ApiToken) -> datetime:
    """The moment past which no use keeps the token alive."""
    limit: datetime = token.created + _longest_life(token.way)
    return limit


def _longest_life(way: str) -> timedelta:
    longest: timedelta = (
        settings.API_ENVELOPE_LIFETIME if way == ApiToken.Way.ENVELOPE else knox_settings.AUTO_REFRESH_MAX_TTL
    )
    return longest


def issue(user: User, address: str | None, way: ApiToken.Way = ApiToken.Way.LOGIN) -> tuple[ApiToken, str]:
    """A token of this user, and what its holder sends: 64 hexadecimal digits. It ends with the user's password."""
    issued: tuple[ApiToken, str] = ApiToken.objects.create(
        user=user,
        # Without use one may be good for longer than a token is at all.
        expiry=_longest_life(way) if way == ApiToken.Way.ENVELOPE else min(knox_settings.TOKEN_TTL, _longest_life(way)),
        way=way,
        address=address,
        last_used=timezone.now(),
        last_address=address,
        given_for=user.get_session_auth_hash(),
    )
    return issued


def slide(token: ApiToken, address: str | None) -> None:
    """Counts this use, from this address: moves the expiry, in the database only every MIN_REFRESH_INTERVAL seconds."""
    now = timezone.now()
    limit = limit_of(token)
    # One from the envelope was told its end when it was given, and keeps it.
    slides = token.way == ApiToken.Way.LOGIN
    expiry = min(now + knox_settings.TOKEN_TTL, limit) if slides else token.expiry
    gained = (expiry - token.expiry).total_seconds()
    seen = token.last_used or token.created
    unseen = not slides and (now - seen).total_seconds() > knox_settings.MIN_REFRESH_INTERVAL
    if unseen or gained > knox_settings.MIN_REFRESH_INTERVAL or (expiry == limit and gained > 0):
        # A use elsewhere at the same time may have moved it further, or a logout may have ended it: neither is undone.
        ApiToken.objects.filter(pk=token.pk, expiry__gte=token.expiry, expiry__lte=expiry).update(
            expiry=expiry, last_used=now, last_address=address
        )
        token.expiry, token.last_used, token.last_address = expiry, now, address
        standing.tokens.seen(token)


def end(token: ApiToken) -> None:
    """Ends it. It is known for a day, so that another call of the same program is no guess."""
    now = timezone.now()
    ApiToken.objects.filter(pk=token.pk, expiry__gt=now).update(expiry=now)


def drop_old_tokens() -> int:
    """Housekeeping: forgets tokens that ended more than KEPT_AFTER_END ago. Returns how many."""
    forgotten: tuple[int, object] = ApiToken.objects.filter(expiry__lt=timezone.now() - KEPT_AFTER_END).delete()
    return forgotten[0]
