"""`/guest/online/`: the password is shown once, and the browser logs in at the network where it can."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from gateways.models import Gateway
from guests import passwords
from guests.models import Guest, Registration
from guests.registration import showing
from messaging.models import Message
from messaging.retries import Kind
from tests.guests.lobby import CODE, ONLINE, PHONE, begin, browser, last_code, set_rules, text_of

pytestmark = pytest.mark.usefixtures("sandbox")
MIKROTIK = (
    "/guest/?mac=02:00:5e:10:00:01&link-login-only=http://10.5.50.1/login&link-orig=http://example.org/&hotspot=x"
)

LONG_AGO = timezone.now() - timedelta(days=9)


@pytest.fixture(autouse=True)
def _no_captcha(db: None) -> None:
    set_rules()


def let_in(path: str = "/guest/") -> Client:
    """Somebody who has just typed the code."""
    client = browser()
    client.get(path)
    client.post(path, {"phone": PHONE})
    client.post(CODE, {"code": last_code()})
    return client


def password() -> str:
    found = Registration.objects.get().password
    assert found
    return str(found)


def shown(minutes_ago: float) -> None:
    """As if it had been shown so long ago."""
    Registration.objects.update(password_shown_at=timezone.now() - timedelta(minutes=minutes_ago))


class TestThePassword:
    def test_it_is_shown_with_the_user_name_and_the_end(self) -> None:
        client, known = let_in(), password()
        answer = client.get(ONLINE)
        page = text_of(answer)
        assert known in page
        assert "79161234567" in page
        assert "no-store" in answer["Cache-Control"]

    def test_loaded_again_within_a_minute_it_is_shown_again(self) -> None:
        client, known = let_in(), password()
        client.get(ONLINE)
        assert known in text_of(client.get(ONLINE))

    def test_one_that_is_good_no_more_is_not(self) -> None:
        client, known = let_in(), password()
        passwords.reset(Guest.objects.get())
        page = text_of(client.get(ONLINE))
        assert known not in page
        assert "Under “My access” you can make a new one." in page

    def test_nor_in_a_browser_that_registered_before_another_one(self) -> None:
        first, former = let_in(), password()
        Registration.objects.update(created=LONG_AGO)
        let_in()
        assert former not in text_of(first.get(ONLINE))

    def test_later_it_is_not_and_the_page_says_where_it_is(self) -> None:
        client, known = let_in(), password()
        client.get(ONLINE)
        shown(minutes_ago=1.1)
        page = text_of(client.get(ONLINE))
        assert known not in page
        assert "it is in the SMS as well" in page
        assert "My access" in page

    def test_without_an_sms_the_page_does_not_speak_of_one(self) -> None:
        set_rules(sends_credentials=False)
        client = let_in()
        client.get(ONLINE)
        shown(minutes_ago=2)
        page = text_of(client.get(ONLINE))
        assert "in the SMS" not in page
        assert "The password was shown once" in page
        assert not Message.objects.filter(kind=Kind.CREDENTIALS).exists()

    def test_housekeeping_wipes_what_was_shown_and_what_nobody_came_to_see(self) -> None:
        client = let_in()
        assert showing.wipe_shown() == 0
        client.get(ONLINE)
        assert showing.wipe_shown() == 0
        shown(minutes_ago=1.1)
        assert showing.wipe_shown() == 1
        Registration.objects.update(password="x", password_shown_at=None)
        assert showing.wipe_shown() == 0
        Registration.objects.update(finished_at=timezone.now() - timedelta(days=1, minutes=1))
        assert showing.wipe_shown() == 1
        assert Registration.objects.get().password is None

    def test_it_is_kept_encrypted(self) -> None:
        let_in()
        with connection.cursor() as cursor:
            cursor.execute("SELECT password FROM guests_registration")
            assert password() not in str(cursor.fetchone())

    def test_another_browser_sees_nothing(self) -> None:
        let_in()
        page = text_of(browser().get(ONLINE))
        assert password() not in page


class TestTheNetwork:
    def test_its_log_in_is_filled_in_where_its_host_is_on_the_list(self) -> None:
        set_rules(redirect_hosts=["10.5.50.1", "example.org"])
        client, known = let_in(MIKROTIK), password()
        answer = client.get(ONLINE)
        page = text_of(answer)
        assert 'action="http://10.5.50.1/login"' in page
        assert f'name="password" value="{known}"' in page
        assert "form-action 'self' http://10.5.50.1" in answer["Content-Security-Policy"]

    def test_to_any_other_host_nothing_is_sent(self) -> None:
        set_rules(redirect_hosts=["example.org"])
        answer = let_in(MIKROTIK).get(ONLINE)
        page = text_of(answer)
        assert "10.5.50.1" not in page + answer["Content-Security-Policy"]

    def test_once_the_password_is_gone_there_is_no_log_in(self) -> None:
        set_rules(redirect_hosts=["10.5.50.1"])
        client = let_in(MIKROTIK)
        client.get(ONLINE)
        shown(minutes_ago=2)
        assert "10.5.50.1/login" not in text_of(client.get(ONLINE))


def test_a_page_is_shown_with_a_constant_number_of_queries(django_assert_max_num_queries: Any) -> None:
    client = browser()
    with django_assert_max_num_queries(8):
        client.get("/guest/")
    begin(client)
    with django_assert_max_num_queries(16):
        client.get(CODE)


class TestWhoIsOutAgain:
    @pytest.mark.parametrize(
        ("values", "sentence", "may_begin"),
        [
            ({"valid_from": LONG_AGO, "valid_until": LONG_AGO + timedelta(days=1)}, "Your access has ended.", True),
            ({"suspended": True}, "Your access is suspended. Please ask at the reception.", False),
            ({"anonymised_at": timezone.now()}, "Your access was erased.", True),
        ],
    )
    def test_nobody_is_told_to_be_on_line_who_is_not(
        self, values: dict[str, Any], sentence: str, may_begin: bool
    ) -> None:
        client = let_in()
        Guest.objects.update(**values)
        page = text_of(client.get(ONLINE))
        assert sentence in page
        assert "You are on line no more" in page
        assert ("Register again" in page) is may_begin
        assert Guest.objects.get().username not in page
        assert "You are registered as" not in text_of(client.get("/guest/"))


class TestTheSms:
    NEWS = "/guest/online/news/"

    def test_it_is_told_while_the_page_is_open(self) -> None:
        client = let_in()
        assert 'data-polls="1"' in client.get(ONLINE).content.decode()
        assert "The SMS is being sent." in text_of(client.get(self.NEWS))
        Message.objects.filter(kind=Kind.CREDENTIALS).update(state="delivered", finished_at=timezone.now())
        answer = client.get(self.NEWS)
        assert "The SMS arrived at" in text_of(answer)
        assert 'data-polls="0"' in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]

    def test_one_that_failed_stands_out(self) -> None:
        client = let_in()
        Message.objects.filter(kind=Kind.CREDENTIALS).update(state="failed", finished_at=timezone.now())
        assert '<span role="status" class="bad">' in client.get(self.NEWS).content.decode()
        client.get(ONLINE)
        shown(minutes_ago=2)
        page = text_of(client.get(ONLINE))
        assert "The SMS could not be sent." in page
        assert "in the SMS as well" not in page

    def test_one_that_no_gateway_can_send_now_is_asked_about_again(self) -> None:
        client = let_in()
        Gateway.objects.update(enabled=False)
        answer = client.get(self.NEWS)
        assert "it follows as soon as it can" in text_of(answer)
        assert 'data-polls="5"' in answer.content.decode()

    def test_the_news_hold_no_password_and_do_not_use_it_up(self) -> None:
        client, known = let_in(), password()
        assert known not in client.get(self.NEWS).content.decode()
        assert known in text_of(client.get(ONLINE))

    def test_there_is_nothing_to_come_long_after(self) -> None:
        client = let_in()
        Registration.objects.update(finished_at=LONG_AGO)
        assert 'data-polls="0"' in client.get(self.NEWS).content.decode()

    def test_a_stranger_is_told_nothing(self) -> None:
        let_in()
        answer = browser().get(self.NEWS)
        assert (answer.status_code, answer.content) == (204, b"")

    def test_where_none_is_sent_there_is_nothing_to_tell(self) -> None:
        set_rules(sends_credentials=False)
        assert let_in().get(self.NEWS).status_code == 204
