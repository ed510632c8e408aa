"""Routes of the whole portal. Each app's urls.py has `urlpatterns` for pages and `api_urlpatterns` for /api/v1/."""

from collections.abc import Iterable

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.module_loading import import_string
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from portal.admin import preferences
from portal.api.actions.entry import Envelope
from portal.api.defender import (
    AllowedNetworks,
    AllowedNetworkSearch,
    AllowedNetworkView,
    BlockedHosts,
    BlockedHostSearch,
    BlockedHostView,
)
from portal.api.keys import ApiKeys, ApiKeySearch, ApiKeyView
from portal.api.login import Login, Logout, TokenInfo
from portal.api.routes import route
from portal.api.schema import OpenApi
from portal.api.sessions import ClientTokens, Sessions, SessionTokens
from portal.api.system import SystemState
from portal.api.unknown_path import UnknownPath
from portal.health import healthz, readyz
from portal.metrics import metrics
from portal.preferences import choose_language

Routes = list[URLPattern | URLResolver]

#: By name only: the ground imports no app.
APPS = ("gateways", "messaging", "guests")


def _of_apps(name: str) -> Iterable[URLPattern | URLResolver]:
    for app in APPS:
        yield from import_string(f"{app}.urls.{name}")


api: Routes = [
    *_of_apps("api_urlpatterns"),
    route("login", Login, "login"),
    route("session", Sessions, "session"),
    route("logout", Logout, "logout"),
    route("token_info", TokenInfo, "token_info"),
    route("blocked_hosts", BlockedHosts, "blocked_hosts"),
    route("blocked_hosts/search", BlockedHostSearch, "blocked_hosts.search"),
    route("blocked_host/(?P<id>[^/]+)", BlockedHostView, "blocked_host"),
    route("allowed_networks", AllowedNetworks, "allowed_networks"),
    route("allowed_networks/search", AllowedNetworkSearch, "allowed_networks.search"),
    route("allowed_network/(?P<id>[^/]+)", AllowedNetworkView, "allowed_network"),
    route("api_keys", ApiKeys, "api_keys"),
    route("api_keys/search", ApiKeySearch, "api_keys.search"),
    route("api_key/(?P<id>[^/]+)", ApiKeyView, "api_key"),
    route("system", SystemState, "system"),
    route(r"openapi\.json", OpenApi, "openapi"),
]

urlpatterns: Routes = [
    # First, because programs come more often than people, and each address is compared with all before it.
    path("api/v1/", include(api)),
    re_path(r"^api/?\Z", Envelope.as_view(), name="envelope"),
    # Where programs of other systems look for tokens.
    route("api/session", Sessions, "session"),
    route("oauth/token", SessionTokens, "session"),
    route("oauth2/token", ClientTokens, "oauth2"),
    # Networks send guests here, with what they pass along.
    path("", RedirectView.as_view(url="/guest/", query_string=True), name="front"),
    path("admin/preferences/", admin.site.admin_view(preferences.page), name="preferences"),
    # Apps may have pages under admin/ that belong to no model; the site answers for every other path there.
    *_of_apps("urlpatterns"),
    path("admin/", admin.site.urls),
    path("language/", choose_language, name="set_language"),
    # Its script comes by an address of its own: the page's policy allows none inside it.
    re_path(
        r"^api/docs/?\Z",
        SpectacularSwaggerSplitView.as_view(url_name="openapi", template_name="portal/api_docs.html"),
        name="api-docs",
    ),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    re_path(r"^api/v1(?:/[\s\S]*)?\Z", UnknownPath.as_view(), name="unknown_path"),
]

handler500 = "portal.api.envelope.server_error"
