"""Passkeys: set up, used alone, after the password, and to confirm; bound to names of ours and to one challenge."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from portal.models import AuditEvent, User, WatchedHost
from portal.sign_in import origins
from tests.conftest import PASSWORD
from tests.portal.admin_pages import ENGLISH, signed_in
from tests.portal.authenticator import Authenticator
from tests.portal.second_factors import is_in, password_given, with_app

HERE = "http://localhost:8000"
JSON = "application/json"
INDEX = reverse("admin:index")


@pytest.fixture(autouse=True)
def _our_names() -> Iterator[None]:
    with override_settings(ALLOWED_HOSTS=["localhost", "127.0.0.1", "testserver"], PORT=8000, HTTPS=False):
        yield


class Doorkeeper(ModelBackend):
    """Stands in for whatever is configured to let people in."""


def call(client: Client, name: str, body: Any, query: str = "", host: str = "localhost:8000") -> Any:
    return client.post(reverse(f"admin:{name}") + query, body, JSON, headers={"Host": host})


def register(client: Client, passkey: Authenticator, **more: Any) -> Any:
    options = call(client, "passkey_register_begin", {}).json()
    return call(client, "passkey_register", passkey.create(options, **more))


def use(client: Client, passkey: Authenticator, query: str = "") -> Any:
    options = call(client, "passkey_use_begin", {}).json()
    return call(client, "passkey_use", passkey.get(options), query)


@pytest.fixture
def passkey(admin: User) -> Authenticator:
    """The administrator's."""
    made = Authenticator(HERE)
    assert register(signed_in(admin), made, name="Laptop").status_code == 200
    return made


def events() -> list[tuple[str, int, str]]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", "status", "user_name"))


def test_it_is_set_up_with_a_name_and_shuts_the_api_to_the_password(admin: User) -> None:
    client = signed_in(admin)
    answer = register(client, Authenticator(HERE), name="  Laptop ")
    assert answer.json() == {"leads_to": reverse("admin:recovery_codes")}
    assert WebAuthnCredential.objects.get().name == "Laptop"
    assert not User.objects.get().password_opens_api
    assert is_in(client)
    assert events() == [("admin:second_factor_add", 201, "admin")]


def test_it_opens_the_portal_without_a_password(passkey: Authenticator) -> None:
    client = Client(headers=ENGLISH)
    wanted = reverse("admin:portal_user_changelist")
    assert use(client, passkey, f"?next={wanted}").json() == {"leads_to": wanted}
    assert client.get(wanted).status_code == 200
    assert events()[-1] == ("admin:passkey_sign_in", 200, "admin")
    assert use(Client(headers=ENGLISH), passkey, "?next=https://evil.example/").json() == {"leads_to": INDEX}


@override_settings(AUTHENTICATION_BACKENDS=["tests.portal.test_passkeys.Doorkeeper"])
def test_it_opens_the_portal_whatever_finds_users_again(passkey: Authenticator) -> None:
    client = Client(headers=ENGLISH)
    use(client, passkey)
    assert is_in(client)


def test_alone_it_must_know_its_owner_and_after_the_password_it_need_not(passkey: Authenticator, admin: User) -> None:
    passkey.verifies = False
    stranger = Client(headers=ENGLISH)
    assert use(stranger, passkey).status_code == 422
    assert not is_in(stranger)
    client = password_given(admin, "/admin/portal/user/")
    assert use(client, passkey).json() == {"leads_to": "/admin/portal/user/"}
    assert is_in(client)
    assert events()[-1] == ("admin:second_factor", 200, "admin")


@pytest.mark.parametrize("password_first", [False, True])
def test_an_old_session_without_second_factor_is_no_hindrance(admin: User, password_first: bool) -> None:
    client = signed_in(admin)
    made = Authenticator(HERE)
    register(signed_in(admin), made)
    assert not is_in(client)
    if password_first:
        client.post(reverse("admin:login"), {"username": "admin", "password": PASSWORD})
    assert use(client, made).json() == {"leads_to": INDEX}
    assert is_in(client)


