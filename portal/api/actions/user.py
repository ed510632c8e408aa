"""The object `User`: `auth` gives a token, `logout` ends it.

Source: https://doc-cp.runtel.ru/api/api_auth.html, «Авторизация», whose fields the answer has, all of them.
"""

from datetime import UTC
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal import callers, version
from portal.api.actions.action import Action
from portal.api.actions.asked import NoParams, OtherFields
from portal.api.authentication import another_site, credentials, passwords, tokens
from portal.api.commit import Done, commit_once
from portal.api.views import ApiView, Example
from portal.models import ApiToken, User
from portal.permissions import Right, rights_of
from portal.strangers import name_to_keep

#: Types of roles there: the platform's administrator, and a role that somebody put together.
ADMINISTRATOR, PUT_TOGETHER = -1, 4
#: What a superuser is called who has no role.
SUPERUSER = "Superuser"
#: There is one domain here, and it works.
DOMAIN, DOMAIN_MODE = 1, 2
LOCALES = {"ru": "ru_RU", "en": "en_US"}


class AuthParams(OtherFields):
    """What `auth` takes."""

    login = serializers.CharField(trim_whitespace=False, max_length=150)
    password = serializers.CharField(trim_whitespace=False, max_length=512, style={"input_type": "password"})


class VersionShape(serializers.Serializer[Any]):
    """Which portal answers, and when it was installed, in seconds since 1970."""

    software = serializers.CharField()
    last_update = serializers.FloatField()


class BillingShape(serializers.Serializer[Any]):
    """The portal bills nobody, and so blocks nobody for it."""

    balance = serializers.CharField()
    block_inbound = serializers.BooleanField()
    block_outbound = serializers.BooleanField()
    block_face = serializers.BooleanField()


class AuthShape(serializers.Serializer[Any]):
    """Whose token it is, until when it is good, and what it may do."""

    version = VersionShape()
    exp = serializers.CharField(help_text="When the token ends, in UTC, without a zone")
    user_id = serializers.IntegerField()
    user_name = serializers.CharField()
    user_login = serializers.CharField()
    domain_id = serializers.IntegerField()
    role_id = serializers.IntegerField(help_text="0: no role")
    role_name = serializers.CharField(allow_blank=True)
    role_type = serializers.IntegerField(help_text="-1: holds every right; 4: any other role")
    role_perms = serializers.DictField(child=serializers.BooleanField(), help_text="The rights that the user holds")
    role_visible = serializers.DictField()
    role_filters = serializers.DictField()
    auth_type = serializers.CharField()
    domain_name = serializers.CharField()
    domain_test_until = serializers.CharField(allow_null=True)
    domain_mode = serializers.IntegerField()
    domain_billing_options = BillingShape()
    tz = serializers.CharField()
    locale = serializers.CharField()
    token = serializers.RegexField(r"^[0-9a-f]{64}$")


class NothingShape(serializers.Serializer[Any]):
    """There is nothing to say."""


def auth(view: ApiView, params: dict[str, Any]) -> Response:
    """A token for name and password. Raises BadCredentials, PasswordNotEnough and FromAnotherSite."""
    request = view.request
    another_site.refuse(request)
    view.audit_name = name_to_keep(params["login"])
    user = request.user = passwords.sign_in(request, params["login"], params["password"])
    address = callers.address_of(request)

    def work() -> Done:
        token, written = tokens.issue(user, address, ApiToken.Way.ENVELOPE)
        return Done(_body(request, user, token) | {"token": written})

    return Response(dict(commit_once(view, work).body))


def logout(view: ApiView, _params: dict[str, Any]) -> Response:
    """The token at hand ends."""

    def work() -> Done:
        credentials.end(view.request.auth)
        return Done({})

    return Response(dict(commit_once(view, work).body))


def _body(request: HttpRequest | Request, user: User, token: ApiToken) -> dict[str, Any]:
    rights = rights_of(user)
    role = user.groups.order_by("name").first()
    return {
        "version": {"software": version.version(), "last_update": version.installed_at()},
        "exp": token.expiry.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
        "user_id": user.pk,
        "user_name": user.get_full_name() or user.get_username(),
        "user_login": user.get_username(),
        "domain_id": DOMAIN,
        "role_id": role.pk if role else 0,
        "role_name": role.name if role else SUPERUSER if user.is_superuser else "",
        "role_type": ADMINISTRATOR if rights == frozenset(Right) else PUT_TOGETHER,
        "role_perms": {right.value: True for right in Right if right in rights},
        "role_visible": {},
        "role_filters": {},
        "auth_type": "http",
        "domain_name": request.get_host(),
        "domain_test_until": None,
        "domain_mode": DOMAIN_MODE,
        "domain_billing_options": {
            "balance": "0.0",
            "block_inbound": False,
            "block_outbound": False,
            "block_face": False,
        },
        "tz": user.time_zone or settings.TIME_ZONE,
        "locale": LOCALES.get(user.language or settings.LANGUAGE_CODE, LOCALES["en"]),
    }


AUTH_EXAMPLE = {
    "version": {"software": "0.1.0", "last_update": 1796040000.5}, "exp": "2026-11-22T16:00:00.000000",
    "user_id": 3, "user_name": "Hotel desk", "user_login": "hotel-desk", "domain_id": 1, "role_id": 2,
    "role_name": "SMS operator", "role_type": 4,
    "role_perms": {"SMS_GATEWAY_READ": True, "SMS_SEND_METHOD_AVAILABLE": True, "SYSTEM_CREATE": True},
    "role_visible": {}, "role_filters": {}, "auth_type": "http", "domain_name": "sms.example.org",
    "domain_test_until": None, "domain_mode": 2,
    "domain_billing_options": {
        "balance": "0.0", "block_inbound": False, "block_outbound": False, "block_face": False,
    },
    "tz": "Europe/Moscow", "locale": "ru_RU", "token": "4f" * 32,
}  # fmt: skip

ACTIONS = {
    "auth": Action(
        about="Exchange a user name and a password for a token. It is good until `exp`, however much it is used.",
        do=auth,
        params=AuthParams,
        body=AuthShape,
        example=Example(AUTH_EXAMPLE, {"login": "hotel-desk", "password": "••••••••"}),
        public=True,
    ),
    "logout": Action(
        about="End the token at hand.", do=logout, params=NoParams, body=NothingShape, example=Example({}, {})
    ),
}
