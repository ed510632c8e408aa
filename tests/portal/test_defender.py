"""The Defender: hosts that guess are blocked everywhere, and nobody can lock another out from elsewhere."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from unittest import mock

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import BasePasswordHasher
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from portal import defender, housekeeping
from portal.defender import allowed, recent
from portal.errors import Refusal
from portal.models import AllowedNetwork, ApiToken, AuditEvent, RefusedTry, User, WatchedHost
from portal.strangers import name_to_keep
from tests.conftest import PASSWORD, Api
from tests.portal.strangers import BROWSER, ELSEWHERE, INFO, LIST, OFFICE, PAGE, STRANGER, Caller
from tests.statements import statements

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIMIT = 5


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def later(clock: time_machine.Traveller, minutes: float) -> None:
    clock.shift(timedelta(minutes=minutes))
    recent.forget()


def host() -> WatchedHost:
    return WatchedHost.objects.get(host=STRANGER, username="")


def test_six_wrong_passwords_by_api_and_by_page_block_the_host_everywhere(admin: User, operator: User) -> None:
    _, token = ApiToken.objects.create(user=admin)
    stranger = Caller(STRANGER)
    assert stranger.with_token(token).status_code == 200
    wrong = [
        stranger.by_api("admin", "a"),
        stranger.by_page("admin", "b"),
        stranger.by_api("operator", "c"),
        stranger.by_page("nobody at all", "d"),
        stranger.by_api("admin", "e"),
        stranger.by_page("admin", "f"),
    ]
    assert [answer.status_code for answer in wrong] == [401, 200, 401, 200, 401, 429]
    blocked = [
        stranger.by_api(),
        stranger.by_page(),
        stranger.by_api("operator"),
        stranger.with_token(token),
        stranger.with_token(token, INFO),
        stranger.client.get("/admin/", headers=BROWSER),
    ]
    assert {answer.status_code for answer in blocked} == {429}
    assert {Caller(ELSEWHERE).by_api().status_code, Caller(ELSEWHERE).with_token(token).status_code} == {200}
    assert Caller(ELSEWHERE).by_page().status_code == 302
    defender.unblock(host())
    assert stranger.by_api().status_code == 200
    assert stranger.by_page().status_code == 302
    assert stranger.with_token(token).status_code == 200


def test_a_session_of_a_blocked_host_is_stopped_too(admin: User) -> None:
    stranger = Caller(STRANGER)
    assert stranger.by_page().status_code == 302
    assert stranger.client.get("/admin/").status_code == 200
    Caller(STRANGER).guess(LIMIT)
    assert stranger.client.get("/admin/").status_code == 429


class TestAnswer:
    """What somebody who is blocked is told."""

    @pytest.fixture(autouse=True)
    def _blocked(self, clock: time_machine.Traveller, admin: User) -> None:
        Caller(STRANGER).guess(LIMIT)
        clock.shift(timedelta(minutes=1))

    def test_a_call_of_the_api_gets_the_envelope(self) -> None:
        answer = Caller(STRANGER).with_token("0" * 64)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {  # type: ignore[attr-defined]
            "message": "Too many sign-ins were refused from this host. Try again in 14 minutes. "
            "An administrator can unblock it in the Defender.",
            "status": 429,
        }
        assert answer.headers["Retry-After"] == "840"
        assert answer.headers["Content-Language"] == "en"
        assert "no-store" in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("url", ["/api/v1/login", "/api/v1/token_info", "/api/v1/login/"])
    def test_the_login_answers_as_its_family_does(self, url: str) -> None:
        answer = Client(REMOTE_ADDR=STRANGER).post(url, {}, headers={"accept-language": "ru"})
        assert list(answer.json()) == ["message"]
        assert "Try again in" in answer.json()["message"]

    def test_a_path_that_does_not_exist_is_answered_alike(self) -> None:
        assert Client(REMOTE_ADDR=STRANGER).get("/api/v1/nothing").json()["status"] == 429

    def test_a_browser_gets_a_page(self) -> None:
        answer = Client(REMOTE_ADDR=STRANGER).get(PAGE, headers=BROWSER)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "840"
        assert "Try again in 14 minutes." in answer.content.decode()
        assert '<html lang="en">' in answer.content.decode()

    def test_the_page_speaks_the_readers_language(self) -> None:
        answer = Client(REMOTE_ADDR=STRANGER).get(PAGE, headers=BROWSER | {"accept-language": "ru"})
        assert '<html lang="ru">' in answer.content.decode()

    @pytest.mark.parametrize("url", ["/healthz", "/api/docs/", "/api/v1/openapi.json", "/static/portal/error.css"])
    def test_what_lets_nobody_in_stays_open(self, url: str) -> None:
        answer = Client(REMOTE_ADDR=STRANGER).get(url)
        answer.close()
        # Where static files were not collected there are none.
        assert answer.status_code == (404 if url.startswith("/static/") and django_settings.PRODUCTION else 200)

    def test_probes_and_callbacks_of_providers_stay_open(self, sandbox: Gateway) -> None:
        client = Client(REMOTE_ADDR=STRANGER)
        assert client.get("/readyz").status_code in {200, 503}
        assert client.post(f"/callbacks/{sandbox.pk}/wrong/").status_code == 404


class TestCounting:
    """When a host is blocked, and for how long."""

    def test_the_block_ends_by_itself(self, clock: time_machine.Traveller, admin: User) -> None:
        stranger = Caller(STRANGER)
        stranger.guess(LIMIT)
        later(clock, 14.9)
        assert stranger.by_api().status_code == 429
        later(clock, 0.2)
        assert stranger.by_api().status_code == 200

    def test_calls_while_it_holds_do_not_prolong_it(self, clock: time_machine.Traveller, admin: User) -> None:
        stranger = Caller(STRANGER)
        stranger.guess(LIMIT)
        until = host().until
        later(clock, 10)
        stranger.guess(20)
        assert (host().until, host().count) == (until, LIMIT)

    def test_it_lasts_longer_each_time_up_to_a_day(self, clock: time_machine.Traveller, admin: User) -> None:
        lasted = []
        for _ in range(9):
            assert Caller(STRANGER).guess(LIMIT) == [401] * LIMIT
            minutes = (host().until - timezone.now()).total_seconds() / 60  # type: ignore[operator]
            lasted.append(minutes)
            later(clock, minutes)
        assert lasted == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]

    def test_a_quiet_day_makes_it_short_again(self, clock: time_machine.Traveller, admin: User) -> None:
        Caller(STRANGER).guess(LIMIT)
        later(clock, 24 * 60)
        housekeeping.keep_house()
        assert WatchedHost.objects.exists()
        later(clock, 20)
        housekeeping.keep_house()
        assert not WatchedHost.objects.exists()

    def test_tries_outside_the_window_count_no_more(self, clock: time_machine.Traveller, admin: User) -> None:
        stranger = Caller(STRANGER)
        assert stranger.guess(LIMIT - 1) == [401] * (LIMIT - 1)
        later(clock, 15)
        assert stranger.guess(LIMIT) == [401] * LIMIT
        assert stranger.guess(1) == [429]

    @pytest.mark.parametrize("url", ["/api/v1/session", "/api/session", "/oauth/token", "/oauth2/token"])
    def test_a_program_that_asks_for_a_page_is_answered_in_json(self, admin: User, url: str) -> None:
        stranger = Caller(STRANGER)
        stranger.guess(LIMIT + 1)
        answer = stranger.client.post(url, headers=BROWSER)
        assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/json")
        assert "Too many sign-ins" in answer.json()["message"]

    @pytest.mark.parametrize("token", ["0" * 64, "nonsense"])
    def test_wrong_tokens_count(self, admin: User, token: str) -> None:
        stranger = Caller(STRANGER)
        statuses = [stranger.with_token(token).status_code for _ in range(3)]
        statuses += [stranger.with_token(token, INFO).status_code for _ in range(3)]
        assert statuses == [401, 401, 401, 404, 404, 429]
        assert stranger.by_api().status_code == 429
        assert {row.way for row in RefusedTry.objects.all()} == {"token"}

    def test_no_token_and_an_idle_one_are_no_guesses(self, clock: time_machine.Traveller, admin: User) -> None:
        _, token = ApiToken.objects.create(user=admin)
        later(clock, 60)
        caller = Caller(OFFICE)
        for _ in range(2 * LIMIT):
            assert caller.client.get(LIST).status_code == 401
            assert caller.client.get(INFO).status_code == 404
            assert caller.with_token(token).status_code == 401
        assert not RefusedTry.objects.exists()

    def test_a_wrong_second_factor_counts_for_the_user_it_was_given_for(self, admin: User) -> None:
        request = RequestFactory().post("/", REMOTE_ADDR=STRANGER)
        defender.report(request, "admin", defender.Way.CODE)
        assert RefusedTry.objects.get().way == "code"
        assert {(row.username, row.count) for row in WatchedHost.objects.all()} == {("", 1), ("admin", 1)}

    def test_it_must_not_be_told_inside_a_transaction_that_may_be_undone(self, transactional_db: None) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            defender.report(RequestFactory().get("/", REMOTE_ADDR=STRANGER))

    def test_the_setting_says_how_many(self, admin: User, settings: Settings) -> None:
        settings.DEFENDER_LIMIT, settings.DEFENDER_BLOCK = 2, 3
        assert Caller(STRANGER).guess(3) == [401, 401, 429]
        assert timedelta(minutes=2) < host().until - timezone.now() <= timedelta(minutes=3)  # type: ignore[operator]

    def test_an_ipv6_host_is_a_whole_network(self, admin: User) -> None:
        for number in range(LIMIT):
            Caller(f"2001:db8:1:2::{number + 1}").guess(1)
        assert Caller("2001:db8:1:2:ffff::1").by_api().status_code == 429
        assert Caller("2001:db8:1:3::1").by_api().status_code == 200

    def test_behind_a_proxy_the_caller_is_blocked_and_not_the_proxy(self, admin: User, settings: Settings) -> None:
        settings.TRUSTED_PROXIES = [ip_network("10.0.0.1/32")]
        for number in range(LIMIT):
            Caller("10.0.0.1", HTTP_X_FORWARDED_FOR=f"6.6.6.{number}, {STRANGER}").guess(1)
        assert Caller("10.0.0.1", HTTP_X_FORWARDED_FOR=f"{ELSEWHERE}, {STRANGER}").by_api().status_code == 429
        assert Caller("10.0.0.1", HTTP_X_FORWARDED_FOR=ELSEWHERE).by_api().status_code == 200
        assert Caller("10.0.0.1").by_api().status_code == 200

    def test_a_proxy_that_says_nothing_is_not_blocked_with_all_behind_it(self, admin: User, settings: Settings) -> None:
        settings.TRUSTED_PROXIES = [ip_network("10.0.0.1/32")]
        Caller("10.0.0.1").guess(LIMIT, "operator")
        assert Caller("10.0.0.1").by_api().status_code == 200
        assert Caller("10.0.0.1").by_api("operator").status_code == 429


class TestForgiving:
    """What good sign-ins do to the counts."""

    @pytest.mark.parametrize("by", ["by_api", "by_page"])
    def test_a_good_sign_in_forgives_what_the_same_user_mistyped(self, admin: User, by: str) -> None:
        office = Caller(OFFICE)
        for _ in range(3):
            assert office.guess(LIMIT - 1) == [401] * (LIMIT - 1)
            assert getattr(office, by)().status_code in {200, 302}
        assert WatchedHost.objects.get().count == 0

    def test_it_does_not_forgive_tries_for_others(self, admin: User, operator: User) -> None:
        stranger = Caller(STRANGER)
        for _ in range(LIMIT):
            assert stranger.by_api("operator").status_code == 200
            assert stranger.guess(1) == [401]
        assert stranger.by_api("operator").status_code == 429

    def test_it_does_not_forgive_through_tries_from_before_the_hosts_count_began(
        self, clock: time_machine.Traveller, admin: User, operator: User
    ) -> None:
        stranger = Caller(STRANGER)
        stranger.guess(LIMIT - 1, "operator")
        later(clock, 20)
        stranger.guess(LIMIT - 1)
        assert stranger.by_api("operator").status_code == 200
        assert host().count == LIMIT - 1

    def test_an_office_behind_one_address_goes_on_working(self, admin: User, operator: User, auditor: User) -> None:
        office = Caller(OFFICE)
        for name in ("admin", "operator", "auditor") * 4:
            assert office.guess(3, name) == [401] * 3
            assert office.by_api(name).status_code == 200


class TestNobodyIsLockedOut:
    """A user is never counted alone, and some hosts never as a whole."""

    def test_the_administrator_signs_in_whoever_guesses_at_his_name_elsewhere(self, admin: User) -> None:
        for number in range(3):
            Caller(f"198.51.100.{number}").guess(LIMIT + 1)
        assert Caller(OFFICE).by_api().status_code == 200
        assert Caller(OFFICE).by_page().status_code == 302

    def test_in_an_allowed_network_only_the_user_is_blocked_and_only_there(
        self, admin: User, operator: User, settings: Settings
    ) -> None:
        settings.DEFENDER_ALLOWED_NETWORKS = [ip_network("192.0.2.0/24")]
        office = Caller(OFFICE)
        assert office.guess(LIMIT + 1, "operator") == [401] * LIMIT + [429]
        answer = office.by_api("operator")
        assert answer.json()["message"].startswith("Too many sign-ins under this name")  # type: ignore[attr-defined]
        assert answer.headers["Retry-After"]
        assert office.by_api().status_code == 200
        assert Caller(ELSEWHERE).by_api("operator").status_code == 200
        assert list(WatchedHost.objects.blocked().values_list("host", "username")) == [(OFFICE, "operator")]

    def test_a_name_that_belongs_to_nobody_is_blocked_like_any_other(self, db: None, settings: Settings) -> None:
        settings.DEFENDER_ALLOWED_NETWORKS = [ip_network("192.0.2.0/24")]
        assert Caller(OFFICE).guess(LIMIT + 1, "nobody") == [401] * LIMIT + [429]

    def test_a_network_that_is_allowed_later_frees_its_hosts(self, admin: User) -> None:
        Caller(STRANGER).guess(LIMIT)
        assert Caller(STRANGER).by_api().status_code == 429
        row = allowed.allow("198.51.100.0/24", by=admin)
        assert Caller(STRANGER).by_api().status_code == 200
        allowed.disallow(row)
        assert Caller(STRANGER).guess(LIMIT + 1) == [401] * LIMIT + [429]

    @pytest.mark.parametrize("typed", ["", "office", "192.0.2.5/24", "192.0.2"])
    def test_what_is_no_network_is_refused(self, admin: User, typed: str) -> None:
        with pytest.raises(Refusal) as refused:
            allowed.allow(typed, by=admin)
        assert refused.value.field == "network"
        assert not AllowedNetwork.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"host": "office"}, "host"),
            ({"host": "192.0.2.0/24"}, "host"),
            ({"host": OFFICE}, "host"),
            ({"host": "203.0.113.20"}, "host"),
            ({"minutes": 0}, "minutes"),
            ({"minutes": 10**9}, "minutes"),
            ({"username": "who"}, "username"),
        ],
    )
    def test_a_block_by_hand_that_makes_no_sense_is_refused(
        self, admin: User, settings: Settings, changes: dict[str, object], field: str
    ) -> None:
        settings.DEFENDER_ALLOWED_NETWORKS = [ip_network("203.0.113.0/24")]
        given = {"host": STRANGER, "minutes": 60, "reason": "guessing", "by": admin, "own_address": OFFICE} | changes
        with pytest.raises(Refusal) as refused:
            defender.block(**given)  # type: ignore[arg-type]
        assert refused.value.field == field
        assert not WatchedHost.objects.exists()

    def test_a_block_by_hand_holds_and_says_so(self, admin: User) -> None:
        defender.block(f" {STRANGER} ", minutes=600, reason="guessing", by=admin)
        answer = Caller(STRANGER).by_api()
        assert answer.status_code == 429
        assert "An administrator blocked sign-ins from here. Try again in 10 hours." in answer.content.decode()
        assert Caller(ELSEWHERE).by_api().status_code == 200


class TestSecrets:
    """Nothing that was tried is kept."""

    def test_names_that_belong_to_no_user_are_kept_as_a_mark(self, admin: User) -> None:
        Caller(STRANGER).by_api("hunter2-my-password", "x")
        Caller(STRANGER).by_page("hunter2-my-password", "x")
        kept = [*RefusedTry.objects.values(), *WatchedHost.objects.values(), *AuditEvent.objects.values()]
        assert "hunter2" not in str(kept)
        names = set(RefusedTry.objects.values_list("username", flat=True))
        assert names == {name_to_keep("hunter2-my-password")}
        assert name_to_keep("hunter2-my-password").startswith("?")

    @pytest.mark.parametrize("typed", ["\0", "\ud800", "a" * 100_000, "пароль", "' OR 1=1 --"])
    def test_any_name_can_be_counted(self, db: None, typed: str) -> None:
        assert len(name_to_keep(typed)) == 13
        defender.report(RequestFactory().get("/", REMOTE_ADDR=STRANGER), typed)
        assert WatchedHost.objects.count() == 2

    def test_passwords_and_tokens_are_nowhere(self, admin: User) -> None:
        stranger = Caller(STRANGER)
        stranger.by_api("admin", "canary-password")
        stranger.by_page("admin", "canary-password")
        stranger.with_token("canary-token")
        kept = [*RefusedTry.objects.values(), *WatchedHost.objects.values(), *AuditEvent.objects.values()]
        assert "canary" not in str(kept)

    def test_refused_tries_are_forgotten_after_a_month(self, clock: time_machine.Traveller, db: None) -> None:
        Caller(STRANGER).guess(1)
        later(clock, 29 * 24 * 60)
        housekeeping.keep_house()
        assert RefusedTry.objects.exists()
        later(clock, 2 * 24 * 60)
        housekeeping.keep_house()
        assert not RefusedTry.objects.exists()


def test_a_block_is_on_the_audit_trail_once(admin: User) -> None:
    Caller(STRANGER).guess(LIMIT + 3)
    event = AuditEvent.objects.get(action="defender:block")
    assert (event.user, event.user_name, event.object_id, event.address) == (None, "Defender", STRANGER, STRANGER)
    assert event.request["refused"] == LIMIT
    assert defender.blocked_now() == 1


def test_no_password_is_looked_at_for_a_blocked_host(admin: User) -> None:
    Caller(STRANGER).guess(LIMIT)
    with (
        mock.patch.object(AbstractBaseUser, "check_password") as looked_at,
        mock.patch.object(BasePasswordHasher, "encode") as hashed,
    ):
        assert Caller(STRANGER).by_api().status_code == 429
        request = RequestFactory().post("/", REMOTE_ADDR=STRANGER)
        assert authenticate(request, username="admin", password=PASSWORD) is None
    assert not looked_at.called
    assert not hashed.called


def test_an_ordinary_call_asks_the_database_once_a_second_at_most(admin: User, api: Api) -> None:
    client = api(admin)

    def asked() -> int:
        return sum("watchedhost" in sql for sql in statements(lambda: client.get(LIST)))

    assert [asked(), asked(), asked()] == [1, 0, 0]
    recent.forget()
    assert asked() == 1


def test_a_page_without_a_way_in_asks_nothing(client: Client) -> None:
    for url in ("/healthz", "/api/docs/", "/"):
        assert client.get(url).status_code in {200, 302}


def test_without_a_database_the_view_says_what_is_wrong(client: Client) -> None:
    with mock.patch("portal.defender.recent.answer", side_effect=DatabaseError):
        assert client.get("/api/v1/login").status_code == 405


def _at_once(callers: list[Caller], password: list[str]) -> list[int]:
    def attempt(number: int) -> int:
        try:
            return callers[number].by_api("admin", password[number]).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(callers)) as pool:
        return list(pool.map(attempt, range(len(callers))))


def test_of_thirty_guesses_at_once_no_more_than_the_limit_are_answered(
    transactional_db: None, admin: User, settings: Settings
) -> None:
    answers = _at_once([Caller(STRANGER) for _ in range(30)], [f"wrong {number}" for number in range(30)])
    assert (answers.count(401), answers.count(429)) == (LIMIT, 30 - LIMIT)
    assert AuditEvent.objects.filter(action="defender:block").count() == 1
    assert Caller(ELSEWHERE).by_api().status_code == 200


def test_the_right_password_is_refused_when_it_comes_after_the_limit(admin: User) -> None:
    """Others use up the tries while a password is looked at: being right must not show."""
    look = AbstractBaseUser.check_password

    def slowly(user: AbstractBaseUser, password: str) -> bool:
        if password == PASSWORD:
            Caller(STRANGER).guess(LIMIT)
        return look(user, password)

    with mock.patch.object(AbstractBaseUser, "check_password", slowly):
        assert Caller(STRANGER).by_api().status_code == 429
    assert not ApiToken.objects.exists()
