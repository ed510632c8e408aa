"""OAuth2 clients that are for less than all that their users may: what their tokens open, and when they get none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework.test import APIClient

from gateways.models import Gateway
from portal import clients, narrowing
from portal.errors import Refusal
from portal.models import AuditEvent, OAuthClient, RefusedTry, User
from tests.portal.token_calls import by_client, come, token_of, use

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INFO, MESSAGES, KEYS = "/api/v1/token_info", "/api/v1/messages", "/api/v1/api_keys"
NETWORKS = ["192.0.2.0/24", "2001:db8::1"]


def send(client: APIClient, **fields: Any) -> Any:
    body = {"phone_number": "+79161234567", "message": "Wi-Fi is back"} | fields
    return client.post("/api/v1/sms_gateways/send_sms", body, format="json")


def test_one_for_some_rights_opens_nothing_else(admin: User) -> None:
    client = by_client(admin, rights=["SMS_GATEWAY_READ"])
    assert client.get("/api/v1/sms_gateways").status_code == 200
    answer = client.get(MESSAGES)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Unauthorized access, lacking the MESSAGES_READ administrative role"


def test_it_gives_no_right_that_its_user_lacks(operator: User) -> None:
    client = by_client(operator, rights=["MESSAGES_READ", "SMS_GATEWAY_READ"])
    assert client.get("/api/v1/sms_gateways").status_code == 200
    assert client.get(MESSAGES).status_code == 403


def test_one_whose_rights_are_unknown_by_now_has_none(admin: User) -> None:
    client = by_client(admin, rights=["SMS_GATEWAY_READ"])
    OAuthClient.objects.update(rights=["FAX_READ"])
    assert client.get("/api/v1/sms_gateways").status_code == 403


def test_its_user_is_not_narrowed_elsewhere(admin: User, api: Any) -> None:
    assert by_client(admin, rights=["SMS_GATEWAY_READ"]).get(MESSAGES).status_code == 403
    assert api(admin).get(MESSAGES).status_code == 200


def test_for_one_of_some_gateways_the_others_do_not_exist(operator: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    client = by_client(operator, gateways=[other.pk])
    assert [item["id"] for item in client.get("/api/v1/sms_gateways").json()["items"]] == ["other"]
    assert send(client, sms_gateway="other").status_code == 200
    answer = send(client, sms_gateway="sandbox")
    assert (answer.status_code, answer.json()["message"]) == (404, "There is no gateway “sandbox”.")


def test_what_concerns_all_gateways_is_not_for_one_of_some(admin: User, sandbox: Gateway) -> None:
    answer = by_client(admin, gateways=[sandbox.pk]).get("/api/v1/system")
    assert answer.status_code == 403
    assert (
        answer.json()["message"]
        == "This API key or client is for some gateways only, and the call concerns all of them"
    )


@pytest.mark.parametrize("wide", [True, False])
def test_one_of_some_gateways_makes_no_webhook(admin: User, sandbox: Gateway, wide: bool) -> None:
    client = by_client(admin, gateways=[] if wide else [sandbox.pk])
    asked = {"name": "hotel desk", "url": "https://desk.example.org/hook", "events": ["gateway.up"]}
    assert client.post("/api/v1/webhooks", asked, format="json").status_code == (201 if wide else 403)


@pytest.mark.parametrize("rights", [[], ["SYSTEM_READ", "SYSTEM_CREATE"]])
def test_one_for_some_rights_has_no_events_told_that_it_may_not_read(admin: User, rights: list[str]) -> None:
    client = by_client(admin, rights=rights)
    asked = {"name": "hotel desk", "url": "https://desk.example.org/hook", "events": ["sms.received"]}
    assert client.post("/api/v1/webhooks", asked, format="json").status_code == (422 if rights else 201)


class TestNetworks:
    @pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1"])
    def test_it_gets_a_token_and_calls_from_its_own(self, operator: User, address: str) -> None:
        token = token_of(*clients.make("the till", operator, networks=NETWORKS), address)
        assert use(token, address=address).status_code == 200

    @pytest.mark.parametrize("network", ["::ffff:192.0.2.0/120", "::ffff:c000:207"])
    def test_an_address_of_ipv4_is_in_its_network_however_that_is_written(self, operator: User, network: str) -> None:
        token = token_of(*clients.make("the till", operator, networks=[network]), "192.0.2.7")
        assert use(token, address="::ffff:192.0.2.7").status_code == 200
        assert use(token, address="192.0.3.7").status_code == 403

    def test_from_elsewhere_it_gets_none_and_that_is_no_guess(self, operator: User) -> None:
        client, secret = clients.make("the till", operator, networks=NETWORKS)
        answers = [come(client.client_id, secret) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 6
        said = answers[0].json()
        assert (said["error"], said["message"]) == ("invalid_client", "This client may not be used from this address.")
        assert not RefusedTry.objects.exists()
        assert not AccessToken.objects.exists()
        event = AuditEvent.objects.latest("pk")
        assert (event.action, event.status, event.user) == ("oauth2", 401, operator)

    def test_who_has_not_the_secret_learns_nothing_of_them(self, operator: User) -> None:
        client, _secret = clients.make("the till", operator, networks=NETWORKS)
        assert come(client.client_id, "wrong").json()["message"] == "No client has this id and this secret."
        assert RefusedTry.objects.get().way == "client"

    def test_they_are_asked_at_each_call(self, operator: User) -> None:
        token = token_of(*clients.make("the till", operator, networks=NETWORKS), "192.0.2.7")
        answer = use(token)
        assert answer.status_code == 403
        assert answer.json()["message"] == "This OAuth2 client may not be used from this address"
        assert use(token, INFO).status_code == 404
        assert use(token, address="192.0.2.7").status_code == 200
        assert not RefusedTry.objects.exists()

    def test_kannel_says_no_more_of_it_than_of_a_wrong_password(self, operator: User, sandbox: Gateway) -> None:
        token = token_of(*clients.make("the till", operator, networks=NETWORKS), "192.0.2.7")
        query = "/cgi-bin/sendsms?to=%2B79161234567&text=Hello"
        answer = use(token, query)
        assert (answer.status_code, answer.content) == (403, b"Authorization failed for sendsms")
        assert use(token, query, address="192.0.2.7").status_code == 202


class TestItsEnd:
    def test_one_that_has_ended_gets_no_token_and_that_is_no_guess(self, operator: User) -> None:
        with time_machine.travel(NOW, tick=False):
            client, secret = clients.make("for a day", operator, expires_at=NOW + DAY)
            assert come(client.client_id, secret).status_code == 200
        with time_machine.travel(NOW + DAY, tick=False):
            answer = come(client.client_id, secret)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.json()["message"] == "This client has ended."
        assert not RefusedTry.objects.exists()

    def test_no_token_outlives_it(self, operator: User) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            client, secret = clients.make("for a day", operator, expires_at=NOW + DAY)
            assert come(client.client_id, secret).json()["expires_in"] == 3600
            clock.shift(DAY - timedelta(minutes=1))
            answer = come(client.client_id, secret).json()
            assert answer["expires_in"] == 60
            assert use(answer["access_token"]).status_code == 200
            clock.shift(timedelta(minutes=1))
            assert use(answer["access_token"]).status_code == 401
        assert not RefusedTry.objects.exists()

    def test_it_takes_along_the_tokens_that_were_to_last_longer(self, operator: User) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            client, secret = clients.make("for good", operator)
            token = token_of(client, secret)
            clients.change(client, client.name, expires_at=NOW + timedelta(minutes=5))
            assert use(token, INFO).json()["item"]["expires_at"] == "2026-11-22T12:05:00Z"
            clock.shift(timedelta(minutes=5))
            assert use(token).status_code == 401


def test_token_info_tells_what_the_client_is_for(operator: User) -> None:
    item = by_client(operator, rights=["SMS_GATEWAY_READ", "MESSAGES_READ"]).get(INFO).json()["item"]
    assert (item["way"], item["admin_actions"]) == ("oauth2", ["SMS_GATEWAY_READ"])


#: What a client is narrowed to while it has a token, and what its next call is told.
NARROWER: dict[str, tuple[int, Callable[[OAuthClient], object]]] = {
    "rights": (403, lambda client: clients.change(client, client.name, rights=["USERS_READ"])),
    "not of our pages": (401, lambda client: client.delete(keep_parents=True)),
}


@pytest.mark.parametrize("name", NARROWER)
def test_what_is_narrowed_later_narrows_the_tokens_that_it_has(operator: User, name: str) -> None:
    status, narrow = NARROWER[name]
    client, secret = clients.make("monitoring", operator)
    token = token_of(client, secret)
    assert use(token).status_code == 200
    narrow(client)
    assert use(token).status_code == status


def test_it_can_be_made_wider_again(admin: User) -> None:
    client, secret = clients.make("monitoring", admin, rights=["SMS_GATEWAY_READ"])
    token = token_of(client, secret)
    assert use(token, MESSAGES).status_code == 403
    clients.change(client, client.name, by=admin)
    assert use(token, MESSAGES).status_code == 200
    assert OAuthClient.objects.get().rights == []


def test_one_that_was_not_made_on_our_pages_gets_no_token(operator: User) -> None:
    secret = "x" * 40
    row = Application.objects.create(
        user=operator,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    answer = come(row.client_id, secret)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert not RefusedTry.objects.exists()


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"rights": ["FAX_READ"]}, "rights"),
            ({"gateways": [4711]}, "gateways"),
            ({"networks": ["somewhere"]}, "networks"),
            ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
        ],
    )
    def test_it_is_refused(self, operator: User, given: dict[str, Any], field: str) -> None:
        client, _secret = clients.make("there", operator)
        for work in (
            lambda: clients.make("new", operator, **given),
            lambda: clients.change(client, client.name, **given),
        ):
            with pytest.raises(Refusal) as refused:
                work()
            assert refused.value.field == field
        assert OAuthClient.objects.get().name == "there"

    @pytest.mark.parametrize("field", narrowing.COLUMNS)
    def test_a_client_of_sessions_is_not_narrowed(self, sandbox: Gateway, field: str) -> None:
        given: dict[str, Any] = {
            "rights": ["SYSTEM_READ"], "gateways": [sandbox.pk], "networks": ["10.0.0.1"],
            "expires_at": timezone.now() + DAY,
        }  # fmt: skip
        client, _secret = clients.make("terminals", rights=(), gateways=(), networks=(), expires_at=None)
        for work in (clients.make, lambda _name, **one: clients.change(client, client.name, **one)):
            with pytest.raises(Refusal) as refused:
                work("new", **{field: given[field]})
            assert refused.value.field == field
