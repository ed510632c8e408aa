"""The preview: the request as it would be made, with nothing in it that opens the provider's door."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from html import escape
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

import pytest

from gateways.configuration import checked
from gateways.http import HttpRequest, post_json
from gateways.outcomes import OutboundSms, RefusedHere
from gateways.preview import MASK, Preview, preview
from gateways.provider import BaseProvider
from gateways.providers.http import Provider
from tests.gateways import recorded
from tests.gateways.contract import provider_of, secrets_of

SMS = OutboundSms(
    "portal-1", "+79161234567", 'Привет & "пока"\n', "Portal", datetime(2026, 11, 22, tzinfo=UTC), parts=2
)
SECRET = 'пароль & <k>"e\'y" +/='
MINIMAL = {
    "url": "https://sms.example.org/send",
    "ok": "contains:OK",
    "login": "me",
    "password": SECRET,
    "api_key": SECRET,
}


def shown(**settings: Any) -> Preview:
    return preview(Provider(checked("http", {**MINIMAL, **settings}, {}), "Portal"), SMS)


def written(found: Preview) -> str:
    return "\n".join([found.url, *(f"{name}: {value}" for name, value in found.headers.items()), found.body])


def test_it_is_the_request_as_it_would_be_made() -> None:
    assert shown(
        url="https://sms.example.org/send?to={{to}}&key={{token}}",
        headers="X-Request: {{id}}",
        content_type="json",
        body='{"text": "{{text}}", "password": "{{password}}"}',
    ) == Preview(
        "POST",
        f"https://sms.example.org/send?to=%2B79161234567&key={MASK}",
        {"content-type": "application/json; charset=utf-8", "x-request": "portal-1"},
        json.dumps({"text": SMS.text, "password": MASK}, ensure_ascii=False),
    )


@pytest.mark.parametrize(
    ("settings", "url", "headers"),
    [
        ({"auth": "basic"}, "", {"authorization": f"Basic {MASK}"}),
        ({"auth": "bearer"}, "", {"authorization": f"Bearer {MASK}"}),
        ({"auth": "api_key_header", "auth_name": "X-Key"}, "", {"X-Key".lower(): MASK}),
        ({"auth": "api_key_query", "auth_name": "key"}, f"?key={MASK}", {}),
        ({"auth": "session", "auth_url": "https://h.example/s"}, "", {"authorization": f"Bearer {MASK}"}),
        ({"auth": "login_token", "auth_url": "https://h.example/", "auth_name": "T"}, "", {"t": MASK}),
    ],
)
def test_it_is_signed_and_the_signature_is_masked(settings: dict[str, str], url: str, headers: dict[str, str]) -> None:
    found = shown(**settings)

    assert (found.url, found.headers) == (MINIMAL["url"] + url, headers)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("urlencoded", "a={{password}}&b={{token}}"),
        ("json", '{"a": "{{password}}"}'),
        ("xml", '<a b="{{password}}">{{token}}</a>'),
        ("text", "{{password}}"),
    ],
)
def test_a_text_is_shown_in_its_encoding_and_a_secret_in_none(encoding: str, kind: str, body: str) -> None:
    found = shown(
        url="https://sms.example.org/{{password}}?k={{token}}", encoding=encoding, content_type=kind, body=body
    )

    assert [form for form in forms(SECRET) if form in written(found)] == []
    assert MASK in found.url
    assert MASK in found.body


def test_a_secret_that_was_typed_elsewhere_too_is_masked_there() -> None:
    found = shown(password="s3cret", headers="X-Note: the word is s3cret", url="https://sms.example.org/?a=s3cret")

    assert (found.url, found.headers["x-note"]) == (f"https://sms.example.org/?a={MASK}", f"the word is {MASK}")


def test_what_is_refused_before_it_is_sent_has_no_preview() -> None:
    with pytest.raises(RefusedHere):
        shown(max_parts=1)


class Sealed(BaseProvider):
    """Takes a key in hexadecimal digits only, and sends what it makes of it beside the key."""

    secrets: ClassVar = ("api_key",)

    def submit(self, sms: OutboundSms) -> HttpRequest:
        key = bytes.fromhex(self.settings["api_key"])
        return post_json("https://h.example/", {"key": key.hex(), "seal": digest(key, sms.key.encode(), sha256).hex()})


def test_a_key_of_a_form_of_its_own_is_masked_where_it_stands() -> None:
    found = preview(Sealed({"api_key": "00112233445566778899aabbccddeeff"}), SMS)

    assert json.loads(found.body)["key"] == MASK


@pytest.mark.parametrize(("name", "variant"), recorded.variants())
def test_no_preview_of_any_provider_shows_a_secret(name: str, variant: recorded.Variant) -> None:
    provider = provider_of(name, variant)
    text = SMS.text + provider.code_placeholder
    found = preview(provider, replace(SMS, text=text, sender=variant.sender, number=1))

    assert found.method in {"GET", "POST", "PUT"}
    assert [form for secret in secrets_of(provider) for form in forms(secret) if form in written(found)] == []


def test_a_preview_keeps_to_itself_in_logs() -> None:
    assert repr(shown()) == "Preview(method='POST')"


def forms(secret: str) -> list[str]:
    encoded = [secret.encode(charset, errors="replace") for charset in ("utf-8", "windows-1251", "koi8-r")]
    spelled = [secret, escape(secret), escape(secret, quote=False), json.dumps(secret)[1:-1]]
    for one in encoded:
        spelled += [quote(one), quote(one, safe=""), quote_plus(one), b64encode(one).decode()]
    return spelled


def test_the_settings_of_a_provider_stay_as_they_were() -> None:
    settings: Mapping[str, Any] = checked("http", MINIMAL, {})
    provider = Provider(settings)
    preview(provider, SMS)

    assert provider.settings["password"] == SECRET
