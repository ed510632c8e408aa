"""Routes of guests: pages, and what the API serves below /api/v1/."""

from django.urls import URLPattern, URLResolver

from guests.api.credentials import SendUserCredentials
from guests.api.passwords import UserPassword
from guests.api.users import UserItem, Users, UserSearch
from portal.api.routes import route

urlpatterns: list[URLPattern | URLResolver] = []

# A pid may hold slashes, so the longer path comes first; no pid ends in /password.
api_urlpatterns: list[URLPattern | URLResolver] = [
    route("users", Users, "users"),
    route("users/search", UserSearch, "users.search"),
    route("user/(?P<pid>.+?)/password", UserPassword, "user.password"),
    route("user/(?P<pid>.+?)", UserItem, "user"),
    route("sms_gateways/send_user_credentials", SendUserCredentials, "sms_gateways.send_user_credentials"),
]
