"""`/sys/status.php` and `/sys/balance.php` of SMSC.ru."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from gateways.models import Gateway, GatewayHealth
from messaging.models import Message, State
from portal.models import AuditEvent, User
from tests.messaging.conftest import Send
from tests.messaging.programs import both_methods, call, key_of

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def own(send: Send, operator: User) -> Message:
    """A delivered message of the operator's with the id 17."""
    message = send()
    Message.objects.filter(pk=message.pk).update(
        requested_by=operator, state=State.DELIVERED, caller_reference="17", created=AT, finished_at=AT
    )
    return Message.objects.get(pk=message.pk)


def status(user: User, method: str = "GET", **fields: Any) -> Any:
    given = {"apikey": key_of(user), "phone": "79161234567", "id": "17", "fmt": "3", "charset": "utf-8", **fields}
    answer = call("/sys/status.php", method, **given)
    assert answer.status_code == 200
    return answer.json() if given["fmt"] == "3" else answer.content.decode()


ROW = {"status": 1, "last_date": "22.11.2026 15:00:00", "last_timestamp": int(AT.timestamp()), "err": 0}


@both_methods
def test_one_message(own: Message, operator: User, method: str) -> None:
    assert status(operator, method) == ROW
    assert not AuditEvent.objects.exists()


def test_with_everything_that_is_known(own: Message, operator: User) -> None:
    Gateway.objects.update(segment_price=Decimal("3.5"), sender="HOTEL")
    Message.objects.update(text="Привет")
    for wanted in ("1", "2"):
        assert status(operator, all=wanted) == ROW | {
            "send_date": "22.11.2026 15:00:00", "send_timestamp": int(AT.timestamp()), "phone": "79161234567",
            "cost": "3.50", "sender_id": "HOTEL", "status_name": "Доставлено", "message": "Привет",
        }  # fmt: skip


def test_a_comma_makes_it_a_list_that_names_its_messages(own: Message, operator: User) -> None:
    assert status(operator, phone="79161234567,", id="17,") == [{**ROW, "id": 17, "phone": "79161234567"}]
    rows = status(operator, phone="79161234567,79161234568,", id="17,own-18,")
    assert rows == [{**ROW, "id": 17, "phone": "79161234567"}, {"status": -3, "id": "own-18", "phone": "79161234568"}]


def test_every_format(own: Message, operator: User) -> None:
    assert status(operator, fmt="0") == "Status = 1, check_time = 22.11.2026 15:00:00"
    assert status(operator, fmt="1") == f"1,{int(AT.timestamp())},0"
    assert status(operator, fmt="2").endswith(
        "<result><status>1</status><last_date>22.11.2026 15:00:00</last_date>"
        f"<last_timestamp>{int(AT.timestamp())}</last_timestamp><err>0</err></result>"
    )
    assert status(operator, fmt="1", phone="79161234567,", id="17,") == f"1,{int(AT.timestamp())},0,17,79161234567"
    assert status(operator, fmt="2", phone="79161234567,", id="17,").count("<result>") == 1


@pytest.mark.parametrize(
    ("state", "number"),
    [
        (State.QUEUED, -1), (State.HELD, -1), (State.SUBMITTING, -1), (State.UNKNOWN, -1), (State.UNRESOLVED, 0),
        (State.SUBMITTED, 0), (State.NO_RECEIPT, 0), (State.DELIVERED, 1), (State.EXPIRED, 3), (State.LAPSED, 3),
        (State.UNDELIVERED, 20), (State.FAILED, 20), (State.CANCELLED, -2), (State.SUPPRESSED, 23),
    ],
)  # fmt: skip
def test_its_number_says_where_the_message_is(own: Message, operator: User, state: State, number: int) -> None:
    Message.objects.update(state=state)
    assert status(operator)["status"] == number


@pytest.mark.parametrize("fields", [{"id": "18"}, {"phone": "79161234568"}, {"phone": "12"}])
def test_one_that_is_not_there_is_an_error(own: Message, operator: User, fields: dict[str, str]) -> None:
    assert status(operator, **fields)["error_code"] == 3
    assert status(operator, fmt="1", all="1", **fields) == "0,-3"


def test_in_a_list_it_has_a_status_of_its_own(own: Message, operator: User) -> None:
    first, second = status(operator, phone="79161234567,79161234568,", id="17,18,", all="1")
    assert (first["status"], second["status"], second["status_name"]) == (1, -3, "Не найдено")


def test_messages_of_others_are_not_there(own: Message, operator: User, auditor: User) -> None:
    Message.objects.update(requested_by=None)
    assert status(operator)["error_code"] == 3
    assert status(auditor) == ROW


def test_ones_own_comes_before_what_others_called_so(own: Message, send: Send, auditor: User) -> None:
    Message.objects.filter(pk=own.pk).update(requested_by=auditor)
    later = send()
    Message.objects.filter(pk=later.pk).update(requested_by=None, caller_reference="17", state=State.FAILED)
    assert status(auditor) == ROW


def test_of_two_with_one_id_the_last(own: Message, send: Send, operator: User) -> None:
    later = send()
    Message.objects.filter(pk=later.pk).update(requested_by=operator, caller_reference="17", state=State.FAILED)
    assert status(operator)["status"] == 20


def test_xml_leaves_out_characters_that_it_cannot_hold(own: Message, operator: User) -> None:
    Message.objects.update(text="Wi-Fi\x01 <is> back")
    written = status(operator, fmt="2", all="1")
    assert etree.fromstring(written.encode()).findtext("message") == "Wi-Fi <is> back"


@pytest.mark.parametrize(
    "fields", [{"phone": "79161234567,"}, {"id": ""}, {"id": "1," * 200, "phone": "7," * 200}, {"all": "3"}]
)
def test_lists_that_do_not_match_are_an_error(operator: User, fields: dict[str, str]) -> None:
    assert status(operator, **fields)["error_code"] == 1


class TestBalance:
    def balance(self, user: User, **fields: str) -> Any:
        return call("/sys/balance.php", apikey=key_of(user), **fields)

    @pytest.fixture(autouse=True)
    def _money(self, sandbox: Gateway) -> None:
        GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("100.50"), currency="RUB")

    def test_in_every_format(self, operator: User) -> None:
        assert self.balance(operator).content == b"100.50"
        assert self.balance(operator, fmt="1").content == b"100.50"
        assert self.balance(operator, fmt="2").content.endswith(b"<result><balance>100.50</balance></result>")
        assert self.balance(operator, fmt="3").json() == {"balance": "100.50"}
        assert self.balance(operator, fmt="3", cur="1").json() == {"balance": "100.50", "currency": "RUB"}

    def test_of_another_gateway(self, operator: User) -> None:
        Gateway.objects.create(name="hotel", provider="sandbox")
        told = self.balance(operator, sms_gateway="hotel", fmt="3").json()
        assert (told["error_code"], "“hotel”" in told["error"]) == (1, True)

    def test_it_needs_the_right_to_read_gateways(self, nobody: User) -> None:
        assert self.balance(nobody, fmt="3").json()["error_code"] == 2
