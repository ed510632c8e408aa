"""Idempotency-Key: one deed and one answer for every request with the same key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from portal.api import repeats
from portal.api.commit import drop_old_answers
from portal.models import AuditEvent, IdempotencyRecord, User
from tests.conftest import Api
from tests.portal.routes import Members, Slow
from tests.portal.ways_in import WAYS
from tests.waiting import PATIENCE

pytestmark = pytest.mark.urls("tests.portal.routes")

URL = "/api/v1/members"


def post(client: APIClient, key: str | None, body: dict[str, Any], url: str = URL) -> Any:
    headers: Any = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return client.post(url, body, format="json", **headers)


def test_a_repeat_gets_the_first_answer_to_the_byte_and_does_nothing(api: Api, admin: User) -> None:
    client = api(admin)
    first, second = post(client, "k1", {"name": "mia"}), post(client, "k1", {"name": "mia"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"] == "/api/v1/member/mia"
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert User.objects.filter(username="mia").count() == 1


def test_the_order_of_fields_and_a_trailing_comma_are_no_other_body(api: Api, admin: User) -> None:
    client = api(admin)
    for body in ('{"name": "mia", "surname": "L"}', '{"surname": "L",\n"name": "mia",}'):
        answer = client.generic("POST", URL, body, content_type="text/plain", HTTP_IDEMPOTENCY_KEY="k1")
        assert answer.status_code == 201


def test_another_body_with_the_same_key_is_422(api: Api, admin: User) -> None:
    client = api(admin)
    post(client, "k1", {"name": "mia"})
    answer = post(client, "k1", {"name": "max"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not User.objects.filter(username="max").exists()


def test_a_key_belongs_to_its_user_and_endpoint(api: Api, admin: User) -> None:
    other = User.objects.create_superuser("other")
    assert post(api(admin), "k1", {"name": "mia"}).status_code == 201
    assert post(api(other), "k1", {"name": "max"}).status_code == 201
    answer = api(admin).patch("/api/v1/member/mia", {"surname": "L"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert answer.status_code == 200
    assert IdempotencyRecord.objects.count() == 3


@pytest.mark.parametrize("own", ["api_key", "basic_with_key", "oauth2_client"])
def test_what_one_program_did_is_told_to_no_other_of_the_same_user(api: Api, admin: User, own: str) -> None:
    first, second = (APIClient(headers=WAYS[own](admin).headers) for _ in range(2))
    with_password = [APIClient(headers=WAYS[way](admin).headers) for way in ("login", "basic", "session")]
    pids = ["mia", "max", "moe"]
    for pid, client in zip(pids, (first, second, with_password[0]), strict=True):
        assert post(client, "1", {"name": pid}).status_code == 201
    for pid, client in zip([*pids, "moe", "moe"], (first, second, *with_password), strict=True):
        again = post(client, "1", {"name": pid})
        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")


def test_a_trailing_slash_is_the_same_endpoint(api: Api, admin: User) -> None:
    client = api(admin)
    assert post(client, "k1", {"name": "mia"}).content == post(client, "k1", {"name": "mia"}, URL + "/").content


def test_only_an_accepted_answer_is_kept(api: Api, admin: User) -> None:
    client = api(admin)
    User.objects.create(username="mia")
    assert post(client, "k1", {"name": "mia"}).status_code == 409
    User.objects.get(username="mia").delete()
    assert post(client, "k1", {"name": "mia"}).status_code == 201


def test_without_a_key_nothing_is_kept(api: Api, admin: User) -> None:
    post(api(admin), None, {"name": "mia"})
    assert not IdempotencyRecord.objects.exists()


def test_a_long_endpoint_keeps_its_key_too(api: Api, admin: User) -> None:
    User.objects.create(username="m" * 150)
    for _ in range(2):
        url = f"/api/v1/member/{'m' * 150}"
        answer = api(admin).patch(url, {"surname": "L"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
        assert answer.status_code == 200
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.parametrize("key", ["k" * 255, "!", "a b", '"quoted"', "~" * 254 + "x"])
def test_any_printable_ascii_is_a_key(api: Api, admin: User, key: str) -> None:
    assert post(api(admin), key, {"name": "mia"}).status_code == 201
    assert IdempotencyRecord.objects.get().key == key


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "ключ", "\xff", "a\tb", "a\x00b", "\x7f"])
def test_anything_else_is_400_naming_the_header(api: Api, admin: User, key: str) -> None:
    answer = post(api(admin), key, {"name": "mia"})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["message"]
    assert not User.objects.filter(username="mia").exists()


def test_the_record_holds_no_secret_of_the_body(api: Api, admin: User) -> None:
    post(api(admin), "k1", {"name": "mia", "password": "hunter2"})
    record = IdempotencyRecord.objects.get()
    assert "hunter2" not in str(vars(record))
    assert len(record.fingerprint) == 64


def test_each_repeat_is_audited_and_the_first_call_once(api: Api, admin: User) -> None:
    client = api(admin)
    post(client, "k1", {"name": "mia"})
    assert AuditEvent.objects.count() == 1
    post(client, "k1", {"name": "mia"})
    assert list(AuditEvent.objects.values_list("status", flat=True)) == [201, 201]


@pytest.mark.usefixtures("no_time_passes")
def test_housekeeping_keeps_answers_for_two_days(api: Api, admin: User) -> None:
    post(api(admin), "k1", {"name": "mia"})
    IdempotencyRecord.objects.update(created=timezone.now() - timedelta(hours=47, minutes=59))
    assert drop_old_answers() == 0
    IdempotencyRecord.objects.update(created=timezone.now() - timedelta(hours=48, minutes=1))
    assert drop_old_answers() == 1


@pytest.mark.usefixtures("no_time_passes")
def test_what_keeps_no_answer_is_kept_for_ten_minutes(api: Api, admin: User) -> None:
    post(api(admin), "k1", {"name": "mia"})
    IdempotencyRecord.objects.create(user=admin, endpoint="SMSC.ru, again", key="k2", **repeats.NOTHING_KEPT)
    IdempotencyRecord.objects.update(created=timezone.now() - timedelta(minutes=9, seconds=59))
    assert repeats.drop_old_records() == 0
    IdempotencyRecord.objects.update(created=timezone.now() - timedelta(minutes=10, seconds=1))
    assert repeats.drop_old_records() == 1
    assert IdempotencyRecord.objects.get().key == "k1"


def in_thread(client: APIClient, key: str, body: dict[str, Any], url: str = URL) -> Any:
    try:
        return post(client, key, body, url)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_repeat_while_the_first_is_open_is_409_with_retry_after(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "sqlite":
        # Its one lock is waited for as long as this; in earnest 20 seconds.
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)
    monkeypatch.setattr(Slow, "entered", Event())
    monkeypatch.setattr(Slow, "may_end", Event())
    first, second = api(admin), api(admin)
    with ThreadPoolExecutor(2) as pool:
        opened = pool.submit(in_thread, first, "k1", {}, "/api/v1/slow")
        assert Slow.entered.wait(PATIENCE)
        repeat = pool.submit(in_thread, second, "k1", {}, "/api/v1/slow").result(PATIENCE)
        Slow.may_end.set()
        answer = opened.result(PATIENCE)
    assert (repeat.status_code, repeat.headers["Retry-After"]) == (409, "1")
    assert answer.status_code == 200
    assert post(second, "k1", {}, "/api/v1/slow").content == answer.content


@pytest.mark.django_db(transaction=True)
def test_when_the_first_fails_a_waiting_repeat_does_the_work(
    api: Api, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    make = Members.create

    def fail_once(self: Members, fields: dict[str, Any]) -> User:
        calls.append(fields["name"])
        if len(calls) == 1:
            raise RuntimeError("the first one dies")
        return make(self, fields)

    monkeypatch.setattr(Members, "create", fail_once)
    client = api(admin)
    assert post(client, "k1", {"name": "mia"}).status_code == 500
    assert post(client, "k1", {"name": "mia"}).status_code == 201
    assert calls == ["mia", "mia"]
