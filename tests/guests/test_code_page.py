"""`/guest/code/`: the code is typed, sent again, wrong, too late, or was never sent; and the link in the SMS."""

import logging
import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from guests import terms
from guests.models import (
    Code,
    CodeMessage,
    Guest,
    GuestType,
    LimitCount,
    Purpose,
    Registration,
    Scope,
    Sponsor,
    Stage,
)
from guests.registration import codes
from guests.views import visits
from messaging.models import Message, State
from messaging.retries import Kind
from tests.guests.lobby import (
    AGAIN,
    CODE,
    ENDED,
    ONLINE,
    PHONE,
    RESEND,
    WAITING,
    WELCOME,
    begin,
    browser,
    last_code,
    set_rules,
    text_of,
    wrong_code,
)

pytestmark = pytest.mark.usefixtures("sandbox")
NEWS = "/guest/code/news/"
RELOADS = '<noscript><meta http-equiv="refresh"'


@pytest.fixture(autouse=True)
def _no_captcha(db: None) -> None:
    set_rules()


def hand_over() -> None:
    """As a worker does."""
    Message.objects.update(state=State.SUBMITTED, submitted_at=timezone.now())


def let_time_pass(**span: float) -> None:
    """As if everything had been done so much earlier."""
    shift = timedelta(**span)
    Code.objects.update(created=F("created") - shift, expires_at=F("expires_at") - shift)
    CodeMessage.objects.update(at=F("at") - shift)


class TestThePage:
    @pytest.mark.parametrize("language", ["ru", "en"])
    def test_it_asks_for_the_code_in_the_way_phones_fill_in(self, language: str) -> None:
        client = browser(language)
        begin(client)
        answer = client.get(CODE)
        page = text_of(answer)
        assert f'<html lang="{language}">' in page
        assert 'inputmode="numeric" autocomplete="one-time-code"' in page
        assert "+7 916 123-45-67" in page
        assert "no-store" in answer["Cache-Control"]

    def test_it_has_no_script_and_no_style_inside(self) -> None:
        client = browser()
        begin(client)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text_of(client.get(CODE)))

    def test_without_scripts_it_loads_itself_again_while_the_sms_is_being_sent(self) -> None:
        client = browser()
        begin(client)
        assert RELOADS in text_of(client.get(CODE))
        hand_over()
        page = text_of(client.get(CODE))
        assert RELOADS not in page
        assert re.search(r"The SMS was sent at \d\d:\d\d\.", page)

    def test_it_does_not_where_something_was_wrong_or_it_takes_long(self) -> None:
        client = browser()
        begin(client)
        client.post(CODE, {"code": "x"})
        assert RELOADS not in text_of(client.get(CODE))
        let_time_pass(seconds=16)
        assert RELOADS not in text_of(client.get(CODE))

    @pytest.mark.usefixtures("no_time_passes")
    def test_the_part_that_changes_comes_alone_for_a_script(self) -> None:
        client = browser()
        begin(client)
        assert 'data-polls="1"' in text_of(client.get(NEWS))
        hand_over()
        page = text_of(client.get(NEWS))
        assert "<html" not in page
        assert 'data-polls="5"' in page
        assert 'data-again-in="60"' in page

    def test_an_sms_that_no_gateway_can_send_is_told_and_another_may_be_asked_for(self, sandbox: Gateway) -> None:
        client = browser()
        begin(client)
        sandbox.enabled = False
        sandbox.save()
        page = text_of(client.get(CODE))
        assert "SMS cannot be sent at the moment" in page
        assert "You can ask for another one" not in page.partition('class="soft" data-wait')[2].partition(">")[2]
        assert 'data-again-in="0"' in page

    @pytest.mark.usefixtures("known_csrf_token")
    def test_strangers_learn_nothing(self) -> None:
        begin(browser())
        for path in (CODE, ONLINE, WAITING, ENDED):
            page = text_of(browser().get(path))
            assert "Please begin again" in page
            assert "916" not in page
        assert browser().get(NEWS).status_code == 204

    @pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "ü", "../.."])
    def test_a_cookie_that_is_none_of_ours_is_nobodys(self, token: str) -> None:
        client = browser()
        client.cookies["portal_registration"] = token
        assert "Please begin again" in text_of(client.get(CODE))


