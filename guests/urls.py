"""Routes of guests: pages, and what the API serves below /api/v1/."""

from django.urls import URLPattern, URLResolver, path, re_path

from guests.api.approvals import ApprovalItem, Approvals, ApprovalSearch, Approve, Deny
from guests.api.credentials import SendUserCredentials
from guests.api.held_back import BrakeView, HeldBackList, HeldBackSearch, HeldBackView
from guests.api.passwords import UserPassword
from guests.api.registrations import Confirm, CurrentTerms, Registrations, RegistrationState, Resend
from guests.api.stays import Anonymise, Ban, Extend, Reinstate, ResetPassword, Suspend, Unban
from guests.api.users import UserItem, Users, UserSearch
from guests.captcha import views as captcha
from guests.models import CALLS
from guests.views import (
    access,
    captive_portal,
    code,
    extend_link,
    look,
    online,
    own_deeds,
    resume,
    sponsor,
    terms,
    welcome,
)
from portal.api.routes import route
from portal.api.views import ApiView

urlpatterns: list[URLPattern | URLResolver] = [
    path("guest/", welcome.welcome, name="guest_welcome"),
    # Where UniFi sends guests.
    re_path(r"^guest/s/(?P<site>[\w-]{1,64})/\Z", welcome.welcome, name="guest_welcome_at"),
    path("guest/again/", welcome.again, name="guest_again"),
    path("guest/code/", code.code, name="guest_code"),
    path("guest/code/news/", code.news, name="guest_code_news"),
    path("guest/resend/", code.resend, name="guest_resend"),
    path("guest/online/", online.online, name="guest_online"),
    path("guest/online/news/", online.news, name="guest_online_news"),
    path("guest/waiting/", online.waiting, name="guest_waiting"),
    path("guest/ended/", online.ended, name="guest_ended"),
    path("guest/terms/", terms.current, name="guest_terms"),
    path("guest/terms/<int:pk>/", terms.version, name="guest_terms_version"),
    re_path(r"^guest/look/(?P<colour>[0-9a-f]{6})-(?P<ground>[0-9a-f]{6})\.css\Z", look.stylesheet, name="guest_look"),
    path("guest/logo/<slug:digest>", look.logo, name="guest_logo"),
    path("guest/access/", access.access, name="guest_access"),
    path("guest/access/extend/", own_deeds.extend, name="guest_access_extend"),
    path("guest/access/password/", own_deeds.new_password, name="guest_access_password"),
    path("guest/access/devices/<int:pk>/", own_deeds.forget_device, name="guest_access_device"),
    path("guest/access/data/", own_deeds.own_data, name="guest_access_data"),
    path("guest/access/erase/", own_deeds.erase, name="guest_access_erase"),
    path("guest/access/leave/", own_deeds.leave, name="guest_access_leave"),
    path("r/<str:link>", resume.resume, name="guest_resume"),
    path("x/<str:token>", extend_link.extend_link, name="guest_extend"),
    path("guest/captcha/challenge/", captcha.challenge, name="guest_captcha_challenge"),
    path("guest/captcha/picture/<str:key>/", captcha.picture, name="guest_captcha_picture"),
    path("guest/approve/<token>", sponsor.approval, name="guest_approval"),
    path("captive-portal/api", captive_portal.captive_portal, name="captive_portal"),
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
    route("registrations", Registrations, "registrations"),
    route("registrations/state", RegistrationState, "registrations.state"),
    route("registrations/resend", Resend, "registrations.resend"),
    route("registrations/confirm", Confirm, "registrations.confirm"),
    route("registrations/terms", CurrentTerms, "registrations.terms"),
    route("held_back", HeldBackList, "held_back"),
    route("held_back/search", HeldBackSearch, "held_back.search"),
    route("held_back_count/(?P<id>[^/]+)", HeldBackView, "held_back_count"),
    route("brake", BrakeView, "brake"),
    route("approvals", Approvals, "approvals"),
    route("approvals/search", ApprovalSearch, "approvals.search"),
    route("approval/(?P<id>[^/]+)/approve", Approve, "approval.approve"),
    route("approval/(?P<id>[^/]+)/deny", Deny, "approval.deny"),
    route("approval/(?P<id>[^/]+)", ApprovalItem, "approval"),
    route("sms_gateways/send_user_credentials", SendUserCredentials, "sms_gateways.send_user_credentials"),
]
