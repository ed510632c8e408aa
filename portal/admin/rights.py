"""ModelAdmins under the portal's rights: Django's four questions about a row are answered by the rights of an area.

    @admin.register(MessageTemplate)
    class TemplateAdmin(RightsAdmin):
        area = "SYSTEM"

`RightsAdmin` lets people write, `DomainAdmin` lets domain functions do it, `HistoryAdmin` only shows.
"""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline

from portal import admin_trail
from portal.admin.changes import changes_of
from portal.audit import Changes
from portal.errors import Refusal
from portal.models import User
from portal.permissions import Right, missing_right
from portal.sign_in import confirming

#: Where a request carries what its first try was refused for, and what its form changed.
REFUSED = "portal.admin.refused"
CHANGED = "portal.admin.changed"


def demand(request: HttpRequest, *rights: Right) -> None:
    """Raises PermissionDenied, which names the first right that is missing."""
    if missing := missing_right(request.user, *rights):
        sentence = _("For this you need the right “%(label)s” (%(name)s).")
        raise PermissionDenied(sentence % {"label": missing.label, "name": missing.value})


def caller(request: HttpRequest) -> User:
    """The signed-in user; the admin lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class UnderRights:
    """What pages and the tables inside them share. Whoever changes or deletes sees what is there, so may read too."""

    area: ClassVar[str]

    def holds(self, request: HttpRequest, *rights: Right) -> bool:
        """Whether the signed-in user has them all; if not, a refusal that follows names the first that is missing."""
        missing = missing_right(request.user, *rights)
        if missing:
            request.META[admin_trail.LACKING] = missing
        return missing is None

    def _right(self, verb: str) -> Right:
        return Right(f"{self.area}_{verb}")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, self._right("READ"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, self._right("CREATE"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, self._right("READ"), self._right("UPDATE"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, self._right("READ"), self._right("DELETE"))


class NobodyWrites(UnderRights):
    """History: it can be read and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RightsAdmin(UnderRights, ModelAdmin):  # type: ignore[misc]
    """A model's pages. Every addition, change and deletion is also written to the audit trail."""

    list_per_page = 50
    #: The count of a whole table costs more than it tells.
    show_full_result_count = False
    #: Fields that no list can be filtered by: the answers would spell out what the pages hide.
    hidden: ClassVar[frozenset[str]] = frozenset()
    #: What is done only after the password or a second factor was given again, unless that was within ten minutes:
    #: "add", "change", "delete", and names of actions of the list. The submitted form is not lost by the question.
    #: For other views of the page there is the decorator `portal.sign_in.confirming.confirmed`.
    confirmed_first: ClassVar[frozenset[str]] = frozenset()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) or self.has_add_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        self._refuse_actions(request)
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        question = self._ask_first(request, *self._deeds_of_list(request))
        return question or super().changelist_view(request, title | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """As Django's, with a title that needs no other case of the model's name: Russian has six."""
        name = capfirst(self.opts.verbose_name)
        title = {"title": name if object_id else _("%(name)s: new") % {"name": name}}
        question = self._ask_first(request, "change" if object_id else "add")
        return question or super().changeform_view(request, object_id, form_url, title | (extra_context or {}))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        return self._ask_first(request, "delete") or super().delete_view(request, object_id, extra_context)

    def _deeds_of_list(self, request: HttpRequest) -> list[str]:
        """What a list may be submitted for: any action that is named in it, or the rows that were changed in it."""
        actions = [action for action in request.POST.getlist("action") if action]
        return actions if actions and "_save" not in request.POST else [*actions, "change"]

    def _ask_first(self, request: HttpRequest, *deeds: str) -> HttpResponse | None:
        """The page that asks who it is, where a deed needs it; nobody is asked who may not do it anyway."""
        carried = confirming.SEALED in request.POST
        asks = carried or any(self._is_confirmed_first(deed) and self._may(request, deed) for deed in deeds)
        return confirming.ask_first(request) if request.method == "POST" and asks else None

    def _is_confirmed_first(self, deed: str) -> bool:
        return deed in self.confirmed_first or (deed == "delete_selected" and "delete" in self.confirmed_first)

    def _may(self, request: HttpRequest, deed: str) -> bool:
        asked = {"add": self.has_add_permission, "change": self.has_change_permission}
        # Which right an action needs, the list finds out; it shows itself to readers only.
        fallback = self.has_delete_permission if deed.startswith("delete") else self.has_view_permission
        return bool(asked.get(deed, fallback)(request))

    def _refuse_actions(self, request: HttpRequest) -> None:
        """Of an action that somebody may not run Django would say that none was chosen."""
        named = set(request.POST.getlist("action"))
        for action in self._get_base_actions():
            if action[1] in named and not self._filter_actions_by_permissions(request, [action]):
                raise PermissionDenied

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        names = set(lookup.split("__"))
        return not names & (self.hidden | {"password"}) and super().lookup_allowed(lookup, value, request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """As Django's, but what goes along with a row, its health say, needs no right of its own."""
        rows, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return rows, counts, lacking & {self.opts.verbose_name}, protected

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.note(request, "add", 201, obj)
        return super().log_addition(request, obj, message)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """As Django's. Asked of every valid form before `log_change`, which sees the form no more."""
        request.META[CHANGED] = {} if add else changes_of(form)
        return super().construct_change_message(request, form, formsets, add)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.note(request, "change", 200, obj, changes=request.META.pop(CHANGED, {}))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self.note(request, "delete", 200, obj, {})
        return super().log_deletions(request, queryset)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the audit trail says of this row; the trail asks for its own right."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied(self._right("READ"))
        trail = reverse("admin:portal_auditevent_changelist")
        return HttpResponseRedirect(f"{trail}?{urlencode({'object_id__exact': self._name_in_trail(row)})}")

    def note(
        self,
        request: HttpRequest,
        verb: str,
        status: int,
        obj: Model,
        details: Any = None,
        changes: Changes | None = None,
    ) -> None:
        """Writes to the audit trail what was done to the row."""
        action = f"{self.opts.app_label}_{self.opts.model_name}_{verb}"
        name = self._name_in_trail(obj)
        admin_trail.note(request, action, status, object_id=name, details=details, changes=changes)

    def _name_in_trail(self, obj: Any) -> str:
        """The same whoever reads it."""
        with translation.override("en"):
            return self.audited_as(obj)

    def audited_as(self, obj: Any) -> str:
        """The row's name in the audit trail; must hold no secret."""
        return str(obj)


class HistoryAdmin(NobodyWrites, RightsAdmin):
    """Pages that only show. `fields` must be given: Django's own choice is every field there is."""


class HistoryInline(NobodyWrites, TabularInline):  # type: ignore[misc]
    """A table of history inside a page."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields


class DomainForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that also shows what the domain function refused."""

    #: Fields whose model checks are left to the domain function, because it takes more or says it better.
    left_to_domain: ClassVar[frozenset[str]] = frozenset()
    refused: ClassVar[Refusal | ValidationError | None] = None

    def _get_validation_exclusions(self) -> set[str]:
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | self.left_to_domain

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for path, sentence in sentences(self.refused):
            # `settings.api_key` is a field of that name, or the key api_key in the field settings.
            field, _dot, key = path.partition(".")
            if path in self.fields or not key:
                self.add_error(path if path in self.fields else None, sentence)
            else:
                self.add_error(field if field in self.fields else None, f"{key}: {sentence}")
        return cleaned


def sentences(refused: Refusal | ValidationError | None) -> list[tuple[str, str]]:
    """What was refused, as pairs of the path to a field (which may be unknown) and a sentence for it."""
    if refused is None:
        return []
    if isinstance(refused, Refusal):
        return [(refused.field, refused.sentence)]
    by_path = refused.message_dict if hasattr(refused, "error_dict") else {NON_FIELD_ERRORS: refused.messages}
    return [(path, message) for path, messages in by_path.items() for message in messages]


class DomainAdmin(RightsAdmin):
    """Pages whose rows are written by domain functions, which `save_model` and `delete_model` call once each."""

    form = DomainForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"refused": request.META.get(REFUSED)})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (Refusal, ValidationError) as refused:
            # The transaction is undone. The same request again finds the reason in its form and saves nothing.
            request.META[REFUSED] = refused
            return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        # All are one transaction: two people whose lists are sorted otherwise must not wait for each other.
        for obj in queryset.order_by("pk"):
            self.delete_model(request, obj)
