"""What is kept of a provider's answer: nothing of the text, and no secret, however it is spelled."""

import json
from base64 import b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from gateways.http import HttpResponse
from gateways.provider import BaseProvider
from messaging import redaction

TEXT = "Гостевой Wi-Fi: пароль Zv2/“Кенар”-4711 & <до завтра>\nПриятного дня"
MASKED = "Гостевой Wi-Fi: пароль ••••••••\nПриятного дня"
SECRET = "Zv2/“Кенар”-4711"


class Wire(BaseProvider):
    """Has a login, a password, and an address for callbacks."""

    secrets = ("password",)


WIRE = Wire({"login": "portal", "password": "pa$$ wörd"}, callback_url="https://p.example/callbacks/1/c4llb4ck-k3y/")
HIDDEN = [*redaction.pieces(TEXT, MASKED), *redaction.secrets_of(WIRE)]

ECHOES = {
    "as it is": lambda text: text,
    "JSON": json.dumps,
    "JSON in Cyrillic": lambda text: json.dumps(text, ensure_ascii=False),
    "PHP's JSON": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON with capital digits": lambda text: "".join(f"\\u{ord(one):04X}" for one in text),
    "percent": quote,
    "percent, slashes too": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "XML": escape,
    "HTML by numbers": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "UCS-2 in hex": lambda text: text.encode("utf-16-be").hex().upper(),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "other line breaks": lambda text: text.replace("\n", "\r\n"),
    "in one line": lambda text: text.replace("\n", " "),
}


def kept(body: bytes, content_type: str = "") -> str:
    return str(redaction.kept(WIRE, HttpResponse(200, {"content-type": content_type}, body), HIDDEN)["body"])


@pytest.mark.parametrize("echo", list(ECHOES.values()), ids=list(ECHOES))
def test_a_text_is_not_kept_in_any_spelling(echo: object) -> None:
    written = echo(TEXT)  # type: ignore[operator]
    body = kept(f'{{"id": 17, "text": "{written}"}}'.encode())
    assert "4711" not in body
    assert written not in body
    assert "Кенар" not in body


def test_nor_in_another_charset() -> None:
    body = kept(f"OK 17 {TEXT}".encode("windows-1251", errors="replace"))
    assert "4711" not in body
    assert body.startswith("OK 17")


def test_a_text_that_was_cut_short_shows_none_of_its_secret() -> None:
    cut = TEXT[: TEXT.index(SECRET) + len(SECRET)]
    assert SECRET not in kept(f"ERROR: {cut}".encode())


@pytest.mark.parametrize(
    "secret",
    [
        "pa$$ wörd",
        quote("pa$$ wörd"),
        b64encode("portal:pa$$ wörd".encode()).decode(),
        "c4llb4ck-k3y",
    ],
)
def test_no_secret_of_the_gateway_is_kept(secret: str) -> None:
    assert secret not in kept(f"you sent {secret} to us".encode())


@pytest.mark.parametrize("given", ["Bearer 9f86d081884c", "Basic cG9ydGFsOng=", "authorization: bearer 9f86d081884c"])
def test_nothing_that_lets_somebody_in_is_kept(given: str) -> None:
    body = kept(f"headers: {given}, and more".encode())
    assert given.rsplit(maxsplit=1)[-1] not in body
    assert "and more" in body


def test_what_an_operator_needs_stays() -> None:
    body = '{"status": "error", "code": 7, "reason": "wrong phone", "login": "portal"}'
    assert kept(body.encode()) == body


def test_an_information_text_leaves_its_ordinary_words_in_answers() -> None:
    hidden = redaction.pieces("the status is good", "the status is good")
    assert redaction.without(hidden, '{"status": "good"}') == '{"status": "good"}'
    assert redaction.without(hidden, "sent: the status is good") == f"sent: {redaction.HIDDEN}"


def test_where_no_masked_text_is_left_every_word_is_secret() -> None:
    hidden = redaction.pieces("user bob, password kofe-luna-42", "")
    assert redaction.without(hidden, "delivering kofe-luna-42") == f"delivering {redaction.HIDDEN}"


def test_a_provider_that_cannot_redact_leaves_nothing_to_keep() -> None:
    class Broken(Wire):
        def redact(self, text: str) -> str:
            raise ValueError

    assert redaction.kept(Broken({}), HttpResponse(500, {}, b"secret"), []) == {"status": 500, "body": ""}


def test_an_answer_is_cut_to_what_is_stored() -> None:
    assert len(kept(b"x" * 500_000)) == redaction.KEPT_ANSWER
