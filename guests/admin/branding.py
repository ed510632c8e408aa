"""The page of the look of the guest pages, with a preview of what is not saved yet."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from guests import looks
from guests.admin.one_row import OneRowAdmin
from guests.models import Branding
from portal.admin.rights import DomainForm
from portal.errors import Refusal

CODES = [code for code, _name in settings.LANGUAGES]
LABELS = {"greeting": _("greeting"), "help_text": _("help")}
SAYS = {
    "greeting": _("Above the form of the first page. Empty: the usual one."),
    "help_text": _("At the foot of every page: whom to ask, where the reception is, a phone."),
}


def _name(text: str, code: str) -> str:
    """The field of a text in one language."""
    return f"{text}_{code}"


class BrandingForm(DomainForm):
    """A field for each text in each language, and a file for the logo. What they must be, `guests.looks` says."""

    logo_file = forms.FileField(
        label=capfirst(_("logo")),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, 20 KB at most. It is shown 64 pixels high."),
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False, widget=UnfoldBooleanWidget())

    class Meta:
        model = Branding
        fields = ("name", "colour", "ground")
        widgets = {"colour": UnfoldAdminColorInputWidget(), "ground": UnfoldAdminColorInputWidget()}
        help_texts = {
            "colour": _("Of buttons and links. White letters stand on it."),
            "ground": _("Behind the page. Keep it light: dark letters stand on it."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for text in looks.TEXTS:
            for code in CODES:
                self.initial[_name(text, code)] = getattr(self.instance, text).get(code, "")
        if not self.instance.logo:
            self.fields.pop("remove_logo", None)

    @property
    def said(self) -> looks.Words:
        """What the form says, as the domain reads it."""
        given = self.cleaned_data
        words = looks.Words(name=given["name"], colour=given["colour"], ground=given["ground"])
        words["greeting"] = {code: given[_name("greeting", code)] for code in CODES}
        words["help_text"] = {code: given[_name("help_text", code)] for code in CODES}
        if given.get("logo_file"):
            words["logo"] = given["logo_file"].read()
        elif given.get("remove_logo"):
            words["logo"] = b""
        return words


def _text_field(text: str, code: str, language: str) -> forms.CharField:
    return forms.CharField(
        label=format_lazy("{} · {}", capfirst(LABELS[text]), language),
        required=False,
        help_text=SAYS[text],
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "lang": code}),
    )


BrandingFormWithTexts: Any = type(
    "BrandingFormWithTexts",
    (BrandingForm,),
    {
        _name(text, code): _text_field(text, code, language)
        for text in looks.TEXTS
        for code, language in settings.LANGUAGES
    },
)


@admin.register(Branding)
class BrandingAdmin(OneRowAdmin):
    """Name, logo, colours and words of the guest pages."""

    form = BrandingFormWithTexts
    change_form_template = "admin/guests/branding/change_form.html"
    texts = tuple(_name(text, code) for text in looks.TEXTS for code in CODES)

    def current(self) -> Branding:
        return looks.current()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        logo = ("logo_file", "remove_logo") if obj and obj.logo else ("logo_file",)
        return (
            (None, {"fields": ("name", "colour", "ground", *logo)}),
            (_("Words"), {"fields": self.texts}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **kwargs)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        around = {"look_warnings": looks.warnings_of(self.current())}
        return super().change_view(request, object_id, form_url, around | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Branding, form: Any, change: bool) -> None:
        try:
            looks.change(**form.said)
        except Refusal as refusal:
            field = "logo_file" if refusal.field == "logo" else refusal.field
            raise Refusal(refusal.sentence, field=field) from None
