"""`/guest/`: what guests are asked, what is wrong with an answer, and what a second tap or a step back does."""

import base64
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Event
from typing import Any

import altcha
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from guests import registration, terms
from guests.captcha import proofs
from guests.limits import brake
from guests.models import Asked, Brake, Guest, GuestType, LimitCount, Registration, Sponsor
from guests.views import taps
from messaging.models import Message, MessageTemplate
from messaging.retries import Kind
from tests.guests.lobby import AGAIN, CODE, PHONE, WELCOME, begin, browser, set_rules, text_of

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture(autouse=True)
def _no_captcha(db: None) -> None:
    set_rules()


def proof() -> str:
    """The work of an honest browser."""
    task = proofs.challenge()
    solution = altcha.solve_challenge(task["challenge"], task["salt"], task["algorithm"], task["maxNumber"], 0)
    assert solution
    solved = {name: task[name] for name in ("algorithm", "challenge", "salt", "signature")} | {
        "number": solution.number, "took": 1,
    }  # fmt: skip
    return base64.b64encode(json.dumps(solved).encode()).decode()


class TestThePage:
    @pytest.mark.parametrize("language", ["ru", "en"])
    def test_it_is_in_the_readers_language_and_kept_by_nobody(self, language: str) -> None:
        answer = browser(language).get(WELCOME)
        assert f'<html lang="{language}">' in text_of(answer)
        assert "no-store" in answer["Cache-Control"]

    def test_it_has_no_script_and_no_style_inside(self) -> None:
        set_rules(captcha=True)
        page = text_of(browser().get(WELCOME))
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)

    def test_the_front_door_leads_here_with_what_the_network_passes(self, db: None) -> None:
        answer = browser().get("/?mac=02:00:5e:10:00:01&ssid=Lobby")
        assert answer["Location"] == "/guest/?mac=02:00:5e:10:00:01&ssid=Lobby"

    def test_it_asks_what_the_rules_say(self) -> None:
        set_rules(ask_name=Asked.REQUIRED, ask_email=Asked.OPTIONAL, ask_company=Asked.NO)
        page = text_of(browser().get(WELCOME))
        assert 'name="name"' in page
        assert 'name="email"' in page
        assert 'name="company"' not in page
        assert 'type="tel"' in page
        assert 'autocomplete="tel"' in page

    def test_it_says_so_where_registration_is_closed(self) -> None:
        set_rules(is_open=False)
        page = text_of(browser().get(WELCOME))
        assert "Registration is closed" in page
        assert 'name="phone"' not in page

    def test_its_cookies_are_for_this_site_alone(self) -> None:
        client = browser()
        begin(client)
        for name in ("portal_device", "portal_registration"):
            cookie = client.cookies[name]
            assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", ""), name

    def test_over_https_they_are_secure(self, settings: Settings) -> None:
        settings.HTTPS = True
        client = browser()
        client.get(WELCOME)
        assert client.cookies["portal_device"]["secure"]


class TestBeginning:
    def test_a_phone_leads_to_the_page_for_its_code(self) -> None:
        answer = begin(browser(), "8 (916) 123-45-67")
        assert (answer.status_code, answer["Location"]) == (303, CODE)
        assert Registration.objects.get().phone == PHONE
        assert Message.objects.count() == 1

    def test_what_was_said_is_kept(self) -> None:
        set_rules(ask_name=Asked.OPTIONAL, ask_email=Asked.REQUIRED, ask_company=Asked.OPTIONAL)
        begin(browser("ru"), name="Anna Petrova", email="anna@example.org", company="Baltika")
        row = Registration.objects.get()
        assert (row.name, row.email, row.company) == ("Anna Petrova", "anna@example.org", "Baltika")
        assert (row.language, row.address) == ("ru", "127.0.0.1")
        assert len(row.device) == 64

    def test_the_terms_are_accepted_in_the_version_that_was_shown(self) -> None:
        agreed = terms.draft("en", "Be kind.")
        terms.publish(agreed)
        client = browser()
        refused = begin(client)
        assert "Please read the terms of use" in text_of(refused)
        assert begin(client, accepted=str(agreed.pk + 1)).status_code == 200
        assert begin(client, accepted=str(agreed.pk))["Location"] == CODE
        assert Registration.objects.get().terms == agreed
        assert "Be kind." in text_of(client.get(f"/guest/terms/{agreed.pk}/"))

    def test_a_draft_of_the_terms_is_shown_to_nobody(self) -> None:
        draft = terms.draft("en", "Secret.")
        assert browser().get(f"/guest/terms/{draft.pk}/").status_code == 404
        assert "Secret" not in text_of(browser().get("/guest/terms/"))

    def test_it_asks_what_for_where_there_is_a_choice(self) -> None:
        second = GuestType.objects.create(name="Conference", self_service=True)
        client = browser()
        assert "Please choose what you come for" in text_of(begin(client))
        assert begin(client, guest_type=str(second.pk))["Location"] == CODE
        assert Registration.objects.get().guest_type == second

    def test_whoever_needs_approval_names_a_sponsor(self) -> None:
        GuestType.objects.update(needs_approval=True)
        sponsor = Sponsor.objects.create(name="Olga Ivanova", email="olga@example.org")
        client = browser()
        assert "Please name the person whom you visit" in text_of(begin(client))
        assert begin(client, sponsor=str(sponsor.pk))["Location"] == CODE

    def test_what_the_network_passed_survives_a_mistake_and_another_page(self) -> None:
        client = browser()
        client.get("/guest/?mac=02-00-5E-10-00-01&ssid=Lobby")
        client.post(WELCOME, {"phone": "123"})
        client.get("/guest/terms/")
        client.post(WELCOME, {"phone": PHONE})
        row = Registration.objects.get()
        assert (row.mac, row.arrival["ssid"]) == ("02:00:5e:10:00:01", "Lobby")

    def test_unifi_sends_guests_to_an_address_of_its_own(self) -> None:
        client = browser()
        path = "/guest/s/default/?id=02:00:5e:10:00:02&ap=02:00:5e:10:00:03&t=1&url=http://example.org/&ssid=Lobby"
        client.get(path)
        client.post(path, {"phone": PHONE})
        assert Registration.objects.get().arrival["site"] == "default"

    def test_nobody_invents_what_the_network_passed(self) -> None:
        client = browser()
        client.cookies["portal_arrival"] = "eyJtYWMiOiIwMjowMDo1ZToxMDowMDowMSJ9:forged"
        begin(client)
        assert Registration.objects.get().mac == ""


