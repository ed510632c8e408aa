"""The ways in: what a request is given, what a login asks, and what its answers mean."""

import json
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from gateways import auth
from gateways.auth.tokens import LONGEST_LIFE, SHORTEST_LIFE, USUAL_LIFE
from gateways.http import LARGEST_BODY, HttpRequest, HttpResponse, get, post_form, post_json
from gateways.outcomes import Ambiguous, CredentialsRefused, GatewayFault, NotAccepted, RefusedForNow

URL = "https://sms.example.org"
SETTINGS = {
    "url": URL,
    "login": "портал",
    "password": 'p&<ä>"',
    "api_key": "k&y",
    "client_id": "123",
    "client_secret": "s+cret",
}
TOKEN = auth.Token("t0ken")

API_KEY = auth.ApiKey("query", "apikey")
OAUTH2 = auth.OAuth2ClientCredentials()
SESSION = auth.Session()
LOGIN_TOKEN = auth.LoginToken()
ENVELOPE = auth.ActionEnvelope()

#: A way that logs in, with a good answer to its login.
LOGINS = [
    pytest.param(OAUTH2, {"access_token": "t0ken"}, id="oauth2"),
    pytest.param(SESSION, {"Access_token": "t0ken"}, id="session"),
    pytest.param(LOGIN_TOKEN, {"token": "t0ken"}, id="login token"),
    pytest.param(ENVELOPE, {"code": 200, "body": {"token": "t0ken"}}, id="action envelope"),
]
WAYS = [pytest.param(login.values[0], id=str(login.id)) for login in LOGINS]

#: What the documentation of Mobile SMARTS prints for JSON.
AS_PRINTED = """{
  Access_token:"123123123",
  Token_type:"bearer",
  Expires_in:86400,
  Refresh_token:"321321321",
}
"""


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return HttpResponse(status, headers, raw)


def form_of(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}


def query_of(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


# Without a login


def test_an_api_key_goes_into_the_query_beside_what_is_there() -> None:
    signed = API_KEY.sign(get(URL, {"text": "a b"}), SETTINGS, None)
    assert query_of(signed) == {"text": "a b", "apikey": "k&y"}


def test_an_api_key_goes_into_the_form_beside_what_is_there() -> None:
    way = auth.ApiKey("form", "apikey")
    signed = way.sign(post_form(URL, {"text": "a&b"}), SETTINGS, None)
    assert form_of(signed) == {"text": "a&b", "apikey": "k&y"}
    assert signed.url == URL
    assert form_of(way.sign(post_form(URL, {}), SETTINGS, None)) == {"apikey": "k&y"}


def test_an_api_key_of_a_form_goes_into_the_query_where_there_is_no_form() -> None:
    way = auth.ApiKey("form", "apikey")
    for request in (get(URL), post_json(URL, {"text": "a"})):
        signed = way.sign(request, SETTINGS, None)
        assert query_of(signed) == {"apikey": "k&y"}
        assert signed.body == request.body


def test_an_api_key_goes_into_a_header_after_its_prefix_and_replaces_what_was_there() -> None:
    way = auth.ApiKey("header", "x-key", prefix="Key ")
    assert way.sign(get(URL, headers={"X-Key": "old", "a": "b"}), SETTINGS, None).headers == {
        "a": "b",
        "x-key": "Key k&y",
    }


def test_basic_spells_login_and_password_in_utf_8() -> None:
    signed = auth.Basic().sign(get(URL), SETTINGS, None)
    assert signed.headers["authorization"] == "Basic " + b64encode('портал:p&<ä>"'.encode()).decode()


def test_basic_and_bearer_may_be_told_the_names_of_their_settings() -> None:
    assert auth.Bearer().sign(get(URL), SETTINGS, None).headers == {"authorization": "Bearer k&y"}
    assert auth.Bearer("client_secret").sign(get(URL), SETTINGS, None).headers == {"authorization": "Bearer s+cret"}
    signed = auth.Basic("client_id", "client_secret").sign(get(URL), SETTINGS, None)
    assert signed.headers == {"authorization": "Basic " + b64encode(b"123:s+cret").decode()}


@pytest.mark.parametrize("way", [auth.OPEN, API_KEY, auth.Basic(), auth.Bearer()])
def test_ways_without_a_login_ask_for_no_token_and_see_none_end(way: auth.Way) -> None:
    assert not way.logs_in
    assert not way.ended(answer("", 401))
    assert auth.OPEN.sign(get(URL), SETTINGS, None) == get(URL)


# What all logins share


@pytest.mark.parametrize(("way", "good"), LOGINS)
def test_a_login_gives_a_token_that_every_request_carries(way: auth.Way, good: object) -> None:
    assert way.logs_in
    token = way.read_login(SETTINGS, answer(good))
    signed = way.sign(get(URL, headers={"Authorization": "stale"}), SETTINGS, token)
    assert signed.headers == {"authorization": "Bearer t0ken"}
    assert way.sign(signed, SETTINGS, token) == signed


@pytest.mark.parametrize("way", WAYS)
def test_without_a_token_a_request_is_left_as_it_is(way: auth.Way) -> None:
    assert way.sign(get(URL), SETTINGS, None) == get(URL)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_is_refused_credentials(way: auth.Way, status: int) -> None:
    with pytest.raises(CredentialsRefused, match="refuses the login"):
        way.read_login(SETTINGS, answer({"message": "no"}, status))


@pytest.mark.parametrize("way", WAYS)
def test_too_many_logins_are_asked_again_when_the_provider_says(way: auth.Way) -> None:
    with pytest.raises(RefusedForNow) as refused:
        way.read_login(SETTINGS, answer("", 429, **{"retry-after": "7"}))
    assert refused.value.retry_after == 7


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [301, 302, 404, 405])
def test_a_wrong_address_is_a_fault_with_a_remedy_and_no_refusal(way: auth.Way, status: int) -> None:
    with pytest.raises(GatewayFault) as fault:
        way.read_login(SETTINGS, answer("<h1>Nothing here</h1>", status))
    assert not isinstance(fault.value, CredentialsRefused)
    assert "address" in fault.value.remedy


