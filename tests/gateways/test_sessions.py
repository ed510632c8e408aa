"""Who logs in: one worker of many, once, and not again where it was refused; and how long what it got is good for."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from pytest_django.fixtures import Settings

from gateways import accounts, health, questions, sessions, transport
from gateways.auth import Token
from gateways.http import HttpRequest, HttpResponse
from gateways.models import Gateway, GatewayHealth, GatewaySession
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    CredentialsRefused,
    GatewayFault,
    NotAccepted,
    NotSent,
    OutboundSms,
    RefusedForNow,
    Unreadable,
)
from gateways.provider import BaseProvider
from portal.encryption import Locked
from tests.gateways.conftest import at_once
from tests.simulators.peers import axelnac, mobile_smarts, runtel
from tests.simulators.server import Fault, Simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("network")]

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
#: Every simulated provider at which one logs in, and the provider whose settings it takes.
LOGGED_IN_AT = {"axelnac": "axelnac", "runtel": "runtel", "smsmobileapi": "smsmobileapi", "mobile_smarts": "http"}
EVERYWHERE = pytest.mark.parametrize("name", LOGGED_IN_AT)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(*LOGGED_IN_AT, "sms_ru") as running:
        yield running


@pytest.fixture
def gateway(simulator: Simulator) -> Gateway:
    """An account at AxelNAC, which shows everything that a login for a token can show."""
    return gateway_at(simulator, "axelnac")


def gateway_at(simulator: Simulator, name: str, *, wrong: bool = False) -> Gateway:
    peer = simulator.peers[name]
    settings = peer.wrong_settings() if wrong else peer.settings()
    return accounts.create(name=name, provider=LOGGED_IN_AT.get(name, name), settings=settings)


def fresh(gateway: Gateway) -> Gateway:
    """As another worker reads it."""
    return Gateway.objects.get(pk=gateway.pk)


def correct(simulator: Simulator, gateway: Gateway) -> None:
    """A person gives it the right settings."""
    accounts.change(fresh(gateway), settings=simulator.peers[gateway.name].settings())


def token_of(gateway: Gateway, patience: float = 0.0) -> str:
    """The token with which a worker is let in."""
    token = sessions.enter(fresh(gateway), patience).token
    assert token
    return token.value


def entered(gateway: Gateway, patience: float = 0.0) -> str | type[Exception]:
    """The token, or what a worker is told instead of one."""
    try:
        return token_of(gateway, patience)
    except (NotAccepted, sessions.Busy) as error:
        return type(error)


def ask(gateway: Gateway) -> Accepted:
    """A question that needs a token: here, whether the provider takes a message."""
    return questions.ask(fresh(gateway), question, lambda provider, response: provider.read_submit(response))


def question(provider: BaseProvider) -> HttpRequest:
    return provider.submit(
        OutboundSms("portal-1", "+79161234567", "Привет", "", datetime.now(UTC) + timedelta(hours=1))
    )


def session_of(gateway: Gateway) -> GatewaySession:
    return GatewaySession.objects.get(gateway=gateway)


def health_of(gateway: Gateway) -> GatewayHealth:
    return GatewayHealth.objects.get(gateway=gateway)


def peer_at(simulator: Simulator, kind: type[Any]) -> Any:
    return simulator.peers[kind.__module__.rpartition(".")[2]]


def turn_taken(gateway: Gateway) -> GatewaySession:
    """As a worker leaves it that is logging in at this moment."""
    GatewaySession.objects.get_or_create(gateway=gateway)
    session = session_of(gateway)
    assert sessions._take_turn(session, gateway)
    return session


# One login


@EVERYWHERE
def test_workers_that_come_at_once_share_one_login(simulator: Simulator, name: str) -> None:
    gateway = gateway_at(simulator, name)

    tokens = at_once(lambda: token_of(gateway, patience=60), workers=8)

    assert len(set(tokens)) == 1
    assert simulator.logins == {name: 1}


@EVERYWHERE
def test_workers_that_come_at_once_are_refused_once(simulator: Simulator, name: str) -> None:
    gateway = gateway_at(simulator, name, wrong=True)

    told = at_once(lambda: entered(gateway, patience=60), workers=8)

    assert told == [CredentialsRefused] * 8
    assert simulator.logins == {name: 1}
    stopped = health_of(gateway)
    assert stopped.refused_at
    assert "refuse" in stopped.last_error
    assert stopped.last_remedy


@EVERYWHERE
def test_a_corrected_password_logs_in_once_more(simulator: Simulator, name: str) -> None:
    gateway = gateway_at(simulator, name, wrong=True)
    assert entered(gateway) is CredentialsRefused

    correct(simulator, gateway)

    assert len(set(at_once(lambda: token_of(gateway, patience=60)))) == 1
    assert simulator.logins == {name: 2}
    assert health_of(gateway).refused_at is None


def test_who_waits_without_patience_is_told_that_another_one_logs_in(simulator: Simulator, gateway: Gateway) -> None:
    turn_taken(gateway)

    assert entered(gateway) is sessions.Busy
    assert simulator.logins == {}


def test_who_looked_while_another_one_logged_in_does_not_log_in_again(
    simulator: Simulator, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session was read while there was no token, and the turn is taken when there is one."""
    others = turn_taken(gateway)
    good_token = sessions._good_token

    def the_other_one_is_done(session: GatewaySession) -> Token | None:
        monkeypatch.setattr(sessions, "_good_token", good_token)
        found = good_token(session)
        assert sessions._come_by_entry(fresh(gateway), gateway.open(), others, knowingly=False)
        return found

    monkeypatch.setattr(sessions, "_good_token", the_other_one_is_done)

    assert token_of(gateway, patience=60)
    assert simulator.logins == {"axelnac": 1}


