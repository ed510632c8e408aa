"""Kannel's `/cgi-bin/sendsms`, as programs of the open SMS gateway call it.

Its documentation: https://sources.debian.org/src/kannel/1.4.5-22/doc/userguide/userguide.xml, chapter "Setting up a SMS
Gateway", "Using HTTP interface to send SMS"; the answers are those of Kannel 1.4.5.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from gateways import routing
from messaging import reporting, sending
from messaging.dropin import fields
from messaging.dropin.door import DropInView, Fault, GatewayFields
from messaging.dropin.numbers import each_once, phone_of
from messaging.dropin.reading import FORM, MULTIPART, Call, body_of, call_of, text_of
from messaging.known_gateways import gateway_of
from messaging.models import Door, Message, State
from messaging.models.webhook import LONGEST_URL
from messaging.retries import Kind
from portal import clock
from portal.api.authentication.refusals import (
    BadCredentials,
    ClientElsewhere,
    KeyElsewhere,
    KeyEnded,
    NotSignedIn,
    UnknownKey,
)
from portal.api.commit import Done
from portal.api.views import Ref
from portal.errors import Refusal
from portal.permissions import SENDING, is_for_some_gateways
from portal.ways import DropIn

ACCEPTED, QUEUED = "0: Accepted for delivery", "3: Queued for later delivery"
NOT_LET_IN = "Authorization failed for sendsms"
NO_RECEIVER, EMPTY_RECEIVER = "Missing receiver number, rejected", "Empty receiver number not allowed, rejected"
DENIED = "Number(s) has/have been denied by white- and/or black-lists."
NO_ROUTE = "Not routable. Do not try again."
LATER = "Temporal failure, try again later."
UNREADABLE = "Charset or body misformed, rejected"
NO_TEXT = "Empty text not allowed, rejected"
TOO_MANY = "Too many receivers, rejected"
#: The field at fault, as Kannel names it.
MISFORMED = {
    "coding": "Coding",
    "udh": "UDH",
    "validity": "Validity",
    "deferred": "Deferred",
    "dlr-mask": "DLR-Mask",
    "dlr-url": "DLR-URL",
}
#: Whoever is not let in for these reasons is told no more than by Kannel; the others can do something about it.
NO_MORE_TO_SAY = tuple(
    str(one.default_detail)
    for one in (BadCredentials, UnknownKey, KeyEnded, KeyElsewhere, ClientElsewhere, NotSignedIn)
)
#: What stands before the name of a field in the header of a POST.
HEADER = "HTTP_X_KANNEL_"
PLAIN = "text/plain"
#: Other spellings of the same fields; the last two are those of Kannel's early versions, which it still takes.
ALIASES = {"user": "username", "pass": "password", "dlrmask": "dlr-mask", "dlrurl": "dlr-url"}
#: `coding`: 7 bits, 8 bits, UCS-2. Which is needed for a text is found out here whatever is asked.
BINARY, UCS_2 = "1", "2"
#: What `sscanf` takes for `%d`, by which Kannel reads every number.
NUMBER = re.compile(r"\s*([+-]?[0-9]{1,18})", re.ASCII)
#: What Kannel itself writes for a number that is not given.
UNSAID = "-1"
#: How many phones one call may have.
MOST = 100


class KannelSendFields(GatewayFields):
    """What `sendsms` may carry; the rest of what is documented there is passed over."""

    to = serializers.CharField(allow_blank=True, max_length=5_000, trim_whitespace=False)
    text = fields.text(max_length=20_000, trim_whitespace=False)
    smsc = fields.text(max_length=100, help_text="The name of a gateway")
    coding = serializers.ChoiceField([UNSAID, "0", "1", "2"], required=False, allow_blank=True, default="0")
    charset = fields.text()
    validity = fields.text(help_text="Minutes from now")
    deferred = fields.text(help_text="Minutes from now")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # No name of Python's has a dash, and `from` is a word of its own.
        sender = fields.text(max_length=100)
        url = fields.text(max_length=LONGEST_URL, help_text="With %d and other escapes")
        mask = fields.text(help_text="1, 2, 8, 16 or a sum")
        return {**super().get_fields(), "from": sender, "dlr-url": url, "dlr-mask": mask}


class SendSms(DropInView):
    """Send a text to one phone or several, as Kannel's `sendsms` does."""

    system = DropIn.KANNEL
    tag = "Kannel"
    takes: ClassVar = (*DropInView.takes, PLAIN)
    gives: ClassVar = PLAIN
    rights: ClassVar = {"GET": SENDING, "POST": SENDING}
    guesses: ClassVar = True
    parameters: ClassVar = {"GET": (KannelSendFields,)}
    inputs: ClassVar = {"POST": KannelSendFields}
    call_shown: ClassVar = {"to": "+79161234567", "text": "Wi-Fi is back"}
    answer_shown: ClassVar = ACCEPTED
    good = 202
    error_shape: ClassVar = {"type": "string"}
    errors: ClassVar = {
        400: "A field is missing or wrong.",
        403: "The name or the password is wrong, a right is lacking, or no gateway takes the message.",
        411: "The body comes in chunks, without a Content-Length.",
        413: "The body is too large.",
        429: "Too many sign-ins were refused from this host: it is blocked for the time in Retry-After.",
        503: "It cannot be done at the moment, and may be in a few minutes.",
    }

    def whole_answer(self, method: str, ref: Ref) -> dict[str, Any]:
        return dict(self.error_shape)

    @cached_property
    def call(self) -> Call:
        """The fields of the call; of a POST of plain text its headers say all but the text."""
        request = self.plain
        in_headers = {
            name.removeprefix(HEADER).lower().replace("_", "-"): str(value).encode("latin-1", "replace")
            for name, value in request.META.items()
            if name.startswith(HEADER)
        }
        if not in_headers or request.content_type not in {PLAIN, ""}:
            return _in_its_spelling(call_of(request))
        return _in_its_spelling(Call({}, {**in_headers, "text": body_of(request)}))

    @cached_property
    def fields(self) -> dict[str, str]:
        """The fields as texts: the charset that is named is that of the text alone. Raises BadCall."""
        both = {**self.call.query, **self.call.form}
        texts = {name: text_of(value, "utf-8", name) for name, value in both.items() if name != "text"}
        if "coding" in texts:
            coding = _number(texts["coding"])
            texts["coding"] = "" if coding is None else str(coding)
        if "text" in both:
            texts["text"] = text_of(both["text"], self._charset_of_text(texts), "charset")
        return texts

    def _charset_of_text(self, said: Mapping[str, str]) -> str:
        declared = (self.plain.content_params or {}).get("charset") if self.plain.method == "POST" else ""
        if said.get("coding") == UCS_2 and self.plain.content_type in {FORM, MULTIPART}:
            # Of a form Kannel does not look at it, and many HTTP clients add one by themselves.
            declared = ""
        return said.get("charset") or declared or ("utf-16-be" if said.get("coding") == UCS_2 else "utf-8")

    def refuse(self, fault: Fault) -> HttpResponse:
        """In Kannel's words, as far as it has any."""
        status, sentence = _told(fault)
        return HttpResponse(sentence, status=status, content_type=PLAIN)

    def get(self, request: Request) -> HttpResponse:
        """Send a text to one phone or several, as Kannel's `sendsms` does."""
        asked = self.validated(KannelSendFields)
        if asked["coding"] == BINARY or self.fields.get("udh"):
            raise Refusal("Binary messages are not sent.", field="udh" if self.fields.get("udh") else "coding")
        written = each_once(asked["to"].split())
        if not written or len(written) > MOST:
            raise Refusal(TOO_MANY if written else EMPTY_RECEIVER, field="to")
        if not asked["text"].strip():
            raise Refusal(NO_TEXT, field="text")
        told = self._accepted(asked, written)
        denied = f" Denied receivers are: {' '.join(told['denied'])}" if told["denied"] else ""
        return HttpResponse(told["said"] + denied, status=400 if told["said"] == DENIED else 202, content_type=PLAIN)

    post = get

    def _accepted(self, asked: dict[str, Any], written: list[str]) -> dict[str, Any]:
        """Accepts what can be; what is told of it. Raises Refusal where nothing can."""
        gateway = self.gateway_called(asked["sms_gateway"] or asked["smsc"], asked["from"])
        wait, life = _minutes(asked["deferred"], "deferred"), _minutes(asked["validity"], "validity")
        now = clock.now()
        due_at, no_later = now + wait if wait else None, now + life if life else None
        if due_at and no_later and no_later <= due_at:
            raise Refusal("It would end before the message is sent.", field="validity")
        terms: dict[str, Any] = {
            "text": asked["text"], "gateway_name": gateway, "no_later": no_later, "door": Door.KANNEL,
        }  # fmt: skip
        mask = _mask(asked["dlr-mask"]) if asked["dlr-url"] else 0
        phone = _only_phone(written)
        if phone and due_at is None and not mask:
            return self.accept(lambda message: _answer({written[0]: message}), phone=phone, **terms)
        return self.once(lambda: self._send_all(asked, written, mask, terms | {"due_at": due_at}))

    def _send_all(self, asked: dict[str, Any], written: list[str], mask: int, terms: dict[str, Any]) -> Done:
        sent = {phone: self._send(phone, terms) for phone in written}
        if mask:
            for message in filter(None, sent.values()):
                # What the program may know now: when it is told, nobody knows any more which program it was.
                known = gateway_of(message, self.caller) if is_for_some_gateways(self.caller) else None
                reporting.ask(message, url=asked["dlr-url"], mask=mask, sender=asked["from"], known_gateway=known)
        if not any(sent.values()):
            raise Refusal(DENIED, field="to")
        keys = ",".join(str(one.pk) for one in sent.values() if one)
        return replace(_answer(sent), object_id=keys)

    def _send(self, phone: str, terms: dict[str, Any]) -> Message | None:
        """The message, which may be suppressed; None for what is no phone. Raises Refusal for all else."""
        try:
            return sending.send(phone=phone_of(phone), kind=Kind.INFORMATION, requested_by=self.caller, **terms)
        except Refusal as refusal:
            if refusal.field != "phone":
                raise
            return None


