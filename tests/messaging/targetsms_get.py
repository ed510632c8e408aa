"""How a program of the SMSGate platform calls that puts everything into an address."""

from typing import Any

from tests.messaging.programs import PHONE, call
from tests.messaging.targetsms import GET

BARE = PHONE.lstrip("+")
CLOSED = "Данное направление закрыто для вас."


def ask(key: str, method: str = "GET", **fields: Any) -> Any:
    """The answer to a call with these fields."""
    return call(GET, method, **{"user": "operator", "pwd": key, **fields})


def send(key: str, method: str = "GET", **fields: Any) -> Any:
    """The answer to one that sends a text."""
    return ask(key, method, **{"sadr": "HOTEL", "dadr": BARE, "text": "Связь есть", **fields})


def said(answer: Any) -> str:
    """The text that is the answer."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    text: str = answer.content.decode()
    return text
