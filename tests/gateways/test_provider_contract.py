"""Every provider keeps the contract of `gateways/provider.py`, as its recorded exchanges show.

A new provider is held to all of this by its own two files: `gateways/providers/<name>.py` and `examples/<name>.json`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from gateways import providers
from gateways.auth import Token
from gateways.configuration import checked
from gateways.http import FORM, Callback, HttpResponse
from gateways.outcomes import (
    Accepted,
    BadCallback,
    Balance,
    CredentialsRefused,
    GatewayFault,
    InboundSms,
    NotAccepted,
    Receipt,
    RefusedForNow,
    Unreadable,
)
from gateways.provider import read_outcome
from gateways.xml import IMPOSSIBLE
from tests.gateways import recorded, spoilt
from tests.gateways.contract import (
    QUESTIONS,
    assert_built,
    assert_listed,
    assert_read,
    assert_request,
    attempt,
    called,
    heard,
    media_type,
    not_unclear,
    outbound,
    provider_of,
    secrets_of,
    shown,
    texts_in,
)
from tests.gateways.recorded import Call, LoginAnswer, Question, Submit, SubmitAnswer, Variant

ALL_SORTS = 'Привет, «гость» 🕊\n& <b>"it\'s"</b>'
NASTY_TEXTS = {
    "all sorts": ALL_SORTS,
    "markup": "&<>\"'&amp;&#10;</text><!-- ]]> <![CDATA[x]]>",
    "line breaks": "one\ntwo\r\nthree\rfour\n",
    "blanks": "  at both ends\t ",
    "controls": "a\x01b\x0bc\x1bd\x7fe",
    "emoji": "👩‍👩‍👧🇷🇺\U0010ffff",
    "marks of templates": "{{to}} {to} {text} %s %(to)s %d $x ${to} #{to} \\n \\u0041 \\1 {{{{ }}",
    "marks of queries": "a=b&text=c;d+e%20f#g?h/i\\j",
    "marks of JSON": '","to":"+1","x":["\\',
    "long": "Очень длинный текст. " * 60,
}

every_provider = pytest.mark.parametrize("name", providers.names())
every_variant = pytest.mark.parametrize(("name", "variant"), recorded.variants())


@pytest.fixture(autouse=True)
def _clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stops the clock at the set-up's `now`, where it has one."""
    variant = request.getfixturevalue("variant") if "variant" in request.fixturenames else None
    stopped = variant and variant.now
    with time_machine.travel(datetime.fromisoformat(stopped), tick=False) if stopped else nullcontext():
        yield


# What a provider must have


@every_provider
def test_its_exchanges_are_recorded_and_readable(name: str) -> None:
    found = recorded.of(name)

    assert found.documentation
    assert any(variant.submits for variant in found.variants)
    assert any(variant.submit_answers for variant in found.variants)
    texts = "".join(submit.sms["text"] for variant in found.variants for submit in variant.submits)
    assert set("&<>\"'\n") <= set(texts)
    assert re.search("[а-я]", texts)
    assert re.search("[\U0001f300-\U0001faff]", texts)


@every_provider
def test_it_declares_itself(name: str) -> None:
    provider = providers.load(name)
    fields = provider.Config.base_fields

    assert provider.label
    assert provider.about
    assert [key for key, field in fields.items() if not (field.label and field.help_text)] == []
    assert set(provider.secrets) <= fields.keys()
    assert {"password", "api_key", "client_secret"} & fields.keys() <= set(provider.secrets)
    assert name == "sandbox" or {"url", "verify_tls"} <= fields.keys()


@every_provider
def test_its_file_is_short(name: str) -> None:
    lines = (Path(providers.__file__).parent / f"{name}.py").read_text("utf-8").splitlines()

    assert len(lines) <= 200


@every_provider
def test_all_that_it_can_do_is_recorded(name: str) -> None:
    missing = []
    variants = recorded.of(name).variants
    ways = {variant.what: provider_of(name, variant) for variant in variants}
    for key, kind in QUESTIONS.items():
        # To check by asking for the balance needs no record of its own.
        able = [one for one in ways.values() if kind.applies(one) and not (key == "checks" and one.can_tell_balance)]
        if able and not any(getattr(variant, key) and getattr(variant, kind.answers) for variant in variants):
            missing.append(key)
    if any(one.sends_receipts and not one.can_query for one in ways.values()):
        missing += [] if any(call.receipts for variant in variants for call in variant.callbacks) else ["receipts"]
    if providers.load(name).code_placeholder:
        missing += [] if any(one.code for variant in variants for one in variant.submit_answers) else ["code"]
    logging_in = {type(one.way) for one in ways.values() if one.way.logs_in}
    missing += sorted(
        f"login by {way.__name__}"
        for way in logging_in - {type(ways[variant.what].way) for variant in variants if variant.login}
    )

    assert missing == []


