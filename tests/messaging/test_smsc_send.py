"""`/sys/send.php` and `/rest/send/` of SMSC.ru."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from gateways.models import Gateway, GatewayHealth
from messaging import opt_outs, sending
from messaging.models import Batch, Door, Message, State, Wait
from portal.api.commit import StillOpen
from portal.audit import MASK
from portal.models import AuditEvent, User
from portal.ways import USUAL_WAYS
from tests.conftest import PASSWORD
from tests.gateways.conftest import at_once
from tests.messaging.programs import PHONE, a_second_passes_in, both_methods, call, key_of

URL = "/sys/send.php"
LINE_3 = "Line 3 is not a phone, a colon and a text."
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


@pytest.fixture
def priced(sandbox: Gateway) -> Gateway:
    Gateway.objects.filter(pk=sandbox.pk).update(segment_price=Decimal("3.5"))
    GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("100.50"), currency="RUB")
    return sandbox


def send(key: str, method: str = "GET", **fields: Any) -> Any:
    given = {"apikey": key, "phones": "79161234567", "mes": "Связь есть", "charset": "utf-8", "fmt": "3", **fields}
    return call(URL, method, **given)


def said(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


@both_methods
def test_it_answers_as_documented(key: str, operator: User, method: str) -> None:
    told = said(send(key, method))
    message = Message.objects.get()
    assert told == {"id": int(message.caller_reference or 0), "cnt": 1}
    assert (message.phone, message.text, message.door) == (PHONE, "Связь есть", Door.SMSC)
    assert message.requested_by == operator
    assert (AuditEvent.objects.get().action, AuditEvent.objects.get().status) == ("smsc.send", 200)


@pytest.mark.parametrize(
    ("fmt", "kind", "body"),
    [
        ("", "text/plain; charset=utf-8", "OK - 1 SMS, ID - 7"),
        ("0", "text/plain; charset=utf-8", "OK - 1 SMS, ID - 7"),
        ("1", "text/plain; charset=utf-8", "7,1"),
        (
            "2",
            "application/xml; charset=utf-8",
            '<?xml version="1.0" encoding="utf-8"?>\n<result><id>7</id><cnt>1</cnt></result>',
        ),
        ("3", "application/json", '{"id": 7, "cnt": 1}'),
    ],
)
def test_every_format(key: str, fmt: str, kind: str, body: str) -> None:
    answer = send(key, id="7", fmt=fmt)
    assert (answer.headers["Content-Type"], answer.content.decode()) == (kind, body)


@pytest.mark.parametrize(
    ("fmt", "body"),
    [
        ("0", "ERROR = 7 (invalid number, phones: This is not a phone number; write it like +79161234567.)"),
        ("1", "0,-7"),
        (
            "2",
            """<?xml version="1.0" encoding="utf-8"?>
