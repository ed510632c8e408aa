"""What can be done to guests from their pages: buttons, the pages that ask, bulk actions."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from gateways.models import Gateway
from guests import accounts, credentials, passwords, stays
from guests.admin.deeds import DEEDS
from guests.models import Guest
from messaging.models import Message
from portal.admin.rights import demand
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.guests.test_user_password import everything_stored
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

GIVEN: dict[str, dict[str, str]] = {
    "send_credentials": {"gateway": ""},
    "extend": {"duration": "3h"},
    "suspend": {"reason": "lost the badge"},
    "ban": {"reason": "sold the password"},
    "anonymise": {"sure": "on"},
    "erase": {"sure": "on"},
}


@pytest.fixture
def browser(receptionist: User, sandbox: Gateway) -> Client:
    """The receptionist's, in English."""
    client = signed_in(receptionist)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def address(deed: str, guest: Guest) -> str:
    """The page that asks."""
    return reverse("admin:guests_guest_deed", args=(guest.pk, deed))


def buttons(client: Client, guest: Guest) -> set[str]:
    """The deeds that the guest's page offers."""
    html = client.get(page(Guest, "change", guest.pk)).content.decode()
    return {deed for deed in DEEDS if f'"{address(deed, guest)}"' in html}


def bulk(client: Client, deed: str, *guests: Guest, **given: Any) -> Any:
    """The list's action: the first request asks, and `confirmed` does."""
    return client.post(
        page(Guest, "changelist"), {"action": deed, "_selected_action": [guest.pk for guest in guests]} | given
    )


class TestButtons:
    def test_a_page_offers_what_has_a_point(self, browser: Client, guest: Guest) -> None:
        usual = {"send_credentials", "reset_password", "extend", "suspend", "ban", "anonymise"}
        assert buttons(browser, guest) == usual
        stays.suspend(guest, why="lost the badge")
        assert buttons(browser, guest) == usual - {"suspend", "send_credentials"} | {"reinstate"}
        stays.reinstate(guest)
        stays.ban(guest, why="sold the password")
        assert buttons(browser, guest) == usual - {"ban", "send_credentials"} | {"unban"}
        stays.unban(guest)
        now = timezone.now()
        accounts.write(guest, valid_from=now - timedelta(days=2), valid_until=now - timedelta(days=1))
        assert buttons(browser, guest) == usual | {"unexpire"}
        stays.anonymise(guest)
        assert buttons(browser, guest) == set()

    def test_without_the_rights_there_are_none_and_the_address_is_forbidden(self, guest: Guest) -> None:
        reader = signed_in(staff_with("reader", Right.USERS_READ))
        assert buttons(reader, guest) == set()
        for deed in DEEDS:
            assert reader.get(address(deed, guest)).status_code == 403
            assert reader.post(address(deed, guest), GIVEN.get(deed, {})).status_code == 403
            assert bulk(reader, deed, guest, confirmed="1", **GIVEN.get(deed, {})).status_code == 403
        assert not Guest.objects.get().suspended
        assert set(AuditEvent.objects.values_list("status", flat=True)) == {403}

    @pytest.mark.parametrize(
        ("rights", "deed", "named"),
        [
            ((Right.USERS_READ,), "suspend", "USERS_UPDATE"),
            ((Right.USERS_READ, Right.USERS_UPDATE), "send_credentials", "SYSTEM_CREATE"),
            ((Right.USERS_UPDATE,), "suspend", "USERS_READ"),
        ],
    )
    def test_the_refusal_names_the_right(
        self, rights: tuple[Right, ...], deed: str, named: str, rf: RequestFactory
    ) -> None:
        request = rf.get("/")
        request.user = staff_with("clerk", *rights)
        with pytest.raises(PermissionDenied, match=named):
            demand(request, Right.USERS_READ_SPONSORED, *DEEDS[deed].needs)

    def test_who_may_change_and_not_send_has_the_other_buttons(self, guest: Guest) -> None:
        clerk = signed_in(staff_with("clerk", Right.USERS_READ, Right.USERS_UPDATE))
        assert "send_credentials" not in buttons(clerk, guest)
        assert "reset_password" in buttons(clerk, guest)

    def test_an_unknown_deed_or_guest_is_404(self, browser: Client, guest: Guest) -> None:
        assert browser.get(address("dance", guest)).status_code == 404
        assert browser.get(reverse("admin:guests_guest_deed", args=(10**6, "ban"))).status_code == 404