class TestTyping:
    def test_the_right_code_lets_the_guest_in(self) -> None:
        client = browser()
        begin(client)
        answer = client.post(CODE, {"code": last_code()})
        assert (answer.status_code, answer["Location"]) == (303, ONLINE)
        assert Guest.objects.get().phone == PHONE

    def test_a_second_tap_and_another_tab_are_led_on_as_well(self) -> None:
        client = browser()
        begin(client)
        code = last_code()
        client.post(CODE, {"code": code})
        assert client.post(CODE, {"code": code})["Location"] == ONLINE
        assert client.get(CODE)["Location"] == ONLINE
        assert client.post(RESEND)["Location"] == ONLINE
        assert Message.objects.filter(kind=Kind.CODE).count() == 1

    def test_one_that_was_used_in_another_browser_is_good_no_more(self) -> None:
        client, other = browser(), browser()
        begin(client)
        begin(other)
        other.post(CODE, {"code": last_code()})
        page = text_of(client.get(CODE))
        assert "The code has expired. Ask for a new one." in page
        assert "The code is good until" not in page

    def test_a_wrong_one_is_told_on_a_page_that_may_be_loaded_again(self) -> None:
        client = browser()
        begin(client)
        answer = client.post(CODE, {"code": wrong_code()})
        assert (answer.status_code, answer["Location"]) == (303, CODE)
        page = text_of(client.get(CODE))
        assert "This code is wrong. You can try 4 more times." in page
        assert 'aria-invalid="true" aria-describedby="id_code_error"' in page
        assert "This code is wrong" not in text_of(client.get(CODE))
        assert Registration.objects.get().tries == 1

    def test_five_wrong_ones_end_it_and_it_may_be_begun_anew(self) -> None:
        client = browser()
        begin(client)
        wrong = wrong_code()
        places = [client.post(CODE, {"code": wrong})["Location"] for _try in range(5)]
        assert places == [CODE] * 4 + [ENDED]
        page = text_of(client.get(ENDED))
        assert "too many wrong codes" in page
        assert f'href="{AGAIN}"' in page
        assert begin(client)["Location"] == CODE

    def test_expired_is_told_apart_from_wrong(self) -> None:
        client = browser()
        begin(client)
        let_time_pass(minutes=11)
        client.post(CODE, {"code": last_code()})
        assert "This code has expired" in text_of(client.get(CODE))

    @pytest.mark.parametrize("typed", ["", "abc", "1" * 5000, "\x00", "😀"])
    def test_what_is_no_code_is_told_and_costs_nothing(self, typed: str) -> None:
        client = browser()
        begin(client)
        client.post(CODE, {"code": typed})
        assert "Type the digits of the code" in text_of(client.get(CODE))
        assert Registration.objects.get().tries == 0

    def test_whoever_needs_approval_waits_and_reads_so(self) -> None:
        GuestType.objects.update(needs_approval=True)
        sponsor = Sponsor.objects.create(name="Olga Ivanova", email="olga@example.org")
        client = browser()
        begin(client, sponsor=str(sponsor.pk))
        assert client.post(CODE, {"code": last_code()})["Location"] == WAITING
        page = text_of(client.get(WAITING))
        assert "You may close this page" in page
        assert WAITING in text_of(client.get(WELCOME))

    def test_whoever_is_banned_reads_why(self) -> None:
        Guest.objects.create(username="79161234567", phone=PHONE, banned=True)
        client = browser()
        begin(client)
        assert client.post(CODE, {"code": last_code()})["Location"] == ENDED
        assert "Your access is blocked" in text_of(client.get(ENDED))

    def test_whoever_came_for_the_own_access_is_let_in_there(self, guest: Guest) -> None:
        client = browser()
        begin(client)
        Registration.objects.update(purpose=Purpose.ACCESS)
        answer = client.post(CODE, {"code": last_code()})
        assert answer["Location"] == "/guest/access/"
        assert client.cookies[visits.COOKIE]["httponly"]

    def test_and_by_the_same_code_some_time_later_no_more(self, guest: Guest) -> None:
        client = browser()
        begin(client)
        Registration.objects.update(purpose=Purpose.ACCESS)
        code = last_code()
        client.post(CODE, {"code": code})
        del client.cookies[visits.COOKIE]
        Registration.objects.update(finished_at=timezone.now() - timedelta(minutes=2))
        client.post(CODE, {"code": code})
        assert visits.COOKIE not in client.cookies

    def test_whoever_has_no_access_reads_so_and_not_before(self) -> None:
        client = browser()
        begin(client)
        Registration.objects.update(purpose=Purpose.ACCESS)
        assert client.post(CODE, {"code": last_code()})["Location"] == ENDED
        assert "Nobody is registered with this number" in text_of(client.get(ENDED))


