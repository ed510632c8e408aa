"""The pages of terms: a draft is written and published, a published version is the beginning of the next."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guests import terms as domain
from guests.admin import shown
from guests.models import Terms
from portal.admin.rights import DomainAdmin, demand
from portal.errors import Refusal
from portal.permissions import Right, may


@admin.register(Terms)
class TermsAdmin(DomainAdmin):
    """What guests agree to."""

    area = "SYSTEM"
    change_form_template = "admin/guests/terms/change_form.html"
    list_display = ("version_of", "standing", "published_at", "fingerprint")
    list_filter = ("language",)
    readonly_fields = ("version", "proof", "published_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("language", "text", "version", "published_at", "proof") if obj else ("language", "text")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "language") if obj else ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who may send holds SYSTEM_CREATE too, and that alone makes nobody an author of terms.
        return super().has_add_permission(request, obj) and may(request.user, Right.SYSTEM_READ)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_published)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_published)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/preview/", wrap(self.preview), name="guests_terms_preview"),
            path("<int:pk>/publish/", wrap(self.publish), name="guests_terms_publish"),
            path("<int:pk>/next/", wrap(self.next_version), name="guests_terms_next"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Terms, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            domain.rewrite(obj, given["text"])
        else:
            obj.pk = domain.draft(given["language"], given["text"]).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Terms) -> None:
        domain.delete(obj)

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """As guests will read it."""
        demand(request, Right.SYSTEM_READ)
        return self._page(request, "guests/terms_preview.html", self._found(pk), gettext("Preview"))

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks, then makes the draft what guests agree to."""
        demand(request, Right.SYSTEM_READ, Right.SYSTEM_UPDATE)
        terms = self._found(pk)
        if request.method != "POST":
            return self._page(request, "guests/terms_publish.html", terms, gettext("Publish"))
        try:
            with transaction.atomic():
                domain.publish(terms)
                self.note(request, "publish", 200, terms, {"digest": terms.digest})
        except Refusal as refusal:
            return self._refused(request, "publish", terms, refusal)
        messages.success(request, gettext("Published. Guests agree to this version from now on."))
        return HttpResponseRedirect(_address(terms))

    def next_version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A draft that begins as a copy."""
        demand(request, Right.SYSTEM_READ, Right.SYSTEM_CREATE)
        if request.method != "POST":
            return HttpResponseRedirect(_address(self._found(pk)))
        terms = self._found(pk)
        try:
            with transaction.atomic():
                made = domain.next_version(terms)
                self.note(request, "next", 201, made, {"copied": str(terms.pk)})
        except Refusal as refusal:
            return self._refused(request, "next", terms, refusal)
        return HttpResponseRedirect(_address(made))

    def _found(self, pk: int) -> Terms:
        found = Terms.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def _page(self, request: HttpRequest, template: str, terms: Terms, title: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "terms": terms,
            "current": domain.current(terms.language),
            "back": _address(terms),
        }
        return TemplateResponse(request, template, context)

    def _refused(self, request: HttpRequest, verb: str, terms: Terms, refusal: Refusal) -> HttpResponse:
        self.note(request, verb, 409, terms, {})
        messages.error(request, refusal.sentence)
        return HttpResponseRedirect(_address(terms))

    @admin.display(description=_("version"), ordering="version")
    def version_of(self, terms: Terms) -> str:
        return gettext("%(version)s, %(language)s") % {
            "version": terms.version,
            "language": terms.get_language_display(),
        }

    @admin.display(description=_("state"))
    def standing(self, terms: Terms) -> str:
        return shown.label(*((gettext("published"), "success") if terms.is_published else (gettext("draft"), "info")))

    @admin.display(description=_("SHA-256 of the text"))
    def proof(self, terms: Terms) -> str:
        return format_html('<code class="guest-why">{}</code>', terms.digest)

    @admin.display(description=_("fingerprint"))
    def fingerprint(self, terms: Terms) -> str:
        return format_html("<code>{}</code>", terms.digest[:12])


def _address(terms: Terms) -> str:
    return reverse("admin:guests_terms_change", args=(terms.pk,))