@pytest.mark.parametrize(("way", "good"), LOGINS)
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_fails_says_nothing_about_the_login(way: auth.Way, good: object, status: int) -> None:
    with pytest.raises(Ambiguous):
        way.read_login(SETTINGS, answer(good, status))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff",
        b"null",
        b"[]",
        b"7",
        b'"t0ken"',
        b"{}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"token": ' + b"9" * 9000 + b"}",
        b"x" * LARGEST_BODY,
        b'{"access_token: "' + b"a" * LARGEST_BODY,
        b"{" + b'a:"' * 300_000,
        b"{" + b" " * LARGEST_BODY,
        b"{access_token" + b" " * LARGEST_BODY,
        b'<html>access_token: "t0ken"</html>',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_an_answer_that_is_no_login_s_is_unclear(way: auth.Way, body: bytes) -> None:
    for headers in ({}, {"content-type": "application/json; charset=utf-16"}, {"content-type": "x; charset=rot13"}):
        with pytest.raises(Ambiguous):
            way.read_login(SETTINGS, HttpResponse(200, headers, body))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "two words",
        "a\r\nx-admin: 1",
        "a\x00b",
        "ключ",
        "x" * 8001,
        5,
        1.5,
        True,
        None,
        ["t0ken"],
        {"token": "t0ken"},
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_token_that_may_not_stand_in_a_header_is_unclear(way: auth.Way, value: object) -> None:
    wherever = {"token": value, "access_token": value, "code": 200, "body": {"token": value}}
    with pytest.raises(Ambiguous):
        way.read_login(SETTINGS, answer(wherever))


@pytest.mark.parametrize("way", WAYS)
@given(
    status=st.integers(100, 599),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["token", "access_token", "expires_in", "refresh_token", "error", "code", "body", "exp", "tz"]
            ),
            inner | st.sampled_from([200, 401, "200", "2021-09-20T10:14:13", "0001-01-01T00:00", "Europe", "../x"]),
        ),
        max_leaves=8,
    ),
)
def test_whatever_comes_a_login_ends_in_a_token_or_in_a_known_outcome(way: auth.Way, status: int, body: object) -> None:
    for read in (way.read_login, way.read_refresh):
        with suppress(NotAccepted):
            token = read(SETTINGS, answer(body, status))
            assert 200 <= status < 300
            assert token.value.isprintable()
            assert token.lasts is None or SHORTEST_LIFE <= token.lasts <= LONGEST_LIFE