<result><error>invalid number, phones: This is not a phone number; write it like +79161234567.</error>\
<error_code>7</error_code></result>""",
        ),
    ],
)
def test_an_error_in_every_format(key: str, fmt: str, body: str) -> None:
    answer = send(key, phones="12", fmt=fmt)
    assert (answer.status_code, answer.content.decode()) == (200, body)
    assert AuditEvent.objects.get().status == 422


def test_the_charset_is_windows_1251_unless_another_is_named(key: str) -> None:
    text = quote_plus("Связь есть", encoding="windows-1251")
    answer = Client().get(f"{URL}?apikey={key}&phones=79161234567&mes={text}")
    assert answer.content.startswith(b"OK - 1 SMS, ID - ")
    assert Message.objects.get().text == "Связь есть"
    assert answer.headers["Content-Type"] == "text/plain; charset=windows-1251"


def test_a_charset_may_have_a_name_that_only_iconv_knows(key: str) -> None:
    text = quote_plus("Связь есть", encoding="koi8-r")
    answer = Client().get(f"{URL}?apikey={key}&phones=79161234567&mes={text}&charset=KOI8R//IGNORE&id=7")
    assert answer.headers["Content-Type"] == "text/plain; charset=koi8r"
    assert answer.content == b"OK - 1 SMS, ID - 7"
    assert Message.objects.get().text == "Связь есть"


def test_what_is_not_written_in_its_charset_is_an_error(key: str) -> None:
    answer = Client().get(f"{URL}?apikey={key}&phones=79161234567&mes=%C2%E2&charset=utf-8&fmt=3")
    assert said(answer)["error_code"] == 1
    assert said(Client().get(f"{URL}?apikey={key}&charset=klingon&fmt=3"))["error_code"] == 1


class TestManyPhones:
    def test_phones_are_separated_by_commas_semicolons_or_lines(self, key: str) -> None:
        told = said(send(key, phones="79161234567,+79161234568;79161234569\n+79161234567,"))
        assert told["cnt"] == 3
        assert {one.caller_reference for one in Message.objects.all()} == {str(told["id"])}
        assert sorted(one.phone[-1] for one in Message.objects.all()) == ["7", "8", "9"]
        assert {one.door for one in Message.objects.all()} == {Door.SMSC}

    @pytest.mark.parametrize("phone", ["+7 (916) 123-45-67", "8 916 123 45 67", " 79161234567 "])
    def test_blanks_in_a_phone_are_not_between_phones(self, key: str, phone: str) -> None:
        assert said(send(key, phones=phone))["cnt"] == 1
        assert said(send(key, phones=f"79161234569, {phone}"))["cnt"] == 2
        assert {one.phone for one in Message.objects.all()} == {PHONE, "+79161234569"}

    def test_nor_where_they_make_no_phone_together(self, key: str) -> None:
        told = said(send(key, phones="79161234567,+7 9161234568 1", op="1"))
        assert told["phones"] == [{"phone": "79161234567", "status": "-1"}, {"phone": "+7 9161234568 1", "error": "7"}]

    def test_blanks_between_phones_are(self, key: str) -> None:
        assert said(send(key, phones="79161234567 79161234568"))["cnt"] == 2

    def test_of_too_many_none_is_looked_at(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("messaging.dropin.smsc.asked.spelled", None)
        told = said(send(key, "POST", phones="79161234567," * 10_001))
        assert (told["error_code"], "10000" in told["error"]) == (7, True)
        assert said(send(key, "POST", phones="", mes="", list="7:x\n" * 10_001))["error_code"] == 1

    def test_a_wrong_one_stops_no_other_and_is_named(self, key: str) -> None:
        told = said(send(key, phones="79161234567,12", op="1"))
        assert told["cnt"] == 1
        assert told["phones"] == [{"phone": "79161234567", "status": "-1"}, {"phone": "12", "error": "7"}]
        told = said(send(key, phones="79161234567,12", err="1", mes="x"))
        assert told["phones"] == [{"phone": "12", "error": "7"}]

    def test_where_all_are_wrong_nothing_is_kept(self, key: str) -> None:
        assert said(send(key, phones="12,13"))["error_code"] == 7
        assert not Batch.objects.exists()

    def test_without_a_phone_it_is_an_error(self, key: str) -> None:
        assert said(send(key, phones=" ,;"))["error_code"] in {1, 7}
        assert said(send(key, phones=""))["error_code"] == 7


class TestAListOfPhonesWithTheirTexts:
    def test_each_phone_gets_its_own(self, key: str) -> None:
        told = said(send(key, phones="", mes="", list="79161234567:One: 1\r\n+7 916 123-45-68;Two\\nlines\n\n"))
        assert told["cnt"] == 2
        assert {(one.phone, one.text) for one in Message.objects.all()} == {
            (PHONE, "One: 1"), ("+79161234568", "Two\nlines"),
        }  # fmt: skip
        assert {one.caller_reference for one in Message.objects.all()} == {str(told["id"])}

    def test_phones_may_have_a_text_together(self, key: str) -> None:
        assert (
            said(send(key, phones="", mes="", list="79161234567,79161234568:x\n79161234567;79161234569:y"))["cnt"] == 4
        )
        assert Message.objects.filter(phone=PHONE).count() == 2

    def test_what_is_there_twice_is_sent_once(self, key: str) -> None:
        assert said(send(key, phones="", mes="", list="79161234567:x\n+7 916 1234567:x"))["cnt"] == 1

    def test_what_is_wrong_with_one_stops_no_other_and_is_named(self, key: str) -> None:
        told = said(send(key, phones="", mes="", list="12:x\n79161234567:y\n79161234568:\n", err="1"))
        assert told["cnt"] == 1
        assert told["phones"] == [{"phone": "12", "error": "7"}, {"phone": "79161234568", "error": "1"}]

    def test_its_price_is_that_of_all_texts(self, key: str, priced: Gateway) -> None:
        lines = f"79161234567:x\n79161234568:{'x' * 200}\n12:x"
        assert said(send(key, phones="", mes="", list=lines, cost="1", err="1")) == {"cost": "10.50", "cnt": 3}
        assert said(send(key, phones="", mes="", list="12:x", cost="1"))["error_code"] == 7

    @pytest.mark.parametrize(
        "text",
        ["18:30 запись", " 8:00", "30.11.2026 18:30", "2026-11-30 18:30", "30.11-02.12.2026: x", "5, 6: x", "1;2:3"],
    )
    @pytest.mark.parametrize("phones", ["79161234567", "+7 916 123-45-68, 79161234567", "79161234568;79161234567"])
    def test_a_text_behind_a_semicolon_may_have_a_colon(self, key: str, phones: str, text: str) -> None:
        told = said(send(key, phones="", mes="", list=f"{phones};{text}", op="1"))
        assert [one["phone"] for one in told["phones"]] == re.split("[,;] ?", phones)
        assert {one.text for one in Message.objects.all()} == {text}

    @pytest.mark.parametrize("between", [";12;", ";12,", ";30.11.2026;"])
    def test_a_wrong_phone_among_good_ones_is_no_text_with_the_others_in_it(self, key: str, between: str) -> None:
        assert said(send(key, phones="", mes="", list=f"79161234567{between}79161234568:y"))["cnt"] == 2
        assert [one.text for one in Message.objects.all()] == ["y", "y"]

    def test_a_semicolon_behind_the_last_phone_is_no_text(self, key: str) -> None:
        assert said(send(key, phones="", mes="", list="79161234567;79161234568;:y"))["cnt"] == 2
        assert {one.text for one in Message.objects.all()} == {"y"}

    @pytest.mark.parametrize(
        "second", ["12:30 заезд", "12;30", "79161234568,12:x", "30.11.2026 18:30", ": заезд", ";x", ";18:30"]
    )
    def test_what_may_be_the_second_line_of_a_text_is_refused(self, key: str, second: str) -> None:
        told = said(send(key, phones="", mes="", list=f"79161234567:Ваша бронь\n\n{second}"))
        assert (told["error_code"], told["error"]) == (1, f"parameters error, list: {LINE_3}")
        assert not Message.objects.exists()

    @pytest.mark.parametrize("lines", ["79161234567:x", "79161234567:x\ny"])
    def test_the_mode_for_texts_of_several_lines_is_refused(self, key: str, lines: str) -> None:
        assert said(send(key, phones="", mes="", list=lines, nl="1"))["error_code"] == 1
        assert not Message.objects.exists()

    def test_in_json_a_text_may_have_several_lines(self, key: str) -> None:
        body = {"apikey": key, "list": ["79161234567:Ваша бронь\r\n12:30 заезд\n", "79161234568:z"]}
        assert said(Client().post("/rest/send/", body, content_type="application/json"))["cnt"] == 2
        assert Message.objects.get(phone=PHONE).text == "Ваша бронь\n12:30 заезд"

    def test_a_repeat_with_an_id_is_one(self, key: str) -> None:
        answers = [said(send(key, phones="", mes="", id="5", list="79161234567:x\n79161234568:y")) for _ in range(2)]
        assert answers == [{"id": 5, "cnt": 2}] * 2
        assert said(send(key, phones="", mes="", id="5", list="79161234567:y\n79161234568:x"))["cnt"] == 2
        assert Message.objects.count() == 4

    @pytest.mark.parametrize(
        "fields", [{"list": "79161234567 x"}, {"list": "x:79161234567"}, {"list": "79161234567:x", "phones": PHONE}]
    )
    def test_what_is_no_list_is_an_error_that_repeats_nothing_of_it(self, key: str, fields: dict[str, str]) -> None:
        told = said(send(key, **{"phones": "", "mes": "", **fields}))
        assert (told["error_code"], "7916" in told["error"]) == (1, False)
        assert not Message.objects.exists()

    def test_in_json_its_lines_may_be_an_array(self, key: str) -> None:
        body = {"apikey": key, "list": ["79161234567:x, y", "79161234568:z"]}
        assert said(Client().post("/rest/send/", body, content_type="application/json"))["cnt"] == 2
        assert Message.objects.get(phone=PHONE).text == "x, y"


class TestHowManySegmentsATextMayHave:
    @pytest.mark.parametrize(
        ("text", "most", "left"),
        [
            ("я" * 300, "1", 70), ("я" * 300, "2", 134), ("я" * 300, "9", 300), ("я" * 300, "0", 300),
            ("я" * 300, "", 300), ("x" * 161, "1", 160), ("x" * 400, "2", 306), ("x" * 160, "1", 160),
            ("€" * 81, "1", 80), ("😀" * 36, "1", 35), ("я" * 3000, "2", 134),
        ],
    )  # fmt: skip
    def test_a_longer_one_is_cut(self, key: str, text: str, most: str, left: int) -> None:
        told = said(send(key, "POST", mes=text, maxsms=most))
        message = Message.objects.get()
        assert (message.text, told["cnt"]) == (text[:left], message.segments)
        assert message.segments <= int(most or 0) or most in {"", "0"}

    def test_its_price_is_that_of_what_is_left(self, key: str, priced: Gateway) -> None:
        assert said(send(key, mes="я" * 300, maxsms="2", cost="1")) == {"cost": "7.00", "cnt": 2}

    def test_so_is_each_of_a_list(self, key: str) -> None:
        body = {"apikey": key, "list": [f"79161234567:{'я' * 100}", "79161234568:x"], "maxsms": 1}
        assert said(Client().post("/rest/send/", body, content_type="application/json"))["cnt"] == 2
        assert sorted(len(one.text) for one in Message.objects.all()) == [1, 70]


class TestACommentBehindAText:
    """SMSC keeps it for the sender to read."""

    @pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\\n"])
    def test_it_is_not_sent(self, key: str, line_break: str) -> None:
        text = line_break.join(["Room 7 is ready", "~~~", "owes us money", "~~~", "x"])
        assert said(send(key, mes=text))["cnt"] == 1
        assert Message.objects.get().text == "Room 7 is ready"

    def test_nor_with_a_list(self, key: str) -> None:
        assert said(send(key, phones="", mes="", list="79161234567:One\\n~~~\\nowes us money"))["cnt"] == 1
        assert Message.objects.get().text == "One"

    @pytest.mark.parametrize("text", ["~~~", "a ~~~ b", "a\n~~~ b", "a\n~~~~\nb", "a\n~~~"])
    def test_what_is_no_line_of_its_own_begins_none(self, key: str, text: str) -> None:
        assert said(send(key, mes=text))["cnt"] == 1
        assert Message.objects.get().text == text

    def test_a_comment_alone_is_no_text(self, key: str) -> None:
        assert said(send(key, mes="\n~~~\nowes us money"))["error_code"] == 1
        assert not Message.objects.exists()


class TestItsOwnId:
    def test_0_is_none(self, key: str) -> None:
        # The vendor's own library says so with every message.
        body = {"apikey": key, "phones": PHONE, "mes": "Связь есть", "id": 0}
        with time_machine.travel(NOW, tick=False) as clock:
            ids = [said(send(key, id="0"))["id"]]
            clock.shift(61)
            ids.append(said(send(key, id="0"))["id"])
            clock.shift(61)
            ids.append(said(Client().post("/rest/send/", body, content_type="application/json"))["id"])
        assert (len(set(ids)), min(ids) > 0) == (3, True)
        assert Message.objects.count() == 3

    def test_a_repeat_gets_the_same_answer_and_sends_nothing(self, key: str) -> None:
        first, second = (said(send(key, id="order-17")) for _ in range(2))
        assert first == second == {"id": "order-17", "cnt": 1}
        assert Message.objects.get().caller_reference == "order-17"

    def test_so_does_one_that_asks_for_another_format(self, key: str) -> None:
        said(send(key, id="17", fmt="3"))
        assert send(key, id="17", fmt="1").content == b"17,1"
        assert Message.objects.count() == 1

    def test_many_phones_too(self, key: str) -> None:
        answers = [said(send(key, id="5", phones="79161234567,79161234568")) for _ in range(2)]
        assert answers[0] == answers[1] == {"id": 5, "cnt": 2}
        assert Message.objects.count() == 2

    def test_a_repeat_is_one_by_whatever_method_and_at_whatever_address_it_comes(self, key: str) -> None:
        first = said(send(key, "POST", id="17"))
        body = {"apikey": key, "phones": "79161234567", "mes": "Связь есть", "id": 17}
        assert said(send(key, "GET", id="17")) == first
        assert said(Client().post("/rest/send/", body, content_type="application/json")) == first
        assert Message.objects.count() == 1

    def test_another_message_with_the_same_id_is_no_repeat(self, key: str) -> None:
        for changed in ({}, {"mes": "другое"}, {"phones": "79161234568"}):
            assert said(send(key, id="17", **changed))["id"] == 17
        assert Message.objects.count() == 3

    def test_of_another_user_it_is_another_id(self, key: str, admin: User) -> None:
        said(send(key, id="17"))
        said(send(key_of(admin), id="17"))
        assert Message.objects.count() == 2

    def test_what_was_refused_may_be_tried_again(self, key: str, sandbox: Gateway) -> None:
        Gateway.objects.update(enabled=False)
        assert said(send(key, id="17"))["error_code"] == 8
        Gateway.objects.update(enabled=True)
        assert said(send(key, id="17")) == {"id": 17, "cnt": 1}

    @pytest.mark.parametrize("wrong", ["x" * 101, "a b", "я"])
    def test_an_id_that_is_none(self, key: str, wrong: str) -> None:
        assert said(send(key, id=wrong))["error_code"] == 1


class TestWithoutAnId:
    """SMSC refuses the same call for a minute: its libraries make it again where no answer comes in a few seconds."""

    def test_the_same_call_is_refused_for_a_minute(self, key: str) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            said(send(key))
            for again in (send(key), send(key, "POST"), send(key, cost="3"), send(key, phones=" +7 916 1234567")):
                assert said(again)["error_code"] == 9
            clock.shift(59)
            assert send(key, fmt="1").content == b"0,-9"
            clock.shift(1)
            assert said(send(key))["cnt"] == 1
            assert said(send(key))["error_code"] == 9
        assert Message.objects.count() == 2

    @pytest.mark.parametrize(
        "other", [{"mes": "x"}, {"phones": "79161234568"}, {"phones": "79161234567,79161234568"}, {"time": "+5"}]
    )
    def test_another_one_is_not(self, key: str, other: dict[str, str]) -> None:
        said(send(key))
        assert said(send(key, **other))["cnt"] > 0

    def test_nor_one_of_another_program(self, key: str, operator: User) -> None:
        said(send(key))
        assert said(send(key_of(operator)))["cnt"] == 1

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_the_same_moment_one_is_sent(self, key: str) -> None:
        codes = at_once(lambda: said(send(key)).get("error_code", 0))
        assert sorted(codes) == [0, 9, 9, 9]
        assert Message.objects.count() == 1

    def test_nor_one_of_which_the_first_was_refused(self, key: str) -> None:
        Gateway.objects.update(enabled=False)
        assert said(send(key))["error_code"] == 8
        Gateway.objects.update(enabled=True)
        assert said(send(key))["cnt"] == 1


class TestWhen:
    @pytest.mark.parametrize(
        ("time", "tz", "due"),
        [
            ("2311261530", "", datetime(2026, 11, 23, 12, 30, tzinfo=UTC)),
            ("23.11.26 15:30", "", datetime(2026, 11, 23, 12, 30, tzinfo=UTC)),
            ("2311261530", "0", datetime(2026, 11, 23, 12, 30, tzinfo=UTC)),
            ("2311261530", "2", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
            ("2311261530", "-1", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)),
            ("01795352400", "", datetime(2026, 11, 22, 13, tzinfo=UTC)),
            ("+30", "", datetime(2026, 11, 22, 12, 30, tzinfo=UTC)),
            (" 30", "", datetime(2026, 11, 22, 12, 30, tzinfo=UTC)),
            ("16-21", "", datetime(2026, 11, 22, 13, tzinfo=UTC)),
            ("9-15", "", datetime(2026, 11, 23, 6, tzinfo=UTC)),
            ("9-15", "0", datetime(2026, 11, 23, 6, tzinfo=UTC)),
            ("9-15", "2", datetime(2026, 11, 23, 4, tzinfo=UTC)),
            ("15-21", "-1", datetime(2026, 11, 22, 13, tzinfo=UTC)),
        ],
    )
    def test_a_time_in_each_way(self, key: str, time: str, tz: str, due: datetime) -> None:
        with time_machine.travel(NOW, tick=False):
            assert "error" not in said(send(key, time=time, tz=tz))
        assert (Message.objects.get().due_at, Message.objects.get().waits_for) == (due, Wait.SCHEDULE)

    @pytest.mark.parametrize("time", ["", "0", "2211261400", "01700000000", "0-24", "15-16"])
    def test_one_that_is_over_means_at_once(self, key: str, time: str) -> None:
        with time_machine.travel(NOW, tick=False):
            assert "error" not in said(send(key, time=time))
        assert Message.objects.get().waits_for == Wait.NONE

    @pytest.mark.parametrize("phones", ["79161234567", "79161234567,79161234568"])
    def test_so_does_one_that_passes_while_the_call_is_looked_at(
        self, key: str, phones: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            a_second_passes_in(sending, "look_at", clock, monkeypatch)
            told = said(send(key, phones=phones, time=f"0{NOW.timestamp() + 1:.0f}"))
        assert told["cnt"] == len(phones.split(","))
        assert {one.waits_for for one in Message.objects.all()} == {Wait.NONE}

    @pytest.mark.parametrize("time", ["tomorrow", "21-9", "9-25", "3213261530", "+x", "+" + "9" * 30, "2311281530"])
    def test_one_that_is_none(self, key: str, time: str) -> None:
        with time_machine.travel(NOW, tick=False):
            told = said(send(key, time=time))
            assert told["error_code"] == 5
            assert re.search("time: (This is no time .+; write it like |Name a time within )", told["error"])
        assert not Message.objects.exists()

    @pytest.mark.parametrize(("valid", "minutes"), [("01:30", 90), ("00:01", 1), ("1", 60), ("02", 120), ("12", 720)])
    def test_it_is_not_sent_after_its_life(self, key: str, valid: str, minutes: int) -> None:
        with time_machine.travel(NOW, tick=False):
            said(send(key, valid=valid))
        assert Message.objects.get().valid_until == NOW + timedelta(minutes=minutes)

    @pytest.mark.parametrize("valid", ["24", "24:00"])
    def test_a_day_is_the_longest(self, key: str, valid: str) -> None:
        assert said(send(key, valid=valid))["cnt"] == 1

    @pytest.mark.parametrize("valid", ["0", "25", "25:00", "1:3", "x", "1:", ":"])
    def test_a_life_that_is_none(self, key: str, valid: str) -> None:
        assert said(send(key, valid=valid))["error_code"] == 1


class TestWhatItCosts:
    def test_the_price_alone_sends_nothing(self, key: str, priced: Gateway) -> None:
        assert said(send(key, cost="1", phones="79161234567,79161234568")) == {"cost": "7.00", "cnt": 2}
        assert send(key, cost="1", fmt="1").content == b"3.50,1"
        assert send(key, cost="1", fmt="0").content == b"3.50 (1 SMS)"
        assert not Message.objects.exists()

    def test_the_price_and_what_is_left_beside_a_send(self, key: str, priced: Gateway) -> None:
        assert said(send(key, id="1", cost="2")) == {"id": 1, "cnt": 1, "cost": "3.50"}
        assert said(send(key, id="2", cost="3")) == {"id": 2, "cnt": 1, "cost": "3.50", "balance": "100.50"}
        assert send(key, id="3", cost="3", fmt="1").content == b"3,1,3.50,100.50"
        assert send(key, id="4", cost="2", fmt="0").content == b"OK - 1 SMS, ID - 4, COST - 3.50"
        assert send(key, id="5", cost="3", fmt="0").content == b"OK - 1 SMS, ID - 5, COST - 3.50, BALANCE - 100.50"

    def test_an_unknown_price_is_not_made_up(self, key: str) -> None:
        assert said(send(key, cost="1"))["error_code"] == 1
        assert said(send(key, id="1", cost="3")) == {"id": 1, "cnt": 1}
        assert "<balance>" not in send(key, id="1", cost="3", fmt="2").content.decode()

    def test_among_the_numbers_each_keeps_its_place(self, key: str, sandbox: Gateway) -> None:
        assert send(key, id="1", cost="2", fmt="1").content == b"1,1,"
        GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("100.50"), currency="RUB")
        assert send(key, id="2", cost="3", fmt="1").content == b"2,1,,100.50"


class TestErrors:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"mes": ""}, 1),
            ({"mes": "я" * 5000}, 1),
            ({"phones": "12"}, 7),
            ({"time": "x"}, 5),
            ({"sms_gateway": "nowhere"}, 1),
            ({"fmt": "9"}, 1),
            ({"cost": "9"}, 1),
            ({"apikey": "wrong"}, 2),
            ({"hlr": "1"}, 1),
            ({"viber": "1"}, 1),
            ({"call": "1"}, 1),
            ({"period": "0.5", "freq": "10"}, 1),
            ({"imgcode": "x7k2", "userip": "192.0.2.1"}, 1),
            ({"maxsms": "one"}, 1),
        ],
    )
    def test_it_has_its_documented_code(self, key: str, fields: dict[str, str], code: int) -> None:
        answer = send(key, **fields)
        assert answer.status_code == 200
        told = answer.json() if "fmt" not in fields else {"error_code": int(answer.content[8:9])}
        assert told["error_code"] == code
        assert not Message.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"id": "a b"}, "id: Name it by 1 to 100 letters, digits and signs of ASCII, without blanks."),
            ({"tz": "Moscow"}, "tz: Give hours from Moscow's time, such as 2 or -1."),
            ({"valid": "90"}, "valid: Give 1 to 24 hours, or hours and minutes, such as 01:30."),
            ({"cost": "yes"}, "cost: Choose one of 0, 1, 2, 3."),
        ],
    )
    def test_what_is_wrong_is_told_with_what_would_be_right(self, key: str, fields: dict[str, str], says: str) -> None:
        assert said(send(key, **fields))["error"] == f"parameters error, {says}"

    def test_a_call_whose_first_has_not_ended(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def still_open(*_: Any, **__: Any) -> Any:
            raise StillOpen

        monkeypatch.setattr("messaging.dropin.door.commit", still_open)
        told = said(send(key, id="17"))
        assert (told["error_code"], "The first call with this id has not ended" in told["error"]) == (9, True)

    def test_a_gateway_that_does_not_serve_the_phone_is_no_route(self, key: str) -> None:
        Gateway.objects.update(prefixes=["+33"])
        assert said(send(key))["error_code"] == 8

    def test_without_its_rights_it_is_not_let_in(self, nobody: User, sandbox: Gateway) -> None:
        told = said(send(key_of(nobody)))
        assert (told["error_code"], "SYSTEM_CREATE" in told["error"]) == (2, True)

    def test_a_phone_that_opted_out_is_on_record(self, key: str, admin: User) -> None:
        opt_outs.add(phone=PHONE, note="", added_by=admin)
        assert said(send(key))["cnt"] == 1
        assert Message.objects.get().state == State.SUPPRESSED

    def test_too_many_calls_are_told_apart_from_a_block(self, key: str, settings: Settings) -> None:
        settings.API_CALLS_PER_MINUTE = 1
        send(key)
        answer = next(again for again in iter(lambda: send(key), None) if again.status_code == 429)
        assert answer.json()["error_code"] == 9
        assert int(answer.headers["Retry-After"]) > 0


def test_a_text_in_a_field_that_is_not_known_is_not_on_the_trail(key: str) -> None:
    send(key, list="79161234567:The code is 1234", msg="The code is 1234")
    assert AuditEvent.objects.get().request == {
        "apikey": MASK, "phones": "79161•••••67", "mes": "10 characters", "charset": "utf-8", "fmt": "3",
        "list": MASK, "msg": MASK,
    }  # fmt: skip


class TestLoginAndPassword:
    def test_in_a_form(self, operator: User, sandbox: Gateway) -> None:
        assert said(send("", "POST", login="operator", psw=PASSWORD))["cnt"] == 1

    def test_in_an_address_only_where_that_is_wanted(
        self, operator: User, sandbox: Gateway, settings: Settings
    ) -> None:
        told = said(send("", login="operator", psw=PASSWORD))
        assert (told["error_code"], "must not be in an address" in told["error"]) == (2, True)
        settings.API_WAYS_IN = [*USUAL_WAYS, "password_in_url"]
        assert said(send("", login="operator", psw=PASSWORD))["cnt"] == 1

    @pytest.mark.parametrize("fields", [{}, {"login": "operator"}, {"login": "operator", "psw": ""}])
    def test_whoever_shows_nothing_is_told_what_to_send(self, sandbox: Gateway, fields: dict[str, str]) -> None:
        told = said(send("", "POST", **fields))
        assert told == {"error": "authorise error, send login and psw, or apikey", "error_code": 2}

    def test_a_key_as_the_password(self, key: str) -> None:
        assert said(send("", login="operator", psw=key))["cnt"] == 1

    def test_the_md5_of_a_password_is_refused_with_the_reason(self, operator: User, sandbox: Gateway) -> None:
        told = said(send("", "POST", login="operator", psw="5f4dcc3b5aa765d61d8327deb882cf99"))
        assert (told["error_code"], "MD5" in told["error"]) == (2, True)

    def test_a_blocked_host_is_told_with_code_4(self, operator: User, sandbox: Gateway, settings: Settings) -> None:
        settings.DEFENDER_LIMIT = 1
        send("", "POST", login="operator", psw="wrong")
        answer = send("", "POST", login="operator", psw=PASSWORD)
        assert (answer.status_code, answer.content[:9]) == (429, b'{"error":')
        assert answer.json()["error_code"] == 4
        assert int(answer.headers["Retry-After"]) > 0


class TestJson:
    def test_the_same_in_json(self, key: str) -> None:
        body = {"apikey": key, "phones": ["79161234567", "79161234568"], "mes": "Связь есть", "id": 17}
        for url in ("/rest/send/", "/rest/send"):
            assert said(Client().post(url, body, content_type="application/json")) == {"id": 17, "cnt": 2}
        assert Message.objects.count() == 2

    @pytest.mark.parametrize("body", ["[]", "{", '{"mes": "\\u0000"}', '{"phones": {"a": 1}}'])
    def test_what_cannot_be_read_is_an_error(self, key: str, body: str) -> None:
        answer = Client().post("/rest/send/", body, content_type="application/json", HTTP_X_API_KEY=key)
        assert said(answer)["error_code"] in {1, 7}

    def test_it_is_written_in_utf_8_whatever_charset_says(self, key: str) -> None:
        body = {"apikey": key, "phones": PHONE, "mes": "Связь есть", "charset": "windows-1251"}
        assert said(Client().post("/rest/send/", body, content_type="application/json"))["cnt"] == 1
        assert Message.objects.get().text == "Связь есть"

    def test_what_is_false_there_is_off_and_what_is_true_is_on(self, key: str) -> None:
        body = {"apikey": key, "phones": PHONE, "mes": "Wi-Fi is back", "viber": False, "op": False}
        told = said(Client().post("/rest/send/", body, content_type="application/json"))
        assert told.keys() == {"id", "cnt"}
        told = said(Client().post("/rest/send/", {**body, "viber": True}, content_type="application/json"))
        assert told["error_code"] == 1

    def test_it_has_a_post_and_nothing_else(self, key: str) -> None:
        answer = Client().get("/rest/send/", {"apikey": key})
        assert (answer.status_code, json.loads(answer.content)["error_code"]) in {(405, 1), (200, 2)}


def test_the_sender_chooses_among_our_gateways(key: str) -> None:
    Gateway.objects.create(name="hotel", provider="sandbox", sender="HOTEL")
    send(key, sender="HOTEL")
    assert Message.objects.get().gateway.name == "hotel"
