"""OAuth2 clients in the admin: whom each acts as and for what; making one, whose secret is shown this once, narrowing
it, and giving it another secret.

The pages that django-oauth-toolkit brings along ask for no right of ours, and are taken out.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from portal import clients, key_makers, narrowing
from portal.admin.display import NOTHING, moment
from portal.admin.narrowing import WORDS, NarrowedAdmin, NarrowingForm
from portal.admin.rights import caller, demand
from portal.errors import Refusal
from portal.models import OAuthClient, User
from portal.narrowing import State
from portal.permissions import may
from portal.sign_in import confirming

#: How much of a client_id is enough to know it by in the list.
SHOWN = 10

admin.site.unregister([AccessToken, Application, Grant, IDToken, RefreshToken])


class StateFilter(admin.SimpleListFilter):
    """Those whose time is not over, and those that have ended."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state, WORDS[state]) for state in (State.VALID, State.ENDED)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[OAuthClient]") -> "QuerySet[OAuthClient]":
        if self.value() == State.VALID:
            return queryset.filter(narrowing.in_time())
        return queryset.exclude(narrowing.in_time()) if self.value() == State.ENDED else queryset


class ClientForm(NarrowingForm):
    """What a client is for."""

    left_to_domain = frozenset({"name"})

    class Meta:
        model = OAuthClient
        fields = ("name", *narrowing.COLUMNS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if "name" in fields:
            fields["name"].required = True
            fields["name"].help_text = _("Which program it is for, and where that runs.")
        if self.instance.pk:
            # Who made it was shown its secret, and may hold less than who adds to it.
            more = gettext("Whoever has its secret has what is added: give it another secret then.")
            fields["rights"].help_text = f"{fields['rights'].help_text} {more}"


class NewClientForm(ClientForm):
    """The same of a new one. Whoever fills it in is offered the users whom they may have it act as."""

    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Acts as"),
        required=False,
        empty_label=_("nobody: it opens sessions of users, with their passwords"),
        widget=UnfoldAdminSelectWidget,
        help_text=_(
            "With a user it comes by client credentials, and what it does is done in this user's name. "
            "Only such a client can be narrowed."
        ),
    )

    class Meta(ClientForm.Meta):
        fields = ("name", "user", *narrowing.COLUMNS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["user"].queryset = key_makers.users_for(self.maker)


@admin.register(OAuthClient)
class OAuthClientAdmin(NarrowedAdmin):
    """A client is made, narrowed, given another secret, and deleted, which closes it; whom it acts as never changes."""

    area = "SYSTEM"
    form = NewClientForm
    change_form_template = "admin/portal/oauthclient/change_form.html"
    hidden = frozenset({"client_secret"})
    confirmed_first = frozenset({"add", "change"})
    secret_title = _("The secret of the client")
    list_display = (
        *("known_by", "acts_as", "coloured_state", "for_rights", "for_gateways", "for_networks", "ends", "last_token"),
    )
    list_display_links = ("known_by",)
    list_filter = (StateFilter,)
    list_select_related = ("user",)
    search_fields = ("name", "client_id", "user__username")
    ordering = ("name", "id")
    shown = (
        *("name", "known_as", "acts_as", "state", "for_rights", "for_gateways", "for_networks", "ends"),
        *("made", "last_token"),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[OAuthClient]":
        newest = AccessToken.objects.filter(application=OuterRef("pk")).order_by("-created").values("created")
        return clients.set_up().defer("client_secret").annotate(newest=Subquery(newest[:1]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.secret_view)
        return [path("<int:pk>/secret/", view, name="portal_oauthclient_secret"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        offers = {"offers_secret": self.has_add_permission(request)}
        return super().change_view(request, object_id, form_url, offers | (extra_context or {}))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **({"form": ClientForm} if obj else {}) | kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or not self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        return ("name", "known_as", "acts_as", "state", *narrowing.COLUMNS, "made", "last_token")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = self.get_fields(request, obj) if obj else ()
        asked = ClientForm.Meta.fields if self.has_change_permission(request, obj) else ()
        return [name for name in shown if name not in asked]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # One of sessions is for all that the users may who open them.
        return (obj is None or obj.user_id is not None) and may(request.user, *key_makers.OF_OTHERS)

    def save_model(self, request: HttpRequest, obj: OAuthClient, form: Any, change: bool) -> None:
        if change:
            clients.change(obj, by=caller(request), **form.cleaned_data)
        else:
            super().save_model(request, obj, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # It is closed, so that no row goes along; Django would list each token that it was given.
        name, names = capfirst(self.opts.verbose_name), str(self.opts.verbose_name_plural)
        return [f"{name}: {client}" for client in objs], {names: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: OAuthClient) -> None:
        # The row stays for a while: its secret and its tokens are known, and their use is no guess.
        clients.close(obj)

    def state_of(self, row: OAuthClient) -> State:
        return clients.state_of(row)

    def make(self, maker: User, **given: Any) -> tuple[OAuthClient, str]:
        return clients.make(**given, by=maker)

    @confirming.confirmed
    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first, because the program that has the former secret is let in no more; then shows another one."""
        demand(request, *key_makers.OWN)
        client = clients.set_up().select_related("user").filter(pk=pk).first()
        if client is None:
            raise Http404
        refused = ""
        if request.method == "POST":
            try:
                with transaction.atomic():
                    secret = clients.renew_secret(client, by=caller(request))
                    self.note(request, "renew_secret", 200, client, {})
            except Refusal as refusal:
                refused = str(refusal.sentence)
            else:
                return self.shown_once(request, client, secret)
        context = self.context_of(request, client) | {"title": gettext("Another secret"), "refused": refused}
        return TemplateResponse(request, "admin/portal/oauthclient/secret.html", context)

    @display(description=_("client"), header=True, ordering="name")  # type: ignore[untyped-decorator]
    def known_by(self, client: OAuthClient) -> list[str]:
        return [client.name or NOTHING, format_html('<span translate="no">{}…</span>', client.client_id[:SHOWN])]

    @admin.display(description=_("its client_id"))
    def known_as(self, client: OAuthClient) -> str:
        return str(client.client_id)

    @admin.display(description=_("acts as"), ordering="user__username")
    def acts_as(self, client: OAuthClient) -> str:
        if client.allows_grant_type(Application.GRANT_PASSWORD):
            return gettext("users who give their passwords")
        return str(client.user or NOTHING)

    @admin.display(description=pgettext_lazy("key or client", "made"), ordering="created")
    def made(self, client: OAuthClient) -> str:
        return moment(client.created)

    @admin.display(description=_("last token"))
    def last_token(self, client: OAuthClient) -> str:
        return moment(client.newest) if client.newest else NOTHING
