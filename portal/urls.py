"""Routes of the whole portal. Each app's urls.py has `urlpatterns` for pages and `api_urlpatterns` for /api/v1/."""

from collections.abc import Iterable

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.module_loading import import_string
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from portal.api.login import Login, Logout, TokenInfo
from portal.api.routes import route
from portal.api.schema import OpenApi
from portal.api.views import UnknownPath
from portal.health import healthz, readyz

Routes = list[URLPattern | URLResolver]

#: By name only: the ground imports no app.
APPS = ("gateways", "messaging", "guests")


def _of_apps(name: str) -> Iterable[URLPattern | URLResolver]:
    for app in APPS:
        yield from import_string(f"{app}.urls.{name}")


api: Routes = [
    route("login", Login, "login"),
    route("logout", Logout, "logout"),
    route("token_info", TokenInfo, "token_info"),
    route(r"openapi\.json", OpenApi, "openapi"),
    *_of_apps("api_urlpatterns"),
]

urlpatterns: Routes = [
    path("", RedirectView.as_view(url="/admin/"), name="front"),
    # Apps may have pages under admin/ that belong to no model; the site answers for every other path there.
    *_of_apps("urlpatterns"),
    path("admin/", admin.site.urls),
    re_path(r"^api/docs/?\Z", SpectacularSwaggerView.as_view(url_name="openapi"), name="api-docs"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include(api)),
    re_path(r"^api/v1(?:/[\s\S]*)?\Z", UnknownPath.as_view(), name="unknown_path"),
]

handler500 = "portal.api.envelope.server_error"