@pytest.mark.parametrize("slip", ["submit", "outcom"])
def test_a_slip_of_the_pen_in_a_record_is_found(slip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = {"what": "ordinary", "settings": {}, "submit_answers": [{"what": "taken"}]}
    (variant if slip == "submit" else variant["submit_answers"][0])[slip] = []  # type: ignore[index]
    (tmp_path / "pigeon.json").write_text(json.dumps({"documentation": "a loft", "variants": [variant]}))
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)

    with pytest.raises(TypeError, match=f"pigeon.*'{slip}'"):
        recorded.of("pigeon")


# What was recorded


@every_variant
def test_its_form_takes_the_settings(name: str, variant: Variant) -> None:
    taken = checked(name, variant.settings, {})

    assert {key: taken[key] for key in variant.settings} == variant.settings


@pytest.mark.parametrize(("name", "variant", "submit"), recorded.each("submits"))
def test_it_hands_a_message_over_as_recorded(name: str, variant: Variant, submit: Submit) -> None:
    provider = provider_of(name, variant)

    assert_request(provider, variant, provider.submit(outbound(variant, submit)), submit.request)


@pytest.mark.parametrize(("name", "variant", "answer"), recorded.each("submit_answers"))
def test_it_understands_an_answer_as_recorded(name: str, variant: Variant, answer: SubmitAnswer) -> None:
    outcome = read_outcome(provider_of(name, variant), answer.response)

    assert called(outcome) == answer.outcome, outcome
    if isinstance(outcome, Accepted):
        assert outcome.reference == (answer.reference or "")
        assert outcome.code == answer.code
    else:
        assert outcome.reason
    if answer.retry_after is not None:
        assert isinstance(outcome, RefusedForNow)
        assert outcome.retry_after == answer.retry_after


@pytest.mark.parametrize(("name", "variant"), recorded.logging_in())
def test_it_logs_in_as_recorded(name: str, variant: Variant) -> None:
    provider = provider_of(name, variant)

    assert variant.login
    assert_built(provider, provider.way.login(provider.settings), variant.login.request)


@pytest.mark.parametrize(("name", "variant", "answer"), recorded.each_login_answer())
def test_it_understands_a_login_as_recorded(name: str, variant: Variant, answer: LoginAnswer) -> None:
    provider = provider_of(name, variant)

    if answer.outcome:
        with pytest.raises(NotAccepted) as raised:
            provider.way.read_login(provider.settings, answer.response)
        assert called(raised.value) == answer.outcome
    else:
        token = provider.way.read_login(provider.settings, answer.response)
        assert token == Token(answer.token, answer.refresh, answer.lasts, answer.idles)
        assert token.value


@pytest.mark.parametrize(("name", "variant", "key", "question"), recorded.each_of({key: key for key in QUESTIONS}))
def test_it_asks_as_recorded(name: str, variant: Variant, key: str, question: Question) -> None:
    provider = provider_of(name, variant)
    request = QUESTIONS[key].ask(provider, question)

    assert request
    assert_request(provider, variant, request, question.request)


@pytest.mark.parametrize(
    ("name", "variant", "key", "answer"), recorded.each_of({key: kind.answers for key, kind in QUESTIONS.items()})
)
def test_it_reads_as_recorded(name: str, variant: Variant, key: str, answer: Any) -> None:
    provider = provider_of(name, variant)

    if answer.unreadable:
        with pytest.raises(Unreadable):
            QUESTIONS[key].read(provider, answer.response)
    elif answer.outcome:
        with pytest.raises(GatewayFault) as raised:
            QUESTIONS[key].read(provider, answer.response)
        assert called(raised.value) == answer.outcome
    else:
        assert_read(QUESTIONS[key].read(provider, answer.response), answer)


