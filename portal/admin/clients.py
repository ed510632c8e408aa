"""OAuth2 clients in the admin: whom each acts as, making one, whose secret is shown this once, and giving it another.

The pages that django-oauth-toolkit brings along ask for no right of ours, and are taken out.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from portal import clients, expiry, key_makers
from portal.admin.display import NOTHING, moment
from portal.admin.made_once import MadeOnceAdmin
from portal.admin.rights import DomainForm, caller, demand
from portal.errors import Refusal
from portal.models import OAuthClient, User
from portal.sessions import ANYBODY
from portal.sign_in import confirming

admin.site.unregister([AccessToken, Application, Grant, IDToken, RefreshToken])


class ClientForm(DomainForm):
    """A new client. Whoever fills it in is offered the users whom they may have it act as."""

    left_to_domain = frozenset({"name"})
    maker: ClassVar[User]

    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Acts as"),
        required=False,
        empty_label=_("nobody: it opens sessions of users, with their passwords"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("With a user it comes by client credentials, and what it does is done in this user's name."),
    )

    class Meta:
        model = OAuthClient
        fields = ("name", "user")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if "name" in fields:
            fields["name"].required = True
            fields["name"].help_text = _("Which program it is for, and where that runs.")
        fields["user"].queryset = key_makers.users_for_all(self.maker)


@admin.register(OAuthClient)
class OAuthClientAdmin(MadeOnceAdmin):
    """A client is made, given another secret, and deleted; whom it acts as never changes."""

    area = "SYSTEM"
    form = ClientForm
    change_form_template = "admin/portal/oauthclient/change_form.html"
    hidden = frozenset({"client_secret"})
    confirmed_first = frozenset({"add"})
    secret_title = _("The secret of the client")
    list_display = ("known_by", "acts_as", "client_state", "made", "last_token")
    list_display_links = ("known_by",)
    list_select_related = ("user",)
    search_fields = ("name", "client_id", "user__username")
    ordering = ("name", "id")
    shown = ("name", "known_as", "acts_as", "state", "made", "last_token")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[OAuthClient]":
        newest = AccessToken.objects.filter(application=OuterRef("pk")).order_by("-created").values("created")
        clients_of_people: Any = super().get_queryset(request).exclude(client_id=ANYBODY).defer("client_secret")
        found: QuerySet[OAuthClient] = clients_of_people.annotate(newest=Subquery(newest[:1]))
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.secret_view)
        return [path("<int:pk>/secret/", view, name="portal_oauthclient_secret"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        offers = {"offers_secret": self.has_add_permission(request)}
        return super().change_view(request, object_id, form_url, offers | (extra_context or {}))

    def make(self, maker: User, **given: Any) -> tuple[OAuthClient, str]:
        return clients.make(**given, by=maker)

    @confirming.confirmed
    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first, because the program that has the former secret is let in no more; then shows another one."""
        demand(request, *key_makers.OWN)
        client = OAuthClient.objects.exclude(client_id=ANYBODY).select_related("user").filter(pk=pk).first()
        if client is None:
            raise Http404
        refused = ""
        if request.method == "POST":
            try:
                secret = clients.renew_secret(client, by=caller(request))
            except Refusal as refusal:
                refused = str(refusal.sentence)
            else:
                self.note(request, "renew_secret", 200, client, {})
                return self.shown_once(request, client, secret)
        context = self.context_of(request, client) | {"title": gettext("Another secret"), "refused": refused}
        return TemplateResponse(request, "admin/portal/oauthclient/secret.html", context)

    @display(description=_("client"), header=True, ordering="name")  # type: ignore[untyped-decorator]
    def known_by(self, client: OAuthClient) -> list[str]:
        return [client.name or NOTHING, client.client_id]

    @admin.display(description=_("its client_id"))
    def known_as(self, client: OAuthClient) -> str:
        return str(client.client_id)

    @admin.display(description=_("acts as"), ordering="user__username")
    def acts_as(self, client: OAuthClient) -> str:
        if client.allows_grant_type(Application.GRANT_PASSWORD):
            return gettext("users who give their passwords")
        return str(client.user or NOTHING)

    @admin.display(description=_("state"))
    def state(self, client: OAuthClient) -> str:
        return _state_of(client)[1]

    @display(description=_("state"), label={"valid": "success", "asleep": "warning"})  # type: ignore[untyped-decorator]
    def client_state(self, client: OAuthClient) -> tuple[str, str]:
        return _state_of(client)

    @admin.display(description=_("made"), ordering="created")
    def made(self, client: OAuthClient) -> str:
        return moment(client.created)

    @admin.display(description=_("last token"))
    def last_token(self, client: OAuthClient) -> str:
        return moment(client.newest) if client.newest else NOTHING


def _state_of(client: OAuthClient) -> tuple[str, str]:
    of_sessions = client.allows_grant_type(Application.GRANT_PASSWORD)
    if of_sessions or (client.user is not None and expiry.may_act(client.user)):
        return "valid", gettext("valid")
    return "asleep", gettext("its user may not sign in")
