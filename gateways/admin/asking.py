"""A page that asks before something is done with gateways: a form, or what it means; then the same address again."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

#: Comes with the answer.
ANSWERED = "answered"


@dataclass
class Question:
    """`action` and the rows are what it is about; `about` names the consequence; `form` is what must be known."""

    request: HttpRequest
    action: str
    queryset: Any
    title: str = ""
    about: str = ""
    button: str = ""
    form: forms.Form | None = None
    danger: bool = False

    @property
    def is_answered(self) -> bool:
        """Whether a person who saw the page has said yes, and the form is in order."""
        said = was_answered(self.request)
        return said and (self.form is None or self.form.is_valid())

    @property
    def hidden(self) -> list[tuple[str, Any]]:
        """What the page carries on."""
        chosen = [(ACTION_CHECKBOX_NAME, gateway.pk) for gateway in self.queryset]
        return [("action", self.action), (ANSWERED, "yes"), *chosen]

    @property
    def back(self) -> str:
        """Where whoever thinks better of it goes."""
        match = self.request.resolver_match
        if match and "object_id" in match.kwargs:
            return reverse("admin:gateways_gateway_change", args=(match.kwargs["object_id"],))
        return reverse("admin:gateways_gateway_changelist")


def was_answered(request: HttpRequest) -> bool:
    """Whether this is the answer to a question."""
    return request.method == "POST" and ANSWERED in request.POST


def ask(pages: Any, question: Question) -> HttpResponseBase:
    """The page."""
    context = {
        **pages.admin_site.each_context(question.request),
        "title": question.title,
        "opts": pages.opts,
        "question": question,
        "form": question.form,
    }
    return TemplateResponse(question.request, "admin/gateways/gateway/ask.html", context)