def _only_phone(written: list[str]) -> str:
    """The one phone in E.164; empty where there are several, or it is none."""
    if len(written) > 1:
        return ""
    try:
        return phone_of(written[0])
    except Refusal:
        return ""


def _answer(sent: Mapping[str, Message | None]) -> Done:
    """What is told of the messages, by their phones as they were written."""
    going = {phone: one for phone, one in sent.items() if one and one.state != State.SUPPRESSED}
    waits = any(one.waits_for or not routing.may_be_used(one.gateway) for one in going.values())
    said = (QUEUED if waits else ACCEPTED) if going else DENIED
    denied = [phone for phone in sent if phone not in going] if going else []
    return Done({"said": said, "denied": denied}, status=202 if going else 400)


def _in_its_spelling(call: Call) -> Call:
    """Under the names that are documented; what has one is what counts, as with Kannel."""
    others = ({ALIASES[name]: value for name, value in part.items() if name in ALIASES} for part in call)
    known = ({name: value for name, value in part.items() if name not in ALIASES} for part in call)
    return Call(*({**other, **own} for other, own in zip(others, known, strict=True)))


def _minutes(written: str, field: str) -> timedelta:
    """None where it is no number, which Kannel passes over. Raises Refusal for less than none."""
    minutes = _number(written) or 0
    if minutes < int(UNSAID) or minutes > 60 * 24 * 365:
        raise Refusal("These are no minutes.", field=field)
    return timedelta(minutes=max(minutes, 0))