class TestMistakes:
    @pytest.mark.parametrize(
        "typed", ["", " ", "123", "not a phone", "+7 916", "😀" * 30, "1" * 5000, "\x00", "+1 212 555 0123"]
    )
    def test_a_phone_that_is_none_is_told_at_its_field(self, typed: str) -> None:
        answer = begin(browser(), typed)
        page = text_of(answer)
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in page
        assert 'id="id_phone_error"' in page
        assert 'href="#id_phone"' in page
        assert not Message.objects.exists()

    def test_what_was_typed_stays(self) -> None:
        set_rules(ask_name=Asked.REQUIRED, ask_email=Asked.REQUIRED)
        page = text_of(begin(browser(), "12", name="<b>Anna</b>", email="no mail"))
        assert 'value="12"' in page
        assert 'value="&lt;b&gt;Anna&lt;/b&gt;"' in page
        assert 'value="no mail"' in page
        assert page.count('aria-invalid="true"') == 2

    def test_too_many_are_told_when_to_try_again(self) -> None:
        set_rules(phone_hour=1, resend_seconds=0)
        begin(browser())
        LimitCount.objects.filter(scope="phone").update(count=5)
        Message.objects.update(state="failed")
        page = text_of(begin(browser()))
        assert "Several messages were sent to this number already." in page
        assert re.search(r"You can try again at .*\d\d:\d\d", page)

    def test_while_the_brake_is_pulled_the_page_says_so_before_anything_is_typed(self) -> None:
        Brake.objects.create(pk=brake.ROW, until=timezone.now() + timedelta(minutes=30))
        client = browser()
        assert "Registration is paused for a while." in text_of(client.get(WELCOME))
        assert text_of(client.post(WELCOME, {"phone": PHONE})).count("Registration is paused for a while.") == 1

    def test_what_is_missing_is_named(self) -> None:
        set_rules(ask_name=Asked.REQUIRED, ask_company=Asked.REQUIRED)
        page = text_of(begin(browser()))
        assert "Type your name." in page
        assert "Type the name of your company." in page

    def test_while_the_brake_is_pulled_nobody_registers_and_everybody_reads_until_when(self) -> None:
        Brake.objects.create(pk=brake.ROW, until=timezone.now() + timedelta(minutes=30))
        page = text_of(begin(browser()))
        assert "Registration is paused" in page
        assert "You can try again at" in page

    def test_where_no_gateway_can_send_the_page_says_so(self, sandbox: Gateway) -> None:
        sandbox.enabled = False
        sandbox.save()
        page = text_of(begin(browser()))
        assert "SMS cannot be sent at the moment" in page
        assert not LimitCount.objects.filter(count__gt=0).exists()

    def test_a_page_never_tells_whether_a_phone_is_registered(self, guest: Guest) -> None:
        known, unknown = begin(browser(), PHONE), begin(browser(), "+79161234599")
        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