def test_it_confirms_that_it_is_you(passkey: Authenticator, admin: User) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        client = Client(headers=ENGLISH)
        use(client, passkey)
        clock.shift(600)
        address = reverse("admin:add_app")
        assert "Confirm that it is you" in client.get(address).content.decode()
        assert use(client, passkey).json() == {"leads_to": ""}
        assert "QR code" in client.get(address).content.decode()
    assert events()[-1] == ("admin:confirm", 200, "admin")


def test_another_s_is_no_second_factor(passkey: Authenticator, admin: User, auditor: User) -> None:
    with_app(auditor)
    client = password_given(auditor)
    assert use(client, passkey).status_code == 403
    assert not is_in(client)
    assert events()[-1] == ("admin:second_factor", 401, "auditor")


@pytest.mark.parametrize("account", ["switched off", "no staff", "a program"])
def test_an_account_that_may_not_come_in_does_not(passkey: Authenticator, account: str) -> None:
    User.objects.update(
        is_active=account != "switched off", is_staff=account != "no staff", is_program=account == "a program"
    )
    client = Client(headers=ENGLISH)
    assert use(client, passkey).status_code == 403
    assert not is_in(client)
    assert events()[-1] == ("admin:second_factor", 401, "admin")


@pytest.mark.parametrize("origin", ["http://localhost:9000", "https://evil.example", "http://127.0.0.1:8000"])
def test_a_page_of_another_origin_is_refused(passkey: Authenticator, origin: str) -> None:
    passkey.origin = origin
    client = Client(headers=ENGLISH)
    assert use(client, passkey).status_code == 422
    assert not is_in(client)


def test_a_challenge_is_good_once_and_five_minutes(passkey: Authenticator) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        client = Client(headers=ENGLISH)
        given = passkey.get(call(client, "passkey_use_begin", {}).json())
        assert call(client, "passkey_use", given).status_code == 200
        client.post(reverse("admin:logout"))
        assert call(client, "passkey_use", given).status_code == 400
        late = passkey.get(call(client, "passkey_use_begin", {}).json())
        clock.shift(300)
        assert call(client, "passkey_use", late).status_code == 400
        assert not is_in(client)


def test_a_challenge_for_one_person_is_none_for_another(passkey: Authenticator, admin: User) -> None:
    client = password_given(admin)
    given = passkey.get(call(client, "passkey_use_begin", {}).json())
    client.post(reverse("admin:give_up"))
    assert call(client, "passkey_use", given).status_code == 400
    assert not is_in(client)


def test_an_unknown_one_is_refused_and_written_down(admin: User) -> None:
    assert use(Client(headers=ENGLISH), Authenticator(HERE)).status_code == 404
    assert events() == [("admin:second_factor", 401, "")]


def test_nobody_sets_one_up_who_is_not_signed_in_or_has_another_factor(admin: User) -> None:
    assert call(Client(headers=ENGLISH), "passkey_register_begin", {}).status_code == 403
    with_app(admin)
    assert call(password_given(admin), "passkey_register_begin", {}).status_code == 403


def test_setting_one_up_is_confirmed_first(admin: User) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        client = signed_in(admin)
        clock.shift(600)
        assert call(client, "passkey_register_begin", {}).status_code == 403


@override_settings(ADMIN_2FA="required")
def test_it_may_be_the_first_second_factor(admin: User) -> None:
    client = password_given(admin)
    assert register(client, Authenticator(HERE)).status_code == 200
    assert is_in(client)


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "7", "null", '"x"', '{"id": 7}', '{"id": "x", "rawId": "%%%", "type": "public-key", "response": {}}',
     '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": 1, "authenticatorData": []}}'],
)  # fmt: skip
@pytest.mark.parametrize("name", ["passkey_use", "passkey_register"])
def test_what_is_no_answer_of_a_browser_is_refused(admin: User, name: str, body: str) -> None:
    client = signed_in(admin)
    call(client, f"{name}_begin", {})
    assert 400 <= call(client, name, body).status_code < 500