@pytest.mark.parametrize("way", WAYS)
def test_no_reason_repeats_what_the_provider_wrote(way: auth.Way) -> None:
    wrote = {"message": "p&<ä>", "error": "p&<ä>", "error_description": "p&<ä>", "notifies": [{"text": "p&<ä>"}]}
    for status in (200, 302, 400, 401, 403, 404, 422, 429, 500):
        for code in ({}, {"code": 401}, {"code": "p&<ä>"}):
            with pytest.raises(NotAccepted) as outcome:
                way.read_login(SETTINGS, answer(wrote | code, status))
            assert "p&" not in outcome.value.reason + getattr(outcome.value, "remedy", "")


def test_tokens_are_taken_out_of_an_answer_that_is_shown() -> None:
    for text in (
        '{"token": "s3cret"}',
        '{"access_token":"s3cret","refresh_token":"s3cret"}',
        '{"Access_Token" : "s3cret"',
        AS_PRINTED.replace("123123123", "s3cret").replace("321321321", "s3cret"),
        '{"accessToken":"s3cret',
    ):
        assert "s3cret" not in auth.without_tokens(text)
    assert auth.without_tokens('{"message": "SMS sent"}') == '{"message": "SMS sent"}'


# OAuth2


def test_oauth2_asks_with_its_pair_in_the_form() -> None:
    asked = OAUTH2.login(SETTINGS)
    assert (asked.method, asked.url) == ("POST", f"{URL}/oauth2/token")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form_of(asked) == {"grant_type": "client_credentials", "client_id": "123", "client_secret": "s+cret"}


def test_oauth2_may_ask_elsewhere_with_a_scope_and_with_its_pair_in_a_header() -> None:
    way = auth.OAuth2ClientCredentials("https://id.example.org/token", scope="sms", in_header=True)
    asked = way.login(SETTINGS)
    assert asked.url == "https://id.example.org/token"
    assert form_of(asked) == {"grant_type": "client_credentials", "scope": "sms"}
    assert asked.headers["authorization"] == "Basic " + b64encode(b"123:s%2Bcret").decode()


@pytest.mark.parametrize(
    ("given_life", "lasts"),
    [
        (7200, 7200),
        ("7200", 7200),
        (7200.5, 7200.5),
        (None, USUAL_LIFE),
        ("soon", USUAL_LIFE),
        ("nan", USUAL_LIFE),
        ("inf", USUAL_LIFE),
        (True, USUAL_LIFE),
        (0, USUAL_LIFE),
        (-5, USUAL_LIFE),
        ([], USUAL_LIFE),
        (1, SHORTEST_LIFE),
        (10**400, USUAL_LIFE),
        (10**12, LONGEST_LIFE),
    ],
)
def test_oauth2_reads_how_long_its_token_lasts(given_life: object, lasts: float) -> None:
    token = OAUTH2.read_login(SETTINGS, answer({"access_token": "a", "expires_in": given_life}))
    assert token == auth.Token("a", lasts=lasts)


def test_oauth2_takes_a_token_by_its_other_name() -> None:
    assert OAUTH2.read_login(SETTINGS, answer({"token": "b"})).value == "b"
    assert OAUTH2.read_login(SETTINGS, answer({"access_token": "a", "token": "b"})).value == "a"


@pytest.mark.parametrize("status", [200, 400, 401])
def test_oauth2_knows_a_bad_pair_by_its_error_whatever_the_status(status: int) -> None:
    with (
        pytest.raises(CredentialsRefused, match="invalid_client")
        if status != 401
        else pytest.raises(CredentialsRefused)
    ):
        OAUTH2.read_login(SETTINGS, answer({"error": "invalid_client"}, status))


