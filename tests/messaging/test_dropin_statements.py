"""A call of another system that sends one message writes as `send_sms` does: in one statement, or not at all."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.forms.models import model_to_dict
from django.utils import timezone

from gateways.models import Gateway
from messaging import opt_outs
from messaging.dropin.smsc import sends
from messaging.models import Message, State
from portal import statements as portal_statements
from portal import versions
from portal.models import AuditEvent, RefusedTry, User
from tests.messaging.programs import PHONE, call, key_of
from tests.messaging.test_one_statement import hindered, instead
from tests.portal.test_versions import join
from tests.statements import statements

pytestmark = pytest.mark.django_db

#: Where each is called, with what beside its key and its text, and in which fields those are.
CALLS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "smsmobileapi": ("/sendsms/", {"recipients": PHONE}, "apikey", "message"),
    "smsc": (
        "/sys/send.php",
        {"login": "operator", "phones": PHONE, "fmt": "3", "sender": "HOTEL"},
        "psw",
        "mes",
    ),
    "kannel": ("/cgi-bin/sendsms", {"username": "operator", "to": PHONE, "from": "HOTEL"}, "password", "text"),
}
#: One system refuses the same call for a minute.
ROOMS = count(100)
every_system = pytest.mark.parametrize("system", CALLS)
#: What takes more than one statement in each of them.
MORE: dict[str, Callable[[], dict[str, Any]]] = {
    "smsmobileapi": lambda: {"schedule_timestamp": int(timezone.now().timestamp()) + 3600},
    "smsc": lambda: {"id": "order-17"},
    "kannel": lambda: {"to": f"{PHONE} +79161234568"},
}


@pytest.fixture
def key(operator: User, sandbox: Gateway) -> str:
    return key_of(operator)


@pytest.fixture
def guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was last known of who may do what is taken for true until something is written."""
    monkeypatch.setattr(portal_statements, "LATELY", 3600.0)


def send(key: str, system: str, **more: Any) -> Any:
    url, fields, key_field, text_field = CALLS[system]
    text = f"Wi-Fi is back in room {next(ROOMS)}"
    return call(url, "POST", **{key_field: key, text_field: text, **fields, **more})


def is_accepted(answer: Any) -> bool:
    """One system says 200 to what it refuses."""
    return answer.status_code in {200, 202} and b"error_code" not in answer.content


def trail() -> list[int]:
    return list(AuditEvent.objects.order_by("pk").values_list("status", flat=True))


@pytest.mark.django_db(transaction=True)
@every_system
def test_one_write_that_is_its_own_question(key: str, guesses: None, system: str) -> None:
    assert is_accepted(send(key, system))
    sent = [sql for sql in statements(partial(send, key, system)) if "watchedhost" not in sql]
    if connection.vendor == "postgresql":
        assert len(sent) == 1
        assert versions.NOW in sent[0]
    else:
        assert sent[:2] == ["BEGIN IMMEDIATE", versions.NOW]
        assert len(sent) == (7 if system == "smsc" else 5)
    assert Message.objects.count() == 2


@every_system
def test_it_writes_what_several_statements_write(key: str, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_accepted(send(key, system))
    instead(monkeypatch, hindered)
    assert is_accepted(send(key, system))
    differs = {"id", "text", "due_at", "valid_until", "created", "caller_reference", "object_id"}
    for model in (Message, AuditEvent):
        first, second = (model_to_dict(row, exclude=differs) for row in model._default_manager.order_by("pk"))
        assert first == second
    assert all(one.text and one.text.startswith("Wi-Fi is back in room ") for one in Message.objects.all())
    subjects = [one.caller_reference or str(one.pk) for one in Message.objects.order_by("pk")]
    assert list(AuditEvent.objects.order_by("pk").values_list("object_id", flat=True)) == subjects


@pytest.mark.django_db(transaction=True)
@every_system
def test_what_is_taken_away_while_it_is_written_counts(
    key: str, operator: User, guesses: None, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_accepted(send(key, system))
    instead(monkeypatch, operator.groups.clear)
    assert not is_accepted(send(key, system))
    assert Message.objects.count() == 1
    assert trail()[1:] == [403]


@pytest.mark.django_db(transaction=True)
@every_system
def test_what_was_taken_away_counts_where_more_is_to_be_written(
    key: str, operator: User, guesses: None, system: str
) -> None:
    assert is_accepted(send(key, system))
    operator.groups.clear()
    assert not is_accepted(send(key, system, **MORE[system]()))
    assert Message.objects.count() == 1
    assert trail()[1:] == [403]


@pytest.mark.django_db(transaction=True)
@every_system
def test_what_was_given_counts_and_the_trail_says_nothing_of_a_refusal(
    key: str, operator: User, guesses: None, system: str
) -> None:
    operator.groups.clear()
    assert not is_accepted(send(key, system))
    join(operator)
    assert is_accepted(send(key, system))
    assert trail() == [403, 202 if system == "kannel" else 200]


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_counts_once_whatever_has_changed(key: str, operator: User, guesses: None) -> None:
    assert is_accepted(send(key, "kannel"))
    operator.groups.clear()
    assert send("guess", "kannel").status_code == 403
    assert RefusedTry.objects.count() == 1


@pytest.mark.parametrize("system", ["smsc", "kannel"])
def test_whose_sender_it_is_is_known_at_once(key: str, system: str) -> None:
    names = []
    for sender in ("", "HOTEL", ""):
        Gateway.objects.update_or_create(name="hotel", defaults={"provider": "sandbox", "sender": sender})
        assert is_accepted(send(key, system))
        names.append(Message.objects.latest("pk").gateway.name)
    assert names == ["sandbox", "hotel", "sandbox"]


@every_system
def test_a_phone_that_opts_out_while_it_is_written_gets_nothing(
    key: str, system: str, bells: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, lambda: opt_outs.opt_out(PHONE))
    send(key, system)
    message = Message.objects.get()
    assert (message.state, message.text) == (State.SUPPRESSED, None)
    assert bells == []


@pytest.mark.django_db(transaction=True)
@every_system
def test_the_bell_rings_for_it(key: str, sandbox: Gateway, system: str, bells: list[Any]) -> None:
    send(key, system)
    assert bells == [("messaging.tasks.drain", (sandbox.pk,))]


def test_what_is_written_is_told_as_accepted_although_the_database_has_gone_since(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, it would be sent by the program once more."""
    left = iter(["12.50"])

    def balance(_gateway: Gateway) -> str:
        for known in left:
            return known
        raise OperationalError("the database has gone")

    monkeypatch.setattr(sends, "balance_of", balance)
    answer = send(key, "smsc", cost="3")
    assert is_accepted(answer)
    assert answer.json()["balance"] == "12.50"
    assert Message.objects.count() == 1
