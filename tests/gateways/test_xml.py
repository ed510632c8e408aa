"""XML: what is written survives the way, and what is read can do no harm."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways import xml
from gateways.http import LARGEST_BODY, HttpResponse
from gateways.outcomes import Unreadable
from gateways.xml import MOST_ATTRIBUTES, MOST_TAGS

ANSWER = '<?xml version="1.0"{}?><response><error>Закрыто</error></response>'


def error_in(root: xml.Element) -> str:
    error = root.find("error")
    assert error is not None
    return xml.words(error)


@given(st.text())
def test_a_text_arrives_without_what_xml_cannot_hold_and_with_everything_else(text: str) -> None:
    sent = xml.parse(xml.document(xml.element("request", xml.element("text", text), said=text)))
    assert (sent.findtext("text") or "") == xml.possible(text)
    assert sent.get("said") == xml.possible(text)


def test_only_control_characters_and_broken_pairs_are_left_out() -> None:
    assert xml.possible("a\x00\x0b\x1f\ud83d\ufffe\uffff\tб😀\r\n\x7f\u2028") == "a\tб😀\r\n\x7f\u2028"


def test_marks_of_xml_cannot_end_what_they_stand_in() -> None:
    request = xml.element("request", xml.element("login", value="\"/><a b='"), "</request>&amp;", x=None, n=1)
    assert xml.document(request) == (
        b'<?xml version="1.0" encoding="utf-8"?><request n="1"><login value="&quot;/&gt;&lt;a b=\'"/>'
        b"&lt;/request&gt;&amp;amp;</request>"
    )


def test_texts_and_elements_keep_their_order() -> None:
    mixed = xml.element("p", "one ", "two ", xml.element("b", "three"), " four", " five")
    assert xml.document(mixed).endswith(b"<p>one two <b>three</b> four five</p>")


def test_a_post_says_what_it_carries() -> None:
    request = xml.post("https://sms.example.org/xml/", xml.element("request"))
    assert (request.method, request.headers["content-type"]) == ("POST", "text/xml; charset=utf-8")
    assert request.body == b'<?xml version="1.0" encoding="utf-8"?><request/>'


@given(st.binary())
def test_any_bytes_are_a_document_or_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        assert xml.parse(body) is not None


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE response><response/>",
        "<!DOCTYPE response []><response/>",
        '<!DOCTYPE response SYSTEM "http://127.0.0.1:1/x.dtd"><response/>',
        '<!DOCTYPE response [<!ENTITY e SYSTEM "file:///etc/hostname">]><response>&e;</response>',
        '<!DOCTYPE response [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><response/>',
        '<!DOCTYPE response [<!ATTLIST state time CDATA "now">]><response><state/></response>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_in_any_encoding(document: str, encoding: str) -> None:
    with pytest.raises(Unreadable, match="document type"):
        xml.parse(document.encode(encoding))


@pytest.mark.parametrize("place", ["<a>&e9;</a>", '<a b="&e9;"/>'])
def test_entities_that_multiply_are_refused(place: str) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(Unreadable):
        xml.parse(f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]>{place}'.encode())


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a SYSTEM "file://{}"><a/>',
        '<!DOCTYPE a PUBLIC "a" "{}"><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file://{}"> %p;]><a/>',
        '<?xml version="1.0" encoding="utf-7"?>+ADw-!DOCTYPE a SYSTEM "file://{}"><a/>',
        '<?xml version="1.0"?>+ADw-!DOCTYPE a SYSTEM "file://{}"><a/>',
    ],
)
def test_no_file_is_opened(document: str, tmp_path: Path) -> None:
    """A pipe that nobody writes to holds up whoever opens it, for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for charset in ("", "utf-7"):
        with pytest.raises(Unreadable):
            xml.parse(document.format(pipe).encode(), charset)


def test_an_entity_that_nobody_declared_is_refused() -> None:
    with pytest.raises(Unreadable):
        xml.parse(b"<a>&unknown;</a>")


@pytest.mark.parametrize("body", [b"", b" ", b"\x00", b"OK", b"{}", b"<a>", b"<a></b>", b"<a/><b/>", b"<a x=1/>"])
def test_what_is_not_well_formed_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="not XML"):
        xml.parse(body)


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "zlib", "punycode", "utf-16", "utf-8"])
def test_an_encoding_that_is_unknown_or_not_its_own_is_unreadable(encoding: str) -> None:
    with pytest.raises(Unreadable):
        xml.parse(ANSWER.format(f' encoding="{encoding}"').encode("windows-1251"))


