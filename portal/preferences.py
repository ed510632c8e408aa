"""How a member of staff reads the portal: in which language, and by which clock."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from portal.models import User

Answer = Callable[[HttpRequest], HttpResponseBase]


def as_their_reader_likes(get_response: Answer) -> Answer:
    """Middleware: who is signed in reads in the language and by the clock of their own choice, if they made one.

    Without a choice the browser decides on the language, and PORTAL_TIME_ZONE on the clock.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        # Asked only where somebody may be signed in: a request of the API or of a guest costs no query.
        user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if not isinstance(user, User):
            return get_response(request)
        if user.language:
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        with timezone.override(user.time_zone or None):
            return get_response(request)

    return answer


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """As Django's switch, which keeps the choice in a cookie; who is signed in finds it on any other browser too."""
    chosen = request.POST.get("language", "")
    if isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return set_language(request)
