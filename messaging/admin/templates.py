"""The texts that guests receive, in the admin: what is mandatory is checked, and a meter shows what they cost."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from messaging import sending, templates
from messaging.models import MessageTemplate
from messaging.retries import Kind
from portal.admin.rights import RightsAdmin
from portal.errors import Refusal


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A text that cannot be filled, or lacks what a guest needs, is refused before a guest needs it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "text" in self.fields:
            self.fields["text"].help_text = _(
                "Credentials must hold $username and $password, codes $code; all must name who sends them: $portal."
            )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        kind, text, name = cleaned.get("kind"), cleaned.get("text"), cleaned.get("name")
        if kind == Kind.INFORMATION and not name:
            self.add_error("name", _("Name it, so that it can be told from other texts of information."))
        if kind and kind != Kind.INFORMATION and name:
            self.add_error("name", _("There is one text of this kind in each language; leave the name empty."))
        if kind and text:
            try:
                templates.check(kind, text)
                sending.measured(templates.sample(kind, text))
            except Refusal as refusal:
                self.add_error("text", refusal.sentence)
        return cleaned


@admin.register(MessageTemplate)
class MessageTemplateAdmin(RightsAdmin):
    """The texts that guests receive."""

    area = "SYSTEM"
    form = TemplateForm
    change_form_template = "admin/messaging/messagetemplate/change_form.html"
    fields = list_display = ("kind", "language", "name", "text")
    list_filter = ("kind", "language")
    search_fields = ("name", "text")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "text" in form.base_fields:
            form.base_fields["text"].widget.attrs |= {"data-meter-text": "", "rows": 4}
        return form
