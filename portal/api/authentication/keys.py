"""API keys: in `X-API-Key`, as a Bearer, as `apikey` in the query or a form, or in the place of a password."""

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from portal import callers, defender, narrowing
from portal.api import standing
from portal.api.authentication import another_site
from portal.api.authentication.refusals import KeyElsewhere, KeyEnded, UnknownKey
from portal.keys import PREFIX, SHAPE, digest_of, state_of
from portal.models import ApiKey
from portal.narrowing import State

HEADER = "HTTP_X_API_KEY"
#: As SMSmobileAPI has it, in a query or a form.
FIELD = "apikey"


def looks_like_one(presented: str) -> bool:
    """Whether it is meant to be a key of ours, be it a good one or not."""
    return presented.startswith(PREFIX)


def presented_key(request: Request | HttpRequest) -> str:
    """The key in the call's headers or its query; empty without one. May be anything at all.

    Raises FromAnotherSite: an address is all that a page elsewhere needs for its reader's browser to call it.
    """
    header = str(request.META.get(HEADER, "")).strip()
    if header or FIELD not in request.GET:
        return header
    another_site.refuse(request)
    return str(request.GET[FIELD])


def key_of(request: Request | HttpRequest, presented: str) -> ApiKey:
    """The key, whose user may do what the key is for and no more; its use is noted, a guess told to the Defender.

    Raises UnknownKey, KeyEnded or KeyElsewhere.
    """
    address = callers.address_of(request)
    try:
        key = _good(presented)
    except UnknownKey:
        defender.report(request, way=defender.Way.KEY)
        raise
    if not narrowing.is_good_from(key, address):
        raise KeyElsewhere
    _note_use(key, address)
    narrowing.narrow(key.user, key)
    return key


def _good(presented: str) -> ApiKey:
    key = standing.keys.of(digest_of(presented)) if SHAPE.fullmatch(presented) else None
    if key is None:
        raise UnknownKey
    if state_of(key) is not State.VALID:
        raise KeyEnded
    return key


def _note_use(key: ApiKey, address: str | None) -> None:
    now = timezone.now()
    if key.last_used is None or now - key.last_used > standing.SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used=now, last_address=address)
        key.last_used, key.last_address = now, address
        standing.keys.seen(key)
