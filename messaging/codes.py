"""Messages with a one-time code: their text, the gateway they leave by, and codes that a provider made.

The last line of a text is the one from which browsers fill the code in: https://wicg.github.io/sms-one-time-codes/.
"""

import re
import secrets
from collections.abc import Collection, Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from gateways import routing
from gateways.models import Gateway
from messaging import digests, phones, sending, texts, whereabouts
from messaging.models import Door, Message, MessageTemplate
from messaging.redaction import HIDDEN
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User

#: A name that is no address: its last label begins with a letter.
DOMAIN_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Made(NamedTuple):
    """The accepted message, and the code that is in it: a secret that nobody keeps in readable form."""

    message: Message
    code: str


class Sent(NamedTuple):
    """The accepted message; where its provider makes the code, the one that was given is not in it."""

    message: Message
    made_by_provider: bool


def send(
    *,
    phone: str,
    code: str,
    language: str,
    host: str = "",
    link: str = "",
    door: Door,
    without: Collection[int] = (),
) -> Sent:
    """Accepts a message with this code, or with a place for one where its provider makes codes.

    It begins at the default gateway, or where that may not be used now at the next one that may; `without` are the
    gateways to begin at only where no other may be used. `host` is where the code is typed in, as a browser names it;
    `link` opens the page again, and is a secret as the code is. Raises Refusal with the field `phone`, `text` or
    `gateway`: that one is UNAVAILABLE, and says that no gateway may be used now.
    """
    phone = phones.normalise(phone)
    gateway = _gateway(phone, without)
    template, made = _template(language), routing.placeholder(gateway)
    shown_link = f"{urlsplit(link).scheme}://{urlsplit(link).netloc}/{HIDDEN}" if link else ""
    message = sending.send(
        phone=phone,
        text=_for_provider(template, made, link) if made else _text(template, code, host, link),
        masked_text=_text(template, HIDDEN, "" if made else host, shown_link),
        kind=Kind.CODE,
        gateway_name="",
        first=gateway,
        requested_by=None,
        door=door,
    )
    return Sent(message, bool(made))


def make(
    *, phone: str, text: str, placeholder: str, digits: int, gateway_name: str, requested_by: User, door: Door
) -> Made:
    """Makes a code for a program that asks for one, and accepts its text with the code for the placeholder.

    It begins at the gateway of this name, or without a name at the default one; or where that may not be used now, at
    the next that may. Raises Refusal as `send` does.
    """
    phone = phones.normalise(phone)
    gateway = _gateway_for_made(phone, gateway_name, requested_by)
    code = "".join(secrets.choice("0123456789") for _digit in range(digits))
    message = sending.send(
        phone=phone,
        text=text.replace(placeholder, code),
        masked_text=text.replace(placeholder, HIDDEN),
        kind=Kind.CODE,
        gateway_name=gateway_name,
        first=gateway,
        requested_by=requested_by,
        door=door,
    )
    return Made(message, code)


def matches(messages: Iterable[Message], typed: str) -> bool:
    """Whether this is the code that a provider made for one of these, as the database has them now."""
    # All of them: which one it is shall not show in the time it takes.
    found = [digests.matches(message.key, message.code_digest, typed) for message in messages]
    return any(found)


def _gateway(phone: str, without: Collection[int]) -> Gateway:
    gateway = routing.at_once(phone, without=without)
    if gateway is None:
        raise Refusal(whereabouts.CANNOT_BE_SENT, field="gateway", why=Why.UNAVAILABLE)
    return gateway


def _gateway_for_made(phone: str, name: str, by: User) -> Gateway:
    """One that can take it now; where the provider makes codes itself, nobody could tell ours to who asks for it."""
    first = sending.wanted_gateway(name, by) or routing.default()
    if name and routing.placeholder(first):
        sentence = _("Gateway “%(name)s” makes the one-time code itself, and does not tell it at once.")
        raise Refusal(sentence % {"name": name}, field="gateway")
    ways = routing.Survey().at_once(phone) if routing.placeholder(first) else [routing.choose(phone, first)]
    found = next((one for one in ways if routing.may_be_used(one) and not routing.placeholder(one)), None)
    if found is None:
        raise Refusal(whereabouts.CANNOT_BE_SENT, field="gateway", why=Why.UNAVAILABLE)
    return found


def _template(language: str) -> str:
    text = MessageTemplate.text_in(Kind.CODE, language)
    if text is None:
        raise Refusal(_("There is no text for codes; write one under Message templates."), field="text")
    return text


def _text(template: str, code: str, host: str, link: str) -> str:
    name = _domain_name(host)
    lines = (texts.fill(template, code=code, portal=settings.PORTAL_NAME), link, name and f"@{name} #{code}")
    return "\n".join(filter(None, lines))


def _for_provider(template: str, placeholder: str, link: str) -> str:
    """A provider fills in one code: however often the template names it, it stands there once."""
    before, held, after = _text(template, placeholder, "", link).partition(placeholder)
    return before + held + after.replace(placeholder, "")


def _domain_name(host: str) -> str:
    """The host without its port, empty where browsers would not go by it: an address, or a name without a dot."""
    name = host.partition(":")[0].rstrip(".").lower()
    return name if DOMAIN_NAME.fullmatch(name) else ""
