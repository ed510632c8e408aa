"""Whether who is at the page said yes, and is who they seem."""

from django.http import HttpRequest, HttpResponse

from portal.sign_in import confirming


def has_confirmed(request: HttpRequest) -> bool:
    """Whether a person who was told what it means has said yes."""
    return request.method == "POST" and request.POST.get("confirmed") == "yes"


def who_is_it(request: HttpRequest) -> HttpResponse | None:
    """The page that asks who sends to many, once they said yes; None where that is known or nothing is sent yet."""
    return confirming.ask_first(request) if confirming.SEALED in request.POST or has_confirmed(request) else None
