"""`/captive-portal/api`: what phones ask of a network that keeps them captive, RFC 8908."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from guests import own_access, states
from guests.captive.answers import MEDIA_TYPE, captive_state
from guests.limits.of_messages import is_of_venue
from guests.models import Guest, Registration
from guests.states import State
from portal import callers

PAGE = "/guest/"


@require_safe
def captive_portal(request: HttpRequest) -> JsonResponse:
    """Whether who asks from this address is on line, and for how long. Nothing that names anybody."""
    guest = _guest_at(callers.address_of(request))
    seconds = int((guest.valid_until - timezone.now()).total_seconds()) if guest else None
    answer = captive_state(
        captive=guest is None,
        portal_url=f"{settings.PORTAL_URL}{PAGE}" if settings.PORTAL_URL else request.build_absolute_uri(PAGE),
        seconds_remaining=seconds,
        can_extend=guest is not None and own_access.may_extend(guest),
    )
    return JsonResponse(answer, content_type=MEDIA_TYPE, headers={"Cache-Control": "private, no-store"})


def _guest_at(address: str | None) -> Guest | None:
    """Who registered from this address last and may be on line. Where a lobby has one address, that tells nothing."""
    if not address or is_of_venue(address):
        return None
    rows = Registration.objects.select_related("guest__guest_type").filter(guest__isnull=False, address=address)
    last = rows.order_by("-created").first()
    guest = last.guest if last else None
    return guest if guest is not None and states.of(guest) is State.ACTIVE else None