class TestSendingAgain:
    def test_too_early_is_a_friendly_refusal(self) -> None:
        client = browser()
        begin(client)
        hand_over()
        assert client.post(RESEND)["Location"] == CODE
        page = text_of(client.get(CODE))
        assert "The code was sent a moment ago" in page
        assert "You can try again at" in page
        assert Message.objects.count() == 1

    def test_in_time_the_same_code_goes_out_once_more(self) -> None:
        client = browser()
        begin(client)
        code = last_code()
        let_time_pass(seconds=61)
        client.post(RESEND)
        assert Message.objects.count() == 2
        assert last_code() == code

    @pytest.mark.parametrize("passed", ["", "?mac=02-00-5e-10-00-01"])
    def test_it_counts_for_the_same_device_as_the_first(self, passed: str) -> None:
        client = browser()
        begin(client, path=f"{WELCOME}{passed}")
        let_time_pass(seconds=61)
        client.post(RESEND)
        assert list(LimitCount.objects.filter(scope=Scope.DEVICE, minutes=60).values_list("count", flat=True)) == [2]

    def test_it_is_not_asked_for_by_a_link(self) -> None:
        client = browser()
        begin(client)
        let_time_pass(seconds=61)
        assert client.get(RESEND)["Location"] == CODE
        assert Message.objects.count() == 1


class TestTheLink:
    @pytest.fixture(autouse=True)
    def _links(self, settings: Settings) -> None:
        settings.PORTAL_URL = "https://wifi.example.org"
        set_rules(resume_links=True)

    def link(self) -> str:
        text = Message.objects.filter(kind=Kind.CODE).latest("pk").text or ""
        found = re.search(r"https://wifi\.example\.org(/r/\S+)", text)
        assert found, text
        return found[1]

    def test_another_browser_goes_on_with_the_same_code(self) -> None:
        begin(browser())
        other = browser()
        assert other.get(self.link())["Location"] == CODE
        assert other.post(CODE, {"code": last_code()})["Location"] == ONLINE
        assert Message.objects.filter(kind=Kind.CODE).count() == 1

    def test_the_same_browser_goes_on_with_what_it_had(self) -> None:
        client = browser()
        begin(client)
        assert client.get(self.link())["Location"] == CODE
        assert Registration.objects.count() == 1

    def test_whoever_opens_it_accepts_the_terms_anew(self) -> None:
        agreed = terms.draft("en", "Be kind.")
        terms.publish(agreed)
        begin(browser(), accepted=str(agreed.pk))
        other = browser()
        other.get(self.link())
        assert 'name="accepted"' in text_of(other.get(CODE))
        other.post(CODE, {"code": last_code()})
        assert 'href="#id_accepted"' in text_of(other.get(CODE))
        assert other.post(CODE, {"code": last_code(), "accepted": str(agreed.pk)})["Location"] == ONLINE

    @pytest.mark.parametrize("path", ["/r/x", "/r/" + "x" * 3000, "/r/%00"])
    def test_one_that_is_good_no_more_says_so(self, path: str) -> None:
        assert "This link is good no more" in text_of(browser().get(path))

    def test_after_ten_minutes_it_is_good_no_more_whatever_code_the_phone_has_then(self) -> None:
        begin(browser())
        link = self.link()
        let_time_pass(minutes=11)
        assert "This link is good no more" in text_of(browser().get(link))
        begin(browser())
        assert "This link is good no more" in text_of(browser().get(link))

    def test_opened_time_and_again_it_fills_no_table(self) -> None:
        begin(browser())
        for _time in range(codes.BROWSERS + 3):
            browser().get(self.link())
        assert Registration.objects.count() == codes.BROWSERS

    @pytest.mark.parametrize(("address", "mac"), [("127.0.0.1", "02:00:5e:10:00:01"), ("198.51.100.7", "")])
    def test_the_device_comes_along_from_the_same_place_only(self, address: str, mac: str) -> None:
        begin(browser(), path=f"{WELCOME}?mac=02-00-5e-10-00-01")
        browser(REMOTE_ADDR=address).get(self.link())
        assert Registration.objects.first().mac == mac  # type: ignore[union-attr]


def test_no_token_stands_in_an_address_or_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = browser()
    answers = [begin(client), client.post(CODE, {"code": "1"}), client.post(CODE, {"code": last_code()})]
    token = client.cookies["portal_registration"].value
    pages = "".join(text_of(client.get(path)) for path in (WELCOME, ONLINE))
    said = caplog.text + pages + "".join(answer["Location"] for answer in answers)
    assert token not in said
    assert client.cookies["portal_device"].value not in said
    assert Registration.objects.get().stage == Stage.DONE