def _mask(written: str) -> int:
    """Nothing is wanted where it is no number, as with Kannel. Raises Refusal for less than nothing."""
    mask = _number(written) or 0
    if mask < int(UNSAID):
        raise Refusal("This is no mask.", field="dlr-mask")
    return max(mask, 0) & reporting.WANTED


def _number(written: str) -> int | None:
    """The number that it begins with, whatever stands behind it; None where there is none."""
    found = NUMBER.match(written)
    return int(found[1]) if found else None


def _told(fault: Fault) -> tuple[int, str]:
    """Kannel's status and sentence."""
    if fault.status in {401, 403}:
        return 403, NOT_LET_IN if fault.sentence in NO_MORE_TO_SAY else f"{NOT_LET_IN} ({fault.sentence})"
    if fault.status in {429, 503}:
        return fault.status, LATER
    if fault.status == 404 or fault.field in {"gateway", "smsc"}:
        return 403, NO_ROUTE
    if fault.status in {400, 415, 422}:
        return 400, _misformed(fault)
    return fault.status, fault.sentence


def _misformed(fault: Fault) -> str:
    if fault.field in MISFORMED:
        return f"{MISFORMED[fault.field]} field misformed, rejected"
    if fault.field == "to":
        return NO_RECEIVER if fault.sentence == "Required field missing" else fault.sentence
    if fault.field == "text":
        return NO_TEXT if fault.sentence == NO_TEXT else f"Text field misformed, rejected ({fault.sentence})"
    if fault.field == "schedule":
        return f"Deferred field misformed, rejected ({fault.sentence})"
    if fault.status == 422:
        return f"{fault.sentence}, rejected"
    return f"{UNREADABLE} ({fault.sentence})"
