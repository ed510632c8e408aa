"""An account that has an end: it stops at that moment, everywhere, and says so beforehand."""

from datetime import UTC, datetime, timedelta

import time_machine
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from portal import expiry
from portal.models import User
from portal.permissions import Right, may
from tests.conftest import PASSWORD
from tests.portal.admin_pages import page, signed_in

END = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
BEFORE, AFTER = END - timedelta(minutes=1), END + timedelta(minutes=1)


def ending(user: User, end: datetime = END) -> User:
    """The same user, whose account ends then."""
    user.expires_at = end
    user.save(update_fields=["expires_at"])
    return user


def login(user: User) -> APIClient:
    """A client with the token of a sign-in that must succeed."""
    client = APIClient()
    answer = client.post("/api/v1/login", {"username": user.username, "password": PASSWORD}, format="json")
    assert answer.status_code == 200, answer.json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    return client


def test_a_token_works_until_the_account_ends_and_not_after(operator: User) -> None:
    ending(operator)
    with time_machine.travel(BEFORE, tick=False):
        client = login(operator)
        assert client.get("/api/v1/sms_gateways").status_code == 200
    with time_machine.travel(AFTER, tick=False):
        assert client.get("/api/v1/sms_gateways").status_code == 401


def test_nobody_signs_in_to_an_account_that_is_over(admin: User) -> None:
    ending(admin)
    given = {"username": "admin", "password": PASSWORD}
    with time_machine.travel(AFTER, tick=False):
        assert APIClient().post("/api/v1/login", given, format="json").status_code == 401
        assert Client().post(reverse("admin:login"), given).status_code == 200
    with time_machine.travel(BEFORE, tick=False):
        assert Client().post(reverse("admin:login"), given).status_code == 302


def test_a_session_ends_with_its_account(admin: User) -> None:
    ending(admin)
    with time_machine.travel(BEFORE, tick=False):
        client = signed_in(admin)
        assert client.get(reverse("admin:index")).status_code == 200
    with time_machine.travel(AFTER, tick=False):
        assert client.get(reverse("admin:index")).status_code == 302


def test_who_is_over_holds_no_right(admin: User) -> None:
    ending(admin)
    with time_machine.travel(BEFORE, tick=False):
        assert may(admin, *Right)
    with time_machine.travel(AFTER, tick=False):
        assert not any(may(admin, right) for right in Right)


def test_an_end_is_soon_for_two_weeks_and_then_past(nobody: User) -> None:
    assert not expiry.ends_soon(nobody)
    ending(nobody)
    for before, soon in (
        (timedelta(days=14, seconds=1), False),
        (timedelta(days=14), True),
        (timedelta(seconds=1), True),
    ):
        with time_machine.travel(END - before, tick=False):
            assert expiry.ends_soon(nobody) is soon
    with time_machine.travel(END, tick=False):
        assert not expiry.ends_soon(nobody)
        assert expiry.has_ended(nobody)


def test_the_list_of_users_says_which_accounts_end(admin: User, operator: User, auditor: User, nobody: User) -> None:
    ending(operator, END + timedelta(days=3))
    ending(auditor, END - timedelta(days=3))
    User.objects.filter(pk=nobody.pk).update(is_active=False)
    with time_machine.travel(END, tick=False):
        html = signed_in(admin).get(page(User, "changelist"), headers={"accept-language": "en"}).content.decode()
    for said in ("ends on Dec. 4, 2026", "ended on Nov. 28, 2026", "switched off", "active"):
        assert said in html


def test_a_program_reads_when_its_account_ends(operator: User) -> None:
    with time_machine.travel(BEFORE, tick=False):
        assert "account_ends_at" not in login(operator).get("/api/v1/token_info").json()["item"]
        ending(operator)
        assert login(operator).get("/api/v1/token_info").json()["item"]["account_ends_at"] == "2026-12-01T12:00:00Z"