def test_twenty_levels_are_read_and_no_more() -> None:
    assert xml.parse(b"<a>" * 20 + b"</a>" * 20).tag == "a"
    for depth in (21, 5000):
        with pytest.raises(Unreadable):
            xml.parse(b"<a>" * depth + b"</a>" * depth)


def test_a_megabyte_is_read_and_no_more() -> None:
    largest = b"<a>" + b"x" * (LARGEST_BODY - 7) + b"</a>"
    assert len(xml.words(xml.parse(largest))) == LARGEST_BODY - 7
    with pytest.raises(Unreadable, match="too large"):
        xml.parse(largest + b" ")


@pytest.mark.parametrize(("tag", "each"), [("<b/>", 1), ("<b></b>", 2), ("<!---->", 1), ("<?b?>", 1)])
def test_so_many_tags_are_read_and_no_more(tag: str, each: int) -> None:
    most = (MOST_TAGS - 2) // each
    assert xml.parse(f"<a>{tag * most}</a>".encode()).tag == "a"
    with pytest.raises(Unreadable, match="too many elements"):
        xml.parse(f"<a>{tag * (most + 1)}</a>".encode())


@pytest.mark.parametrize("document", ["<b {}/>", "<a><b {}/></a>"])
def test_so_many_attributes_has_an_element_and_no_more(document: str) -> None:
    attributes = [f'a{number}=""' for number in range(MOST_ATTRIBUTES + 1)]
    xml.parse(document.format(" ".join(attributes[1:])).encode())
    with pytest.raises(Unreadable, match="too many attributes"):
        xml.parse(document.format(" ".join(attributes)).encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1251", "koi8-r", "utf-8-sig"])
def test_a_document_may_name_its_encoding(encoding: str) -> None:
    declared = f' encoding="{encoding.removesuffix("-sig")}"'
    assert error_in(xml.parse(ANSWER.format(declared).encode(encoding))) == "Закрыто"


def test_the_header_names_the_encoding_where_the_document_does_not() -> None:
    headers = {"content-type": "text/xml; charset=windows-1251"}
    assert error_in(xml.read(HttpResponse(200, headers, ANSWER.format("").encode("windows-1251")))) == "Закрыто"


@pytest.mark.parametrize("header", ["text/xml", "text/xml; charset=klingon", ""])
def test_a_document_that_needs_no_header_is_read_whatever_that_says(header: str) -> None:
    assert error_in(xml.read(HttpResponse(200, {"content-type": header}, ANSWER.format("").encode()))) == "Закрыто"


def test_an_encoding_that_nothing_names_is_not_guessed() -> None:
    with pytest.raises(Unreadable):
        xml.read(HttpResponse(200, {"content-type": "text/xml"}, ANSWER.format("").encode("windows-1251")))


def test_the_header_opens_no_way_around_the_limits() -> None:
    document = '<!DOCTYPE a [<!ENTITY e "Закрыто">]><a>&e;</a>'.encode("windows-1251")
    with pytest.raises(Unreadable):
        xml.read(HttpResponse(200, {"content-type": "text/xml; charset=windows-1251"}, document))


def test_comments_and_blank_lines_do_not_split_what_is_said() -> None:
    answer = b"\r\n\n<?xml version='1.0'?>\n<a>not<!-- x -->\n  <?php x ?> sent <b>at</b> all</a>"
    assert xml.words(xml.parse(answer)) == "not sent at all"


@pytest.mark.parametrize(
    "answer",
    [
        '<success code="s3cret" id="1"/>',
        "<success id='1' code = 's3cret'/>",
        '<success code="s3cret',
        '<success\ncode="s3>cret"/>',
        '<SUCCESS CODE="s3cret"/>',
        "<code>s3cret</code>",
        '<code kind="one">s3cret</code>',
        "<code>s3cret",
        '<code value="s3cret"/>',
        "<code kind='one' value='s3cret'/>",
    ],
)
def test_a_secret_is_taken_out_of_a_document_whole_or_cut_short(answer: str) -> None:
    shown = xml.without(answer, "code")
    assert "cret" not in shown
    assert "***" in shown


def test_all_but_the_secrets_stays() -> None:
    answer = '<r><code value="1"/>text<barcode a="2">3</barcode><x decode="4" code="5"/><password>6</password></r>'
    assert xml.without(answer, "code", "password") == (
        '<r><code value=***/>text<barcode a="2">3</barcode><x decode="4" code=***/><password>***</password></r>'
    )
