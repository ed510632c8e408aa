"""SMSC.ru's calls: how they show who calls, in what they are answered, and how an error is told.

Its documentation: https://smsc.ru/api/http/, with the answers of `fmt` 0 (words), 1 (numbers), 2 (XML) and 3 (JSON).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from django.http import HttpResponse

from gateways.xml import possible
from messaging.dropin import fields
from messaging.dropin.door import DropInView, Fault, Fields
from messaging.dropin.reading import Call, codec_of
from portal.api.views import Ref
from portal.ways import DropIn

WORDS, NUMBERS, XML, JSON = "0", "1", "2", "3"
KINDS = {WORDS: "text/plain", NUMBERS: "text/plain", XML: "application/xml", JSON: "application/json"}
#: `error_code`, and the word for it.
PARAMETERS, LOGIN, UNKNOWN_ID, BLOCKED, DATE, PHONE, ROUTE, BUSY = 1, 2, 3, 4, 5, 7, 8, 9
ERRORS = {
    PARAMETERS: "parameters error",
    LOGIN: "authorise error",
    UNKNOWN_ID: "message not found",
    BLOCKED: "your IP is blocked",
    DATE: "invalid time",
    PHONE: "invalid number",
    ROUTE: "message can not be delivered",
    BUSY: "duplicate request, wait a minute",
}
#: What is told with status 200, as SMSC does with all of them.
TOLD_AS_GOOD = frozenset({400, 401, 403, 404, 409, 415, 422})
#: By status, and for 422 by field.
CODES = {401: LOGIN, 403: LOGIN, 409: BUSY, 429: BUSY, 503: BUSY}
CODES_OF_FIELDS = {"phones": PHONE, "time": DATE, "sms_gateway": ROUTE}
#: As long as a password may be that is a digest of it.
MD5_DIGITS = 32
NO_DIGESTS = "the MD5 of a password cannot be compared here, send the password or an API key"

#: Said in words too, or a list: not among the numbers.
UNNUMBERED = frozenset({"last_date", "send_date", "phones"})

Told = Mapping[str, Any]


class SmscFields(Fields):
    """What every call of SMSC.ru may carry."""

    fmt = fields.one_of(*KINDS, help_text="Words, numbers, XML or JSON")
    charset = fields.text(help_text="windows-1251 unless given")


class SmscView(DropInView):
    """A call of SMSC.ru."""

    system = DropIn.SMSC
    tag = "SMSC.ru"
    charset = "windows-1251"
    name_field, password_field = "login", "psw"
    who_calls = "send login and psw, or apikey"
    gives: ClassVar = "text/plain"
    wire_names: ClassVar = {"phone": "phones", "text": "mes", "gateway": "sms_gateway", "schedule": "time"}
    errors: ClassVar = {
        411: "The body comes in chunks, without a Content-Length.",
        413: "The body is too large.",
        429: "Too many calls, or this host is blocked (error 4): for the time in Retry-After.",
        503: "It cannot be done at the moment, and may be in a few minutes.",
    }
    error_shape: ClassVar = {"type": "string"}

    def whole_answer(self, method: str, ref: Ref) -> dict[str, Any]:
        return dict(self.error_shape)

    def charset_of(self, call: Call) -> str:
        asked = call.get("charset").decode("ascii", "replace")
        return asked or super().charset_of(call)

    @property
    def asked_format(self) -> str:
        """How the answer is written; what could not be read has asked for words."""
        try:
            asked = self.call.get("fmt").decode("ascii", "replace")
        except Exception:  # noqa: BLE001 — an error must be told even where the call cannot be read
            asked = ""
        return asked if asked in KINDS else WORDS

    def refuse(self, fault: Fault) -> HttpResponse:
        """With status 200, but for what is no matter of the call."""
        code = _code_of(fault)
        status = 200 if fault.status in TOLD_AS_GOOD else fault.status
        detail = f"{fault.field}: {fault.sentence}" if fault.field else fault.sentence
        if code == LOGIN and len(self._password()) == MD5_DIGITS:
            detail = NO_DIGESTS
        word = f"{ERRORS[code]}, {detail}" if code else fault.sentence
        return self.written({"error": word, **({"error_code": code} if code else {})}, status=status)

    def _password(self) -> bytes:
        try:
            return self.call.get(self.password_field)
        except Exception:  # noqa: BLE001 — as above
            return b""

    def written(self, told: Told | Sequence[Told], *, words: str = "", status: int = 200) -> HttpResponse:
        """What is told, in the format that is asked for; `words` is what it is in words, where that is no error."""
        kind = KINDS[self.asked_format]
        charset = self._charset_of_answer()
        match self.asked_format:
            case "3":
                return HttpResponse(json.dumps(told), content_type=kind, status=status)
            case "2":
                text = f'<?xml version="1.0" encoding="{charset}"?>\n{_element("result", told)}'
            case "1":
                text = _numbers(told)
            case _:
                text = _words(told) or words
        body = text.encode(codec_of(charset), "xmlcharrefreplace" if self.asked_format == XML else "replace")
        return HttpResponse(body, content_type=f"{kind}; charset={charset}", status=status)

    def _charset_of_answer(self) -> str:
        try:
            asked = self.charset_of(self.call)
            codec_of(asked)
        except Exception:  # noqa: BLE001 — as above
            return "utf-8"
        return asked.partition("//")[0].strip().lower()


def _code_of(fault: Fault) -> int | None:
    """None for what nobody can tell to be a matter of the call: whoever is told no code does not send it again."""
    if fault.blocked:
        return BLOCKED
    if (fault.status, fault.field) == (404, "id"):
        return UNKNOWN_ID
    if fault.status == 422:
        return CODES_OF_FIELDS.get(fault.field, PARAMETERS)
    return CODES.get(fault.status, PARAMETERS if fault.status < 500 else None)


def _words(told: Told | Sequence[Told]) -> str:
    """An error in words."""
    if isinstance(told, Mapping) and "error" in told:
        return f"ERROR = {told.get('error_code', 0)} ({told['error']})"
    return ""


def _numbers(told: Told | Sequence[Told]) -> str:
    if not isinstance(told, Mapping):
        return "\n".join(map(_numbers, told))
    if "error" in told:
        return f"0,-{told.get('error_code', 0)}"
    return ",".join("" if value is None else str(value) for name, value in told.items() if name not in UNNUMBERED)


def _element(name: str, told: Any) -> str:
    if isinstance(told, Mapping):
        inside = "".join(_element(part, value) for part, value in told.items())
    elif isinstance(told, list | tuple):
        inside = "".join(_element("phone" if name == "phones" else "result", item) for item in told)
        name = "results" if name == "result" else name
    else:
        inside = "" if told is None else escape(possible(told))
    return f"<{name}>{inside}</{name}>"