class TestRepeats:
    def test_a_second_tap_leads_on_without_another_registration(self) -> None:
        set_rules(captcha=True)
        client = browser()
        client.get(WELCOME)
        said = {"phone": PHONE, "captcha_proof": proof()}
        assert client.post(WELCOME, said)["Location"] == CODE
        assert client.post(WELCOME, said)["Location"] == CODE
        assert Registration.objects.count() == Message.objects.count() == 1

    def test_so_it_does_where_the_cookie_of_the_first_answer_was_never_taken(self) -> None:
        set_rules(captcha=True)
        client = browser()
        client.get(WELCOME)
        said = {"phone": PHONE, "captcha_proof": proof()}
        client.post(WELCOME, said)
        del client.cookies["portal_registration"]
        assert client.post(WELCOME, said)["Location"] == CODE
        assert Registration.objects.count() == 1
        assert 'name="code"' in text_of(client.get(CODE))

    def test_another_browser_needs_a_captcha_of_its_own(self) -> None:
        set_rules(captcha=True)
        first, other = browser(), browser()
        said = {"phone": PHONE, "captcha_proof": proof()}
        first.get(WELCOME)
        first.post(WELCOME, said)
        other.get(WELCOME)
        assert "used already" in text_of(other.post(WELCOME, said))
        assert Registration.objects.count() == 1

    def test_whoever_corrects_something_begins_another_one(self) -> None:
        set_rules(ask_name=Asked.OPTIONAL)
        client = browser()
        begin(client, name="Ana")
        begin(client, name="Anna")
        assert list(Registration.objects.order_by("pk").values_list("name", flat=True)) == ["Ana", "Anna"]
        assert Message.objects.count() == 1

    def test_a_wrong_number_is_begun_anew_with_what_was_typed(self) -> None:
        set_rules(ask_name=Asked.REQUIRED)
        client = browser()
        begin(client, name="Anna")
        page = text_of(client.get(AGAIN))
        assert f'value="{PHONE}"' in page
        assert 'value="Anna"' in page
        assert client.post(AGAIN, {"phone": "+79161234568", "name": "Anna"})["Location"] == CODE
        assert "+7 916 123-45-68" in text_of(client.get(CODE))

    def test_whoever_opens_the_first_page_again_finds_the_way_to_the_code(self) -> None:
        client = browser()
        begin(client)
        page = text_of(client.get(WELCOME))
        assert "+7 916 123-45-67" in page
        assert f'href="{CODE}"' in page


class TestCookies:
    def test_a_browser_that_keeps_none_is_told_so_and_nothing_is_sent(self, db: None) -> None:
        answer = Client(enforce_csrf_checks=True, headers={"accept-language": "en"}).post(WELCOME, {"phone": PHONE})
        assert answer.status_code == 403
        assert "keeps no cookies" in text_of(answer)
        assert "Begin again" in text_of(answer)
        assert not Message.objects.exists()

    def test_a_page_that_was_open_for_too_long_is_told_apart(self) -> None:
        client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
        client.get(WELCOME)
        answer = client.post(WELCOME, {"phone": PHONE})
        assert answer.status_code == 403
        assert "open for too long" in text_of(answer)

    def test_the_next_page_does_not_loop_where_the_cookie_was_refused(self) -> None:
        client = browser()
        begin(client)
        client.cookies.clear()
        answer = client.get(CODE)
        assert answer.status_code == 200
        assert "keeps no cookies" in text_of(answer)


@pytest.mark.django_db(transaction=True)
def test_a_second_tap_waits_for_the_first_that_has_taken_the_captcha(monkeypatch: pytest.MonkeyPatch) -> None:
    GuestType.objects.get_or_create(name="Guest", defaults={"self_service": True})
    MessageTemplate.objects.get_or_create(kind=Kind.CODE, language="ru", defaults={"text": "Код $code, $portal"})
    set_rules(captcha=True)
    is_at_work, is_waited_for = Event(), Event()
    start, sleep = registration.start, time.sleep

    def slow_start(*said: Any) -> registration.Started:
        is_at_work.set()
        assert is_waited_for.wait(60)
        return start(*said)

    def note(_seconds: float) -> None:
        is_waited_for.set()
        sleep(1)

    monkeypatch.setattr(registration, "start", slow_start)
    monkeypatch.setattr(time, "sleep", note)
    first, second = browser(), browser()
    first.get(WELCOME)
    second.cookies["portal_device"] = first.cookies["portal_device"].value
    said = {"phone": PHONE, "captcha_proof": proof()}

    def tap(client: Client) -> str:
        try:
            return str(client.post(WELCOME, said)["Location"])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as hands:
        both = [hands.submit(tap, first)]
        assert is_at_work.wait(60)
        both.append(hands.submit(tap, second))
        assert [one.result() for one in both] == [CODE, CODE]
    assert Registration.objects.count() == Message.objects.count() == 1


def test_of_many_answers_that_were_used_some_wait_and_the_others_are_answered_at_once(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_waits(_seconds: float) -> None:
        raise AssertionError("a thread of the web is held")

    set_rules(captcha=True)
    client, spent = browser(), proof()
    begin(client, captcha_proof=spent)
    monkeypatch.setattr(time, "sleep", nobody_waits)
    with ExitStack() as held:
        while taps.waiters.acquire(blocking=False):
            held.callback(taps.waiters.release)
        answer = client.post(WELCOME, {"phone": "+79161234568", "captcha_proof": spent})
    assert "This answer was used already" in text_of(answer)
