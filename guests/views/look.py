"""The administrator's colours and logo, at addresses that change with their content, so that browsers keep them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from guests.look import branding

forever = cache_control(max_age=31_536_000, public=True, immutable=True)


@forever
@require_safe
def stylesheet(_request: HttpRequest, colour: str, ground: str) -> HttpResponse:
    """The colours as custom properties; all it needs is in the address."""
    return HttpResponse(branding.style_of(colour, ground), content_type="text/css; charset=utf-8")


@forever
@require_safe
def logo(_request: HttpRequest, digest: str) -> HttpResponse:
    """The picture."""
    row = branding.current()
    picture = branding.logo(row)
    if not picture or branding.digest(picture) != digest:
        raise Http404
    return HttpResponse(picture, content_type=row.logo_type)
