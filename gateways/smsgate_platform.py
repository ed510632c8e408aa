"""What the APIs of the SMSGate platform have in common: how they are asked, and what their words mean.

TargetSMS and many other Russian companies run on it. Its documentation: https://github.com/smsgate/xmlGateDoc
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from gateways import xml
from gateways.http import HttpRequest, HttpResponse, retry_after
from gateways.outcomes import (
    Balance,
    CredentialsRefused,
    GatewayFault,
    NotAccepted,
    Receipt,
    ReceiptState,
    Refused,
    RefusedForNow,
    RefusedHere,
    Unreadable,
)

Errors = Mapping[str, Callable[[], NotAccepted]]

#: `partly_deliver` is not about parts: the message was sent, and the operator never reported.
STATES = {
    "send": ReceiptState.PENDING,
    "deliver": ReceiptState.DELIVERED,
    "not_deliver": ReceiptState.UNDELIVERED,
    "expired": ReceiptState.EXPIRED,
    "partly_deliver": ReceiptState.UNCONFIRMED,
}

BAD_LOGIN = partial(
    CredentialsRefused, "the provider does not know this login or password", "Correct the login and the password."
)
BLOCKED = partial(GatewayFault, "the account is blocked", "Ask the provider's manager why.", 3600.0)
BAD_REQUEST = partial(RefusedHere, "the provider cannot read the request")
#: What is wrong with a whole request, told by a part of its `<error>`: the wording varies.
REQUEST_ERRORS: Errors = {
    "логин": BAD_LOGIN,
    "заблокирован": BLOCKED,
    "формат": BAD_REQUEST,
    "xml": BAD_REQUEST,
    "post": BAD_REQUEST,
}

NO_SMS = partial(GatewayFault, "no SMS are left on the account", "Top up the account at the provider.", 300.0)
NO_SMS_THERE = partial(RefusedForNow, "the provider itself has no SMS left; its manager knows more", 300.0)
CLOSED = partial(RefusedHere, "the route to this phone is closed at the provider")
BAD_SENDER = partial(RefusedHere, "the provider does not allow the sender")
LONG_SENDER = partial(RefusedHere, "the sender is too long: 11 letters or 15 digits at most")
BAD_PHONE = partial(Refused, "the provider refuses the phone")
STOPPED = partial(Refused, "the phone is on the provider's stop list")
BAD_TEXT = partial(Refused, "the provider's moderator refuses the text")
NO_TEXT = partial(Refused, "the provider finds no text in the message")
#: What is wrong with one message, as documented, in lower case and without the dot at the end.
ITEM_ERRORS: Errors = {
    "у нас закончились sms. для разрешения проблемы свяжитесь с менеджером": NO_SMS_THERE,
    "закончились sms": NO_SMS,
    "аккаунт заблокирован": BLOCKED,
    "укажите номер телефона": BAD_PHONE,
    "номер телефона присутствует в стоп-листе": STOPPED,
    "данное направление закрыто для вас": CLOSED,
    "данное направление закрыто": CLOSED,
    "текст sms отклонен модератором": BAD_TEXT,
    "нет отправителя": BAD_SENDER,
    "отправитель не должен превышать 15 символов для цифровых номеров и 11 символов для буквенно-числовых": LONG_SENDER,
    "номер телефона должен быть меньше 15 символов": BAD_PHONE,
    "нет текста сообщения": NO_TEXT,
    "нет ссылки": NO_TEXT,
    "такого отправителя нет": BAD_SENDER,
    "отправитель не прошел модерацию": BAD_SENDER,
}
#: Two more read like errors, and the platform has the message: sent again, it would arrive twice. Parts of them.
TAKEN = {
    "sms будет отправлена как только вы пополните счет": "the provider sends it once the account is topped up",
    "данное сообщение уже было отправлено": "the provider has sent it before",
}


def ask(url: str, settings: Mapping[str, Any], *content: xml.Element) -> HttpRequest:
    """A request with the account's login and password."""
    security = [xml.element(name, value=settings[name]) for name in ("login", "password")]
    return xml.post(url, xml.element("request", xml.element("security", *security), *content))


def words(element: xml.Element) -> str:
    """What an element says, spelled as the tables above are."""
    return xml.words(element).casefold().replace("ё", "е").rstrip(". ")


def taken(said: str) -> str:
    """Why a message that seems to be refused is not; empty where it is."""
    return next((detail for part, detail in TAKEN.items() if part in said), "")


def item_error(said: str) -> NotAccepted | None:
    """What is wrong with one message, where that is documented."""
    return ITEM_ERRORS[said]() if said in ITEM_ERRORS else None


def request_error(said: str) -> NotAccepted | None:
    """What is wrong with a whole request, where that is documented."""
    return next((meaning() for part, meaning in REQUEST_ERRORS.items() if part in said), None)


def submitted(response: HttpResponse) -> xml.Element:
    """The answer to a submit; what it says counts before its status. Raises RefusedForNow or Unreadable."""
    try:
        return xml.read(response)
    except Unreadable:
        if response.status == 429:
            raise RefusedForNow("too many messages at once", retry_after(response)) from None
        raise


def answer(response: HttpResponse) -> xml.Element:
    """The answer to anything else. Raises GatewayFault or Unreadable."""
    root = xml.read(response)
    error = root.find("error")
    found = None if error is None else request_error(words(error))
    if isinstance(found, GatewayFault):
        raise found
    if error is not None or root.tag != "response":
        raise Unreadable(found.reason if found else "it is no answer that is documented")
    return root


def receipts(root: xml.Element, zone: ZoneInfo | None = None) -> list[Receipt]:
    """The states in a document. One in words that are not documented is no news; without the zone no time is told."""
    return [
        Receipt(reference, STATES[words(state)], moment(state.get("time"), zone) if zone else None)
        for state in root.findall("state")
        if (reference := state.get("id_sms")) and words(state) in STATES
    ]


def balance(root: xml.Element) -> Balance:
    """The money in a document. Raises Unreadable."""
    money = root.find("money")
    try:
        amount = Decimal("" if money is None else xml.words(money).replace(" ", "").replace(",", "."))
    except InvalidOperation:
        amount = Decimal("NaN")
    if money is None or not amount.is_finite():
        raise Unreadable("the answer tells no balance")
    return Balance(amount, money.get("currency", ""))


def moment(written: str | None, zone: ZoneInfo) -> datetime | None:
    """A time such as `2026-12-01 12:57:46`; None for anything else."""
    try:
        return datetime.fromisoformat((written or "").strip()).replace(tzinfo=zone)
    except ValueError:
        return None
