"""The addresses of the peer: its own, and those that its letters and pages name."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("openwisp_users.accounts.urls")),
    path("api/v1/", include("openwisp_users.api.urls")),
    path("api/v1/", include("openwisp_utils.api.urls")),
    path("", include("openwisp_radius.urls")),
]
