"""How a program of TargetSMS calls: one document each way, in XML or in JSON."""

import json
from typing import Any

from lxml import etree
from rest_framework.test import APIClient

from messaging.models import Message
from tests.conftest import PASSWORD

CODES, SEND = "/password_generation/api.php", "/xml/"
STATE, BALANCE, INCOMING = "/xml/state.php", "/xml/balance.php", "/xml/incoming.php"
SENDERS, TIME = "/xml/originator.php", "/xml/time.php"
JSON, GET = "/sendsmsjson.php", "/sendsms.php"
ALL = (CODES, SEND, STATE, BALANCE, SENDERS, TIME, INCOMING)
PHONE, PLUS_PHONE = "79161234567", "+79161234567"

Element = etree._Element


def as_attributes(login: str = "operator", password: str = PASSWORD) -> str:
    """As the platform's documentation prints it."""
    return f'<security><login value="{login}"/><password value="{password}"/></security>'


def as_texts(login: str = "operator", password: str = PASSWORD) -> str:
    """As that of the API which makes codes does."""
    return f"<security><login>{login}</login><password>{password}</password></security>"


def post(path: str, content: str, security: str | None = None, **more: Any) -> Any:
    """The answer to a request with this content."""
    body = f"<request>{as_attributes() if security is None else security}{content}</request>"
    return post_raw(path, ('<?xml version="1.0" encoding="utf-8"?>' + body).encode(), **more)


def post_raw(path: str, body: bytes, content_type: str = "text/xml; charset=utf-8", **more: Any) -> Any:
    """The answer to any bytes."""
    return APIClient().generic("POST", path, body, content_type=content_type, **more)  # type: ignore[arg-type]


def read(answer: Any) -> Element:
    """The document of an answer as every call gives it."""
    assert answer.status_code == 200, answer.content
    return document_of(answer)


def document_of(answer: Any) -> Element:
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    root = etree.fromstring(answer.content)
    assert root.tag == "response"
    return root


def error_in(answer: Any) -> str:
    """The error of a call that is refused as a whole."""
    (error,) = read(answer)
    assert error.tag == "error"
    return error.text or ""


def message(*abonents: str, text: str = "Wi-Fi is back", sender: str = "sandbox", more: str = "") -> str:
    """A message for these phones, each with the attributes that are given."""
    phones = "".join(f"<abonent {one}/>" for one in abonents)
    return f'<message type="sms"><sender>{sender}</sender><text>{text}</text>{more}{phones}</message>'


def send(*abonents: str, **more: Any) -> list[Element]:
    """What is answered to each of them."""
    return list(read(post(SEND, message(*abonents, **more))))


def attributes(element: Element) -> dict[str, str]:
    """All of an element's."""
    return {str(name): str(value) for name, value in element.items()}


def message_of(item: Element) -> Message:
    """The message that an answer names."""
    return Message.objects.get(pk=int(item.get("id_sms", "")))


# In JSON


def post_json(errand: str, login: str = "operator", password: str = PASSWORD, **content: Any) -> Any:
    """The answer to a call that comes for this."""
    return post_json_raw({"security": {"login": login, "password": password}, "type": errand, **content})


def post_json_raw(body: Any, **more: Any) -> Any:
    """The answer to any document, or to any bytes."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return APIClient().generic("POST", JSON, written, "application/json; charset=utf-8", **more)  # type: ignore[arg-type]


def read_json(answer: Any) -> dict[str, Any]:
    """The document of an answer as every call gives it."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    told: dict[str, Any] = json.loads(answer.content)
    return told


def json_error_in(answer: Any) -> str:
    """The error of a call that is refused as a whole."""
    told = read_json(answer)
    assert list(told) == ["error"]
    return str(told["error"])


def json_message(*abonents: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message for these phones."""
    return {"type": "sms", "sender": "sandbox", "text": "Wi-Fi is back", "abonent": list(abonents), **more}


def send_json(*abonents: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """What is answered to each of them."""
    rows: list[dict[str, Any]] = read_json(post_json("sms", message=[json_message(*abonents, **more)]))["sms"]
    return rows
