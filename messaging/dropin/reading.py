"""Reading what a call carries in its address and in its form, as bytes: in which charset, each system says elsewhere.

Nothing is left out and nothing is guessed: whatever is there twice, or cannot be read, is refused.
"""

import codecs
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import NamedTuple
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.exceptions import APIException, ParseError

from portal.api.body_length import demand_length

#: More than any of the systems knows.
MOST_FIELDS = 100
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: What programs call a form that they send without saying so.
FORMS = ("", FORM, "text/plain")
#: By the names that Python has for them.
CHARSETS = frozenset(
    {"ascii", "utf-8", "cp1251", "cp1252", "cp866", "koi8-r", "koi8-u", "iso8859-1", "iso8859-5", "iso8859-15"}
    | {"utf-16", "utf-16-be", "utf-16-le"}
)
#: As iconv calls some of them, by whose names programs of Kannel go, and Python does not.
NAMES_OF_ICONV = {
    **dict.fromkeys(("ucs-2", "ucs2", "iso-10646-ucs-2", "iso-10646/ucs2", "csunicode", "unicode"), "utf-16"),
    **dict.fromkeys(("ucs-2be", "unicodebig", "utf16be"), "utf-16-be"),
    **dict.fromkeys(("ucs-2le", "unicodelittle", "utf16le"), "utf-16-le"),
    "ms-cyrl": "cp1251",
    "ms-ansi": "cp1252",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "latin-9": "iso8859-15",
}
#: Every byte is a letter of it: what is read so can be made bytes again.
_BYTES = "latin-1"


class BadCall(ParseError):
    """400: the call cannot be read. The sentence says why, and `field` names where."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class NotAForm(APIException):
    """415: the body is of another kind."""

    status_code = 415
    default_detail = f"Send a form ({FORM}), not another kind of body."


class TooLarge(APIException):
    """413: the body has more bytes than any call needs."""

    status_code = 413
    default_detail = "The body is too large."


class Call(NamedTuple):
    """What a call carries, by name: in its address, and in its form."""

    query: Mapping[str, bytes]
    form: Mapping[str, bytes]

    def get(self, name: str) -> bytes:
        """The field of this name, wherever it is; empty where there is none."""
        return self.form.get(name, self.query.get(name, b""))


def call_of(request: HttpRequest) -> Call:
    """The call's fields, each there once. Raises BadCall, NotAForm, LengthRequired and TooLarge."""
    query = _once(_pairs(request.META.get("QUERY_STRING", "")))
    form = _once(_form_of(request))
    if twice := sorted(set(query) & set(form)):
        raise BadCall("The field is in the address and in the form; send it once.", twice[0])
    return Call(query, form)


def body_of(request: HttpRequest) -> bytes:
    """The whole body. Raises BadCall, LengthRequired and TooLarge."""
    demand_length(request)
    try:
        return request.body
    except RequestDataTooBig:
        raise TooLarge from None
    except UnreadablePostError:
        raise BadCall("The body broke off.") from None


def text_of(written: bytes, charset: str, field: str = "") -> str:
    """What is written there in this charset. Raises BadCall where it is not, or nothing can store it."""
    codec = codec_of(charset)
    if codec == "utf-16" and not written.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        # As SMS have it, and RFC 2781; Python would take the order of this machine.
        codec = "utf-16-be"
    try:
        text = written.decode(codec)
    except UnicodeDecodeError:
        raise BadCall(f"The field is not written in {charset}.", field) from None
    if "\0" in text:
        raise BadCall("The field holds a NUL character.", field)
    return text


def codec_of(charset: str) -> str:
    """Python's name of a charset. Raises BadCall for one that we do not read."""
    # Behind two slashes iconv is told what to do with letters that another charset has not.
    named = charset.partition("//")[0].strip()
    try:
        found = codecs.lookup(NAMES_OF_ICONV.get(named.lower(), named)).name
    except (LookupError, ValueError):
        found = ""
    if found not in CHARSETS:
        raise BadCall("This charset is not known here; use UTF-8.", "charset")
    return found


def _form_of(request: HttpRequest) -> list[tuple[str, str]]:
    body = body_of(request)
    if not body:
        return []
    if request.content_type == MULTIPART:
        return _parts(request, body)
    if request.content_type not in FORMS:
        raise NotAForm
    return _pairs(body.decode(_BYTES))


def _pairs(written: str) -> list[tuple[str, str]]:
    try:
        # A server hands the query over as Latin-1, whatever it was.
        return parse_qsl(written, keep_blank_values=True, encoding=_BYTES, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadCall(f"The call has more than {MOST_FIELDS} fields.") from None


def _parts(request: HttpRequest, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in parts, as PHP's curl sends one; files are passed over."""
    try:
        fields, _files = MultiPartParser(request.META, BytesIO(body), [], _BYTES).parse()
    except (MultiPartParserError, TooManyFieldsSent, TooManyFilesSent):
        raise BadCall("The form cannot be read.") from None
    pairs = [(name, str(value)) for name, values in fields.lists() for value in values]
    if len(pairs) > MOST_FIELDS:
        raise BadCall(f"The call has more than {MOST_FIELDS} fields.")
    return pairs


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, value in pairs:
        if "\0" in name:
            raise BadCall("The name of a field holds a NUL character.")
        if name in found:
            raise BadCall("The field is there twice; send it once.", name)
        found[name] = value.encode(_BYTES, "replace")
    return found
