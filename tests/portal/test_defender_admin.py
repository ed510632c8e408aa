"""The Defender's pages: who is blocked, one click that frees him, and networks that are not blocked."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal import defender
from portal.models import AllowedNetwork, AuditEvent, RefusedTry, User, WatchedHost
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with
from tests.portal.strangers import ELSEWHERE, OFFICE, STRANGER, Caller

LIST = page(WatchedHost, "changelist")
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def blocked(admin: User) -> WatchedHost:
    Caller(STRANGER).guess(5)
    return WatchedHost.objects.get(host=STRANGER, username="")


def unblock(row: WatchedHost) -> str:
    return reverse("admin:portal_watchedhost_unblock", args=(row.pk,))


def listed(client: Client, **asked: str) -> str:
    return client.get(LIST, asked, headers=ENGLISH).content.decode()


def test_the_list_shows_who_is_blocked_and_why(admin: User, blocked: WatchedHost) -> None:
    html = listed(signed_in(admin))
    assert STRANGER in html
    assert "too many refused sign-ins" in html
    assert "everybody" in html


def test_who_is_only_watched_is_listed_when_asked_for(admin: User, blocked: WatchedHost) -> None:
    Caller(ELSEWHERE).guess(2)
    client = signed_in(admin)
    assert ELSEWHERE not in listed(client)
    assert ELSEWHERE in listed(client, state="watched")
    assert STRANGER not in listed(client, state="watched", q=ELSEWHERE)
    assert ELSEWHERE in listed(client, state="all")


def test_one_click_unblocks_and_is_written_down(admin: User, blocked: WatchedHost) -> None:
    response = signed_in(admin).post(unblock(blocked))
    assert response.headers["Location"] == LIST
    assert Caller(STRANGER).by_api().status_code == 200
    event = AuditEvent.objects.get(action="admin:portal_watchedhost_unblock")
    assert (event.user, event.object_id, event.status) == (admin, STRANGER, 200)


def test_a_second_click_does_no_harm(admin: User, blocked: WatchedHost) -> None:
    client = signed_in(admin)
    assert [client.post(unblock(blocked)).status_code for _ in range(2)] == [302, 302]


def test_looking_at_the_address_unblocks_nobody(admin: User, blocked: WatchedHost) -> None:
    assert signed_in(admin).get(unblock(blocked)).status_code == 405
    assert defender.blocked_now() == 1


def test_several_are_unblocked_at_once(admin: User, blocked: WatchedHost) -> None:
    Caller(ELSEWHERE).guess(5)
    rows = [str(pk) for pk in WatchedHost.objects.blocked().values_list("pk", flat=True)]
    signed_in(admin).post(LIST, {"action": "unblock", "_selected_action": rows})
    assert defender.blocked_now() == 0
    assert AuditEvent.objects.filter(action="admin:portal_watchedhost_unblock").count() == 2


def test_whoever_may_only_read_sees_no_button_and_is_refused(auditor: User, blocked: WatchedHost) -> None:
    client = signed_in(auditor)
    html = listed(client)
    assert STRANGER in html
    assert unblock(blocked) not in html
    assert client.post(unblock(blocked)).status_code == 403
    client.post(LIST, {"action": "unblock", "_selected_action": [str(blocked.pk)]})
    assert defender.blocked_now() == 1


def test_the_right_to_change_the_system_is_enough(blocked: WatchedHost) -> None:
    clerk = staff_with("clerk", Right.SYSTEM_READ, Right.SYSTEM_UPDATE)
    client = signed_in(clerk)
    assert unblock(blocked) in listed(client)
    assert client.post(unblock(blocked)).status_code == 302


def test_a_host_is_blocked_by_hand(admin: User) -> None:
    client = signed_in(admin)
    assert 'name="minutes"' in client.get(page(WatchedHost, "add")).content.decode()
    given = {"host": STRANGER, "username": "", "minutes": "600", "reason": "seen in the proxy's log"}
    assert client.post(page(WatchedHost, "add"), given).status_code == 302
    row = WatchedHost.objects.get()
    assert (row.host, row.reason, row.blocked_by) == (STRANGER, "seen in the proxy's log", admin)
    assert row.until
    assert timedelta(minutes=599) < row.until - timezone.now() <= timedelta(minutes=600)
    assert Caller(STRANGER).by_api().status_code == 429
    assert "seen in the proxy&#x27;s log (admin)" in listed(client)
    assert AuditEvent.objects.filter(action="admin:portal_watchedhost_add", status=201).exists()


def test_a_host_that_is_watched_already_is_blocked_by_hand(admin: User) -> None:
    Caller(STRANGER).guess(2)
    given = {"host": STRANGER, "username": "admin", "minutes": "60", "reason": "guesses"}
    assert signed_in(admin).post(page(WatchedHost, "add"), given).status_code == 302
    assert WatchedHost.objects.blocked().get().username == "admin"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"host": "office"}, "Give an address such as"),
        ({"host": "127.0.0.1"}, "you would lock yourself out"),
        ({"username": "who"}, "There is no user of this name."),
        ({"minutes": "0"}, "greater than or equal to 1"),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_what_makes_no_sense_is_said_at_the_field(admin: User, changes: dict[str, str], sentence: str) -> None:
    given = {"host": STRANGER, "username": "", "minutes": "60", "reason": "guesses"} | changes
    response = signed_in(admin).post(page(WatchedHost, "add"), given, headers=ENGLISH)
    assert sentence in response.content.decode()
    assert not WatchedHost.objects.exists()


def test_a_network_is_put_on_the_list_and_taken_off(admin: User, blocked: WatchedHost) -> None:
    client = signed_in(admin)
    client.post(page(AllowedNetwork, "add"), {"network": "198.51.100.0/24", "note": "the office"})
    row = AllowedNetwork.objects.get()
    assert (row.network, row.added_by) == ("198.51.100.0/24", admin)
    assert Caller(STRANGER).by_api().status_code == 200
    client.post(page(AllowedNetwork, "delete", row.pk), {"post": "yes"})
    assert not AllowedNetwork.objects.exists()


@pytest.mark.parametrize(("network", "sentence"), [("office", "such as 192.168.10.0/24"), ("10.0.0.0/8", "duplicate")])
def test_what_is_no_network_is_said_at_the_field(admin: User, network: str, sentence: str) -> None:
    AllowedNetwork.objects.create(network="10.0.0.0/8")
    response = signed_in(admin).post(page(AllowedNetwork, "add"), {"network": network}, headers=ENGLISH)
    assert sentence in response.content.decode()
    assert AllowedNetwork.objects.count() == 1


def test_refused_sign_ins_are_listed_and_found(admin: User) -> None:
    Caller(STRANGER).guess(1)
    Caller(OFFICE).with_token("0" * 64)
    client = signed_in(admin)
    html = client.get(page(RefusedTry, "changelist"), {"q": STRANGER}).content.decode()
    assert STRANGER in html
    assert OFFICE not in html


@pytest.mark.parametrize("model", [WatchedHost, RefusedTry, AllowedNetwork])
def test_lists_ask_as_often_for_many_rows_as_for_one(admin: User, model: type) -> None:
    client = signed_in(admin)

    def queries(first: int, last: int) -> int:
        for number in range(first, last):
            host = f"198.51.100.{number}"
            until = timezone.now() + timedelta(minutes=9)
            WatchedHost.objects.create(host=host, until=until, reason="r", blocked_by=admin)
            RefusedTry.objects.create(host=host, way="password")
            AllowedNetwork.objects.create(network=f"10.0.{number}.0/24", added_by=admin)
        with CaptureQueriesContext(connection) as found:
            client.get(page(model, "changelist"))
        return len(found)

    queries(0, 1)
    assert queries(1, 3) == queries(3, 20)
