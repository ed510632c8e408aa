"""API keys: where they are read, what they are narrowed to, and how they end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from gateways.models import Gateway
from portal import keys
from portal.errors import Refusal
from portal.models import ApiKey, AuditEvent, RefusedTry, User, WatchedHost

URL = "/api/v1/sms_gateways"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def get(url: str = URL, **headers: Any) -> Any:
    return APIClient().get(url, **headers)


def with_key(key: str, url: str = URL) -> Any:
    return get(url, HTTP_X_API_KEY=key)


def send(key: str, **fields: Any) -> Any:
    body = {"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Wi-Fi is back"} | fields
    url = "/api/v1/sms_gateways/send_sms"
    return APIClient().post(url, body, format="json", HTTP_X_API_KEY=key)


@pytest.fixture
def key(operator: User) -> str:
    return keys.issue(operator, "monitoring")[1]


def test_a_key_is_read_wherever_programs_put_it(key: str) -> None:
    answers = [
        with_key(key),
        get(f"{URL}?apikey={key}"),
        get(HTTP_AUTHORIZATION=f"Bearer {key}"),
        get(HTTP_AUTHORIZATION=key),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4


def test_only_its_digest_is_stored(key: str) -> None:
    row = ApiKey.objects.get()
    assert key not in str(vars(row))
    assert row.digest == keys.digest_of(key)
    assert (row.beginning, str(row)) == (key[:10], f"monitoring ({key[:10]}…)")


@pytest.mark.parametrize("presented", ["gsp_" + "A" * 43, "x", "gsp_", "gsp_" + "я" * 43, "gsp_\x00", "A" * 5000])
def test_an_unknown_key_is_401_and_counted(db: None, presented: str) -> None:
    answer = get(f"{URL}?apikey={presented}".replace("\x00", "%00"))
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid API key"})
    assert RefusedTry.objects.get().way == "key"


def test_who_guesses_keys_is_blocked(db: None) -> None:
    codes = [with_key(f"gsp_{number:043d}").status_code for number in range(6)]
    assert codes == [401, 401, 401, 401, 401, 429]
    assert WatchedHost.objects.blocked().count() == 1


def test_a_revoked_key_is_refused_with_the_very_next_call_and_is_no_guess(key: str) -> None:
    assert with_key(key).status_code == 200
    assert keys.revoke(ApiKey.objects.get()) is True
    assert keys.revoke(ApiKey.objects.get()) is False
    answer = with_key(key)
    assert answer.status_code == 401
    assert "was revoked" in answer.json()["message"]
    assert not RefusedTry.objects.exists()


def test_an_expired_key_is_refused(operator: User) -> None:
    with time_machine.travel(NOW, tick=False):
        key = keys.issue(operator, "for a day", expires_at=NOW + timedelta(days=1))[1]
        assert with_key(key).status_code == 200
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert with_key(key).status_code == 401


def test_a_key_ends_with_its_user(key: str) -> None:
    assert with_key(key).status_code == 200
    User.objects.update(is_active=False)
    assert with_key(key).status_code == 401


def test_a_key_is_narrowed_to_its_rights(admin: User) -> None:
    key = keys.issue(admin, "reads only", rights=["SMS_GATEWAY_READ"])[1]
    assert with_key(key).status_code == 200
    answer = with_key(key, "/api/v1/messages")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Unauthorized access, lacking the MESSAGES_READ administrative role"


def test_a_key_gives_no_right_that_its_user_lacks(operator: User) -> None:
    key = keys.issue(operator, "too much", rights=["MESSAGES_READ", "SMS_GATEWAY_READ"])[1]
    assert with_key(key).status_code == 200
    assert with_key(key, "/api/v1/messages").status_code == 403


def test_a_key_whose_rights_are_unknown_by_now_has_none(admin: User) -> None:
    key = keys.issue(admin, "old")[1]
    ApiKey.objects.update(rights=["FAX_READ"])
    assert with_key(key).status_code == 403


def test_the_same_user_is_not_narrowed_elsewhere(admin: User, api: Any) -> None:
    key = keys.issue(admin, "reads only", rights=["SMS_GATEWAY_READ"])[1]
    assert with_key(key, "/api/v1/messages").status_code == 403
    assert api(admin).get("/api/v1/messages").status_code == 200


def test_a_key_sends_through_its_gateways_and_knows_no_other(operator: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    key = keys.issue(operator, "one gateway", gateways=[other.pk])[1]
    assert send(key, sms_gateway="other").status_code == 200
    answer = send(key)
    assert (answer.status_code, answer.json()["message"]) == (404, "There is no gateway “sandbox”.")


def test_what_a_key_sends_is_its_users(key: str, sandbox: Gateway) -> None:
    assert send(key).status_code == 200
    event = AuditEvent.objects.get()
    assert (event.user_name, event.action) == ("operator", "sms_gateways.send_sms")
    assert key not in str(event.request) + event.path


def test_a_key_is_good_from_its_networks_only(operator: User) -> None:
    key = keys.issue(operator, "the till", networks=["192.0.2.0/24", "2001:db8::1"])[1]
    for address, code in (("192.0.2.7", 200), ("2001:db8::1", 200), ("198.51.100.1", 403), ("2001:db8::2", 403)):
        assert get(HTTP_X_API_KEY=key, REMOTE_ADDR=address).status_code == code
    assert not RefusedTry.objects.exists()


def test_its_last_use_is_noted_now_and_then(operator: User) -> None:
    key = keys.issue(operator, "monitoring")[1]
    with time_machine.travel(NOW, tick=False) as clock:
        for seconds, seen in ((0, 0), (20, 0), (1, 21)):
            clock.shift(seconds)
            with_key(key)
            assert ApiKey.objects.get().last_used == NOW + timedelta(seconds=seen)
    assert ApiKey.objects.get().last_address == "127.0.0.1"


def test_where_the_way_is_closed_no_key_opens(key: str, settings: Settings) -> None:
    settings.API_WAYS_IN = ["login"]
    for answer in (with_key(key), get(f"{URL}?apikey={key}"), get(HTTP_AUTHORIZATION=f"Bearer {key}")):
        assert answer.status_code == 401
    # Nor does a program that goes on trying block its host.
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("said", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}], ids=str)
@pytest.mark.parametrize("path", [URL, "/api/v1/token_info"])
def test_a_picture_on_a_page_of_another_site_cannot_get_its_reader_blocked(
    key: str, path: str, said: dict[str, str]
) -> None:
    for presented in ("gsp_guess", key):
        answer = get(f"{path}?apikey={presented}", headers=said)
        assert (answer.status_code, answer.json()["message"]) == (403, "Pages of another site cannot sign in here.")
    assert not RefusedTry.objects.exists()
    # To send a header a page would have to be invited.
    assert get(URL, headers=said, HTTP_X_API_KEY=key).status_code == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"rights": ["FAX_READ"]}, "rights"),
        ({"networks": ["somewhere"]}, "networks"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
        ({"name": "taken"}, "name"),
    ],
)
def test_a_key_that_cannot_be_is_refused(operator: User, given: dict[str, Any], field: str) -> None:
    keys.issue(operator, "taken")
    with pytest.raises(Refusal) as refused:
        keys.issue(operator, **({"name": "new"} | given))
    assert refused.value.field == field
    assert ApiKey.objects.count() == 1
