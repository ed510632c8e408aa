"""Who is held back, in the admin: found, understood and released; and the brake."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from guests import limits
from guests.limits import brake
from guests.models import Brake, LimitCount, Scope
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import signed_in, staff_with

pytestmark = pytest.mark.django_db

LIST = "/admin/guests/limitcount/"
RELEASE_BRAKE = f"{LIST}brake/release/"
PHONE = "+79161234567"


@pytest.fixture
def browser(receptionist: User) -> Client:
    """The reception's: it changes guests, and nothing of the system."""
    return signed_in(receptionist)


def count(scope: Scope, key: str, many: int = 3, **changes: Any) -> LimitCount:
    """So many of three."""
    values = {"minutes": 60, "since": timezone.now(), "count": many, "most": 3, "refused": 2}
    return LimitCount.objects.create(scope=scope, key=key, **{**values, **changes})


def pull() -> None:
    now = timezone.now()
    Brake.objects.create(pk=brake.ROW, pulled_at=now, until=now + timedelta(hours=1), sent=57, entered=9)


def listed(browser: Client, **asks: str) -> set[str]:
    return {row.key for row in browser.get(LIST, asks).context["cl"].result_list}


def test_the_list_has_those_who_are_held_back_now(browser: Client) -> None:
    count(Scope.PHONE, PHONE)
    count(Scope.PHONE, "+79161234500", 2)
    count(Scope.PHONE, "+79161234501", since=timezone.now() - timedelta(hours=2))
    assert listed(browser) == {PHONE}
    assert len(listed(browser, counts="all")) == 3


def test_it_says_why_and_what_to_do_about_an_own_network(browser: Client) -> None:
    count(Scope.PHONE, PHONE)
    assert "GUEST_NETWORKS" not in browser.get(LIST).content.decode()
    count(Scope.ADDRESS, "192.0.2.7")
    html = browser.get(LIST).content.decode()
    assert "So many messages were asked for from this address. If this is your own network" in html
    assert "3 of 3 in 1 hour" in html


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("8 (916) 123-45-67", {PHONE, "+7916123"}),
        ("192.0.2.7", {"192.0.2.7", "192.0.2.0/24"}),
        ("192.0", {"192.0.2.7", "192.0.2.0/24"}),
        ("no such thing", set()),
    ],
)
def test_it_is_searched_by_phone_and_address(browser: Client, typed: str, found: set[str]) -> None:
    count(Scope.PHONE, PHONE)
    count(Scope.PREFIX, "+7916123")
    count(Scope.ADDRESS, "192.0.2.7")
    count(Scope.NETWORK, "192.0.2.0/24")
    assert listed(browser, q=typed) == found


def test_one_click_releases_and_is_written_down_without_the_phone(browser: Client) -> None:
    row = count(Scope.PHONE, PHONE)
    assert browser.post(f"{LIST}{row.pk}/release/").headers["Location"] == LIST
    assert not limits.held_back().exists()
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id) == ("admin:guests_limitcount_release", "phone +7916•••••67")
    assert event.request == {"count": 3, "most": 3, "refused": 2}
    # A second click finds nothing to do.
    row.delete()
    assert browser.post(f"{LIST}{row.pk}/release/").status_code == 302


def test_many_are_released_at_once(browser: Client) -> None:
    rows = [count(Scope.DEVICE, f"device {number}") for number in range(3)]
    browser.post(LIST, {"action": "release", "_selected_action": [row.pk for row in rows[:2]]})
    assert set(limits.held_back()) == {rows[2]}
    assert AuditEvent.objects.filter(action="admin:guests_limitcount_release").count() == 2


def test_the_brake_is_shown_and_released_by_a_page_that_asks(browser: Client, receptionist: User) -> None:
    pull()
    html = browser.get(LIST).content.decode()
    assert "Registration is stopped" in html
    assert "of 57 codes 48 were never entered" in html
    assert browser.get(RELEASE_BRAKE).status_code == 200
    assert brake.is_pulled(brake.current(), timezone.now()), "to ask releases nothing"
    assert browser.post(RELEASE_BRAKE).status_code == 302
    assert not brake.is_pulled(brake.current(), timezone.now())
    assert brake.current().released_by == receptionist
    event = AuditEvent.objects.get()
    assert (event.action, event.request) == ("admin:guests_limitcount_release_brake", {"codes": 57, "entered": 9})
    assert "and released on" in browser.get(LIST).content.decode()


def test_a_budget_that_is_used_up_is_told_with_the_brake_and_begins_anew_where_that_is_wanted(browser: Client) -> None:
    pull()
    portal, phone = count(Scope.PORTAL, ""), count(Scope.PHONE, PHONE)
    html = browser.get(RELEASE_BRAKE).content.decode()
    assert "The budget of the whole portal is used up as well" in html
    assert "3 of 3 in" in html
    browser.post(RELEASE_BRAKE)
    assert set(limits.held_back()) == {portal, phone}, "it costs money, and nobody said so"
    Brake.objects.update(until=timezone.now() + timedelta(hours=1))
    browser.post(RELEASE_BRAKE, {"budget": "on"})
    assert set(limits.held_back()) == {phone}
    assert AuditEvent.objects.filter(action="admin:guests_limitcount_release").count() == 1


def test_a_budget_that_is_left_is_not_spoken_of(browser: Client) -> None:
    pull()
    count(Scope.PORTAL, "", many=2)
    assert "used up as well" not in browser.get(RELEASE_BRAKE).content.decode()


def test_a_brake_that_is_not_pulled_is_not_released(browser: Client) -> None:
    assert browser.post(RELEASE_BRAKE).headers["Location"] == LIST
    assert not Brake.objects.exists()


def test_who_sees_all_guests_sees_it_and_releases_nothing(db: None) -> None:
    pull()
    row = count(Scope.PHONE, PHONE)
    client = signed_in(staff_with("clerk", Right.USERS_READ))
    html = client.get(LIST).content.decode()
    assert PHONE in html
    assert "formaction" not in html
    assert RELEASE_BRAKE not in html
    for address in (f"{LIST}{row.pk}/release/", RELEASE_BRAKE):
        response = client.post(address)
        assert response.status_code == 403
        assert "USERS_UPDATE" in response.content.decode()
    assert client.post(LIST, {"action": "release", "_selected_action": [row.pk]}).status_code == 403
    assert limits.held_back().exists()
    assert brake.is_pulled(brake.current(), timezone.now())


def test_who_sees_own_guests_only_sees_no_phones_of_others(sponsor: User) -> None:
    row = count(Scope.PHONE, PHONE)
    client = signed_in(sponsor)
    assert client.get(LIST).status_code == 403
    assert client.post(f"{LIST}{row.pk}/release/").status_code == 403
