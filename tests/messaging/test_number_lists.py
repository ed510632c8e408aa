"""Phones out of pasted lists and CSV files."""

import pytest

from messaging import number_lists
from portal.errors import Refusal

A, B = "+79161234567", "+79161234568"


def test_a_typed_list_takes_any_spelling_and_names_faulty_lines() -> None:
    found = number_lists.typed("8 (916) 123-45-67\n\n+79161234568, 9161234567; abc\n12")
    assert found.phones == [A, B]
    assert found.duplicates == [A]
    assert list(found.errors) == [3, 4]


ROWS = "Имя{0}Телефон{0}Комната\nАнна{0}8 916 123-45-67{0}12\nБорис{0}+79161234568{0}7\n"


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_the_column_is_found_in_every_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    found = number_lists.uploaded(ROWS.format(delimiter).encode(encoding))
    assert (found.phones, found.errors) == ([A, B], {})


def test_faulty_rows_are_named_by_their_line_and_duplicates_once() -> None:
    raw = b"phone;name\n+79161234567;a\n123;b\n;c\n+79161234567;d\n89161234567;e\n+79161234568;f\n"
    found = number_lists.uploaded(raw)
    assert found.phones == [A, B]
    assert list(found.errors) == [3, 4]
    assert found.duplicates == [A]


def test_a_file_without_headings_loses_no_row() -> None:
    assert number_lists.uploaded(b"89161234567\r\n89161234568\r\n").phones == [A, B]


def test_of_two_columns_with_phones_the_one_whose_heading_says_so_is_taken() -> None:
    raw = b"fax,mobile\n+79161234567,+79161234568\n"
    assert number_lists.uploaded(raw).phones == [B]


def test_a_quoted_cell_may_hold_delimiters_and_line_breaks() -> None:
    raw = b'name,phone\n"Ivanov, I.\nroom 5",89161234567\n'
    assert number_lists.uploaded(raw).phones == [A]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"name;room\nAnna;12\n", b"\x00\x00", b"phone\n"])
def test_a_file_without_phones_is_refused(raw: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        number_lists.uploaded(raw)
    assert refused.value.field == "file"


def test_a_huge_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_lists, "LARGEST_FILE", 10)
    with pytest.raises(Refusal):
        number_lists.uploaded(b"+79161234567\n")


def test_more_rows_than_anybody_sends_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_lists, "_read", lambda *_: pytest.fail("they were read"))
    rows = "+79161234567\n" * (number_lists.MOST_ROWS + 1)
    with pytest.raises(Refusal, match="20001"):
        number_lists.uploaded(rows.encode())
    with pytest.raises(Refusal, match="20001"):
        number_lists.typed(rows)


def test_each_repeated_phone_is_named_once() -> None:
    assert number_lists.typed(f"{A}\n" * 5).duplicates == [A]