def test_oauth2_takes_a_request_that_is_not_understood_for_no_refusal() -> None:
    with pytest.raises(GatewayFault) as fault:
        OAUTH2.read_login(SETTINGS, answer({"error": "invalid_scope"}, 400))
    assert not isinstance(fault.value, CredentialsRefused)


def test_oauth2_ends_by_401_and_where_the_provider_says_so_by_403() -> None:
    assert OAUTH2.ended(answer("", 401))
    assert not OAUTH2.ended(answer("", 403))
    assert auth.OAuth2ClientCredentials(ends={401, 403}).ended(answer("", 403))
    assert OAUTH2.refresh(SETTINGS, auth.Token("a", "r")) is None


# Session


def test_a_session_is_asked_for_by_a_form() -> None:
    asked = SESSION.login(SETTINGS)
    assert (asked.method, asked.url) == ("POST", f"{URL}/api/v1/session")
    assert form_of(asked) == {
        "grant_type": "password",
        "client_id": "123",
        "client_secret": "s+cret",
        "username": "портал",
        "password": 'p&<ä>"',
    }


def test_a_session_may_be_asked_for_by_get_and_at_another_path() -> None:
    asked = auth.Session("/api/session", "get").login(SETTINGS | {"url": f"{URL}/MobileSMARTS/"})
    assert asked.method == "GET"
    assert asked.url.startswith(f"{URL}/MobileSMARTS/api/session?")
    assert query_of(asked) == {"username": "портал", "password": 'p&<ä>"'}


def test_a_session_without_a_client_leaves_it_out() -> None:
    asked = SESSION.login({"url": URL, "login": "a", "password": "b", "client_secret": ""})
    assert form_of(asked) == {"grant_type": "password", "username": "a", "password": "b"}


@pytest.mark.parametrize(
    "body",
    [
        AS_PRINTED,
        {"Access_token": "123123123", "Token_type": "bearer", "Expires_in": 86400, "Refresh_token": "321321321"},
        {"access_token": "123123123", "token_type": "bearer", "expires_in": "86400", "refresh_token": "321321321"},
        {"accessToken": "123123123", "tokenType": "bearer", "expiresIn": 86400, "refreshToken": "321321321"},
        {"AccessToken": "123123123", "ExpiresIn": 86400, "RefreshToken": "321321321", "access_token": None},
        {"token": "123123123", "EXPIRES_IN": 86400, "Refresh_token": "321321321"},
        '{"Access_token": "123123123", Expires_in : 86400, "Refresh_token":"321321321",}',
    ],
    ids=["as printed", "documented casing", "snake", "camel", "pascal", "token", "half quoted"],
)
def test_a_session_is_read_in_every_casing_and_as_its_documentation_prints_it(body: object) -> None:
    assert SESSION.read_login(SETTINGS, answer(body)) == auth.Token("123123123", "321321321", 86400.0)


def test_a_session_is_renewed_by_its_refresh_token_and_both_are_new() -> None:
    asked = SESSION.refresh(SETTINGS, auth.Token("123", "321"))
    assert asked is not None
    assert (asked.method, asked.url) == ("POST", f"{URL}/api/v1/session")
    assert form_of(asked) == {
        "grant_type": "refresh_token",
        "client_id": "123",
        "client_secret": "s+cret",
        "refresh_token": "321",
    }
    renewed = SESSION.read_refresh(SETTINGS, answer(AS_PRINTED))
    assert (renewed.value, renewed.refresh) == ("123123123", "321321321")


def test_a_session_without_a_refresh_token_is_not_renewed() -> None:
    assert SESSION.refresh(SETTINGS, auth.Token("123")) is None
    assert SESSION.read_login(SETTINGS, answer({"access_token": "a"})).refresh == ""


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_session_that_is_not_renewed_is_logged_in_for_anew(status: int) -> None:
    with pytest.raises(CredentialsRefused):
        SESSION.read_refresh(SETTINGS, answer({"error": "invalid_grant"}, status))


