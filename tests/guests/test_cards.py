"""Printable cards: what stands on them, for whom there are none, and where their passwords are not."""

import logging
import re

import pytest
import segno
from django.test import Client
from django.urls import reverse

from guests import accounts, cards, stays
from guests.models import Guest
from portal.errors import Refusal
from portal.models import AuditEvent, User
from portal.permissions import Right
from portal.sign_in import sessions
from tests.conftest import PASSWORD
from tests.guests.test_user_password import everything_stored
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(receptionist: User) -> Client:
    """The receptionist's, in English."""
    client = signed_in(receptionist)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def address(guest: Guest) -> str:
    """The page that asks for one card."""
    return reverse("admin:guests_guest_card", args=(guest.pk,))


def dark(svg: str) -> str:
    """The path of a QR code."""
    found = re.search(r' d="([^"]+)"', svg)
    assert found
    return found[1]


def expected(text: str) -> str:
    """The path that segno draws for this text."""
    return dark(segno.make(text, micro=False, error="m").svg_inline())


class TestCode:
    @pytest.mark.parametrize(
        ("ssid", "text"),
        [
            ("Guests", "WIFI:T:nopass;S:Guests;;"),
            ('a;b,c:d\\e"f', 'WIFI:T:nopass;S:a\\;b\\,c\\:d\\\\e\\"f;;'),
            ("Гости", "WIFI:T:nopass;S:Гости;;"),
        ],
    )
    def test_it_joins_the_network(self, guest: Guest, ssid: str, text: str) -> None:
        assert cards.wifi(ssid) == text
        deck = cards.make([guest], new_passwords=False, ssid=ssid, address="https://example.org/")
        assert dark(deck.cards[0].qr) == expected(text)

    def test_it_leads_to_the_address_or_is_the_user_name(self, guest: Guest) -> None:
        for where, text in (("https://example.org/in", "https://example.org/in"), ("", "bob")):
            deck = cards.make([guest], new_passwords=False, address=where)
            assert dark(deck.cards[0].qr) == expected(text)

    def test_it_has_no_style_and_no_script(self) -> None:
        svg = cards.qr_svg("bob")
        assert svg.startswith("<svg")
        assert not re.search(r"style|script|on\w+=", svg)

    def test_a_network_has_a_name_that_fits(self, guest: Guest) -> None:
        with pytest.raises(Refusal) as refused:
            cards.make([guest], new_passwords=True, ssid="Ж" * 17)
        assert refused.value.field == "ssid"
        assert not Guest.objects.get().has_password


class TestPasswords:
    def test_new_ones_are_on_the_cards_and_nowhere_else(
        self, browser: Client, guest: Guest, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        response = browser.post(address(guest), {"new_passwords": "on"})
        (card,) = response.context["deck"].cards
        assert Guest.objects.get().check_password(card.password)
        assert card.password in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert card.password not in everything_stored() + caplog.text + repr(response.context["deck"])
        events = AuditEvent.objects.order_by("pk").values_list("action", "object_id", "request")
        assert list(events) == [
            ("admin:guests_guest_print_password", "bob", {}),
            ("admin:guests_guest_print_cards", "", {"cards": 1, "left_out": 0, "renewed": True}),
        ]

    def test_without_new_ones_the_old_one_holds(self, browser: Client, guest: Guest) -> None:
        accounts.write(guest, password="kept")
        response = browser.post(address(guest), {})
        assert "bob" in response.content.decode()
        assert ">Password<" not in response.content.decode()
        assert Guest.objects.get().password == "kept"

    def test_new_ones_are_confirmed_first(self, browser: Client, guest: Guest) -> None:
        session = browser.session
        session[sessions.CONFIRMED] = 0
        session.save()
        response = browser.post(address(guest), {"new_passwords": "on"})
        assert not Guest.objects.get().has_password
        sealed = {"_submitted": response.context["sealed"], "confirm-password": PASSWORD}
        assert browser.post(address(guest), sealed).context["deck"].cards[0].password

    def test_new_ones_need_the_right_to_change_guests(self, guest: Guest) -> None:
        reader = signed_in(staff_with("reader", Right.USERS_READ))
        response = reader.post(address(guest), {"new_passwords": "on"})
        assert not response.context["deck"].has_passwords
        assert not Guest.objects.get().has_password


class TestMany:
    def bulk(self, client: Client, *guests: Guest, **given: str) -> str:
        chosen = {"action": "print_cards", "_selected_action": [guest.pk for guest in guests], **given}
        return client.post(page(Guest, "changelist"), chosen).content.decode()

    def test_the_first_request_asks_and_the_second_prints_eight_a_page(self, browser: Client) -> None:
        guests = [accounts.create(username=f"guest{number}", by=None) for number in range(9)]
        assert 'name="ssid"' in self.bulk(browser, *guests)
        html = self.bulk(browser, *guests, confirmed="1", new_passwords="on")
        assert (html.count('<section class="card-page"'), html.count('<article class="card"')) == (2, 9)
        assert Guest.objects.exclude(password="").count() == 9

    def test_who_is_kept_out_gets_no_card_and_is_named(self, browser: Client, guest: Guest, phoneless: Guest) -> None:
        gone = accounts.create(username="gone", by=None)
        stays.suspend(guest, why="lost")
        stays.ban(phoneless, why="sold")
        stays.anonymise(gone)
        well = accounts.create(username="well", by=None)
        html = self.bulk(browser, guest, phoneless, gone, well, confirmed="1", new_passwords="on")
        assert html.count('<article class="card"') == 1
        assert "bob is suspended." in html
        assert "eve is banned." in html
        assert "is anonymous." in html
        assert list(Guest.objects.exclude(password="").values_list("username", flat=True)) == ["well"]
        assert address(guest) not in browser.get(page(Guest, "change", guest.pk)).content.decode()

    def test_there_are_so_many_at_once_and_no_more(
        self, browser: Client, guest: Guest, phoneless: Guest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cards, "MOST_CARDS", 1)
        assert "Choose 1 guests at most; these are 2." in self.bulk(browser, guest, phoneless, confirmed="1")

    def test_a_card_speaks_its_guests_language(self, browser: Client, guest: Guest) -> None:
        accounts.write(guest, language="ru")
        html = self.bulk(browser, guest, confirmed="1", new_passwords="on")
        assert '<article class="card" lang="ru">' in html
        assert "<dt>Пароль</dt>" in html

    def test_what_guests_are_called_is_no_markup(self, browser: Client, guest: Guest) -> None:
        accounts.write(guest, first_name="<script>alert(1)</script>")
        assert "<script>alert" not in self.bulk(browser, guest, confirmed="1")


def test_who_sees_own_guests_only_prints_no_others(sponsor: User, own: Guest, foreign: Guest) -> None:
    client = signed_in(sponsor)
    assert client.post(address(own), {}).context["deck"].cards
    assert client.get(address(foreign)).status_code == 404
    assert signed_in(staff_with("clerk", Right.USERS_CREATE)).get(address(own)).status_code == 403
