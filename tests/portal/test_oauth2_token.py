"""POST /oauth2/token: OAuth2 client credentials, as SMSmobileAPI has them."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from pytest_django import Settings
from rest_framework.test import APIClient

from portal import clients, defender
from portal.errors import Refusal
from portal.models import AuditEvent, RefusedTry, User, WatchedHost
from portal.passwords import PortalPasswordHasher
from tests.portal.token_calls import CLIENT, FORM, basic, begin, come, renew, use

Client = tuple[Application, str]


@pytest.fixture
def client(operator: User) -> Client:
    return clients.make("Monitoring", operator)


@pytest.mark.parametrize("url", [CLIENT, CLIENT + "/"])
def test_it_answers_as_rfc_6749_does(client: Client, url: str) -> None:
    body = f"grant_type=client_credentials&client_id={client[0].client_id}&client_secret={client[1]}"
    answer = APIClient().post(url, body, content_type=FORM)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.json()) == ["access_token", "expires_in", "token_type", "scope"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)


def test_its_token_acts_as_the_clients_user(client: Client, operator: User) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    assert use(token).status_code == 200
    assert use(token, "/api/v1/messages").status_code == 403
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.object_id) == ("oauth2", operator, "Monitoring")


def test_the_secret_may_come_in_a_header(client: Client) -> None:
    header = basic(client[0].client_id, client[1])
    answer = APIClient().post(CLIENT, "grant_type=client_credentials", content_type=FORM, HTTP_AUTHORIZATION=header)
    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_scheme_of_the_header_may_be_spelt_in_any_case(client: Client, scheme: str) -> None:
    header = basic(client[0].client_id, client[1]).replace("Basic", scheme)
    answer = APIClient().post(CLIENT, "grant_type=client_credentials", content_type=FORM, HTTP_AUTHORIZATION=header)
    assert answer.status_code == 200


def test_neither_secret_nor_token_is_stored(client: Client) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    stored = str([vars(row) for model in (AccessToken, Application) for row in model.objects.all()])
    assert client[1] not in stored
    assert token not in stored


@pytest.mark.parametrize("header", ["", basic("stranger", "x"), "Basic x", "Basic \xff", basic("a\x00b", "x")])
def test_a_wrong_pair_is_401_and_counted(client: Client, header: str) -> None:
    body = f"grant_type=client_credentials&client_id={client[0].client_id}&client_secret=wrong"
    headers = {"authorization": header} if header else {}
    answer = APIClient().post(CLIENT, body, content_type=FORM, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert RefusedTry.objects.get().way == "client"


def test_a_right_secret_shows_nothing_once_others_used_up_the_tries(client: Client) -> None:
    assert come(client[0].client_id, client[1]).status_code == 200
    # Another process has blocked the host within the second for which this one believes what it knew.
    WatchedHost.objects.create(host="127.0.0.1", until=timezone.now() + timedelta(minutes=15))
    assert come(client[0].client_id, client[1]).status_code == 429


@pytest.mark.parametrize("in_header", [True, False])
@pytest.mark.parametrize("there_is_one", [True, False])
def test_an_unknown_client_takes_as_long_as_a_wrong_secret(
    client: Client, monkeypatch: pytest.MonkeyPatch, in_header: bool, there_is_one: bool
) -> None:
    hashed: list[str] = []

    def look(*_: Any) -> str:
        hashed.append("once")
        return ""

    for name in ("encode", "verify"):
        monkeypatch.setattr(PortalPasswordHasher, name, look)
    name = client[0].client_id if there_is_one else "stranger"
    if in_header:
        header = {"authorization": basic(name, "wrong")}
        answer = APIClient().post(CLIENT, "grant_type=client_credentials", content_type=FORM, headers=header)
    else:
        answer = come(name, "wrong")
    assert answer.status_code == 401
    assert hashed == ["once"]


def test_whoever_guesses_secrets_is_blocked(client: Client) -> None:
    codes = [come(client[0].client_id, f"wrong {number}").status_code for number in range(6)]
    assert codes == [401, 401, 401, 401, 401, 429]
    assert WatchedHost.objects.blocked().exists()


def test_naming_no_client_at_all_is_no_guess(db: None) -> None:
    answer = APIClient().post(CLIENT, "grant_type=client_credentials", content_type=FORM)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("grant", ["password", "refresh_token", "authorization_code", "implicit", "urn:x"])
def test_it_gives_tokens_for_nothing_else(client: Client, grant: str) -> None:
    body = f"grant_type={grant}&username=operator&password=wrong&refresh_token=x"
    answer = APIClient().post(CLIENT, body, content_type=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"expires_at": timezone.now() - timedelta(days=1)}])
def test_a_client_whose_user_may_not_act_is_refused(client: Client, change: dict[str, Any]) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    User.objects.update(**change)
    answer = come(client[0].client_id, client[1])
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert use(token).status_code == 401


def test_a_client_without_a_user_is_refused(client: Client) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    Application.objects.update(user=None)
    assert come(client[0].client_id, client[1]).json()["error"] == "unauthorized_client"
    assert use(token).status_code == 401


def test_a_client_that_acts_for_somebody_else_by_now_needs_another_token(client: Client, admin: User) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    assert use(token).status_code == 200
    Application.objects.update(user=admin)
    assert use(token).status_code == 401
    assert use(come(client[0].client_id, client[1]).json()["access_token"], "/api/v1/messages").status_code == 200


def test_a_client_of_sessions_does_not_come_by_itself(db: None) -> None:
    client, secret = clients.make("Terminals")
    assert come(client.client_id, secret).json()["error"] == "unauthorized_client"


def test_with_another_secret_whatever_the_former_gave_has_ended(client: Client) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    secret = clients.renew_secret(client[0])
    assert use(token).status_code == 401
    assert come(client[0].client_id, client[1]).status_code == 401
    assert come(client[0].client_id, secret).status_code == 200


def test_a_program_that_goes_on_with_a_token_of_the_former_secret_does_not_guess(client: Client) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    clients.renew_secret(client[0])
    assert [use(token).status_code for _ in range(6)] == [401] * 6
    assert not RefusedTry.objects.exists()


def test_nor_does_one_that_goes_on_with_a_client_that_was_closed(client: Client) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    clients.close(client[0])
    assert [use(token).status_code for _ in range(6)] == [401] * 6
    answers = [come(client[0].client_id, client[1]) for _ in range(6)]
    assert {(answer.status_code, answer.json()["error"]) for answer in answers} == {(400, "unauthorized_client")}
    assert not RefusedTry.objects.exists()
    assert come(client[0].client_id, "guess").status_code == 401
    assert RefusedTry.objects.get().way == "client"


def test_nor_does_one_that_opened_sessions_by_it(operator: User) -> None:
    client, secret = clients.make("terminals")
    given = {"client_id": client.client_id, "client_secret": secret}
    session = begin(**given).json()
    clients.close(client)
    assert [use(session["access_token"]).status_code for _ in range(6)] == [401] * 6
    assert [renew(session["refresh_token"], **given).status_code for _ in range(6)] == [400] * 6
    assert [begin(**given).status_code for _ in range(6)] == [400] * 6
    assert not RefusedTry.objects.exists()


def test_a_closed_client_is_forgotten_after_a_month(client: Client) -> None:
    clients.make("terminals")
    clients.close(client[0])
    with time_machine.travel(timezone.now() + timedelta(days=29), tick=False):
        assert clients.drop_closed() == 0
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        assert clients.drop_closed() == 1
    assert [one.name for one in clients.set_up()] == ["terminals"]


@pytest.mark.parametrize("change", ["another secret", "closed", "deleted"])
def test_a_secret_that_was_changed_while_it_was_looked_at_gives_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    may_try = defender.may_try

    def meanwhile(*given: Any) -> bool:
        if change == "deleted":
            Application.objects.filter(pk=client[0].pk).delete()
        elif change == "closed":
            clients.close(client[0])
        else:
            clients.renew_secret(Application.objects.get(pk=client[0].pk))
        return may_try(*given)

    # What is asked once the secret was found to be right.
    monkeypatch.setattr(defender, "may_try", meanwhile)
    answer = come(client[0].client_id, client[1])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert not AccessToken.objects.exists()


def test_with_the_client_its_tokens_are_gone(client: Client) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    assert use(token).status_code == 200
    client[0].delete()
    assert use(token).status_code == 401


def test_a_token_lasts_as_long_as_was_said(client: Client, settings: Settings) -> None:
    settings.API_OAUTH2_SECONDS = 120
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answer = come(client[0].client_id, client[1]).json()
        assert answer["expires_in"] == 120
        clock.shift(119)
        assert use(answer["access_token"]).status_code == 200
        clock.shift(2)
        assert use(answer["access_token"]).status_code == 401
    assert not RefusedTry.objects.exists()


def test_a_closed_way_is_an_unknown_path_and_its_tokens_are_refused(client: Client, settings: Settings) -> None:
    token = come(client[0].client_id, client[1]).json()["access_token"]
    settings.API_WAYS_IN = ["login", "session"]
    answer = come(client[0].client_id, "wrong")
    assert (answer.status_code, answer.json()) == (404, {"message": "Unknown path /oauth2/token"})
    assert use(token).status_code == 401
    assert not RefusedTry.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_a_client_has_a_name(db: None, name: str) -> None:
    with pytest.raises(Refusal):
        clients.make(name)


def test_nobody_is_acted_for_who_may_not_act(operator: User) -> None:
    operator.is_active = False
    with pytest.raises(Refusal):
        clients.make("Monitoring", operator)
