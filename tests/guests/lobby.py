"""What a guest in the lobby does with a browser, for tests of the pages."""

import re
from typing import Any

from django.test import Client

from guests.models import RegistrationRules
from messaging.models import Message
from messaging.retries import Kind

PHONE = "+79161234567"
WELCOME, CODE, RESEND, AGAIN, ONLINE = "/guest/", "/guest/code/", "/guest/resend/", "/guest/again/", "/guest/online/"
WAITING, ENDED = "/guest/waiting/", "/guest/ended/"


def browser(language: str = "en", **asked: Any) -> Client:
    """One of a guest's own."""
    return Client(headers={"accept-language": language}, **asked)


def set_rules(**values: Any) -> None:
    """How guests register; without a captcha unless it is wanted."""
    RegistrationRules.objects.update_or_create(pk=1, defaults={"captcha": False} | values)


def begin(client: Client, phone: str = PHONE, path: str = WELCOME, **said: Any) -> Any:
    """Opens the first page, fills it in and sends it."""
    client.get(path)
    return client.post(path, {"phone": phone} | said)


def last_code() -> str:
    """What the phone shows."""
    text = Message.objects.filter(kind=Kind.CODE).latest("pk").text or ""
    found = re.search(r"\b\d{6}\b", text)
    assert found, text
    return found[0]


def wrong_code() -> str:
    return f"{(int(last_code()) + 1) % 1_000_000:06d}"


def text_of(answer: Any) -> str:
    """What is on the page, with blanks as people see them."""
    return re.sub(r"\s+", " ", answer.content.decode())
