"""The words of the contract's tests: a provider as it was set up, what it may be asked, and requests compared."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from lxml import etree

from gateways import providers
from gateways.auth import Token
from gateways.configuration import checked
from gateways.http import FORM, Callback, HttpRequest, HttpResponse, object_of
from gateways.outcomes import (
    Accepted,
    Ambiguous,
    Balance,
    CredentialsRefused,
    GatewayFault,
    InboundSms,
    NotAccepted,
    NotSent,
    OutboundSms,
    Receipt,
    Refused,
    RefusedForNow,
    RefusedHere,
    SentSms,
    Unreadable,
)
from gateways.provider import BaseProvider, read_outcome
from tests.gateways import recorded
from tests.gateways.recorded import Answer, Question, Request, Submit, Variant

#: How an outcome is called in the recorded exchanges.
OUTCOMES = {
    Accepted: "accepted",
    NotSent: "not_sent",
    RefusedHere: "refused_here",
    Refused: "refused",
    RefusedForNow: "refused_for_now",
    CredentialsRefused: "credentials_refused",
    GatewayFault: "gateway_fault",
    Ambiguous: "ambiguous",
}


@dataclass(frozen=True)
class Kind:
    """A question that a provider may be asked: what it can do, where that is recorded, how it is asked and read."""

    answers: str
    applies: Callable[[BaseProvider], bool]
    ask: Callable[[BaseProvider, Question], HttpRequest | None]
    read: Callable[[BaseProvider, HttpResponse], Any]


QUESTIONS = {
    "queries": Kind(
        "query_answers",
        lambda provider: provider.can_query,
        lambda provider, question: provider.query([SentSms(**sms) for sms in question.asked]),
        lambda provider, response: provider.read_query(response),
    ),
    "look_ups": Kind(
        "look_up_answers",
        lambda provider: provider.can_look_up,
        lambda provider, question: provider.look_up([SentSms(**sms) for sms in question.asked]),
        lambda provider, response: provider.read_look_up(response),
    ),
    "balances": Kind(
        "balance_answers",
        lambda provider: provider.can_tell_balance,
        lambda provider, _question: provider.balance(),
        lambda provider, response: provider.read_balance(response),
    ),
    "checks": Kind(
        "check_answers",
        lambda provider: provider.check() is not None,
        lambda provider, _question: provider.check(),
        lambda provider, response: provider.read_check(response),
    ),
    "forgets": Kind(
        "forget_answers",
        lambda provider: provider.can_forget,
        lambda provider, question: provider.forget(SentSms(**question.asked[0])),
        lambda provider, response: provider.read_forget(response),
    ),
    "inbound_fetches": Kind(
        "inbound_answers",
        lambda provider: provider.can_fetch_inbound,
        lambda provider, question: provider.fetch_inbound(datetime.fromisoformat(question.since)),
        lambda provider, response: provider.read_inbound(response),
    ),
}


def provider_of(name: str, variant: Variant) -> BaseProvider:
    """The provider of a gateway `main` that is set up so."""
    return providers.load(name)(checked(name, variant.settings, {}), variant.sender, "main", variant.callback_url)


def outbound(variant: Variant, submit: Submit) -> OutboundSms:
    moment = datetime.fromisoformat(submit.sms["valid_until"])
    return OutboundSms(**{**submit.sms, "valid_until": moment}, sender=variant.sender)


def called(outcome: Accepted | NotAccepted) -> str:
    return next(OUTCOMES[kind] for kind in type(outcome).__mro__ if kind in OUTCOMES)


def secrets_of(provider: BaseProvider) -> list[str]:
    """Those that are long enough not to occur by chance."""
    return [str(provider.settings[key]) for key in provider.secrets if len(str(provider.settings[key] or "")) >= 6]


def shown(error: Exception | None) -> str:
    """What an operator reads of it."""
    return f"{error or ''} {getattr(error, 'remedy', '')}"


def attempt(
    read: Callable[[BaseProvider, HttpResponse], Any], provider: BaseProvider, response: HttpResponse
) -> tuple[Any, Exception | None]:
    try:
        return read(provider, response), None
    except Exception as error:  # noqa: BLE001 — the tests say which are allowed
        return (), error


def heard(provider: BaseProvider, callback: Callback) -> tuple[Sequence[Receipt | InboundSms], Exception | None]:
    try:
        return provider.read_callback(callback), None
    except Exception as error:  # noqa: BLE001 — the tests say which are allowed
        return (), error


def not_unclear(
    provider: BaseProvider, variant: Variant, answers: Iterator[tuple[str, HttpResponse]]
) -> dict[str, Accepted | NotAccepted]:
    outcomes = {
        what: read_outcome(provider, response)
        for what, response in answers
        if not (variant.takes_any_object and is_object(response))
    }
    return {what: outcome for what, outcome in outcomes.items() if not isinstance(outcome, Ambiguous)}


def is_object(response: HttpResponse) -> bool:
    try:
        object_of(response)
    except Unreadable:
        return False
    return True


def assert_request(provider: BaseProvider, variant: Variant, request: HttpRequest, expected: Request) -> None:
    """The request, signed, is the recorded one."""
    assert bool(variant.token) == provider.way.logs_in
    token = Token(variant.token) if variant.token else None
    assert_built(provider, provider.way.sign(request, provider.settings, token), expected)


def assert_built(provider: BaseProvider, request: HttpRequest, expected: Request) -> None:
    url, _mark, query = request.url.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert (request.method, url) == (expected.method, expected.url)
    assert fields_in(query) == texts_of(expected.query)
    assert {name: headers.get(name) for name in expected.headers} == expected.headers
    if expected.form is not None:
        assert media_type(request) == FORM
        assert fields_in(request.body.decode()) == texts_of(expected.form)
    elif expected.json is not None:
        assert "json" in media_type(request)
        assert json.loads(request.body) == expected.json
    else:
        assert request.body.decode() == expected.text
    assert [secret for secret in secrets_of(provider) if secret in repr(request)] == []


def assert_read(found: Any, answer: Answer) -> None:
    match answer:
        case recorded.QueryAnswer():
            assert_listed(found, answer.receipts)
        case recorded.InboundAnswer():
            assert_listed(found, answer.inbound)
        case recorded.LookUpAnswer():
            assert {key: one and one.reference for key, one in found.items()} == answer.found
        case recorded.BalanceAnswer():
            assert found == Balance(Decimal(answer.amount), answer.currency)
        case recorded.CheckAnswer():
            assert found == answer.says != ""


def assert_listed(found: Sequence[object], expected: Sequence[Mapping[str, Any]] | None) -> None:
    assert expected is not None
    wanted = [{**one, **({"at": datetime.fromisoformat(one["at"])} if one.get("at") else {})} for one in expected]
    assert len(found) == len(wanted), found
    for one, like in zip(found, wanted, strict=True):
        assert {key: getattr(one, key) for key in like} == like


def fields_in(query: str) -> dict[str, str | list[str]]:
    """Its fields; those that are repeated as a list."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def texts_of(recorded_fields: Mapping[str, Any]) -> dict[str, str | list[str]]:
    return {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in recorded_fields.items()
    }


def media_type(request: HttpRequest) -> str:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def texts_in(request: HttpRequest) -> Iterator[str]:
    """Every text in the query and in the body, read as its content type says."""
    yield from (value for _name, value in parse_qsl(request.url.partition("?")[2], keep_blank_values=True))
    kind = media_type(request)
    if kind == FORM:
        yield from (value for _name, value in parse_qsl(request.body.decode(), keep_blank_values=True))
    elif "json" in kind:
        yield from leaves(json.loads(request.body))
    elif "xml" in kind:
        for element in etree.fromstring(request.body).iter():
            yield from (str(element.text or ""), *map(str, element.attrib.values()))
    else:
        yield request.body.decode()


def leaves(found: Any) -> Iterator[str]:
    if isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from leaves(value)
    elif isinstance(found, str):
        yield found
