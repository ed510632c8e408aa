"""Setting up a second factor: at the first sign-in where one is required, or on the page `Your sign-in`."""

import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.models import AuditEvent, RecoveryCodes, TotpDevice, User
from portal.sign_in import enrolment
from tests.conftest import PASSWORD
from tests.portal.admin_pages import signed_in
from tests.portal.second_factors import ENROL, SECOND, give_code, is_in, password_given, shown_code, with_app

ADD = reverse("admin:add_app")
CODES = reverse("admin:recovery_codes")
OWN = reverse("admin:own_sign_in")
REQUIRED = override_settings(ADMIN_2FA="required")


def shown(html: str) -> dict[str, str]:
    """What a person sees and what the page carries: the key, and its seal."""
    key = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", html)
    sealed = re.search(r'name="key" value="([^"]+)"', html)
    assert key
    assert sealed
    return {"key": key[1], "sealed": sealed[1]}


def set_up(client: Client, address: str, code: str = "", steps: int = 0) -> Any:
    found = shown(client.get(address).content.decode())
    code = code or shown_code(found["key"], steps)
    return client.post(address, {"key": found["sealed"], "name": "My phone", "code": code})


def remove_address(device: TotpDevice) -> str:
    return reverse("admin:remove_second_factor", args=("app", device.pk))


@REQUIRED
def test_the_first_sign_in_sets_up_an_app_and_goes_on_to_recovery_codes(admin: User) -> None:
    client = password_given(admin)
    answer = set_up(client, ENROL)
    assert answer.headers["Location"] == CODES
    assert is_in(client)
    html = client.post(CODES).content.decode()
    codes = re.findall(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}", html)
    assert len(set(codes)) == 10
    assert not any(code in client.get(CODES).content.decode() for code in codes)
    later = password_given(admin)
    give_code(later, codes[0])
    assert is_in(later)
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "status"))[:4] == [
        ("admin:login", 202),
        ("admin:second_factor_add", 201),
        ("admin:second_factor", 200),
        ("admin:recovery_codes_make", 201),
    ]


@REQUIRED
def test_the_code_that_set_it_up_does_not_open_another_session(admin: User) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        set_up(password_given(admin), ENROL)
        client = password_given(admin)
        [device] = TotpDevice.objects.all()
        give_code(client, shown_code(device.key))
        assert not is_in(client)


@REQUIRED
def test_a_wrong_code_sets_up_nothing_and_keeps_the_key_on_the_page(admin: User) -> None:
    client = password_given(admin)
    before = shown(client.get(ENROL).content.decode())
    answer = client.post(ENROL, {"key": before["sealed"], "name": "My phone", "code": "000000"})
    assert "not the code of this key" in answer.content.decode()
    assert shown(answer.content.decode())["key"] == before["key"]
    assert not TotpDevice.objects.exists()
    assert User.objects.get().password_opens_api


@REQUIRED
def test_a_key_that_was_shown_to_somebody_else_is_not_taken(admin: User, auditor: User) -> None:
    User.objects.update(is_staff=True)
    foreign = shown(password_given(auditor).get(ENROL).content.decode())
    form = {"key": foreign["sealed"], "name": "My phone", "code": shown_code(foreign["key"])}
    assert password_given(admin).post(ENROL, form).status_code == 200
    assert not TotpDevice.objects.exists()


@REQUIRED
def test_looking_at_a_key_writes_nothing_and_the_session_does_not_hold_it(admin: User) -> None:
    client = password_given(admin)
    with CaptureQueriesContext(connection) as queries:
        found = shown(client.get(ENROL).content.decode())
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE"))]
    key = found["key"].replace(" ", "")
    assert key not in str(dict(client.session.items()))
    assert key not in found["sealed"]


@REQUIRED
def test_nobody_with_a_second_factor_sets_up_another_after_the_password_alone(admin: User) -> None:
    with_app(admin)
    client = password_given(admin)
    assert client.get(ENROL).headers["Location"] == SECOND
    client.post(ENROL, {"key": "x", "name": "Mine", "code": "000000"})
    assert client.get(ADD).status_code == 302
    assert client.post(CODES).status_code == 302
    assert TotpDevice.objects.count() == 1
    assert not RecoveryCodes.objects.exists()


def test_somebody_signed_in_adds_an_app_and_the_password_opens_the_api_no_more(admin: User) -> None:
    client = signed_in(admin)
    assert set_up(client, ADD).headers["Location"] == CODES
    assert is_in(client)
    assert not User.objects.get().password_opens_api
    answer = client.post("/api/v1/login", {"username": "admin", "password": PASSWORD}, "application/json")
    assert answer.status_code == 403


def test_what_an_administrator_allowed_again_stays_allowed(admin: User) -> None:
    with_app(admin)
    User.objects.update(password_opens_api=True)
    set_up(signed_in(admin), ADD)
    assert User.objects.get().password_opens_api


def test_the_page_lists_what_there_is_with_names_and_last_use(admin: User) -> None:
    with_app(admin)
    enrolment.make_codes(admin)
    html = signed_in(admin).get(OWN).content.decode()
    assert "phone" in html
    assert "never used" in html
    assert "10 codes are left" in html


def test_new_recovery_codes_take_the_place_of_the_old(admin: User) -> None:
    with_app(admin)
    [old, *_] = enrolment.make_codes(admin)
    signed_in(admin).post(CODES)
    client = password_given(admin)
    give_code(client, old)
    assert not is_in(client)


def test_removing_the_last_takes_the_recovery_codes_along_and_keeps_the_session(admin: User) -> None:
    device = with_app(admin)
    enrolment.make_codes(admin)
    client = signed_in(admin)
    assert client.post(remove_address(device)).headers["Location"] == OWN
    assert not TotpDevice.objects.exists()
    assert not RecoveryCodes.objects.exists()
    assert is_in(client)
    assert AuditEvent.objects.get().action == "admin:second_factor_remove"


@REQUIRED
def test_the_last_is_not_removed_where_one_is_required(admin: User) -> None:
    device = with_app(admin)
    client = signed_in(admin)
    assert "Add another one first" in client.post(remove_address(device), follow=True).content.decode()
    assert TotpDevice.objects.exists()
    other = TotpDevice.objects.create(user=admin, name="tablet", key="A" * 32)
    client.post(remove_address(device))
    assert list(TotpDevice.objects.all()) == [other]
    assert is_in(client)


def test_nobody_removes_what_is_another_s(admin: User, auditor: User) -> None:
    device = with_app(admin)
    assert signed_in(auditor).post(remove_address(device)).status_code == 404
    assert TotpDevice.objects.exists()


@pytest.mark.parametrize("method", ["get", "head"])
def test_nothing_is_removed_by_looking(admin: User, method: str) -> None:
    device = with_app(admin)
    assert getattr(signed_in(admin), method)(remove_address(device)).status_code == 405
    assert TotpDevice.objects.exists()


def test_the_account_menu_leads_there(admin: User) -> None:
    html = signed_in(admin).get(reverse("admin:index")).content.decode()
    assert f'href="{OWN}"' in html
    assert f'href="{reverse("admin:password_change")}"' in html
