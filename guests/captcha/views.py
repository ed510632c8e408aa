"""What a page fetches for its captcha: a challenge to reckon on, or a picture. Neither is kept by a browser."""

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from guests.captcha import pictures, proofs


@never_cache
@require_GET
def challenge(_request: HttpRequest) -> HttpResponseBase:
    """Work for a browser."""
    return JsonResponse(proofs.challenge())


@never_cache
@require_GET
def picture(request: HttpRequest, key: str) -> HttpResponseBase:
    """Digits to read."""
    if not pictures.is_ours(key):
        raise Http404
    return pictures.draw(request, key)