@pytest.mark.parametrize(
    ("status", "outcome"), [(500, Ambiguous), (429, RefusedForNow), (204, Ambiguous)], ids=["fails", "busy", "empty"]
)
def test_a_session_is_not_logged_in_for_anew_because_the_server_fails(status: int, outcome: type[NotAccepted]) -> None:
    with pytest.raises(outcome):
        SESSION.read_refresh(SETTINGS, answer("", status))


@pytest.mark.parametrize(
    ("status", "body"), [(400, {"error": "invalid_grant"}), (400, ""), (200, {"error": "invalid_grant"})]
)
def test_a_session_is_refused_by_400_and_by_the_error_itself(status: int, body: object) -> None:
    with pytest.raises(CredentialsRefused):
        SESSION.read_login(SETTINGS, answer(body, status))


def test_a_session_ends_by_401_only() -> None:
    assert SESSION.ended(answer("", 401))
    assert not SESSION.ended(answer("", 403))
    assert not SESSION.ended(answer(AS_PRINTED))


# Login for a token


def test_a_login_token_is_asked_for_by_strict_json_and_ends_a_little_before_the_provider_ends_it() -> None:
    asked = LOGIN_TOKEN.login(SETTINGS)
    assert (asked.method, asked.url) == ("POST", f"{URL}/api/v1/login")
    assert json.loads(asked.body) == {"username": "портал", "password": 'p&<ä>"'}
    token = LOGIN_TOKEN.read_login(SETTINGS, answer({"token": "4f" * 32}))
    assert token == auth.Token("4f" * 32, lasts=timedelta(hours=11, minutes=50).total_seconds(), idles=14 * 60)


def test_a_login_token_s_lives_can_be_set() -> None:
    token = auth.LoginToken("/login", idles=None, lasts=60).read_login(SETTINGS, answer({"token": "a"}))
    assert (token.idles, token.lasts) == (None, 60)


def test_a_login_token_ends_by_401_and_never_by_403() -> None:
    assert LOGIN_TOKEN.ended(answer({"message": "Invalid token. Login again using /api/v1/login"}, 401))
    assert not LOGIN_TOKEN.ended(answer({"message": "Unauthorized access"}, 403))
    assert LOGIN_TOKEN.refresh(SETTINGS, TOKEN) is None
    assert LOGIN_TOKEN.logout(SETTINGS, TOKEN) is None


# Action envelope


@time_machine.travel("2026-11-22T10:15:00.000042Z", tick=False)
def test_the_envelope_asks_with_the_moment_as_its_id() -> None:
    asked = ENVELOPE.login(SETTINGS)
    assert (asked.method, asked.url) == ("POST", f"{URL}/api/")
    assert asked.headers["content-type"].startswith("application/json")
    assert json.loads(asked.body) == {
        "action": "auth",
        "obj": "User",
        "action_id": "portal-20261122101500000042",
        "params": {"login": "портал", "password": 'p&<ä>"'},
    }


def auth_reply(**body: object) -> dict[str, Any]:
    return {"action": "auth", "action_id": "1", "obj": "User", "code": 200, "body": {"token": "J-W", **body}}


@pytest.mark.parametrize(
    ("exp", "zone", "seconds"),
    [
        ("2021-09-20T10:14:13.998824", "Europe/Prague", 7199.998824),  # as the documentation's example, read in Prague
        ("2021-09-20T10:14:13.998824", "America/New_York", 14399.998824),  # there it would be later: read in UTC
        ("2021-09-20T10:14:13.998824", None, 14399.998824),
        ("2021-09-20T10:14:13.998824", "Nowhere/At_All", 14399.998824),
        ("2021-09-20T10:14:13.998824", "Europe", 14399.998824),
        ("2021-09-20T10:14:13.998824", "../../etc/passwd", 14399.998824),
        ("2021-09-20T10:14:13.998824", "a\x00b", 14399.998824),
        ("2021-09-20T10:14:13.998824", 7, 14399.998824),
        ("2021-09-20T09:14:13.998824+01:00", "Europe/Prague", 7199.998824),
        (
            "2021-09-20T07:14:13.998824",
            "Europe/Prague",
            3599.998824,
        ),  # in Prague that is past: nobody gives a dead token
        ("2021-09-20T06:14:15", "UTC", SHORTEST_LIFE),
        ("9999-12-31T23:59:59", "Europe/Prague", LONGEST_LIFE),
        ("2021-09-20T00:14:13", "Europe/Prague", None),
        ("0001-01-01T00:00:00", "Europe/Prague", None),
        ("tomorrow", "UTC", None),
        (1631889200, "UTC", None),
        (None, "UTC", None),
    ],
)
def test_the_envelope_s_token_ends_at_the_earlier_of_two_readings(
    exp: object, zone: object, seconds: float | None
) -> None:
    reply = answer(auth_reply(exp=exp, tz=zone), date="Mon, 20 Sep 2021 06:14:14 GMT")
    lasts = ENVELOPE.read_login(SETTINGS, reply).lasts
    assert lasts == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("date", [None, "some day", ""])
