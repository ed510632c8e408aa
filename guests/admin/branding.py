"""The page of the look of the guest pages, with a preview of what is not saved yet."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.text import capfirst, format_lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from guests import rules, terms
from guests.admin.one_row import OneRowAdmin
from guests.forms.welcome import WelcomeForm
from guests.look import branding, looks
from guests.models import Branding
from portal.admin.rights import DomainForm, demand
from portal.errors import Refusal
from portal.permissions import Right

CODES = [code for code, _label in settings.LANGUAGES]
#: The buttons: language, its name, and whether the window is as narrow as a phone.
PREVIEWS = [(code, label, narrow) for code, label in settings.LANGUAGES for narrow in (False, True)]
LABELS = {"greeting": _("greeting"), "help_text": _("help")}
SAYS = {
    "greeting": _("Above the form of the first page. Empty: the usual one."),
    "help_text": _("At the foot of every page: whom to ask, where the reception is, a phone."),
}


def _name(text: str, code: str) -> str:
    """The field of a text in one language."""
    return f"{text}_{code}"


class BrandingForm(DomainForm):
    """A field for each text in each language, and a file for the logo. What they must be, `guests.look.looks` says."""

    logo_file = forms.FileField(
        label=capfirst(_("logo")),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, 20 KB at most. It stands beside the name."),
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False, widget=UnfoldBooleanWidget())

    class Meta:
        model = Branding
        fields = ("name", "colour", "ground")
        widgets = {"colour": UnfoldAdminColorInputWidget(), "ground": UnfoldAdminColorInputWidget()}
        help_texts = {
            "colour": _("Of buttons. Their letters are black or white, whichever is easier to read."),
            "ground": _("Around the page; phones that are set to dark have their own."),
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

    def current(self) -> Branding:
        return branding.current()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        logo = ("logo_file", "remove_logo") if obj and obj.logo else ("logo_file",)
        texts = tuple(_name(text, code) for text in looks.TEXTS for code in CODES)
        return ((None, {"fields": ("name", "colour", "ground", *logo)}), (_("Words"), {"fields": texts}))

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.preview)
        return [path("preview/", page, name="guests_branding_preview"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.current()
        around = {
            "look": branding.look_of(row, get_language() or "", logo_inside=True),
            "look_warnings": looks.warnings_of(row),
            "previews": PREVIEWS,
            "preview": reverse("admin:guests_branding_preview"),
        }
        return super().change_view(request, object_id, form_url, around | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Branding, form: Any, change: bool) -> None:
        try:
            looks.change(**form.said)
        except Refusal as refusal:
            field = "logo_file" if refusal.field == "logo" else refusal.field
            raise Refusal(refusal.sentence, field=field) from None

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The first page as it would be, in the language of the button. Nothing is stored."""
        demand(request, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)
        language = request.POST.get("preview", "")
        if language not in CODES:
            # What is on the page that is shown does nothing.
            return HttpResponseRedirect(self.page())
        form = self.get_form(request, self.current(), change=True)(request.POST, request.FILES, instance=self.current())
        try:
            if form.is_valid():
                return _as_guests_see_it(request, looks.described(self.current(), **form.said), language)
            wrong = [f"{form.fields[name].label}: {said[0]}" for name, said in form.errors.items()]
        except Refusal as refusal:
            wrong = [refusal.sentence]
        context = self.admin_site.each_context(request) | {"title": gettext("Preview"), "wrong": wrong}
        return TemplateResponse(request, "guests/preview_refused.html", context, status=422)


def _as_guests_see_it(request: HttpRequest, row: Branding, language: str) -> HttpResponse:
    """The captcha is left out: it works on the pages of guests alone."""
    asked = rules.current()
    asked.captcha = False
    with translation.override(language):
        context = {
            "look": branding.look_of(row, language, logo_inside=True),
            "form": WelcomeForm(None, rules=asked, terms=terms.current(language)),
            "is_open": True,
        }
        return render(request, "guests/welcome.html", context)
