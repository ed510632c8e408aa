"""Pages of rows with a secret that people see once: in the answer that makes it.

    @admin.register(ApiKey)
    class ApiKeyAdmin(MadeOnceAdmin):
        area = "SYSTEM"
        secret_title = _("The new API key")
        shown = ("name", "owner", "ends")

`ShownOnceAdmin` shows the secret; a `MadeOnceAdmin` is one of what people make for users.
"""

from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise

from portal import key_makers
from portal.admin.rights import DomainAdmin, caller
from portal.models import User
from portal.permissions import may

#: Where a request carries the new secret from where it is made to the page that shows it. By this word in its name
#: Django's reports of errors leave it out.
SECRET = "portal.admin.secret"


class ShownOnceAdmin(DomainAdmin):
    """Pages whose `save_model` leaves the secret of a new row in `request.META[SECRET]`.

    The template `made.html` of the model extends `admin/portal/shown_once.html`; it gets the row as `original` and
    `secret`.
    """

    secret_title: ClassVar[str | Promise]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, one_button | (extra_context or {}))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(request, obj, request.META.pop(SECRET))

    def shown_once(self, request: HttpRequest, row: Model, secret: str) -> HttpResponse:
        """The page that shows the secret. It is in this answer and nowhere else: no message or session carries it."""
        template = f"admin/{self.opts.app_label}/{self.opts.model_name}/made.html"
        context = self.context_of(request, row) | {"title": self.secret_title, "secret": secret}
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})

    def context_of(self, request: HttpRequest, row: Model) -> dict[str, Any]:
        """What each page about a row needs; its title comes on top."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "original": row}


class MadeOnceAdmin(ShownOnceAdmin):
    """Pages of what opens the API, which people make for users; what may be changed of a row, its own pages say.

    The form of a new row knows the signed-in user as `maker`; a row that is there shows the columns `shown`.
    """

    #: Its Meta says what is asked for a new row.
    form: Any
    shown: ClassVar[tuple[str, ...]]

    def make(self, maker: User, **given: Any) -> tuple[Model, str]:
        """The new row and its secret; `given` is what the form holds. A Refusal is shown in the form."""
        raise NotImplementedError

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown if obj else self.form.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.shown if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"maker": caller(request)})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who may send holds SYSTEM_CREATE too, and that alone makes nobody a maker of keys or clients.
        return may(request.user, *key_makers.OWN)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made, secret = self.make(caller(request), **form.cleaned_data)
        obj.pk = made.pk
        obj.refresh_from_db()
        request.META[SECRET] = secret
