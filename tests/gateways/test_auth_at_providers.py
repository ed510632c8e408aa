"""The ways in at simulated providers: what they let in, what they turn away, and when their tokens end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateways import auth
from gateways.configuration import checked
from gateways.http import HttpRequest, HttpResponse, get, post_form, post_json
from gateways.outcomes import Accepted, CredentialsRefused, GatewayFault, OutboundSms, Refused, RefusedHere, Unreadable
from gateways.provider import BaseProvider, read_outcome
from gateways.providers import axelnac, runtel
from tests.gateways.talking import fetched
from tests.simulators.peers import axelnac as axelnac_peer
from tests.simulators.peers import mobile_smarts as mobile_smarts_peer
from tests.simulators.peers import runtel as runtel_peer
from tests.simulators.server import Fault, Simulator

TEXT = "Ключ <k&\"e'y> 😀\nвторая строка"
SMS = OutboundSms("portal-20261122101500-7", "+79161234567", TEXT, "Portal", datetime.now(UTC) + timedelta(days=1))
BOTH = pytest.mark.parametrize("name", ["axelnac", "runtel"])


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator("axelnac", "runtel", "mobile_smarts") as running:
        yield running


@pytest.fixture
def nac(simulator: Simulator) -> axelnac_peer.Peer:
    peer = simulator.peers["axelnac"]
    assert isinstance(peer, axelnac_peer.Peer)
    return peer


@pytest.fixture
def pbx(simulator: Simulator) -> runtel_peer.Peer:
    peer = simulator.peers["runtel"]
    assert isinstance(peer, runtel_peer.Peer)
    return peer


def opened(simulator: Simulator, name: str, **changed: object) -> BaseProvider:
    """The provider with settings that the simulated one lets in, as its form takes them."""
    settings = checked(name, {**simulator.peers[name].settings(), **changed}, {})
    return {"axelnac": axelnac.Provider, "runtel": runtel.Provider}[name](settings, "Portal")


def logged_in(provider: BaseProvider) -> auth.Token:
    return provider.way.read_login(provider.settings, fetched(provider.way.login(provider.settings)))


def handed_over(provider: BaseProvider, token: auth.Token) -> HttpResponse:
    return fetched(provider.way.sign(provider.submit(SMS), provider.settings, token))


# AxelNAC and Runtel


@BOTH
def test_a_message_arrives_as_it_was_written(simulator: Simulator, name: str) -> None:
    provider = opened(simulator, name)

    outcome = read_outcome(provider, handed_over(provider, logged_in(provider)))

    assert isinstance(outcome, Accepted)
    assert [(sms.phone, sms.text) for sms in simulator.taken] == [(SMS.phone, TEXT)]
    assert simulator.logins == {name: 1}


@BOTH
def test_a_wrong_password_is_told_apart_from_everything_else(simulator: Simulator, name: str) -> None:
    provider = opened(simulator, name, password=simulator.peers[name].wrong_settings()["password"])

    with pytest.raises(CredentialsRefused):
        logged_in(provider)
    simulator.faults = {Fault.BAD_CREDENTIALS}
    with pytest.raises(CredentialsRefused):
        logged_in(opened(simulator, name))
    assert simulator.logins == {name: 2}


@BOTH
def test_a_token_that_was_forgotten_over_there_is_noticed_and_nothing_was_taken(
    simulator: Simulator, name: str
) -> None:
    provider = opened(simulator, name)
    token = logged_in(provider)
    simulator.faults = {Fault.EXPIRED_TOKEN}

    assert provider.way.ended(handed_over(provider, token))
    assert simulator.taken == []
    assert provider.way.ended(handed_over(provider, token))

    answer = handed_over(provider, logged_in(provider))
    assert not provider.way.ended(answer)
    assert isinstance(read_outcome(provider, answer), Accepted)


@BOTH
def test_an_error_under_200_refuses_the_message(simulator: Simulator, name: str) -> None:
    provider = opened(simulator, name)
    simulator.faults = {Fault.ERROR_IN_200}

    answer = handed_over(provider, logged_in(provider))

    assert answer.status == 200
    assert isinstance(read_outcome(provider, answer), Refused)
    assert simulator.taken == []


# AxelNAC


def test_axelnac_ends_a_token_that_lies_unused_for_15_minutes(simulator: Simulator, nac: axelnac_peer.Peer) -> None:
    provider = opened(simulator, "axelnac")
    token = logged_in(provider)
    assert token.idles is not None

    nac.put_forward(token.idles)
    assert not provider.way.ended(handed_over(provider, token))
    nac.put_forward(token.idles)
    assert not provider.way.ended(handed_over(provider, token))
    nac.put_forward(15 * 60 + 1)
    assert provider.way.ended(handed_over(provider, token))


def test_axelnac_ends_a_token_after_12_hours_of_use(simulator: Simulator, nac: axelnac_peer.Peer) -> None:
    provider = opened(simulator, "axelnac")
    token = logged_in(provider)
    assert token.lasts is not None

    used_for = 0.0
    while used_for + 600 <= token.lasts:
        nac.put_forward(600)
        used_for += 600
        assert not provider.way.ended(handed_over(provider, token))
    nac.put_forward(601)
    assert provider.way.ended(handed_over(provider, token))


def test_axelnac_is_checked_without_using_the_token(simulator: Simulator, nac: axelnac_peer.Peer) -> None:
    provider = opened(simulator, "axelnac")
    token = logged_in(provider)
    request = provider.check()
    assert request

    nac.put_forward(10 * 60)
    assert "has the rights" in provider.read_check(fetched(provider.way.sign(request, provider.settings, token)))
    nac.put_forward(10 * 60)
    with pytest.raises(Unreadable):
        provider.read_check(fetched(provider.way.sign(request, provider.settings, token)))
    assert simulator.taken == []


@pytest.mark.parametrize("right", axelnac.RIGHTS)
def test_axelnac_names_the_right_that_is_missing(simulator: Simulator, nac: axelnac_peer.Peer, right: str) -> None:
    provider = opened(simulator, "axelnac")
    token = logged_in(provider)
    nac.rights.remove(right)
    request = provider.check()
    assert request

    for read in (
        lambda: provider.read_check(fetched(provider.way.sign(request, provider.settings, token))),
        lambda: provider.read_submit(handed_over(provider, token)),
    ):
        with pytest.raises(GatewayFault, match=f"lacks {right}") as fault:
            read()
        assert right in fault.value.remedy
        assert not isinstance(fault.value, CredentialsRefused)
    assert simulator.taken == []


def test_axelnac_may_not_tell_rights_and_works_all_the_same(simulator: Simulator, nac: axelnac_peer.Peer) -> None:
    provider = opened(simulator, "axelnac")
    nac.tells_rights = False
    request = provider.check()
    assert request

    answer = fetched(provider.way.sign(request, provider.settings, logged_in(provider)))

    assert "does not tell rights" in provider.read_check(answer)


def test_axelnac_takes_a_message_without_a_word(simulator: Simulator) -> None:
    provider = opened(simulator, "axelnac")
    simulator.faults = {Fault.NO_CONTENT}

    answer = handed_over(provider, logged_in(provider))

    assert answer.status == 204
    assert read_outcome(provider, answer) == Accepted()
    assert len(simulator.taken) == 1


def test_axelnac_tells_an_unknown_gateway_from_an_address_that_is_no_api(simulator: Simulator) -> None:
    there = opened(simulator, "axelnac", sms_gateway="nowhere")
    assert isinstance(read_outcome(there, handed_over(there, logged_in(there))), RefusedHere)

    beside = opened(simulator, "axelnac")
    beside.settings = {**beside.settings, "url": f"{beside.settings['url']}/api/v1"}
    fault = read_outcome(beside, handed_over(beside, logged_in(opened(simulator, "axelnac"))))
    assert isinstance(fault, GatewayFault)
    assert "address" in fault.remedy


def test_axelnac_reads_json_strictly(simulator: Simulator) -> None:
    url = simulator.url_of("axelnac")
    body = b'{"sms_gateway": "main", "phone_number": "+79161234567", "message": "x",}'
    token = logged_in(opened(simulator, "axelnac"))
    way = auth.LoginToken()

    login = fetched(HttpRequest("POST", f"{url}/api/v1/login", body=b'{"username": "portal", "password": "x",}'))
    sent = fetched(way.sign(HttpRequest("POST", f"{url}/api/v1/sms_gateways/send_sms", body=body), {}, token))

    assert (login.status, login.headers["content-type"].partition(";")[0]) == (400, "text/plain")
    assert sent.status == 400
    assert fetched(HttpRequest("POST", f"{url}/api/v1/login", body=b'{"USERNAME": "portal"} x')).status == 401
    assert fetched(way.sign(get(f"{url}/api/v1/nothing"), {}, token)).status == 404
    assert simulator.taken == []


@pytest.mark.parametrize(
    ("pid", "status"),
    [("guest", 200), ("phoneless", 422), ("nobody", 404)],
    ids=["known", "without a phone", "unknown"],
)
def test_axelnac_sends_credentials_to_those_it_knows(simulator: Simulator, pid: str, status: int) -> None:
    url = f"{simulator.url_of('axelnac')}/api/v1/sms_gateways/send_user_credentials"
    request = post_json(url, {"sms_gateway": "main", "pid": pid, "password": "k"})

    answer = fetched(auth.LoginToken().sign(request, {}, logged_in(opened(simulator, "axelnac"))))

    assert answer.status == status
    assert [sms.text for sms in simulator.taken] == (["guest k"] if status == 200 else [])


# Runtel


def test_runtel_blocks_a_host_after_too_many_wrong_logins_and_the_remedy_says_so(
    simulator: Simulator, pbx: runtel_peer.Peer
) -> None:
    wrong = opened(simulator, "runtel", password="wrong")
    for _ in range(runtel_peer.MOST_WRONG_LOGINS):
        with pytest.raises(CredentialsRefused, match="refuses the login"):
            logged_in(wrong)

    right = opened(simulator, "runtel")
    with pytest.raises(CredentialsRefused, match="turns this host away") as blocked:
        logged_in(right)
    assert "«Защитник»" in blocked.value.remedy

    pbx.wrong_logins = 0
    assert logged_in(right).value


def test_runtel_turns_a_blocked_host_s_messages_away(simulator: Simulator) -> None:
    provider = opened(simulator, "runtel")
    token = logged_in(provider)
    simulator.faults = {Fault.BLOCKED_HOST}

    answer = handed_over(provider, token)

    assert not provider.way.ended(answer)
    assert isinstance(read_outcome(provider, answer), CredentialsRefused)
    assert simulator.taken == []


def test_runtel_forgets_a_token_that_is_given_back(simulator: Simulator) -> None:
    provider = opened(simulator, "runtel")
    token = logged_in(provider)
    request = provider.way.logout(provider.settings, token)
    assert request

    assert json.loads(fetched(request).body)["code"] == 200
    assert provider.way.ended(handed_over(provider, token))


def test_runtel_s_token_is_taken_to_end_at_the_earlier_reading(simulator: Simulator) -> None:
    lasts = logged_in(opened(simulator, "runtel")).lasts
    assert lasts is not None
    # It says four hours in UTC, and Prague is an hour or two ahead of that.
    assert timedelta(hours=1) < timedelta(seconds=lasts) < timedelta(hours=3, minutes=1)


def test_runtel_says_which_action_it_does_not_know(simulator: Simulator) -> None:
    provider = opened(simulator, "runtel", obj="Pigeon")
    assert isinstance(read_outcome(provider, handed_over(provider, logged_in(provider))), RefusedHere)


# Mobile SMARTS

SMS_BODY = {"phone": SMS.phone, "text": TEXT, "id": SMS.key}


def smarts(simulator: Simulator, **changed: str) -> dict[str, str]:
    settings = simulator.peers["mobile_smarts"].settings()
    return {**settings, "url": simulator.url_of("mobile_smarts"), **changed}


@pytest.mark.parametrize(
    "way",
    [
        auth.Session("/api/v1/session"),
        auth.Session("/api/session"),
        auth.Session("/oauth/token"),
        auth.Session("/api/v1/session", "get"),
        auth.Session("/api/session", "get"),
    ],
    ids=str,
)
@pytest.mark.parametrize("faults", [set(), {Fault.SNAKE_CASING}], ids=["as documented", "snake casing"])
def test_a_session_is_given_at_every_address_and_in_both_casings(
    simulator: Simulator, way: auth.Session, faults: set[Fault]
) -> None:
    settings = smarts(simulator)
    simulator.faults = faults

    token = way.read_login(settings, fetched(way.login(settings)))
    sent = fetched(way.sign(post_json(f"{settings['url']}/api/v1/sms", SMS_BODY), settings, token))

    assert token.lasts == mobile_smarts_peer.LASTS
    assert sent.status == 200
    assert [(sms.phone, sms.text) for sms in simulator.taken] == [(SMS.phone, TEXT)]
    with pytest.raises(CredentialsRefused):
        way.read_login(settings, fetched(way.login({**settings, "password": "wrong"})))


def test_a_session_is_renewed_and_its_old_refresh_token_is_good_no_more(simulator: Simulator) -> None:
    way, settings = auth.Session(), smarts(simulator)
    first = way.read_login(settings, fetched(way.login(settings)))
    renewal = way.refresh(settings, first)
    assert renewal

    second = way.read_refresh(settings, fetched(renewal))

    assert not {first.value, first.refresh} & {second.value, second.refresh}
    with pytest.raises(CredentialsRefused):
        way.read_refresh(settings, fetched(renewal))
    assert simulator.logins == {"mobile_smarts": 1}


def test_a_session_that_ended_is_answered_with_401(simulator: Simulator) -> None:
    way, settings = auth.Session(), smarts(simulator)
    token = way.read_login(settings, fetched(way.login(settings)))
    request = post_json(f"{settings['url']}/api/v1/sms", SMS_BODY)
    simulator.faults = {Fault.EXPIRED_TOKEN}

    assert way.ended(fetched(way.sign(request, settings, token)))
    assert way.ended(fetched(request))
    assert simulator.taken == []


def test_basic_lets_in_in_base64_and_plain(simulator: Simulator) -> None:
    settings = smarts(simulator)
    request = post_json(f"{settings['url']}/api/v1/sms", SMS_BODY)
    plain = f"Basic {settings['login']}:guess"

    assert fetched(auth.Basic().sign(request, settings, None)).status == 200
    assert fetched(auth.Basic().sign(request, {**settings, "password": "wrong"}, None)).status == 401
    assert mobile_smarts_peer._pair("a:b") == mobile_smarts_peer._pair("YTpi") == "a:b"
    assert mobile_smarts_peer._pair("abcd") == "abcd"
    assert fetched(HttpRequest(request.method, request.url, {"authorization": plain}, request.body)).status == 401


def test_a_session_is_asked_for_by_a_form_and_nothing_else(simulator: Simulator) -> None:
    url = f"{simulator.url_of('mobile_smarts')}/api/v1/session"
    assert fetched(post_json(url, {"grant_type": "password"})).status == 400
    assert fetched(post_form(url, {"grant_type": "client_credentials"})).status == 400


# Runtel's parameters


@pytest.mark.parametrize(
    "params",
    [
        "",
        "text={{text}}",
        '["{{to}}", "{{text}}"]',
        '{"to": "{{to}}"}',
        '{"text": "{{text}}"}',
        '{"to": "{{to}}", "text": "Hello {{text}}"}',
        '{"to": {{to}}, "text": "{{text}}"}',
        '{"{{to}}": "{{to}}", "text": "{{text}}"}',
        '{"to": "{{to}}", "text": "{{text}}", "key": "{{password}}"}',
        '{"to": "{{to}}", "text": "{{text}}", "key": "{{text"}',
        '{"to": "{{to}}", "text": "{{text}}", "x": NaN}',
        '{"to": "{{to}}", "text": "{{text}}",}',
        '{"a":' * 660 + "1" + "}" * 660,
        "[" * 4000,
    ],
    ids=lambda params: params[:60],
)
def test_parameters_that_cannot_be_filled_safely_are_refused(params: str) -> None:
    form = runtel.Provider.Config(
        {"url": "https://a.example", "login": "a", "password": "b", "action": "x", "obj": "y", "params": params}
    )
    assert list(form.errors) == ["params"]
