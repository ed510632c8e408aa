"""Access tokens of sessions and of OAuth2 clients: who is calling with one, and ending it."""

import hashlib
import re
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework.request import Request

from portal import callers, defender, expiry, narrowing, sessions
from portal.api import standing
from portal.api.authentication.refusals import ClientElsewhere, NotSignedIn, UnknownToken
from portal.models import ApiSession
from portal.ways import WayIn, is_open

#: As django-oauth-toolkit makes them; none of ours from `login` looks like one.
SHAPE = re.compile(r"[A-Za-z0-9]{30}")


def looks_like_one(presented: str) -> bool:
    """Whether it may be such a token."""
    return SHAPE.fullmatch(presented) is not None


def token_of(request: Request | HttpRequest, presented: str, *, uses: bool = True) -> AccessToken:
    """The live token, whose `user` acts, for no more than a client is for; a guess is told to the Defender, and the use
    is noted unless it is none.

    Raises NotSignedIn, UnknownToken or ClientElsewhere.
    """
    address = callers.address_of(request)
    try:
        token = _good(presented)
    except NotSignedIn as refused:
        if refused.guessed:
            defender.report(request, way=defender.Way.TOKEN)
        raise
    if not is_session(token):
        _narrow(token, address)
    elif uses:
        _note_use(token, address)
    return token


def is_session(token: AccessToken) -> bool:
    """Whether it was given for a password; else to a client for its secret."""
    return token.session_id is not None


def end_of(token: AccessToken) -> datetime:
    """When it ends, at the latest with its client."""
    last: datetime = token.expires
    return last if is_session(token) or token.expires_at is None else min(last, token.expires_at)


def end(token: AccessToken) -> None:
    """Ends it, and with a session whatever would renew it."""
    if is_session(token):
        sessions.end(ApiSession.objects.get(pk=token.session_id))
    else:
        # Known for a day, so that another call of the same program is no guess.
        AccessToken.objects.filter(pk=token.pk).update(expires=timezone.now())


def _good(presented: str) -> AccessToken:
    checksum = hashlib.sha256(presented.encode()).hexdigest()
    token = standing.access.of(checksum)
    if token is None and sessions.of_token(checksum) is None:
        raise UnknownToken
    if token is None or token.is_expired() or not _may_still_be_used(token):
        raise NotSignedIn
    return token


def _may_still_be_used(token: AccessToken) -> bool:
    if is_session(token):
        return is_open(WayIn.SESSION) and sessions.is_still_good(token.user, token.given_for)
    # A client that acts for somebody else by now has to come with its secret again.
    is_its_users = is_open(WayIn.OAUTH2) and expiry.may_act(token.user) and token.acts_as == token.user_id
    return is_its_users and token.rights is not None and not narrowing.has_ended(token)


def _narrow(token: AccessToken, address: str | None) -> None:
    if not narrowing.is_good_from(token, address):
        raise ClientElsewhere
    narrowing.narrow(token.user, token)


def _note_use(token: AccessToken, address: str | None) -> None:
    now = timezone.now()
    if now - token.last_used > standing.SEEN_EVERY:
        ApiSession.objects.filter(pk=token.session_id).update(last_used=now, last_address=address)
        token.last_used = now
        standing.access.seen(token)