@pytest.mark.parametrize("failure", [NotSent("no connection"), Ambiguous("no answer")])
def test_a_login_without_an_answer_is_tried_once_by_all_workers_together(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, failure: NotAccepted
) -> None:
    tried: list[HttpRequest] = []

    def fetch(request: HttpRequest, _timeout: float) -> HttpResponse:
        tried.append(request)
        raise failure

    monkeypatch.setattr(transport, "fetch", fetch)

    told = at_once(lambda: entered(gateway, patience=60), workers=6)

    assert len(tried) == 1
    assert set(told) <= {type(failure), RefusedForNow}
    assert health.paused_until(gateway.pk)
    assert health_of(gateway).last_error == f"the login failed: {failure.reason}"


def test_a_provider_that_asks_for_fewer_logins_is_left_alone_as_long_as_it_asks(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[HttpRequest] = []

    def fetch(request: HttpRequest, _timeout: float) -> HttpResponse:
        tried.append(request)
        return HttpResponse(429, {"retry-after": "200"})

    monkeypatch.setattr(transport, "fetch", fetch)
    with time_machine.travel(START, tick=False) as clock:
        assert entered(gateway) is RefusedForNow
        clock.shift(timedelta(seconds=199))
        assert entered(gateway) is RefusedForNow
        assert len(tried) == 1
        clock.shift(timedelta(seconds=2))
        assert entered(gateway) is RefusedForNow
        assert len(tried) == 2


def test_a_pause_keeps_from_logging_in_and_not_from_using_a_token(simulator: Simulator, gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds"))
    assert entered(gateway) is RefusedForNow
    assert simulator.logins == {}

    assert sessions.enter(fresh(gateway), knowingly=True).token
    assert token_of(gateway)
    assert simulator.logins == {"axelnac": 1}


def test_refused_credentials_are_not_even_asked_about_by_those_who_have_a_token(gateway: Gateway) -> None:
    token_of(gateway)
    health.record_fault(gateway.pk, CredentialsRefused("the provider turns this host away", "unblock it"))

    with pytest.raises(CredentialsRefused, match="turns this host away") as refused:
        sessions.enter(fresh(gateway))
    assert refused.value.remedy == "unblock it"


def test_a_worker_that_dies_while_it_logs_in_is_replaced_when_its_login_must_be_over(
    simulator: Simulator, gateway: Gateway
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        turn_taken(gateway)
        clock.shift(timedelta(seconds=2 * gateway.timeout))
        assert entered(gateway) is sessions.Busy
        clock.shift(sessions.MARGIN)
        assert len(set(at_once(lambda: token_of(gateway, patience=60)))) == 1
    assert simulator.logins == {"axelnac": 1}


def test_a_worker_that_was_only_frozen_does_not_put_its_old_token_in_place_of_the_new_one(gateway: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        frozen = turn_taken(gateway)
        clock.shift(timedelta(minutes=5))
        token = token_of(gateway)
        assert sessions._come_by_entry(fresh(gateway), gateway.open(), frozen, knowingly=False) is None
        assert token_of(gateway) == token


# How long a token is good for


def test_a_token_that_is_used_lives_on_and_one_that_lies_idle_ends(simulator: Simulator, gateway: Gateway) -> None:
    with time_machine.travel(START, tick=False) as clock:
        first = token_of(gateway)
        for _ in range(4):
            clock.shift(timedelta(minutes=13))
            assert token_of(gateway) == first
        clock.shift(timedelta(minutes=14))
        assert token_of(gateway) != first
    assert simulator.logins == {"axelnac": 2}


def test_a_token_ends_before_its_time_however_much_it_is_used(simulator: Simulator, gateway: Gateway) -> None:
    peer = peer_at(simulator, axelnac.Peer)
    with time_machine.travel(START, tick=False) as clock:
        first = last = token_of(gateway)
        for _ in range(73):
            clock.shift(timedelta(minutes=10))
            peer.put_forward(600)
            last = token_of(gateway)
            # It is good over there whenever it is good here.
            assert ask(gateway)
    assert last != first
    assert simulator.logins == {"axelnac": 2}


@pytest.mark.parametrize(("lasts", "most"), [(30, 5), (1, 13)])
def test_a_token_of_a_short_life_makes_no_storm_of_logins(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, lasts: int, most: int
) -> None:
    monkeypatch.setattr(mobile_smarts, "LASTS", lasts)
    gateway = gateway_at(simulator, "mobile_smarts")
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(60):
            token_of(gateway)
            clock.shift(timedelta(seconds=1))
    assert 3 <= len(simulator.asked_for("mobile_smarts", "session")) <= most


def test_a_token_is_renewed_by_the_other_one_and_each_renewal_brings_the_next(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "mobile_smarts")
    tokens = []
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(4):
            tokens.append(token_of(gateway))
            clock.shift(timedelta(seconds=mobile_smarts.LASTS - 60))
    assert len(set(tokens)) == 4
    assert simulator.logins == {"mobile_smarts": 1}
    asked = simulator.asked_for("mobile_smarts", "session")
    assert [b"grant_type=refresh_token" in one.body for one in asked] == [False, True, True, True]


def test_a_refused_renewal_is_followed_by_one_login(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "mobile_smarts")
    with time_machine.travel(START, tick=False) as clock:
        first = token_of(gateway)
        peer_at(simulator, mobile_smarts.Peer)._refresh_tokens.clear()
        clock.shift(timedelta(seconds=mobile_smarts.LASTS))
        renewed = at_once(lambda: token_of(gateway, patience=60))
    assert len({first, *renewed}) == 2
    assert simulator.logins == {"mobile_smarts": 2}
    assert health_of(gateway).refused_at is None


def test_where_renewal_and_login_are_refused_the_gateway_stops(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "mobile_smarts")
    with time_machine.travel(START, tick=False) as clock:
        token_of(gateway)
        simulator.faults = {Fault.BAD_CREDENTIALS}
        clock.shift(timedelta(seconds=mobile_smarts.LASTS))
        assert at_once(lambda: entered(gateway, patience=60)) == [CredentialsRefused] * 4
    assert simulator.logins == {"mobile_smarts": 2}
    assert health_of(gateway).refused_at


def test_a_token_whose_key_is_gone_is_logged_in_for_anew(
    simulator: Simulator, gateway: Gateway, settings: Settings
) -> None:
    token_of(gateway)
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
    GatewaySession.objects.update(token="it cannot be read any more")
    settings.ENCRYPTION_KEYS = keys
    assert isinstance(session_of(gateway).token, Locked)

    assert token_of(gateway)
    assert simulator.logins == {"axelnac": 2}


# Settings that are changed meanwhile


def during_the_login(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None], *, before: bool) -> None:
    """Lets it happen once, before or after the provider has answered."""
    log_in = sessions._log_in

    def log_in_and_more(gateway: Gateway, provider: BaseProvider) -> Token:
        monkeypatch.setattr(sessions, "_log_in", log_in)
        if before:
            happens()
        try:
            return log_in(gateway, provider)
        finally:
            if not before:
                happens()

    monkeypatch.setattr(sessions, "_log_in", log_in_and_more)


@pytest.mark.parametrize("before", [True, False])
def test_a_late_refusal_does_not_stop_the_gateway_with_the_new_password(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    gateway = gateway_at(simulator, "axelnac", wrong=True)
    during_the_login(monkeypatch, lambda: correct(simulator, gateway), before=before)

    assert entered(gateway) is CredentialsRefused

    assert health_of(gateway).refused_at is None
    assert token_of(gateway)
    assert simulator.logins == {"axelnac": 2}


@pytest.mark.parametrize("before", [True, False])
def test_a_late_token_is_not_used_with_the_new_settings(
    simulator: Simulator, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    def change() -> None:
        accounts.change(fresh(gateway), settings=simulator.peers["axelnac"].wrong_settings())

    during_the_login(monkeypatch, change, before=before)

    assert entered(gateway) is sessions.Busy

    assert session_of(gateway).token is None
    assert entered(gateway) is CredentialsRefused
    assert simulator.logins == {"axelnac": 2}


def test_who_waited_for_another_login_goes_in_with_the_new_settings(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "axelnac", wrong=True)
    turn_taken(gateway)
    waiting = fresh(gateway)
    correct(simulator, gateway)

    entry = sessions.enter(waiting, patience=60)

    assert entry.token
    assert entry.provider.settings == fresh(gateway).settings
    assert simulator.logins == {"axelnac": 1}
    assert health_of(gateway).refused_at is None


def test_new_settings_are_not_used_with_the_token_of_the_old_ones(simulator: Simulator, gateway: Gateway) -> None:
    first = token_of(gateway)
    accounts.change(fresh(gateway), settings={"sms_gateway": "another one"})

    assert token_of(gateway) != first
    assert simulator.logins == {"axelnac": 2}


# Tokens that are good no more


@EVERYWHERE
def test_a_token_that_was_forgotten_over_there_is_dropped_by_the_first_who_notices(
    simulator: Simulator, name: str
) -> None:
    gateway = gateway_at(simulator, name)
    entry = sessions.enter(gateway)

    told = at_once(lambda: type(sessions.ended(gateway.pk, entry.issued_at)), workers=6)

    assert told == [sessions.AccessEnded] * 6
    assert session_of(gateway).token is None
    assert session_of(gateway).refusals == 1


def test_a_late_word_about_an_old_token_leaves_the_new_one_alone(simulator: Simulator, gateway: Gateway) -> None:
    old = sessions.enter(gateway)
    sessions.ended(gateway.pk, old.issued_at)
    new = token_of(gateway)

    assert isinstance(sessions.ended(gateway.pk, old.issued_at), sessions.AccessEnded)
    assert isinstance(sessions.ended(gateway.pk, None), sessions.AccessEnded)

    assert token_of(gateway) == new
    assert session_of(gateway).refusals == 1
    assert simulator.logins == {"axelnac": 2}


def test_a_question_whose_token_had_ended_is_asked_again_after_one_login(
    simulator: Simulator, gateway: Gateway
) -> None:
    ask(gateway)
    peer_at(simulator, axelnac.Peer)._tokens.clear()

    assert at_once(lambda: ask(gateway)) == [Accepted()] * 4

    assert simulator.logins == {"axelnac": 2}
    assert session_of(gateway).refusals == 0


class Forgetful(axelnac.Peer):
    """Issues tokens and knows none of them."""

    def _issued(self, request: Any) -> None:
        return None


def test_a_provider_that_refuses_each_token_it_issues_pauses_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Simulator(Forgetful) as simulator:
        gateway = gateway_at(simulator, "axelnac")

        def told() -> type[Exception]:
            with pytest.raises(NotAccepted) as error:
                ask(gateway)
            return type(error.value)

        with time_machine.travel(START, tick=False) as clock:
            assert told() is GatewayFault
            assert simulator.logins == {"axelnac": 2}
            assert "token that it has just issued" in health_of(gateway).last_error
            assert [told() for _ in range(5)] == [RefusedForNow] * 5
            assert simulator.logins == {"axelnac": 2}
            clock.shift(timedelta(seconds=31))
            assert told() is GatewayFault
            assert simulator.logins == {"axelnac": 4}
            assert health_of(gateway).faults == 2


def test_workers_that_ask_such_a_provider_at_once_do_not_go_round_in_circles() -> None:
    with Simulator(Forgetful) as simulator:
        gateway = gateway_at(simulator, "axelnac")

        def told() -> bool:
            with pytest.raises(NotAccepted):
                ask(gateway)
            return True

        assert at_once(told, workers=6) == [True] * 6
        assert simulator.logins["axelnac"] <= 12
        assert health.paused_until(gateway.pk)


# Questions


def test_a_question_waits_for_the_login_of_another_worker(simulator: Simulator, gateway: Gateway) -> None:
    others = turn_taken(gateway)

    def waits() -> Accepted:
        try:
            return ask(gateway)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(waits)
        assert sessions._come_by_entry(gateway, gateway.open(), others, knowingly=False)
        assert asking.result() == Accepted()
    assert simulator.logins == {"axelnac": 1}


def test_a_question_does_not_wait_for_ever(simulator: Simulator, gateway: Gateway) -> None:
    Gateway.objects.update(timeout=1)
    turn_taken(gateway)
    with pytest.raises(sessions.Busy):
        ask(gateway)
    assert simulator.logins == {}


def test_an_answer_that_nobody_can_read_is_unreadable_and_tells_no_secret(gateway: Gateway) -> None:
    def read(_provider: BaseProvider, _response: HttpResponse) -> str:
        raise KeyError("secret-canary")

    with pytest.raises(Unreadable) as unreadable:
        questions.ask(gateway, question, read)
    assert "canary" not in str(unreadable.value)
    assert unreadable.value.__suppress_context__
    assert health_of(gateway).faults == 0


def test_a_fault_that_a_question_meets_is_shown_with_its_remedy_and_pauses_nothing(
    simulator: Simulator, gateway: Gateway
) -> None:
    peer_at(simulator, axelnac.Peer).rights.clear()
    with pytest.raises(GatewayFault, match="lacks"):
        ask(gateway)
    # The right may be one that only questions need.
    assert not health.paused_until(gateway.pk)
    assert "Give the account there" in health_of(gateway).last_remedy


def test_credentials_that_a_question_shows_to_be_wrong_stop_the_gateway(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "sms_ru", wrong=True)
    for _ in range(3):
        with pytest.raises(CredentialsRefused):
            ask(gateway)
    assert health_of(gateway).refused_at
    assert len(simulator.asked) == 1


def test_a_provider_that_cannot_be_reached_is_no_news_of_its_account(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(gateway)

    def unreachable(_request: HttpRequest, _timeout: float) -> HttpResponse:
        raise NotSent("no connection")

    monkeypatch.setattr(transport, "fetch", unreachable)
    with pytest.raises(NotSent):
        ask(gateway)
    assert health_of(gateway).faults == 0
    assert health_of(gateway).last_error == ""


# Secrets, and tokens nobody needs any more


def test_tokens_are_not_readable_in_the_database_and_in_no_log(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = gateway_at(simulator, "mobile_smarts")
    token_of(gateway)
    session = session_of(gateway)
    assert session.token
    assert session.refresh
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM gateways_gatewaysession")
        stored = str(cursor.fetchall())
    told = stored + caplog.text + repr(sessions.enter(gateway))
    for secret in (session.token, session.refresh, mobile_smarts.PASSWORD):
        assert secret not in told


def switched_off(gateway: Gateway) -> Gateway:
    accounts.change(fresh(gateway), enabled=False)
    return gateway


def actions_at(simulator: Simulator) -> list[str]:
    return [one.body.split(b'"', 4)[3].decode() for one in simulator.asked_for("runtel")]


def test_the_token_of_a_gateway_that_is_switched_off_is_given_back_by_one_worker(simulator: Simulator) -> None:
    gateway = gateway_at(simulator, "runtel")
    token = token_of(gateway)
    sessions.leave_unused()
    assert actions_at(simulator) == ["auth"]

    switched_off(gateway)
    at_once(sessions.leave_unused)

    assert actions_at(simulator) == ["auth", "logout"]
    assert token not in peer_at(simulator, runtel.Peer)._tokens
    assert session_of(gateway).token is None


def test_where_a_token_cannot_be_given_back_it_is_forgotten(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    nac, pbx = gateway_at(simulator, "axelnac"), gateway_at(simulator, "runtel")
    for gateway in (nac, pbx):
        token_of(gateway)
        switched_off(gateway)

    def unreachable(_request: HttpRequest, _timeout: float) -> HttpResponse:
        raise NotSent("no connection")

    monkeypatch.setattr(transport, "fetch", unreachable)
    sessions.leave_unused()

    assert session_of(nac).token is session_of(pbx).token is None
    assert health_of(pbx).last_error == ""


def test_a_token_that_cannot_be_read_is_not_given_back(simulator: Simulator, settings: Settings) -> None:
    gateway = gateway_at(simulator, "runtel")
    token_of(gateway)
    switched_off(gateway)
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
    GatewaySession.objects.update(token="it cannot be read any more")
    settings.ENCRYPTION_KEYS = keys

    sessions.leave_unused()

    assert actions_at(simulator) == ["auth"]
    assert session_of(gateway).token is None