class TestOneGuest:
    @pytest.mark.parametrize("deed", sorted(set(DEEDS) - {"erase"}))
    def test_a_page_that_asks_changes_nothing(self, browser: Client, guest: Guest, deed: str) -> None:
        before = Guest.objects.values().get()
        assert browser.get(address(deed, guest)).status_code == 200
        assert Guest.objects.values().get() == before
        assert not AuditEvent.objects.exists()

    def test_a_guest_is_suspended_for_a_reason(self, browser: Client, guest: Guest) -> None:
        empty = browser.post(address("suspend", guest), {"reason": " "})
        assert "reason" in empty.context["form"].errors
        response = browser.post(address("suspend", guest), GIVEN["suspend"])
        assert response.headers["Location"] == page(Guest, "change", guest.pk)
        assert Guest.objects.get().suspended_why == "lost the badge"
        event = AuditEvent.objects.get(status=200)
        assert (event.action, event.object_id) == ("admin:guests_guest_suspend", "bob")
        assert event.request == {"reason": "lost the badge"}

    def test_what_the_domain_refuses_is_shown_and_written_down(self, browser: Client, guest: Guest) -> None:
        response = browser.post(address("reinstate", guest))
        assert "bob is not suspended." in response.content.decode()
        event = AuditEvent.objects.get(status=409)
        assert event.request == {"refused": "bob is not suspended."}

    def test_a_stay_is_extended_to_a_date_in_the_portals_zone(self, browser: Client, guest: Guest) -> None:
        until = timezone.localtime() + timedelta(days=3)
        given = {"duration": "1h", "valid_until": f"{until:%Y-%m-%dT%H:%M}"}
        assert browser.post(address("extend", guest), given).status_code == 302
        assert Guest.objects.get().valid_until == until.replace(second=0, microsecond=0)

    def test_what_cannot_be_undone_must_be_confirmed(self, browser: Client, guest: Guest) -> None:
        assert "sure" in browser.post(address("anonymise", guest)).context["form"].errors
        assert Guest.objects.get().username == "bob"
        browser.post(address("anonymise", guest), {"sure": "on"})
        assert Guest.objects.get().username != "bob"

    @pytest.mark.parametrize("deed", ["send_credentials", "reset_password"])
    def test_a_password_is_shown_once_and_kept_nowhere(self, browser: Client, guest: Guest, deed: str) -> None:
        response = browser.post(address(deed, guest), GIVEN.get(deed, {}))
        password = response.context["done"].password
        assert Guest.objects.get().check_password(password)
        assert f'<code id="password">{password}</code>' in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert password not in everything_stored()
        assert password not in str(dict(browser.session))
        assert password not in browser.get(page(Guest, "change", guest.pk)).content.decode()

    def test_credentials_go_through_the_gateway_that_was_chosen(self, browser: Client, guest: Guest) -> None:
        Gateway.objects.create(name="second", provider="sandbox")
        browser.post(address("send_credentials", guest), {"gateway": "second"})
        message = Message.objects.get()
        assert (message.gateway.name, message.recipient_label) == ("second", "bob")
        event = AuditEvent.objects.get()
        assert event.request == {"gateway": "second", "message_id": message.pk}

    def test_a_gateway_that_is_off_or_unknown_cannot_be_chosen(self, browser: Client, guest: Guest) -> None:
        Gateway.objects.create(name="off", provider="sandbox", enabled=False)
        for name in ("off", "nowhere"):
            response = browser.post(address("send_credentials", guest), {"gateway": name})
            assert "gateway" in response.context["form"].errors
        assert not Message.objects.exists()


