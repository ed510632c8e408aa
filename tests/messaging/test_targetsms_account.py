"""POST /xml/balance.php, originator.php, time.php and incoming.php: what is known of the account and what came in."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from messaging.dropin.targetsms import known, questions
from messaging.models import InboundMessage
from portal import clock, keys
from portal.models import User
from tests.messaging.targetsms import (
    BALANCE,
    INCOMING,
    SENDERS,
    TIME,
    Element,
    as_attributes,
    as_texts,
    attributes,
    error_in,
    post,
    read,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]


# Balance


def test_the_money_of_the_default_gateway_is_told(sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("150.5"), currency="RUB")
    (money,) = read(post(BALANCE, ""))
    assert (money.tag, money.get("currency"), money.text) == ("money", "RUR", "150.50")


def test_another_currency_is_told_as_it_is(sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, balance=Decimal(-1), currency="EUR")
    (money,) = read(post(BALANCE, ""))
    assert (money.get("currency"), money.text) == ("EUR", "-1.00")


def test_a_balance_that_nobody_has_told_is_not_made_up(sandbox: Gateway) -> None:
    assert error_in(post(BALANCE, "")) == "Остаток на счёте неизвестен."
    GatewayHealth.objects.create(gateway=sandbox)
    assert error_in(post(BALANCE, "")) == "Остаток на счёте неизвестен."


def test_a_key_for_other_gateways_learns_nothing_of_this_one(operator: User, sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, balance=1)
    key = keys.issue(operator, "site", gateways=[Gateway.objects.create(name="b", provider="sandbox").pk])[1]
    assert error_in(post(BALANCE, "", as_texts("operator", key))) == "Данное направление закрыто для вас."


def test_without_a_default_gateway_there_is_no_balance() -> None:
    Gateway.objects.update(is_default=False)
    assert error_in(post(BALANCE, "")) == "Данное направление закрыто для вас."


# Senders


def test_the_senders_are_those_of_gateways_that_are_switched_on() -> None:
    Gateway.objects.create(name="hotel", provider="smsgate", sender="Hotel")
    Gateway.objects.create(name="spare", provider="smsgate", sender="Hotel")
    Gateway.objects.create(name="off", provider="smsgate", sender="Off", enabled=False)
    whether, senders = read(post(SENDERS, ""))
    assert (whether.tag, whether.text, senders.tag) == ("any_originator", "FALSE", "list_originator")
    assert [(one.tag, one.get("state"), one.text) for one in senders] == [
        ("originator", "completed", "Hotel"),
        ("originator", "completed", "sandbox"),
    ]


# The time


def test_the_time_is_that_of_the_portals_zone(nobody: User, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 12, 1, 12, 34, 5, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: at)
    monkeypatch.setattr(timezone, "get_default_timezone", lambda: ZoneInfo("Asia/Vladivostok"))
    assert questions.Time().post(None).content.endswith(b"<response><time>22:34:05</time></response>")  # type: ignore[arg-type]


def test_whoever_signs_in_may_ask_for_the_time(nobody: User) -> None:
    (told,) = read(post(TIME, "", as_texts("nobody")))
    assert re.fullmatch(r"\d\d:\d\d:\d\d", told.text or "")


# What came in


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def came(text: str, minutes_ago: int, gateway: Gateway) -> InboundMessage:
    made: InboundMessage = InboundMessage.objects.create(
        gateway=gateway,
        phone="+79161234567",
        text=text,
        fingerprint=text,
        at=clock.now() - timedelta(hours=1),
        received_at=(clock.now() - timedelta(minutes=minutes_ago)).replace(microsecond=0),
    )
    return made


def local(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def ask(start: str, end: str = "") -> list[Element]:
    return list(read(post(INCOMING, f'<time start="{start}" end="{end}"/>', as_attributes("admin"))))


def test_what_came_in_between_is_told_without_the_ends(admin: User, sandbox: Gateway) -> None:
    first, second, third = (came(text, ago, sandbox) for text, ago in (("1", 30), ("<2> & 😀", 20), ("3", 10)))
    (sms,) = ask(local(first.received_at), local(third.received_at))
    assert attributes(sms) == {
        "id_sms": str(second.pk), "date_receive": local(second.received_at), "originator": "79161234567", "prefix": "",
        "phone": "",
    }  # fmt: skip
    assert sms.text == "<2> & 😀"
    assert [one.text for one in ask(local(first.received_at))] == ["<2> & 😀", "3"]


def test_who_asks_for_one_period_after_the_other_misses_nothing(admin: User, sandbox: Gateway) -> None:
    # It was written in the first, and its provider was asked, or called, in the second.
    now = clock.now().replace(microsecond=0)
    ends = [local(now - timedelta(minutes=minutes)) for minutes in (3, 2, 1)]
    late = came("STOP", 1, sandbox)
    InboundMessage.objects.update(at=now - timedelta(seconds=150), received_at=now - timedelta(seconds=90))
    first, second = ([sms.get("id_sms") for sms in ask(*period)] for period in pairwise(ends))
    assert (first, second) == ([], [str(late.pk)])


def came_at(seconds: float, text: str, gateway: Gateway) -> InboundMessage:
    """At so many seconds after NOON."""
    made = came(text, 1, gateway)
    InboundMessage.objects.filter(pk=made.pk).update(received_at=NOON + timedelta(seconds=seconds))
    return made


def texts_since(start: str, at: float, end: str = "") -> tuple[list[str | None], str]:
    """What is told so many seconds after NOON, and from when on the program asks the next time."""
    with time_machine.travel(NOON + timedelta(seconds=at), tick=False):
        told = ask(start, end)
    return [sms.text for sms in told], told[-1].get("date_receive", "") if told else start


def test_who_goes_on_from_the_last_one_is_told_none_again_and_misses_none(admin: User, sandbox: Gateway) -> None:
    came_at(0.5, "first", sandbox)
    start = local(NOON)
    assert texts_since(start, 0.7) == ([], start)
    # Its transaction began later, or ended later.
    came_at(0.9, "second", sandbox)
    came_at(0.4, "before the first", sandbox)
    came_at(1, "last of it", sandbox)
    assert texts_since(start, 5.9) == ([], start)
    told, start = texts_since(start, 6)
    assert (told, start) == (
        ["before the first", "first", "second", "last of it"],
        local(NOON + timedelta(seconds=1)),
    )
    came_at(1.1, "third", sandbox)
    told, start = texts_since(start, 60)
    assert (told, start) == (["third"], local(NOON + timedelta(seconds=2)))
    assert texts_since(start, 60) == ([], start)


def test_whose_end_is_far_ahead_goes_on_from_the_last_one_too(admin: User, sandbox: Gateway) -> None:
    tomorrow = local(NOON + timedelta(days=1))
    came_at(0.5, "first", sandbox)
    assert texts_since(local(NOON), 1, tomorrow) == ([], local(NOON))
    came_at(0.9, "second", sandbox)
    assert texts_since(local(NOON), 6, tomorrow) == (["first", "second"], local(NOON + timedelta(seconds=1)))


def test_who_asks_for_periods_misses_nothing_in_the_second_between_them(admin: User, sandbox: Gateway) -> None:
    for seconds in (59.5, 60.5):
        came_at(seconds, f"{seconds}", sandbox)
    ends = [(seconds, local(NOON + timedelta(seconds=seconds))) for seconds in (0, 60, 61)]
    told = [texts_since(start, at, end)[0] for (_, start), (at, end) in pairwise(ends)]
    assert told == [["59.5"], ["60.5"]]


def test_of_a_second_all_is_told_or_nothing(admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST_INBOUND", 3)
    for seconds in (0.5, 0.6, 1.5, 1.6, 1.7, 1.8, 3.5):
        came_at(seconds, f"{seconds}", sandbox)
    answers, start = [], local(NOON)
    for _ in range(4):
        told, start = texts_since(start, 60)
        answers.append(told)
    assert answers == [["0.5", "0.6"], ["1.5", "1.6", "1.7", "1.8"], ["3.5"], []]


@pytest.mark.parametrize(
    ("start", "end"), [("", ""), ("yesterday", ""), ("2026-01-01 00:00:00", "2026-13-01 00:00:00")]
)
def test_a_period_that_is_none_is_refused(admin: User, start: str, end: str) -> None:
    content = f'<time start="{start}" end="{end}"/>'
    assert "Укажите период" in error_in(post(INCOMING, content, as_attributes("admin")))


def test_without_a_period_it_is_malformed(admin: User) -> None:
    assert error_in(post(INCOMING, "", as_attributes("admin"))) == "Неправильный формат XML документа"


def test_it_needs_the_right_to_read_messages() -> None:
    content = '<time start="2026-01-01 00:00:00"/>'
    assert error_in(post(INCOMING, content)) == "Ваш аккаунт заблокирован"


def test_a_key_reads_what_came_by_its_own_gateways(admin: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    came("here", 1, sandbox)
    came("there", 1, other)
    key = keys.issue(admin, "site", gateways=[other.pk])[1]
    security = as_texts("admin", key)
    (sms,) = read(post(INCOMING, '<time start="2026-01-01 00:00:00"/>', security))
    assert sms.text == "there"
