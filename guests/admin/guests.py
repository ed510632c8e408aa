"""The pages of guests. `accounts` writes them; a password is never shown, only whether there is one."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from guests import accounts, cards, guest_types
from guests.admin import shown
from guests.admin.cards import CardPages
from guests.admin.device_pages import DevicePages
from guests.admin.exporting import ExportPages
from guests.admin.filters import CredentialsFilter, StateFilter, ValidityFilter
from guests.admin.importing import ImportPages
from guests.models import Guest
from messaging import phones
from messaging.models import Message
from portal.admin.display import moment
from portal.admin.rights import DomainAdmin, DomainForm, caller
from portal.errors import Refusal
from portal.permissions import Right, may

#: So many messages to a guest are listed on the page.
MESSAGES_SHOWN = 10


class GuestForm(DomainForm):
    """The end of the stay is checked by `accounts`, whose sentence says more than a constraint's name."""

    left_to_domain = frozenset({"valid_until"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        end = self.fields.get("valid_until")
        if end is not None and self.instance.pk is None:
            end.required, end.initial = False, None
            self.initial.pop("valid_until", None)
            end.help_text = _("Empty: as long as is usual for the type, or 31 days without one.")


@admin.register(Guest)
class GuestAdmin(CardPages, ImportPages, ExportPages, DevicePages, DomainAdmin):
    """People with network credentials; who may see own guests only finds no others here."""

    area = "USERS"
    form = GuestForm
    hidden = frozenset({"password"})
    change_form_template = "admin/guests/guest/change_form.html"
    change_list_template = "admin/guests/guest/change_list.html"
    list_display = ("who", "state", "phone", "guest_type", "sponsor", "stay", "credentials")
    list_filter = (
        *(StateFilter, CredentialsFilter, ValidityFilter, "guest_type"),
        ("sponsor", admin.RelatedOnlyFieldListFilter),
        "language",
    )
    search_fields = ("username", "phone", "first_name", "last_name", "email", "company")
    search_help_text = _("User name, name, e-mail, company, or a phone in any spelling")
    ordering = ("-created", "-pk")
    autocomplete_fields = ("sponsor",)
    _kept = (
        *("state", "credentials", "password_set", "proven", "suspended_why", "banned_why"),
        *("first_sign_in", "anonymised_at", "created"),
    )
    fieldsets = (
        (None, {"fields": ("username", "phone", "first_name", "last_name", "email", "company", "language", "notes")}),
        (_("Stay"), {"fields": ("guest_type", "valid_from", "valid_until", "sponsor")}),
        (_("Kept by the portal"), {"fields": _kept}),
    )

    def _right(self, verb: str) -> Right:
        return Right.USERS_READ_SPONSORED if verb == "READ" else super()._right(verb)

    def get_queryset(self, request: HttpRequest) -> Any:
        found: QuerySet[Guest] = super().get_queryset(request)
        # A list decrypts no text.
        hidden = ("last_credentials__text", "last_credentials__masked_text")
        shown_rows = found.select_related("sponsor", "guest_type", "last_credentials").defer(*hidden)
        return accounts.visible_to(caller(request), shown_rows)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found, repeats = super().get_search_results(request, queryset, search_term)
        try:
            phone = phones.normalise(search_term)
        except Refusal:
            return found, repeats
        return found | queryset.filter(phone=phone), repeats

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        offers = {
            "may_import": may(request.user, Right.USERS_CREATE),
            "may_export": may(request.user, Right.USERS_READ),
        }
        return super().changelist_view(request, offers | (extra_context or {}))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = list(self._kept)
        if obj is not None:
            fixed.append("username")
        if not may(request.user, Right.SYSTEM_READ):
            # Its choice is a list of the staff.
            fixed.append("sponsor")
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.anonymised_at)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if choice := form.base_fields.get("guest_type"):
            usable = guest_types.usable_by(caller(request)).values("pk")
            kept = [obj.guest_type_id] if obj and obj.guest_type_id else []
            types = choice.queryset.model.objects
            choice.queryset = types.filter(pk__in=usable) | types.filter(pk__in=kept)
        return form

    def save_model(self, request: HttpRequest, obj: Guest, form: Any, change: bool) -> None:
        given = form.cleaned_data
        by = caller(request)
        if change:
            accounts.change(obj, by=by, **{name: given[name] for name in form.changed_data})
        else:
            # Left out are the sponsor, who is then who creates the guest, and the end, which follows from the type.
            said = {name: value for name, value in given.items() if value or name not in {"sponsor", "valid_until"}}
            obj.pk = accounts.create(by=by, **said).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Guest) -> None:
        accounts.remove(obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        guest = self.get_object(request, object_id)
        context = self._around(request, guest) if guest else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _around(self, request: HttpRequest, guest: Guest) -> dict[str, Any]:
        """What stands above and below the form: the deeds, and what happened so far."""
        sent = Message.objects.filter(recipient_label=guest.username).select_related("gateway").order_by("-pk")
        rows = sent.defer("text", "masked_text")[:MESSAGES_SHOWN]
        audit = f"{reverse('admin:portal_auditevent_changelist')}?{urlencode({'q': guest.username})}"
        return {
            "guest": guest,
            "state_label": shown.state(guest),
            "deeds": self.deeds_for(request, guest),
            "card": reverse("admin:guests_guest_card", args=(guest.pk,)) if not cards.kept_out(guest) else "",
            "may_export": may(request.user, Right.USERS_READ),
            "sent": [(message, shown.fate(message)) for message in rows],
            "sees_messages": may(request.user, Right.MESSAGES_READ),
            "registrations": shown.registrations(guest),
            "devices": guest.devices.all(),
            "may_forget": self.has_change_permission(request, guest),
            "audit": audit if may(request.user, Right.AUDITING_READ) else "",
        }

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404

    @display(description=_("user name"), ordering="username", header=True)  # type: ignore[untyped-decorator]
    def who(self, guest: Guest) -> list[str]:
        return [guest.username, f"{guest.first_name} {guest.last_name}".strip()]

    @admin.display(description=_("state"))
    def state(self, guest: Guest) -> str:
        return shown.state(guest)

    @admin.display(description=_("valid until"), ordering="valid_until")
    def stay(self, guest: Guest) -> str:
        return moment(guest.valid_until)

    @admin.display(description=_("credentials"), ordering="last_credentials__created")
    def credentials(self, guest: Guest) -> str:
        return shown.credentials(guest)

    @admin.display(description=_("has a password"), boolean=True)
    def password_set(self, guest: Guest) -> bool:
        return guest.has_password

    @admin.display(description=_("phone proven"))
    def proven(self, guest: Guest) -> str:
        return moment(guest.verified_at)