class TestMany:
    def test_the_first_request_asks_and_names_the_guests(self, browser: Client, guest: Guest, phoneless: Guest) -> None:
        response = bulk(browser, "suspend", guest, phoneless)
        html = response.content.decode()
        assert "2 guests" in html
        assert "bob" in html
        assert not Guest.objects.filter(suspended=True).exists()

    def test_each_guest_is_done_to_and_written_down(self, browser: Client, guest: Guest, phoneless: Guest) -> None:
        stays.suspend(phoneless, why="earlier")
        response = bulk(browser, "suspend", guest, phoneless, confirmed="1", reason="lost the badge")
        assert response.context["done"] == 1
        assert [outcome.refused for outcome in response.context["refused"]] == ["eve is suspended already."]
        events = AuditEvent.objects.values_list("object_id", "status").order_by("object_id")
        assert list(events) == [("bob", 200), ("eve", 409)]

    def test_a_missing_reason_asks_again_about_the_same_guests(self, browser: Client, guest: Guest) -> None:
        response = bulk(browser, "ban", guest, confirmed="1", reason="")
        assert "reason" in response.context["form"].errors
        assert f'name="_selected_action" value="{guest.pk}"' in response.content.decode()
        assert not Guest.objects.get().banned

    def test_credentials_are_sent_with_one_report_that_shows_no_password(
        self, browser: Client, guest: Guest, phoneless: Guest
    ) -> None:
        response = bulk(browser, "send_credentials", guest, phoneless, confirmed="1", gateway="sandbox")
        assert response.context["done"] == 1
        assert [outcome.guest for outcome in response.context["refused"]] == [phoneless]
        password = str(Message.objects.get().text).rpartition(" ")[2]
        assert Guest.objects.get(username="bob").check_password(password)
        assert password not in response.content.decode()
        assert password not in everything_stored()

    def test_who_comes_into_the_list_after_it_was_looked_at_is_left_alone(self, browser: Client, guest: Guest) -> None:
        asked = bulk(browser, "ban", guest, select_across="1")
        assert (asked.context["across"], asked.context["chosen"]) == ("0", [guest.pk])
        accounts.create(username="late", by=None)
        form = {"confirmed": "1", "reason": "closing", "select_across": asked.context["across"]}
        bulk(browser, "ban", guest, **form)
        assert list(Guest.objects.filter(banned=True)) == [guest]

    def test_a_page_that_is_sent_twice_sends_credentials_once(self, browser: Client, guest: Guest) -> None:
        seen = str(bulk(browser, "send_credentials", guest).context["form"]["seen"].value())
        given = {"confirmed": "1", "gateway": "", "seen": seen}
        assert bulk(browser, "send_credentials", guest, **given).context["done"] == 1
        assert bulk(browser, "send_credentials", guest, **given).context["done"] == 0
        one = browser.post(address("send_credentials", guest), {"gateway": "", "seen": seen})
        assert "since this page was opened" in one.content.decode()
        assert Message.objects.count() == 1

    def test_a_password_is_reset_for_one_guest_at_a_time(self, browser: Client, guest: Guest) -> None:
        old = passwords.reset(guest)
        bulk(browser, "reset_password", guest, confirmed="1")
        assert Guest.objects.get().check_password(old)

    def test_all_pages_of_the_list_can_be_chosen_up_to_a_limit(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(60):
            accounts.create(username=f"g{number}", by=None)
        first = Guest.objects.first()
        assert first is not None
        asked = bulk(browser, "ban", first, select_across="1")
        assert asked.context["count"] == 60
        monkeypatch.setattr(credentials, "MOST_AT_ONCE", 59)
        refused = bulk(browser, "ban", first, select_across="1", confirmed="1", reason="closing")
        assert "59" in str(refused.context["form"].non_field_errors())
        assert not Guest.objects.filter(banned=True).exists()
        monkeypatch.undo()
        bulk(browser, "ban", first, select_across="1", confirmed="1", reason="closing")
        assert Guest.objects.filter(banned=True).count() == 60