@pytest.mark.parametrize(("name", "variant", "call"), recorded.each("callbacks"))
def test_it_takes_a_call_as_recorded(name: str, variant: Variant, call: Call) -> None:
    provider, callback = provider_of(name, variant), call.made_to(variant.callback_url)

    if call.refused is not None:
        with pytest.raises(BadCallback) as raised:
            provider.read_callback(callback)
        assert raised.value.status == call.refused
    else:
        said = provider.read_callback(callback)
        assert_listed([one for one in said if isinstance(one, Receipt)], call.receipts)
        assert_listed([one for one in said if isinstance(one, InboundSms)], call.inbound)
        reply = provider.callback_reply(callback, said)
        assert {key: getattr(reply, key) for key in call.reply} == call.reply


# What comes through whole, and what stays hidden


@every_variant
@pytest.mark.parametrize("what", NASTY_TEXTS)
def test_every_text_arrives_as_it_was_written(name: str, variant: Variant, what: str) -> None:
    provider = provider_of(name, variant)
    text = NASTY_TEXTS[what] + provider.code_placeholder
    spellings = {text, re.sub("\r\n?|\n", lambda _: variant.line_break, text)}

    # One that is sent once more may be named by its reference alone.
    for submit in [one for one in variant.submits if not one.sms.get("former")]:
        request = provider.submit(replace(outbound(variant, submit), text=text))
        if "xml" in media_type(request):
            spellings |= {IMPOSSIBLE.sub("", spelling) for spelling in spellings}
        assert spellings & set(texts_in(request)), submit.what


@every_variant
def test_no_reason_repeats_what_a_provider_was_told(name: str, variant: Variant) -> None:
    """An answer may hold our key, the phone or the text; what an operator reads of it never does."""
    provider = provider_of(name, variant)
    told = []

    for secret in (*secrets_of(provider), "79161234567", ALL_SORTS):
        for answer in variant.submit_answers:
            for where, response in spoilt.echoing(answer.response, secret):
                outcome = read_outcome(provider, response)
                words = outcome.detail if isinstance(outcome, Accepted) else shown(outcome)
                told += [(answer.what, where, words)] if secret in words else []
        for key, kind in QUESTIONS.items():
            for answer in getattr(variant, kind.answers):
                for where, response in spoilt.echoing(answer.response, secret):
                    found, error = attempt(kind.read, provider, response)
                    details = [one.detail for one in found if isinstance(one, Receipt)] if key == "queries" else []
                    words = " ".join([*details, shown(error)])
                    told += [(answer.what, where, words)] if secret in words else []

    assert told == []


@pytest.mark.parametrize("name", list(recorded.names()))
def test_what_is_stored_of_an_answer_is_redacted(name: str) -> None:
    found = recorded.of(name)
    provider = provider_of(name, found.variants[0])
    hidden = [(entry.body, entry.never) for entry in found.redacted]
    hidden += [(one.body, [one.code]) for variant in found.variants for one in variant.submit_answers if one.code]

    for body, never in hidden:
        kept = provider.redact(recorded.body_of(body))
        assert [secret for secret in never if secret in kept] == []
    for _content_type, meaningless in spoilt.MEANINGLESS.values():
        assert isinstance(provider.redact(meaningless.decode(errors="replace")), str)


# What no provider should answer


@every_variant
def test_a_meaningless_answer_is_unclear(name: str, variant: Variant) -> None:
    provider = provider_of(name, variant)
    successes = {200} | {answer.status for answer in variant.submit_answers if answer.outcome == "accepted"}

    assert not_unclear(provider, variant, spoilt.meaningless(*sorted(successes))) == {}


@pytest.mark.parametrize(("name", "variant", "answer"), recorded.each("submit_answers"))
def test_a_damaged_answer_is_unclear(name: str, variant: Variant, answer: SubmitAnswer) -> None:
    provider = provider_of(name, variant)

    found = not_unclear(provider, variant, spoilt.damaged(answer.response))
    if answer.outcome != "accepted":
        # What is left of a refusal may still be one.
        found = {what: outcome for what, outcome in found.items() if isinstance(outcome, Accepted)}

    assert found == {}


@pytest.mark.parametrize(("name", "variant", "answer"), recorded.each("submit_answers"))
def test_no_reference_is_made_of_what_is_none(name: str, variant: Variant, answer: SubmitAnswer) -> None:
    provider = provider_of(name, variant)
    nonsense = {str(value) for value in spoilt.WRONG.values() if not isinstance(value, str)}

    outcomes = {what: read_outcome(provider, response) for what, response in spoilt.partly_wrong(answer.response)}
    accepted = {what: one.reference for what, one in outcomes.items() if isinstance(one, Accepted)}
    assert {what: reference for what, reference in accepted.items() if reference in nonsense} == {}


