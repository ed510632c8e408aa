"""Routes of guests: pages, and what the API serves below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from guests.api.credentials import SendUserCredentials
from guests.api.passwords import UserPassword
from guests.api.stays import Anonymise, Ban, Extend, Reinstate, ResetPassword, Suspend, Unban
from guests.api.users import UserItem, Users, UserSearch
from guests.captcha import views as captcha
from guests.models import CALLS
from portal.api.routes import route
from portal.api.views import ApiView

urlpatterns: list[URLPattern | URLResolver] = [
    path("guest/captcha/challenge/", captcha.challenge, name="guest_captcha_challenge"),
    path("guest/captcha/picture/<str:key>/", captcha.picture, name="guest_captcha_picture"),
]

#: What a guest's path may end in, beside the guest itself.
VIEWS: dict[str, type[ApiView]] = {
    "password": UserPassword,
    "extend": Extend,
    "suspend": Suspend,
    "reinstate": Reinstate,
    "ban": Ban,
    "unban": Unban,
    "anonymise": Anonymise,
    "reset_password": ResetPassword,
}

# A pid may hold slashes, so the longer paths come first; no pid ends in one of CALLS.
api_urlpatterns: list[URLPattern | URLResolver] = [
    route("users", Users, "users"),
    route("users/search", UserSearch, "users.search"),
    *(route(f"user/(?P<pid>.+?)/{call}", VIEWS[call], f"user.{call}") for call in CALLS),
    route("user/(?P<pid>.+?)", UserItem, "user"),
    route("sms_gateways/send_user_credentials", SendUserCredentials, "sms_gateways.send_user_credentials"),
]
