"""How long a token lives: 15 minutes between two requests, 12 hours at most, and what is said after its end."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.test import APIClient

from portal.api.authentication import tokens
from portal.api.authentication.entry import BearerAuthentication
from portal.api.authentication.refusals import NotSignedIn, PastLimit, UnknownToken
from portal.api.authentication.tokens import drop_old_tokens
from portal.models import ApiToken, User
from portal.sign_in import enrolment
from tests.conftest import PASSWORD

pytestmark = pytest.mark.urls("tests.portal.routes")

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
IDLE = {"message": "Invalid token. Login again using /api/v1/login"}
LIMIT = {"message": "Invalid token info"}
URL = "/api/v1/undeclared"


def use(token: str, at: datetime, url: str = URL) -> tuple[int, dict[str, str]]:
    """The answer to a use of the token; 403 means that it lives: nobody may call this view."""
    with time_machine.travel(at, tick=False):
        answer = APIClient().get(url, HTTP_AUTHORIZATION=f"Bearer {token}")
    return answer.status_code, answer.json()


@pytest.fixture
def token(admin: User) -> str:
    with time_machine.travel(START, tick=False):
        answer = APIClient().post("/api/v1/login", {"username": "admin", "password": PASSWORD}, format="json")
    return str(answer.json()["token"])


@pytest.mark.parametrize("since_refresh", [0, 1, 19, 19.999, 20, 20.001, 21, 600])
def test_a_gap_of_fifteen_minutes_never_ends_it(token: str, since_refresh: float) -> None:
    second_use = START + timedelta(seconds=since_refresh)
    assert use(token, second_use)[0] == 403
    assert use(token, second_use + timedelta(minutes=15))[0] == 403


@pytest.mark.parametrize("since_refresh", [0, 1, 19, 19.999, 20, 20.001, 21, 600])
def test_a_gap_of_sixteen_minutes_always_ends_it(token: str, since_refresh: float) -> None:
    second_use = START + timedelta(seconds=since_refresh)
    assert use(token, second_use)[0] == 403
    assert use(token, second_use + timedelta(minutes=16)) == (401, IDLE)


def test_a_use_at_the_same_moment_does_not_undo_that_it_was_ended(admin: User, token: str) -> None:
    with time_machine.travel(START + timedelta(minutes=5), tick=False) as clock:
        used = tokens.find_token(token)
        clock.shift(timedelta(seconds=1))
        tokens.end(used)
        clock.shift(timedelta(seconds=-1))
        tokens.slide(used, None)
    assert ApiToken.objects.get().expiry == START + timedelta(minutes=5, seconds=1)


def test_it_lives_no_longer_than_a_token_may_though_it_may_be_idle_longer(admin: User, settings: Settings) -> None:
    settings.REST_KNOX = {
        **settings.REST_KNOX,
        "TOKEN_TTL": timedelta(hours=24),
        "AUTO_REFRESH_MAX_TTL": timedelta(hours=1),
    }
    with time_machine.travel(START, tick=False):
        token = str(tokens.issue(admin, None)[1])
    assert use(token, START + timedelta(minutes=59))[0] == 403
    assert use(token, START + timedelta(hours=1)) == (401, LIMIT)


def test_steady_use_with_gaps_of_fifteen_minutes_keeps_it_for_twelve_hours(token: str) -> None:
    for quarter in range(1, 48):
        assert use(token, START + quarter * timedelta(minutes=15))[0] == 403
    assert use(token, START + timedelta(hours=12) - timedelta(seconds=1))[0] == 403


@pytest.mark.parametrize("after_limit", [timedelta(0), timedelta(seconds=1), timedelta(hours=5)])
def test_no_use_keeps_it_past_twelve_hours(token: str, after_limit: timedelta) -> None:
    for step in range(1, 73):
        assert use(token, START + step * timedelta(minutes=10) - timedelta(seconds=1))[0] == 403
    assert use(token, START + timedelta(hours=12) + after_limit) == (401, LIMIT)


def test_a_last_use_that_barely_gains_on_the_limit_still_reaches_it(token: str) -> None:
    for step in range(1, 71):
        use(token, START + step * timedelta(minutes=10))
    near = START + timedelta(hours=12) - timedelta(minutes=15, seconds=35)
    assert use(token, near)[0] == 403
    assert use(token, near + timedelta(seconds=10))[0] == 403
    assert ApiToken.objects.get().expiry == START + timedelta(hours=12)


def test_a_forbidden_call_slides_it(token: str) -> None:
    before = ApiToken.objects.get()
    assert use(token, START + timedelta(minutes=5))[0] == 403
    after = ApiToken.objects.get()
    assert after.expiry - before.expiry == timedelta(minutes=5)
    assert after.last_used == START + timedelta(minutes=5)


def test_uses_within_the_refresh_interval_write_nothing(token: str) -> None:
    before = ApiToken.objects.get().expiry
    use(token, START + timedelta(seconds=20))
    assert ApiToken.objects.get().expiry == before
    use(token, START + timedelta(seconds=21))
    assert ApiToken.objects.get().expiry > before


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer " + "0" * 64,
        "Bearer a b",
        "Bearer " + "0" * 10_000,
        "Bearer \xff\xfe\xe9",
        "\xd0\xbf\xd1\x80",
        "Bearer \x00" + "0" * 63,
        "Token " + "0" * 64,
    ],
)
def test_whatever_is_no_token_is_401(db: None, header: str) -> None:
    answer = APIClient().get(URL, HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()) == (401, IDLE)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_no_header_at_all_is_401(db: None) -> None:
    answer = APIClient().get(URL)
    assert (answer.status_code, answer.json()) == (401, IDLE)


@pytest.mark.parametrize("form", ["Bearer {}", "{}", "bearer {}", "  Bearer   {}  "])
def test_a_token_works_with_and_without_its_prefix(token: str, form: str) -> None:
    with time_machine.travel(START, tick=False):
        assert APIClient().get(URL, HTTP_AUTHORIZATION=form.format(token)).status_code == 403


def test_an_altered_token_is_unknown(token: str) -> None:
    altered = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert use(altered, START) == (401, IDLE)
    assert use(token.upper(), START) == (401, IDLE) or token == token.upper()


def test_an_inactive_users_token_is_401_and_does_not_slide(token: str) -> None:
    User.objects.update(is_active=False)
    before = ApiToken.objects.get().expiry
    assert use(token, START + timedelta(minutes=5)) == (401, IDLE)
    assert ApiToken.objects.get().expiry == before


def raised_by(token: str, at: datetime) -> type[NotSignedIn]:
    request = Request(RequestFactory().get("/", HTTP_AUTHORIZATION=token))
    with time_machine.travel(at, tick=False), pytest.raises(NotSignedIn) as error:
        BearerAuthentication().authenticate(request)
    return error.type


def test_an_idle_token_is_no_guess_for_a_day_and_one_afterwards(token: str) -> None:
    end = START + timedelta(minutes=15, seconds=30)
    assert raised_by(token, end + timedelta(hours=23, minutes=59)) is NotSignedIn
    assert raised_by(token, end + timedelta(hours=24)) is UnknownToken
    assert (NotSignedIn.guessed, PastLimit.guessed, UnknownToken.guessed) == (False, False, True)


def test_an_unknown_token_is_a_guess(db: None) -> None:
    assert raised_by("0" * 64, START) is UnknownToken


def test_housekeeping_forgets_tokens_a_day_after_their_end(token: str) -> None:
    end = START + timedelta(minutes=15, seconds=30)
    with time_machine.travel(end + timedelta(hours=23, minutes=59), tick=False):
        assert drop_old_tokens() == 0
    with time_machine.travel(end + timedelta(hours=24, seconds=1), tick=False):
        assert drop_old_tokens() == 1
    assert not ApiToken.objects.exists()


def test_another_password_ends_the_tokens_of_the_old_one(token: str, admin: User) -> None:
    assert use(token, START + timedelta(minutes=1))[0] == 403
    admin.set_password("another long secret")
    admin.save()
    assert use(token, START + timedelta(minutes=2)) == (401, IDLE)


def test_a_password_that_opens_the_api_no_more_ends_its_tokens(token: str, admin: User) -> None:
    with time_machine.travel(START, tick=False):
        enrolment.prepare_first(admin)
    assert use(token, START + timedelta(minutes=2)) == (401, IDLE)


def test_a_token_that_no_password_was_given_for_outlives_one(db: None) -> None:
    user = User.objects.create_user("program", password=PASSWORD)
    with time_machine.travel(START, tick=False):
        _, token = ApiToken.objects.create(user=user)
        user.set_password("another long secret")
        user.save()
    assert use(token, START + timedelta(minutes=2))[0] == 403