def test_the_envelope_s_token_is_measured_by_our_clock_where_the_provider_tells_no_time(date: str | None) -> None:
    exp = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None).isoformat()
    headers = {} if date is None else {"date": date}
    token = ENVELOPE.read_login(SETTINGS, answer(auth_reply(exp=exp, tz="UTC"), 200, **headers))
    assert token.lasts == pytest.approx(3600, abs=300)


def test_the_provider_s_clock_counts_and_not_ours() -> None:
    there = datetime(2031, 1, 1, 12, tzinfo=UTC)
    reply = answer(auth_reply(exp="2031-01-01T12:30:00", tz="UTC"), date=format_datetime(there))
    assert ENVELOPE.read_login(SETTINGS, reply).lasts == pytest.approx(1800)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"code": 401, "notifies": [{"type": "error", "text": "Unauthorized"}], "body": None}),
        (200, {"code": 403, "body": None}),
        (200, {"code": 500, "body": {"token": "t"}}),
        (200, {"code": "401"}),
        (400, {"code": 400}),
        (404, {"code": 401}),
        (422, {"code": 422}),
        (500, {"code": 401}),
        (401, ""),
        (403, {"code": 403}),
    ],
)
def test_every_refusal_of_the_envelope_s_login_stops_the_gateway_and_names_the_host(status: int, body: object) -> None:
    with pytest.raises(CredentialsRefused, match="refuses the login") as refused:
        ENVELOPE.read_login(SETTINGS, answer(body, status))
    assert "«Защитник»" in refused.value.remedy


def test_a_blocked_host_is_told_so() -> None:
    with pytest.raises(CredentialsRefused, match="turns this host away") as refused:
        ENVELOPE.read_login(SETTINGS, answer("", 403))
    assert "«Защитник»" in refused.value.remedy


@pytest.mark.parametrize(
    "body",
    [{"code": 200}, {"code": 200, "body": {}}, {"code": 200, "body": ["t"]}, {"body": {"token": "t"}}, {"code": True}],
)
def test_the_envelope_lets_nobody_in_without_a_code_and_a_token(body: object) -> None:
    with pytest.raises(Ambiguous):
        ENVELOPE.read_login(SETTINGS, answer(body))


def test_the_envelope_takes_a_code_spelled_as_text() -> None:
    assert ENVELOPE.read_login(SETTINGS, answer({"code": "200", "body": {"token": "t"}})).value == "t"


def test_the_envelope_s_token_is_given_back() -> None:
    asked = ENVELOPE.logout(SETTINGS, TOKEN)
    assert asked is not None
    assert asked.url == f"{URL}/api/"
    assert asked.headers["authorization"] == "Bearer t0ken"
    body = json.loads(asked.body)
    assert body.pop("action_id")
    assert body == {"action": "logout", "obj": "User", "params": {}}


def test_the_envelope_s_token_ends_by_status_401_or_by_code_401_or_403() -> None:
    assert ENVELOPE.ended(answer("", 401))
    assert ENVELOPE.ended(answer({"code": 401, "body": None}))
    assert ENVELOPE.ended(answer({"code": "401"}))
    assert ENVELOPE.ended(answer({"code": 403}))
    for alive in (answer({"code": 200}), answer({"code": 404}), answer("", 403), answer("garbage"), answer([401])):
        assert not ENVELOPE.ended(alive)
