"""Limits of sign-ins and calls in a minute: who is counted, what is answered, and who counts."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import connection
from pytest_django import Settings
from redis import RedisError
from rest_framework.test import APIClient

from portal import clients, keys, rates
from portal.models import CallCount, RefusedTry, User
from tests.conftest import PASSWORD, Api
from tests.portal.token_calls import LIST, begin, come, use
from tests.servers import Redis
from tests.waiting import wait_for

NOW = datetime(2026, 11, 22, 12, 0, 20, tzinfo=UTC)
GONE = "redis://127.0.0.1:1/0"
#: What the monotonic clock says all the time.
STILL = 1000.0
#: The portal's own, which other tests have a longer one for.
PATIENCE = rates.PATIENCE


@pytest.fixture(autouse=True)
def _database_counts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test says otherwise."""
    settings.REDIS_URL = ""
    monkeypatch.setattr(rates._Redis, "asked_from", 0.0)
    # No second ends by itself for whoever leaves Redis alone.
    monkeypatch.setattr(rates, "time", SimpleNamespace(time=time.time, monotonic=lambda: STILL))


@pytest.fixture
def in_earnest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Redis has no longer than the portal gives it; whoever asks is made with that and kept."""
    rates._redis.cache_clear()
    monkeypatch.setattr(rates, "PATIENCE", PATIENCE)
    yield
    rates._redis.cache_clear()


@pytest.fixture(autouse=True)
def _one_minute() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def redis(tmp_path: Path, settings: Settings) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    yield server
    server.stop()


def counted_by_redis(name: str) -> bool:
    """Whether it was fast enough this time; nobody else counts."""
    with suppress(RedisError):
        return rates._by_redis(f"{rates.PREFIX}:{name}:{int(NOW.timestamp()) // rates.MINUTE}") > 0
    return False


def login(username: str = "operator", **host: Any) -> Any:
    return APIClient().post("/api/v1/login", {"username": username, "password": PASSWORD}, format="json", **host)


class TestSignIns:
    @pytest.fixture(autouse=True)
    def _two(self, settings: Settings) -> None:
        settings.API_SIGN_INS_PER_MINUTE = 2

    def test_good_ones_are_counted_too(self, operator: User) -> None:
        answers = [login() for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["Retry-After"] == "40"
        assert answers[2].json() == {"message": "Request was throttled. Expected available in 40 seconds."}

    def test_they_are_taken_again_in_the_next_minute(self, operator: User) -> None:
        assert [login().status_code for _ in range(3)] == [200, 200, 429]
        with time_machine.travel(NOW.replace(minute=1), tick=False):
            assert login().status_code == 200

    def test_every_way_counts_and_none_looks_at_what_comes_afterwards(self, operator: User, nobody: User) -> None:
        client, secret = clients.make("Monitoring", operator)
        assert begin().status_code == 200
        assert come(client.client_id, secret).status_code == 200
        envelope = {"action": "auth", "obj": "User", "params": {"login": "operator", "password": PASSWORD}}
        answers = [begin(), come(client.client_id, secret), login()]
        assert [answer.status_code for answer in answers] == [429] * 3
        assert APIClient().post("/api/", envelope, format="json").json()["code"] == 429

    def test_other_hosts_are_others(self, operator: User) -> None:
        assert [login().status_code for _ in range(3)] == [200, 200, 429]
        assert login(REMOTE_ADDR="192.0.2.7").status_code == 200

    def test_calls_are_none(self, api: Api, operator: User) -> None:
        caller = api(operator)
        assert [caller.get(LIST).status_code for _ in range(5)] == [200] * 5

    def test_0_is_no_limit(self, operator: User, settings: Settings) -> None:
        settings.API_SIGN_INS_PER_MINUTE = 0
        assert [login().status_code for _ in range(5)] == [200] * 5
        assert not CallCount.objects.exists()


class TestCalls:
    @pytest.fixture(autouse=True)
    def _three(self, settings: Settings) -> None:
        settings.API_CALLS_PER_MINUTE = 3

    def test_a_user_is_counted_whatever_the_token(self, api: Api, operator: User, admin: User) -> None:
        statuses = [api(operator).get(LIST).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert api(admin).get(LIST).status_code == 200

    def test_the_answer_is_the_documented_one(self, api: Api, operator: User) -> None:
        caller = api(operator)
        answer = [caller.get(LIST) for _ in range(4)][-1]
        assert answer.headers["Retry-After"] == "40"
        assert answer.json()["status"] == 429
        assert answer.json()["message"]

    def test_whoever_signs_in_by_the_envelope_may_bring_a_token_that_has_ended(self, operator: User) -> None:
        envelope = {"action": "auth", "obj": "User", "params": {"login": "operator", "password": PASSWORD}}
        caller = APIClient(headers={"Authorization": f"Bearer {'0' * 64}"})
        assert [caller.post("/api/", envelope, format="json").json()["code"] for _ in range(4)] == [200, 200, 200, 429]
        assert not RefusedTry.objects.exists()

    def test_each_key_is_counted_by_itself(self, operator: User) -> None:
        first, second = (keys.issue(operator, name)[1] for name in ("first", "second"))
        assert [use(first).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert use(second).status_code == 200

    def test_a_client_is_counted_with_all_of_its_tokens(self, operator: User) -> None:
        client, secret = clients.make("Monitoring", operator)
        tokens = [come(client.client_id, secret).json()["access_token"] for _ in range(2)]
        assert [use(tokens[number % 2]).status_code for number in range(4)] == [200, 200, 200, 429]

    def test_whoever_is_not_known_is_his_host(self, db: None) -> None:
        url = "/api/v1/openapi.json"
        assert [APIClient().get(url).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert APIClient().get(url, REMOTE_ADDR="192.0.2.7").status_code == 200


class TestCounting:
    def test_the_database_counts(self, db: None) -> None:
        assert [rates.count("x") for _ in range(3)] == [1, 2, 3]
        assert rates.count("y") == 1
        assert CallCount.objects.get(name="x").count == 3

    @pytest.mark.django_db(transaction=True)
    def test_at_once_none_is_lost_and_none_counted_twice(self) -> None:
        def count(_: int) -> int:
            try:
                return rates.count("x")
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(count, range(40))) == list(range(1, 41))

    def test_redis_counts_where_there_is_one(self, db: None, redis: Redis) -> None:
        assert [rates.count("x") for _ in range(3)] == [1, 2, 3]
        assert not CallCount.objects.exists()

    def test_what_it_counted_ends_by_itself(self, db: None, redis: Redis) -> None:
        rates.count("x")
        client = rates._redis(redis.url)
        (key,) = client.keys()
        assert 0 < client.ttl(key) <= 120

    def test_where_it_is_away_the_database_counts(self, db: None, settings: Settings) -> None:
        settings.REDIS_URL = GONE
        assert [rates.count("x") for _ in range(3)] == [1, 2, 3]
        assert CallCount.objects.get().count == 3

    @pytest.mark.usefixtures("in_earnest")
    @pytest.mark.parametrize("known", [True, False], ids=["connected before", "not connected yet"])
    def test_where_it_hangs_one_call_waits_for_it_and_no_other(self, db: None, redis: Redis, known: bool) -> None:
        """Whose connection is still to be made waits no longer: the kernel takes it."""
        if known:
            wait_for(lambda: counted_by_redis("x"), "it answers in time")
        assert redis._process
        redis._process.send_signal(signal.SIGSTOP)
        try:
            assert rates.count("x") == 1
            assert rates._Redis.asked_from > STILL
            assert rates.count("x") == 2
        finally:
            redis._process.send_signal(signal.SIGCONT)

    @pytest.mark.usefixtures("in_earnest")
    def test_nobody_waits_for_it_as_long_as_a_second(self) -> None:
        how = rates._redis(GONE).connection_pool.connection_kwargs
        assert how["socket_connect_timeout"] + how["socket_timeout"] < 1
        assert how["retry"].get_retries() == 0

    def test_it_is_asked_again_after_a_while(
        self, db: None, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.REDIS_URL = GONE
        rates.count("x")
        settings.REDIS_URL = redis.url
        rates.count("x")
        assert CallCount.objects.get().count == 2
        monkeypatch.setattr(rates._Redis, "asked_from", STILL)
        assert rates.count("x") == 1

    def test_minutes_that_are_over_are_forgotten(self, db: None) -> None:
        rates.count("x")
        assert rates.drop_old_counts() == 0
        with time_machine.travel(NOW.replace(minute=2), tick=False):
            rates.count("x")
            assert rates.drop_old_counts() == 1
