"""POST /sendsmsjson.php with another `type`: states, the balance, senders, what came in and the time."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from gateways.models import Gateway, GatewayHealth
from messaging.models import InboundMessage, Message, State
from portal import clock, keys
from portal.models import AuditEvent, User
from tests.conftest import PASSWORD
from tests.messaging.targetsms import PHONE, json_error_in, post_json, post_json_raw, read_json, send_json

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]


def sent(text: str = "ы" * 80) -> str:
    return str(send_json({"phone": PHONE}, text=text)[0]["id_sms"])


def test_a_state_is_told_in_texts() -> None:
    key = sent()
    assert read_json(post_json("state", get_state=[key]))["state"] == [
        {"id_sms": key, "time": "", "state": "send", "num_parts": "2"}
    ]
    at = timezone.now()
    Message.objects.update(state=State.DELIVERED, finished_at=at)
    Gateway.objects.update(segment_price=Decimal("3.5"))
    (told,) = read_json(post_json("state", get_state=[int(key)]))["state"]
    assert told == {
        "id_sms": key, "time": f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}", "state": "deliver", "num_parts": "2",
        "price": "3.50",
    }  # fmt: skip


def test_states_are_told_as_they_are_asked_for_and_what_is_not_known_is_left_out(admin: User) -> None:
    first, second = sent(), sent()
    asked = [second, "", None, "abc", "9" * 30, first, f" {second} "]
    told = read_json(post_json("state", get_state=asked))["state"]
    assert [one["id_sms"] for one in told] == [second, first]
    others = send_json({"phone": PHONE})[0]["id_sms"]
    Message.objects.filter(pk=others).update(requested_by=admin)
    assert read_json(post_json("state", get_state=[others])) == {"state": []}


def test_whoever_may_read_messages_and_not_send_may_ask_for_states(auditor: User, nobody: User) -> None:
    key = sent()
    assert len(read_json(post_json("state", "auditor", get_state=[key]))["state"]) == 1
    assert json_error_in(post_json("state", "nobody", get_state=[key])) == "Ваш аккаунт заблокирован"


def test_the_balance_is_that_of_the_default_gateway(sandbox: Gateway) -> None:
    assert json_error_in(post_json("balance")) == "Остаток на счёте неизвестен."
    GatewayHealth.objects.create(gateway=sandbox, balance=Decimal("150.5"), currency="RUB")
    assert read_json(post_json("balance")) == {"money": {"currency": "RUR", "value": "150.50"}, "sms": []}


def test_the_senders_are_those_of_gateways_that_are_switched_on() -> None:
    Gateway.objects.create(name="hotel", provider="smsgate", sender="Hotel")
    Gateway.objects.create(name="off", provider="smsgate", sender="Off", enabled=False)
    assert read_json(post_json("originator")) == {
        "any_originator": "FALSE",
        "list_originator": [
            {"state": "completed", "originator": "Hotel"},
            {"state": "completed", "originator": "sandbox"},
        ],
    }


def test_the_time_has_its_day(nobody: User) -> None:
    told = read_json(post_json("time", "nobody"))
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", told["time"])


def test_what_came_in_between_is_told(admin: User, sandbox: Gateway) -> None:
    at = (clock.now() - timedelta(minutes=5)).replace(microsecond=0)
    came = InboundMessage.objects.create(
        gateway=sandbox, phone="+79161234567", text='"<Стоп>" 😀', fingerprint="1", at=at, received_at=at
    )
    before, exactly = (f"{timezone.localtime(one):%Y-%m-%d %H:%M:%S}" for one in (at - timedelta(seconds=1), at))
    (told,) = read_json(post_json("incoming", "admin", time={"start": before, "end": ""}))["sms"]
    assert told == {
        "id_sms": str(came.pk), "date_receive": exactly, "originator": PHONE, "prefix": "", "phone": "",
        "text_sms": '"<Стоп>" 😀',
    }  # fmt: skip
    assert read_json(post_json("incoming", "admin", time={"start": exactly})) == {"sms": []}
    assert read_json(post_json("incoming", "admin", time={"start": before, "end": exactly})) == {"sms": []}
    assert "Укажите период" in json_error_in(post_json("incoming", "admin"))
    assert json_error_in(post_json("incoming", time={"start": before})) == "Ваш аккаунт заблокирован"


def test_a_type_that_is_not_known_is_told_with_those_that_are() -> None:
    known = "известны sms, state, balance, originator, incoming, time."
    for errand in ("def", "list_bases", "stop", "SMS", ""):
        assert known in json_error_in(post_json(errand))
    body = {"security": {"login": "operator", "password": PASSWORD}, "get_state": []}
    assert known in json_error_in(post_json_raw(body))


def test_a_stranger_is_not_told_which_types_there_are() -> None:
    assert json_error_in(post_json("def", password="wrong")) == "Неправильный логин или пароль"


def test_a_key_is_narrowed_as_everywhere(operator: User, sandbox: Gateway) -> None:
    GatewayHealth.objects.create(gateway=sandbox, balance=1)
    other = Gateway.objects.create(name="other", provider="sandbox")
    key = keys.issue(operator, "site", gateways=[other.pk])[1]
    assert json_error_in(post_json("balance", password=key)) == "Данное направление закрыто для вас."
    told = read_json(post_json("originator", password=key))
    assert told["list_originator"] == [{"state": "completed", "originator": "other"}]


def test_a_question_is_not_on_record() -> None:
    for errand in ("state", "balance", "originator", "time", "incoming"):
        post_json(errand, get_state=[])
        post_json(errand, password="wrong", get_state=[])
    assert not AuditEvent.objects.filter(action="targetsms.json").exists()
