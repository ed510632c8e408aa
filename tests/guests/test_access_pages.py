"""*My access* in a browser without scripts: the ways in, what is there, and what each form does."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateways.models import Gateway
from guests import accounts, passwords, rules, stays
from guests.models import Code, Device, Guest, GuestType, Registration
from guests.views import visits
from messaging.models import Message
from messaging.retries import Kind
from portal.models import AuditEvent
from tests.guests.test_registration import code_in

PHONE = "+79161234567"
RIGHT = "kofe-luna-karta"
ACCESS = "/guest/access/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def day_type(db: None) -> GuestType:
    return GuestType.objects.create(name="Day", longest_stay=timedelta(days=3), may_extend=True)


@pytest.fixture
def staying(day_type: GuestType) -> Guest:
    """An hour of the day is left; has a device and a password."""
    end = timezone.now() + timedelta(hours=1)
    guest = accounts.create(
        username="bob",
        by=None,
        phone=PHONE,
        email="bob@example.org",
        guest_type=day_type,
        valid_from=end - timedelta(days=1),
        valid_until=end,
        password_hash=passwords.hash_password(RIGHT),
    )
    Device.objects.create(guest=guest, mac="02:00:00:00:00:01", ssid="Lobby")
    return guest


@pytest.fixture
def browser(db: None) -> Client:
    """Reads English; a robot need not prove anything here."""
    chosen = rules.current()
    chosen.captcha = False
    chosen.save()
    return Client(HTTP_ACCEPT_LANGUAGE="en")


@pytest.fixture
def inside(browser: Client, staying: Guest) -> Client:
    """The browser of somebody who came in."""
    enter(browser)
    return browser


def enter(browser: Client, password: str = RIGHT, username: str = "bob") -> Any:
    return browser.post(ACCESS, {"by_password": "1", "username": username, "password": password})


def text(answer: Any) -> str:
    return str(answer.content.decode())


class TestTheWaysIn:
    def test_both_are_on_one_page_that_nobody_stores(self, browser: Client) -> None:
        answer = browser.get(ACCESS)
        assert 'name="phone"' in text(answer)
        assert 'autocomplete="current-password"' in text(answer)
        assert "no-store" in answer["Cache-Control"]

    def test_by_user_name_and_password(self, browser: Client, staying: Guest) -> None:
        answer = enter(browser)
        assert (answer.status_code, answer["Location"]) == (303, ACCESS)
        page = text(browser.get(ACCESS))
        assert "bob" in page
        assert "You may be on line." in page

    def test_by_phone_and_code(self, browser: Client, staying: Guest, sandbox: Gateway) -> None:
        answer = browser.post(ACCESS, {"by_phone": "1", "phone": "8 916 123-45-67"})
        assert answer["Location"] == reverse("guest_code")
        code = code_in(Message.objects.get())
        answer = browser.post(reverse("guest_code"), {"code": code})
        assert answer["Location"] == ACCESS
        assert not Message.objects.filter(kind=Kind.CREDENTIALS).exists()

    def test_a_form_that_is_sent_twice_sends_one_code(self, browser: Client, staying: Guest, sandbox: Gateway) -> None:
        browser.get(ACCESS)
        for _tap in range(2):
            assert browser.post(ACCESS, {"by_phone": "1", "phone": PHONE}).status_code == 303
        assert Message.objects.count() == Registration.objects.count() == 1

    def test_the_captcha_is_asked_for_where_the_rules_say_so(self, browser: Client, sandbox: Gateway) -> None:
        chosen = rules.current()
        chosen.captcha = True
        chosen.save()
        answer = browser.post(ACCESS, {"by_phone": "1", "phone": PHONE})
        assert answer.status_code == 200
        assert not Code.objects.exists()

    def test_what_is_wrong_is_said_and_what_was_typed_is_kept(self, browser: Client, staying: Guest) -> None:
        page = text(enter(browser, "wrong"))
        assert "The user name or the password is wrong." in page
        assert 'value="bob"' in page
        assert "wrong" not in page.replace("password is wrong", "").replace('class="wrong"', "")
        assert "not a phone number" in text(browser.post(ACCESS, {"by_phone": "1", "phone": "12345"}))

    def test_who_is_held_back_reads_until_when(self, browser: Client, staying: Guest) -> None:
        for _try in range(5):
            enter(browser, "wrong")
        page = text(enter(browser))
        assert "too many wrong passwords" in page
        assert "You can try again at" in page

    @pytest.mark.parametrize("name", ["extend", "password", "data", "erase"])
    def test_without_a_visit_every_page_leads_here(self, browser: Client, name: str) -> None:
        post = name in {"extend", "password"}
        address = reverse(f"guest_access_{name}")
        answer = browser.post(address) if post else browser.get(address)
        assert (answer.status_code, answer["Location"]) == (303, ACCESS)

    def test_a_visit_that_has_ended_says_so_once(self, inside: Client, staying: Guest) -> None:
        passwords.reset(staying)
        assert "You were here before" in text(inside.get(ACCESS))
        assert "You were here before" not in text(inside.get(ACCESS))


class TestWhatIsThere:
    def test_status_end_devices_and_deeds(self, inside: Client, staying: Guest) -> None:
        page = text(inside.get(ACCESS))
        for part in ("+7 916", "02:00:00:00:00:01", "Lobby", "Time left", "Extend until", "Make a new password"):
            assert part in page

    @pytest.mark.parametrize(
        ("state", "sentence"),
        [
            ("suspended", "Your access is suspended."),
            ("over", "Your access has ended."),
            ("later", "has not begun yet"),
        ],
    )
    def test_the_state_in_plain_words(self, inside: Client, staying: Guest, state: str, sentence: str) -> None:
        now = timezone.now()
        match state:
            case "suspended":
                stays.suspend(staying, why="noise")
            case "over":
                Guest.objects.update(valid_until=now - timedelta(days=5), valid_from=now - timedelta(days=9))
            case "later":
                Guest.objects.update(valid_from=now + timedelta(days=1), valid_until=now + timedelta(days=2))
        page = text(inside.get(ACCESS))
        assert sentence in page
        assert "Extend until" not in page
        assert ("Register again" in page) == (state == "over")

    def test_it_is_in_the_readers_language(self, inside: Client) -> None:
        assert '<html lang="ru">' in text(inside.get(ACCESS, headers={"accept-language": "ru"}))

    def test_looking_writes_nothing(self, inside: Client, django_assert_num_queries: Any) -> None:
        inside.get(ACCESS)
        with django_assert_num_queries(4) as seen:
            inside.get(ACCESS)
        assert all(query["sql"].startswith("SELECT") for query in seen.captured_queries)


class TestDeeds:
    def test_extending_once_however_often_it_is_pressed(self, inside: Client, staying: Guest) -> None:
        end = staying.valid_until
        for _tap in range(2):
            answer = inside.post(reverse("guest_access_extend"), {"ends": end.isoformat()})
            assert answer["Location"] == ACCESS
        staying.refresh_from_db()
        assert staying.valid_until == end + timedelta(days=1)
        page = text(inside.get(ACCESS))
        assert "Your stay was extended." in page
        assert "The end of your stay was moved already." in page
        assert AuditEvent.objects.filter(action="guests:extend", object_id="bob").count() == 1

    def test_a_new_password_is_shown_once_and_ends_other_visits(
        self, inside: Client, staying: Guest, sandbox: Gateway
    ) -> None:
        other = Client()
        enter(other)
        answer = inside.post(reverse("guest_access_password"), {"seen": "0"})
        assert "no-store" in answer["Cache-Control"]
        staying.refresh_from_db()
        new = (Message.objects.get(kind=Kind.CREDENTIALS).text or "").split()[-1]
        assert staying.check_password(new)
        assert new in text(answer)
        assert "The same is sent to your phone." in text(answer)
        assert "Make a new password" in text(inside.get(ACCESS))
        assert "Make a new password" not in text(other.get(ACCESS))
        again = inside.post(reverse("guest_access_password"), {"seen": "0"})
        assert again["Location"] == ACCESS
        assert "A new password was made already" in text(inside.get(ACCESS))
        assert new not in json.dumps(list(AuditEvent.objects.values("request", "path")))

    def test_a_device_is_removed_and_nobody_elses(self, inside: Client, staying: Guest, phoneless: Guest) -> None:
        foreign = Device.objects.create(guest=phoneless, mac="02:00:00:00:00:02")
        for device in Device.objects.all():
            inside.post(reverse("guest_access_device", args=[device.pk]))
        assert Device.objects.get() == foreign

    def test_the_own_data_come_as_a_file(self, inside: Client) -> None:
        answer = inside.get(reverse("guest_access_data"))
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer.json()["account"]["email"] == "bob@example.org"
        assert "no-store" in answer["Cache-Control"]

    def test_erasing_is_confirmed_first(self, inside: Client, staying: Guest) -> None:
        address = reverse("guest_access_erase")
        assert "cannot be undone" in text(inside.get(address))
        assert "Please confirm" in text(inside.post(address))
        assert not Guest.objects.exclude(anonymised_at=None).exists()
        answer = inside.post(address, {"sure": "on"})
        assert answer["Location"] == ACCESS
        staying.refresh_from_db()
        assert staying.anonymised_at
        assert "Your data was erased." in text(inside.get(ACCESS))
        assert PHONE.lstrip("+") not in json.dumps(list(AuditEvent.objects.values("object_id", "request")))

    def test_who_is_suspended_cannot_erase(self, inside: Client, staying: Guest) -> None:
        stays.suspend(staying, why="noise")
        assert "suspended" in text(inside.post(reverse("guest_access_erase"), {"sure": "on"}))

    def test_leaving_ends_the_visit(self, inside: Client) -> None:
        inside.post(reverse("guest_access_leave"))
        assert visits.COOKIE not in inside.cookies or not inside.cookies[visits.COOKIE].value
        assert "Come in" in text(inside.get(ACCESS))

    @pytest.mark.parametrize("name", ["extend", "password", "leave"])
    def test_nothing_happens_by_looking(self, inside: Client, name: str) -> None:
        assert inside.get(reverse(f"guest_access_{name}")).status_code == 405

    @pytest.mark.parametrize("name", ["extend", "password", "erase", "leave"])
    def test_nothing_happens_by_a_form_of_another_site(self, staying: Guest, name: str) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(reverse(f"guest_access_{name}"), {"sure": "on"}).status_code == 403

    @pytest.mark.parametrize("ends", ["", "x", "2026-01-01", "9" * 400])
    def test_a_form_that_makes_no_sense_breaks_nothing(self, inside: Client, ends: str) -> None:
        assert inside.post(reverse("guest_access_extend"), {"ends": ends}).status_code == 303
        assert inside.post(reverse("guest_access_password"), {"seen": ends}).status_code in {200, 303}
