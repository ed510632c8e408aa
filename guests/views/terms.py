"""The terms of use in full."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guests import terms
from guests.models import Terms
from guests.views.page import page


@never_cache
@require_safe
def current(request: HttpRequest) -> HttpResponse:
    """What guests agree to now who read this language."""
    return page(request, "terms", terms=terms.shown_to(get_language() or ""))


@never_cache
@require_safe
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """The version that is to be accepted, whatever language the page around it is in."""
    found = Terms.objects.filter(pk=pk, published_at__isnull=False).first()
    if found is None:
        raise Http404
    return page(request, "terms", terms=found)