@pytest.mark.parametrize(("name", "variant"), recorded.logging_in())
def test_a_spoilt_answer_to_a_login_neither_lets_in_nor_blames_the_password(name: str, variant: Variant) -> None:
    provider = provider_of(name, variant)
    wrong = {}

    assert variant.login
    answers = [*spoilt.meaningless(200)]
    for answer in variant.login.answers:
        answers += [] if answer.outcome else spoilt.damaged(answer.response)
    for what, response in answers:
        token, error = attempt(lambda one, received: one.way.read_login(one.settings, received), provider, response)
        if token or isinstance(error, CredentialsRefused) or not isinstance(error, NotAccepted):
            wrong[what] = token or error

    assert wrong == {}


@every_variant
def test_a_spoilt_answer_to_a_question_tells_nothing(name: str, variant: Variant) -> None:
    provider = provider_of(name, variant)
    wrong: dict[str, object] = {}

    for key, kind in QUESTIONS.items():
        answers = [*spoilt.meaningless(200)] if kind.applies(provider) else []
        for answer in getattr(variant, kind.answers):
            answers += [] if answer.outcome or answer.unreadable else spoilt.damaged(answer.response)
        for what, response in answers:
            found, error = attempt(kind.read, provider, response)
            if key == "look_ups" and what == "every value null":
                continue  # which is how absence may be told
            if found or not isinstance(error, Unreadable | GatewayFault | None):
                wrong[f"{key}: {what}"] = found or error

    assert wrong == {}


@every_variant
def test_a_partly_wrong_answer_to_a_question_breaks_nothing(name: str, variant: Variant) -> None:
    provider = provider_of(name, variant)
    wrong: dict[str, object] = {}

    for key, kind in QUESTIONS.items():
        for answer in getattr(variant, kind.answers):
            for what, response in spoilt.partly_wrong(answer.response):
                found, error = attempt(kind.read, provider, response)
                endless = isinstance(found, Balance) and not found.amount.is_finite()
                if endless or not isinstance(error, Unreadable | GatewayFault | None):
                    wrong[f"{key}: {answer.what}, {what}"] = found if endless else error

    assert wrong == {}


@every_variant
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_meaningless_call_is_refused_or_ignored(name: str, variant: Variant, method: str) -> None:
    provider = provider_of(name, variant)
    wrong: dict[str, object] = {}

    # Signed as a good call was, and not at all.
    for headers in [{}, *(call.made_to("").headers for call in variant.callbacks[:1])]:
        for what, (content_type, body) in spoilt.MEANINGLESS.items():
            for declared in {content_type, headers.get("content-type", FORM)}:
                for query in ("", "?", "?a=b&a=c&&=", "?%ff=%00%98"):
                    given = {**headers, "content-type": declared}
                    said, error = heard(provider, Callback(method, variant.callback_url + query, given, body))
                    if said or not isinstance(error, BadCallback | None):
                        wrong[f"{what} as {declared} with {query}"] = said or error

    assert wrong == {}


@pytest.mark.parametrize(("name", "variant", "call"), recorded.each("callbacks"))
def test_a_damaged_call_is_refused_or_ignored(name: str, variant: Variant, call: Call) -> None:
    provider, callback = provider_of(name, variant), call.made_to(variant.callback_url)
    body = HttpResponse(200, callback.headers, callback.body)
    wrong: dict[str, object] = {}

    for what, spoiled in spoilt.damaged(body):
        said, error = heard(provider, replace(callback, body=spoiled.body))
        if said or not isinstance(error, BadCallback | None):
            wrong[what] = said or error
    partly = [(what, replace(callback, body=spoiled.body)) for what, spoiled in spoilt.partly_wrong(body)]
    for what, query in spoilt.fields_spoilt(call.query):
        partly.append((what, replace(callback, url=f"{variant.callback_url}?{query}")))
    if callback.headers.get("content-type", "").startswith(FORM):
        for what, form in spoilt.fields_spoilt(callback.body.decode()):
            partly.append((what, replace(callback, body=form.encode())))
    for what, changed in partly:
        said, error = heard(provider, changed)
        if not isinstance(error, BadCallback | None):
            wrong[what] = error

    assert wrong == {}