def test_an_address_is_no_name_and_the_page_says_where_passkeys_work(admin: User) -> None:
    answer = call(Client(headers=ENGLISH), "passkey_use_begin", {}, host="127.0.0.1:8000")
    assert answer.status_code == 422
    assert "http://localhost:8000/admin/" in answer.json()["detail"]
    html = Client(headers=ENGLISH).get(reverse("admin:login"), headers={"Host": "127.0.0.1:8000"}).content.decode()
    assert "http://localhost:8000/admin/" in html
    assert 'data-passkey="use"' not in html
    here = Client(headers=ENGLISH).get(reverse("admin:login"), headers={"Host": "localhost:8000"}).content.decode()
    assert 'data-passkey="use"' in here
    assert "<script>" not in here


def asked_at(host: str) -> HttpRequest:
    return RequestFactory().get("/", headers={"Host": host})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"PORTAL_URL": "https://sms.example.org"}, {"sms.example.org": "https://sms.example.org"}),
        ({"PORTAL_URL": "https://SMS.example.org:443/portal"}, {"sms.example.org": "https://sms.example.org"}),
        ({"PORTAL_URL": "https://sms.example.org:8443"}, {"sms.example.org": "https://sms.example.org:8443"}),
        ({"PORTAL_URL": "http://sms.example.org"}, {}),
        ({"PORTAL_URL": "https://10.0.0.5"}, {}),
        ({"PORTAL_URL": "http://localhost:8101"}, {"localhost": "http://localhost:8101"}),
        ({"ALLOWED_HOSTS": ["a.example", ".b.example", "*", "[::1]"], "HTTPS": True}, {"a.example": "https://a.example"}),
        ({"ALLOWED_HOSTS": ["a.example"], "HTTPS": False}, {}),
    ],
)  # fmt: skip
def test_names_and_origins_come_from_settings(settings: dict[str, Any], expected: dict[str, str]) -> None:
    with override_settings(**{"PORTAL_URL": "", "ALLOWED_HOSTS": ["10.0.0.5"], "HTTPS": True, **settings}):
        assert origins.origins() == expected


def test_a_request_chooses_among_our_names_only() -> None:
    with override_settings(ALLOWED_HOSTS=["*"], PORTAL_URL="https://sms.example.org"):
        assert origins.relying_party(asked_at("sms.example.org")) == "sms.example.org"
        assert origins.relying_party(asked_at("SMS.example.org:443")) == "sms.example.org"
        assert origins.relying_party(asked_at("evil.example")) == ""
        assert origins.relying_party(asked_at("[::1]:8000")) == ""


def test_it_does_not_open_the_portal_where_its_owner_is_blocked(passkey: Authenticator, admin: User) -> None:
    row = WatchedHost.objects.create(
        host="127.0.0.1", username="admin", until=timezone.now() + timedelta(hours=1), reason="lost laptop"
    )
    client = Client()
    assert use(client, passkey).status_code == 429
    assert not is_in(client)
    assert ("admin:passkey_sign_in", 200, "admin") not in events()
    assert list(WatchedHost.objects.all()) == [row]


def test_an_account_that_ended_does_not_come_in(passkey: Authenticator) -> None:
    User.objects.update(expires_at=timezone.now())
    assert use(Client(), passkey).status_code == 403
    assert ("admin:passkey_sign_in", 200, "admin") not in events()


def test_a_stranger_s_challenge_is_kept_for_minutes_and_a_session_for_its_own_time(passkey: Authenticator) -> None:
    client = Client()
    options = call(client, "passkey_use_begin", {}).json()
    assert client.session.get_expiry_age() == 300
    assert Session.objects.get(pk=client.session.session_key).expire_date < timezone.now() + timedelta(minutes=6)
    call(client, "passkey_use", passkey.get(options))
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
    call(client, "passkey_use_begin", {})
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_a_password_after_a_challenge_is_waited_for_as_long_as_ever(passkey: Authenticator, admin: User) -> None:
    client = Client()
    call(client, "passkey_use_begin", {})
    client.post(reverse("admin:login"), {"username": "admin", "password": PASSWORD})
    assert client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
