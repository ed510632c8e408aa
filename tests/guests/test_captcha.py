"""The captcha of the guest pages: work, or digits in a picture. Each answer is taken once, however often it is sent."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any, NoReturn

import altcha
import pytest
import time_machine
from captcha.models import CaptchaStore
from django import forms
from django.contrib.staticfiles import finders
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections
from django.http import QueryDict
from django.test import Client
from django.utils import timezone, translation
from lxml import html
from pytest_django import DjangoAssertNumQueries

from guests.captcha import Answer, CaptchaField, CaptchaForm, Unproven, check, forget_old_challenges, pictures, proofs
from guests.captcha.verdicts import Verdict
from guests.models import SpentChallenge
from portal.headers import policy_of

pytestmark = pytest.mark.django_db

AT_ONCE = 8


class Welcome(CaptchaForm):
    """A guest form."""

    phone = forms.CharField(min_length=5)


def solved(task: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends of a challenge, found by the library's own solver."""
    solution = altcha.solve_challenge(task["challenge"], task["salt"], task["algorithm"], task["maxNumber"])
    assert solution is not None
    return {name: task[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": solution.number}


def packed(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def proof(**changes: Any) -> Answer:
    return Answer(proof=packed(solved(proofs.challenge()) | changes))


def verdict(answer: Answer) -> Verdict:
    try:
        check(answer)
    except Unproven as refusal:
        return refusal.verdict
    return Verdict.RIGHT


def shown(client: Client) -> str:
    """The key of a picture that a browser has asked for."""
    key = pictures.new_key()
    assert client.get(f"/guest/captcha/picture/{key}/").status_code == 200
    return key


def digits() -> str:
    """What is in the latest picture."""
    return str(CaptchaStore.objects.latest("pk").response)


def at_once(answer: Answer) -> list[Verdict]:
    """What becomes of one answer that is sent from many threads together."""
    start = Barrier(AT_ONCE)

    def run(_: int) -> Verdict:
        start.wait()
        try:
            return verdict(answer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def form(answer: Answer | None = None, *, captcha: bool = True, **typed: str) -> Welcome:
    fields = {} if answer is None else {f"captcha_{name}": value for name, value in answer._asdict().items()}
    sent = QueryDict(mutable=True)
    sent.update({"phone": "89161234567"} | fields | typed)
    return Welcome(sent, captcha=captcha)


def drawn(of: forms.Form) -> html.HtmlElement:
    return html.fromstring(f"<form>{of['captcha']}</form>")


def key_in(page: html.HtmlElement) -> str:
    return str(page.xpath("//input[@name='captcha_picture']/@value")[0])


class TestProofs:
    """Work as a proof."""

    def test_a_challenge_that_a_browser_fetched_and_solved_is_taken_once(self, client: Client) -> None:
        answer = client.get("/guest/captcha/challenge/")
        assert answer["Content-Type"] == "application/json"
        assert "no-store" in answer["Cache-Control"]
        solution = Answer(proof=packed(solved(answer.json())))
        assert verdict(solution) is Verdict.RIGHT
        assert verdict(solution) is Verdict.USED

    def test_the_same_solution_written_otherwise_is_the_same(self) -> None:
        solution = solved(proofs.challenge())
        check(Answer(proof=packed(solution)))
        for other in ({"number": str(solution["number"])}, {"took": 5}, {"salt": solution["salt"].rstrip("&")}):
            assert verdict(Answer(proof=packed(solution | other))) is not Verdict.RIGHT

    @pytest.mark.django_db(transaction=True)
    def test_of_many_posts_with_one_solution_at_once_one_passes(self) -> None:
        verdicts = at_once(proof())
        assert sorted(one.value for one in verdicts) == ["right", *["used"] * (AT_ONCE - 1)]
        assert SpentChallenge.objects.count() == 1

    def test_it_is_taken_for_twenty_minutes(self) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            first, second = proof(), proof()
            clock.shift(timedelta(minutes=19, seconds=59))
            assert verdict(first) is Verdict.RIGHT
            clock.shift(2)
            assert verdict(second) is Verdict.OVER
            assert verdict(first) is Verdict.OVER

    def test_a_later_end_written_over_the_true_one_is_seen(self) -> None:
        solution = solved(proofs.challenge())
        salt = solution["salt"].replace("expires=", "expires=9")
        assert verdict(Answer(proof=packed(solution | {"salt": salt}))) is Verdict.FAILED

    def test_work_on_a_challenge_that_another_key_signed_is_refused(self) -> None:
        options = altcha.ChallengeOptions(hmac_key="theirs", max_number=50, expires=timezone.now() + proofs.LIFETIME)
        theirs = altcha.create_challenge(options).to_dict()
        assert verdict(Answer(proof=packed(solved(theirs)))) is Verdict.FAILED

    @pytest.mark.parametrize(
        "change",
        [
            {"number": -1},
            {"number": [1]},
            {"number": "\0"},
            {"algorithm": "SHA-1"},
            {"algorithm": "MD5"},
            {"algorithm": None},
            {"challenge": "é" * 64},
            {"challenge": "\0"},
            {"challenge": 5},
            {"salt": 5},
            {"salt": "a?b?c?d"},
            {"signature": "0" * 64},
            {"signature": None},
        ],
    )
    def test_a_payload_that_was_changed_is_refused(self, change: dict[str, Any]) -> None:
        assert verdict(proof(**change)) is Verdict.FAILED
        assert not SpentChallenge.objects.exists()

    @pytest.mark.parametrize(
        "payload",
        [
            *("x", "====", "\0", "a\0b=", "!" * 50, packed("\0"), "/w==", packed({"challenge": "x"})),
            *(packed({}), packed([]), packed(5), packed(None)),
            pytest.param("A" * 5_000_000, id="huge"),
            pytest.param(base64.b64encode(b"[" * 700).decode(), id="deep"),
        ],
    )
    def test_what_is_no_payload_is_refused_and_not_logged(self, payload: str, caplog: pytest.LogCaptureFixture) -> None:
        assert verdict(Answer(proof=payload)) is Verdict.FAILED
        assert not caplog.records

    def test_no_answer_is_a_refusal_that_says_what_to_do(self) -> None:
        assert verdict(Answer(typed=" ")) is Verdict.MISSING
        with pytest.raises(Unproven) as refused:
            check(Answer())
        assert (refused.value.field, refused.value.sentence) == ("captcha", "Copy the digits in the picture.")


class TestPictures:
    """Digits to read."""

    def test_the_digits_are_taken_once(self, client: Client) -> None:
        right = Answer(picture=shown(client), typed=digits())
        assert verdict(right) is Verdict.RIGHT
        assert verdict(right) is Verdict.USED

    def test_they_may_be_typed_with_blanks_and_in_any_alphabet(self, client: Client) -> None:
        arabic = str.maketrans("23456789", "٢٣٤٥٦٧٨٩")
        for typed in (str.strip, " ".join, lambda read: read.translate(arabic)):
            assert verdict(Answer(picture=shown(client), typed=typed(digits()))) is Verdict.RIGHT

    def test_a_wrong_answer_spends_the_picture(self, client: Client) -> None:
        key, right = shown(client), digits()
        assert verdict(Answer(picture=key, typed="11111")) is Verdict.WRONG
        assert verdict(Answer(picture=key, typed=right)) is Verdict.USED

    @pytest.mark.django_db(transaction=True)
    def test_of_many_posts_with_one_answer_at_once_one_passes(self, client: Client) -> None:
        verdicts = at_once(Answer(picture=shown(client), typed=digits()))
        assert sorted(one.value for one in verdicts) == ["right", *["used"] * (AT_ONCE - 1)]

    @pytest.mark.django_db(transaction=True)
    def test_a_picture_cannot_be_guessed_at_from_many_sides_at_once(self, client: Client) -> None:
        verdicts = at_once(Answer(picture=shown(client), typed="11111"))
        assert sorted(one.value for one in verdicts) == [*["used"] * (AT_ONCE - 1), "wrong"]

    def test_it_can_be_answered_for_twenty_minutes(self, client: Client) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            first = Answer(picture=shown(client), typed=digits())
            second = Answer(picture=shown(client), typed=digits())
            clock.shift(timedelta(minutes=19, seconds=59))
            assert verdict(first) is Verdict.RIGHT
            clock.shift(2)
            assert verdict(second) is Verdict.OVER
            assert client.get(f"/guest/captcha/picture/{second.picture}/").status_code == 404

    @pytest.mark.parametrize("key", ["", "x", "\0", "a:b:c", "é:1:2", pytest.param("x" * 100_000, id="huge")])
    def test_a_key_that_is_not_ours_is_refused(self, key: str) -> None:
        assert verdict(Answer(picture=key, typed="22222")) is Verdict.FAILED

    @pytest.mark.parametrize("typed", ["\0", "²²²²²", pytest.param("x" * 1_000_000, id="huge")])
    def test_what_is_no_answer_is_refused(self, client: Client, typed: str) -> None:
        assert verdict(Answer(picture=shown(client), typed=typed)) is Verdict.WRONG

    def test_it_is_a_png_that_no_browser_keeps(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        # One of many: how large it is depends on its digits and on how it is bent.
        digits = iter("23456")
        monkeypatch.setattr(pictures, "secrets", SimpleNamespace(choice=lambda _: next(digits), token_urlsafe=str))
        monkeypatch.setattr(pictures, "_place", lambda _key: "bent always alike")
        answer = client.get(f"/guest/captcha/picture/{pictures.new_key()}/")
        assert answer.content.startswith(b"\x89PNG")
        assert len(answer.content) < 20_000
        assert "no-store" in answer["Cache-Control"]

    def test_a_picture_that_is_asked_for_again_is_the_same(self, client: Client) -> None:
        key = pictures.new_key()
        first, second = (client.get(f"/guest/captcha/picture/{key}/").content for _ in range(2))
        assert first == second
        assert CaptchaStore.objects.count() == 1

    def test_digits_that_look_like_letters_are_not_drawn(self, client: Client) -> None:
        for _ in range(5):
            shown(client)
        drawn_digits = set("".join(CaptchaStore.objects.values_list("response", flat=True)))
        assert drawn_digits <= set("23456789")
        assert len(drawn_digits) > 1

    def test_nobody_who_has_the_key_learns_by_what_it_is_drawn(self, client: Client) -> None:
        key = shown(client)
        assert CaptchaStore.objects.get().hashkey not in key


class TestCosts:
    """What strangers can make the portal do."""

    def test_a_page_and_a_challenge_ask_nothing_of_the_database(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            assert str(Welcome())
            assert client.get("/guest/captcha/challenge/").status_code == 200
            assert client.get("/guest/captcha/picture/nonsense/").status_code == 404

    def test_only_get_is_answered(self, client: Client) -> None:
        assert client.post("/guest/captcha/challenge/").status_code == 405
        assert client.post(f"/guest/captcha/picture/{pictures.new_key()}/").status_code == 405

    def test_nothing_is_kept_in_a_cache(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise AssertionError("a cache was used")

        for name in ("get", "set", "add", "incr", "delete"):
            monkeypatch.setattr(LocMemCache, name, refuse)
            monkeypatch.setattr(BaseCache, name, refuse)
        assert verdict(proof()) is Verdict.RIGHT
        assert verdict(Answer(picture=shown(client), typed=digits())) is Verdict.RIGHT

    def test_what_has_expired_is_thrown_away_and_nothing_else(self, client: Client) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            solution = proof()
            check(solution)
            shown(client)
            assert forget_old_challenges() == 0
            clock.shift(timedelta(minutes=21))
            fresh = shown(client)
            assert forget_old_challenges() == 1
            assert CaptchaStore.objects.get().hashkey == pictures._place(fresh)
            clock.shift(timedelta(minutes=21))
            assert forget_old_challenges() == 2
            assert not SpentChallenge.objects.exists()
            assert verdict(solution) is Verdict.OVER

    def test_the_scripts_are_small(self) -> None:
        """Not even compressed are they a tenth of what a page may have."""
        names = ("captcha.js", "captcha_worker.js", "captcha.css")
        assert sum(Path(str(finders.find(f"guests/{name}"))).stat().st_size for name in names) < 5_000


class TestForms:
    """A guest form that has it."""

    @pytest.fixture(params=["proof", "picture"])
    def answer(self, request: pytest.FixtureRequest, client: Client) -> Callable[[], Answer]:
        if request.param == "proof":
            return proof
        return lambda: Answer(picture=shown(client), typed=digits())

    def test_either_answer_lets_in_once(self, answer: Callable[[], Answer]) -> None:
        right = answer()
        assert form(right).is_valid()
        again = form(right)
        assert not again.is_valid()
        assert again.errors.as_data()["captcha"][0].code == "used"
        assert again["phone"].value() == "89161234567"

    def test_an_answer_is_not_spent_while_something_else_is_wrong(self, answer: Callable[[], Answer]) -> None:
        right = answer()
        wrong = form(right, phone="1")
        assert list(wrong.errors) == ["phone"]
        assert form(right).is_valid()

    def test_the_picture_and_what_was_read_in_it_stay_while_something_else_is_wrong(self, client: Client) -> None:
        right = Answer(picture=shown(client), typed=digits())
        page = drawn(form(right, phone="1"))
        assert key_in(page) == right.picture
        assert page.xpath("//input[@name='captcha_typed']/@value") == [right.typed]

    def test_a_wrong_answer_gets_a_new_picture(self, client: Client) -> None:
        wrong = Answer(picture=shown(client), typed="11111")
        # The page that was asked for spoke its browser's language, and so does this thread since.
        with translation.override("en"):
            refused = form(wrong)
            assert "Here is a new one." in str(refused.errors["captcha"])
        page = drawn(refused)
        assert key_in(page) != wrong.picture
        assert page.xpath("//input[@name='captcha_typed']/@value") == [""]
        assert page.xpath("//input[@name='captcha_typed']/@aria-invalid") == ["true"]

    def test_a_right_answer_is_not_shown_again_when_the_form_is(self, client: Client) -> None:
        right = Answer(picture=shown(client), typed=digits())
        accepted = form(right)
        assert accepted.is_valid()
        assert key_in(drawn(accepted)) != right.picture

    def test_another_picture_is_given_without_a_word_about_the_rest(self, client: Client) -> None:
        key = shown(client)
        asked = form(Answer(picture=key), phone="1", captcha_another="1")
        assert not asked.is_valid()
        assert not asked.errors
        assert asked["phone"].value() == "1"
        assert key_in(drawn(asked)) not in {"", key}

    def test_without_an_answer_it_says_what_to_do(self) -> None:
        assert form().errors == {"captcha": ["Copy the digits in the picture."]}

    def test_nothing_is_asked_where_it_is_switched_off(self) -> None:
        quiet = form(captcha=False, captcha_another="1")
        assert quiet.is_valid()
        assert "captcha" not in quiet.fields

    def test_it_need_not_be_required(self) -> None:
        lenient = form()
        lenient.fields["captcha"].required = False
        assert lenient.is_valid()
        wrong = form(Answer(proof="nonsense"))
        wrong.fields["captcha"].required = False
        assert list(wrong.errors) == ["captcha"]
        assert not CaptchaField(required=False).clean(Answer())


class TestPages:
    """What is in the page."""

    def test_it_has_no_script_style_or_handler_in_it(self) -> None:
        page = html.fromstring(f"<html>{Welcome().media}<form>{Welcome()}</form></html>")
        assert not page.xpath("//script[not(@src)] | //style | //@style | //@*[starts-with(name(), 'on')]")
        assert policy_of("/guest/")["script-src"] == policy_of("/guest/")["worker-src"] == ["'self'"]

    def test_the_picture_is_for_browsers_without_scripts_and_for_the_script(self) -> None:
        page = drawn(Welcome())
        assert page.xpath("//noscript//img/@src") == page.xpath("//template//img/@src")
        assert len(page.xpath("//noscript//input[@name='captcha_typed']")) == 1
        assert not page.xpath("//input[not(ancestor::noscript or ancestor::template)]")
        for path in (*page.xpath("//@data-challenge"), *page.xpath("//noscript//img/@src")):
            assert Client().get(path).status_code == 200

    def test_a_browser_whose_script_sent_nothing_is_shown_the_picture(self) -> None:
        for sent in (form(), form(Answer(proof="nonsense"))):
            sent.is_valid()
            page = drawn(sent)
            assert page.xpath("//img[not(ancestor::noscript or ancestor::template)]")
            assert not page.xpath("//@data-captcha")

    def test_people_who_see_no_picture_are_told_whom_to_ask(self) -> None:
        welcome = Welcome()
        welcome.fields["captcha"].widget.hint = "Call 100 <now>."
        page = drawn(welcome)
        box = page.xpath("//noscript//input[@name='captcha_typed']")[0]
        assert page.xpath(f"//noscript//*[@id='{box.get('aria-describedby')}']/text()") == ["Call 100 <now>."]
        assert page.xpath(f"//noscript//label[@for='{box.get('id')}']")
        assert page.xpath("//noscript//img/@alt") == ["A picture of 5 digits"]

    def test_enter_sends_the_form_and_does_not_ask_for_another_picture(self) -> None:
        first = drawn(Welcome()).xpath("//noscript//button")[0]
        assert first.get("name") is None
        assert (first.get("tabindex"), first.get("aria-hidden")) == ("-1", "true")
