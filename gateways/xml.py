"""XML as providers write and read it: requests built from elements, and answers trusted with nothing.

Read is only what is small, flat and well-formed and has no document type: no entities, no files, no network. The doors
at which others ask us in XML read it here too.
"""

import codecs
import re
from typing import TypeAlias

from lxml import etree

from gateways.http import ENCODINGS, LARGEST_BODY, Callback, HttpRequest, HttpResponse
from gateways.outcomes import Unreadable

Element: TypeAlias = etree._Element

DEEPEST = 20
#: Tags, comments and the like: of a mebibyte of empty elements a hundred are made in memory.
MOST_TAGS = 50_000
MOST_ATTRIBUTES = 100
CONTENT_TYPE = "text/xml; charset=utf-8"
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]+)""", re.IGNORECASE)
#: What no XML document can hold, not even escaped: most control characters and halves of pairs.
IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REMOVED = "***"


def parse(body: bytes, charset: str = "") -> Element:
    """The document's root; `charset` is what a header says of a document that says nothing. Raises Unreadable."""
    if len(body) > LARGEST_BODY:
        raise Unreadable("it is too large")
    text = _decoded(body, charset)
    # Found here and not by the parser: libxml2 opens the files that a document type names, whatever it is told.
    if "<!DOCTYPE" in text:
        raise Unreadable("it has a document type")
    if text.count("<") > MOST_TAGS:
        raise Unreadable("it has too many elements")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root: Element = etree.fromstring(text.lstrip().encode(), parser)  # PHP is fond of blank lines at the start
    except (etree.XMLSyntaxError, ValueError):
        raise Unreadable("it is not XML") from None
    level = [root]
    for _ in range(DEEPEST):
        if any(len(one.attrib) > MOST_ATTRIBUTES for one in level):
            raise Unreadable("it has too many attributes")
        level = [child for one in level for child in one]
        if not level:
            return root
    raise Unreadable("it is too deep")


def read(message: HttpResponse | Callback) -> Element:
    """The root of an answer, or of a call from outside. Raises Unreadable."""
    named = CHARSET.search(message.headers.get("content-type", ""))
    return parse(message.body, named[1] if named else "")


def _decoded(body: bytes, charset: str) -> str:
    declared = DECLARED.match(body.removeprefix(codecs.BOM_UTF8).lstrip())
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        named = ["utf-16"]
    else:
        named = [declared[1].decode()] if declared else ["utf-8", charset]
    for encoding in named:
        try:
            if codecs.lookup(encoding).name in ENCODINGS:
                return body.decode(encoding).removeprefix("\ufeff")
        except (LookupError, UnicodeError):
            continue
    raise Unreadable("it is in no encoding that is known")


def words(element: Element) -> str:
    """All text in the element, as one line."""
    return " ".join("".join(map(str, element.itertext())).split())


def element(tag: str, /, *content: Element | str, **attributes: object) -> Element:
    """An element with texts and elements inside; attributes that are None are left out.

    Characters that XML cannot hold are left out too: a text arrives without them rather than not at all.
    """
    made = etree.Element(tag, {name: possible(value) for name, value in attributes.items() if value is not None})
    for part in content:
        if not isinstance(part, str):
            made.append(part)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + possible(part)
        else:
            made.text = (made.text or "") + possible(part)
    return made


def possible(value: object) -> str:
    """The value as text without what XML cannot hold."""
    return IMPOSSIBLE.sub("", str(value))


def document(root: Element) -> bytes:
    """The document in UTF-8 and without line breaks of its own."""
    return DECLARATION + etree.tostring(root, encoding="utf-8", xml_declaration=False)


def post(url: str, root: Element) -> HttpRequest:
    """A POST of the document."""
    return HttpRequest("POST", url, {"content-type": CONTENT_TYPE}, document(root))


def without(text: str, *names: str) -> str:
    """A document, whole or cut short, without what the elements and attributes of these names hold."""
    name = "|".join(map(re.escape, names))
    for secret in (
        rf"(<(?:{name})\b[^<>]*?\bvalue\s*=\s*)(?:\"[^\"<]*\"?|'[^'<]*'?)",
        rf"(\s(?:{name})\s*=\s*)(?:\"[^\"<]*\"?|'[^'<]*'?)",
        rf"(<(?:{name})(?:\s[^<>]*)?(?<!/)>)[^<]*",
    ):
        text = re.sub(secret, rf"\g<1>{REMOVED}", text, flags=re.IGNORECASE)
    return text
