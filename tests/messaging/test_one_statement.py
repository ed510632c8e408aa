"""What `send_sms` writes, message, audit event and kept answer, is written together or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.forms.models import model_to_dict
from rest_framework.test import APIClient

from gateways.models import Gateway
from messaging import opt_outs
from messaging.models import Message, State
from portal import audit, versions
from portal import statements as portal_statements
from portal.bulk import together
from portal.bulk.together import Hindered
from portal.models import AuditEvent, IdempotencyRecord, User
from tests.conftest import Api
from tests.statements import statements

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"
BODY = {"sms_gateway": "sandbox", "phone_number": "8 (916) 123-45-67", "message": "Wi-Fi is back"}


def send(client: APIClient, key: str = "", body: dict[str, Any] | None = None) -> Any:
    headers: Any = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post("/api/v1/sms_gateways/send_sms", body or BODY, format="json", **headers)


def by_itself(client: APIClient, key: str) -> Any:
    try:
        return send(client, key)
    finally:
        connection.close()


def instead(monkeypatch: pytest.MonkeyPatch, first: Callable[[], object]) -> None:
    """Something happens just before the row, its event and its record are written."""
    written = together.insert

    def insert(*arguments: Any) -> None:
        first()
        written(*arguments)

    monkeypatch.setattr(together, "insert", insert)


def hindered() -> None:
    raise Hindered


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", "k1"])
def test_one_write_that_is_its_own_question(
    api: Api, admin: User, sandbox: Gateway, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_statements, "LATELY", 3600.0)
    client = api(admin)
    send(client)
    sent = [sql for sql in statements(partial(send, client, key)) if "watchedhost" not in sql]
    if connection.vendor == "postgresql":
        assert len(sent) == 1
        assert versions.NOW in sent[0]
    else:
        assert sent[:2] == ["BEGIN IMMEDIATE", versions.NOW]
        assert len(sent) == (7 if key else 5)


@pytest.mark.django_db(transaction=True)
def test_postgresql_is_told_the_statement_once(
    api: Api, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_statements, "LATELY", 3600.0)
    if connection.vendor == "postgresql":
        connection.close()
    client = api(admin)
    for _ in range(3):
        send(client)
    if connection.vendor == "postgresql":
        prepared = portal_statements.fetch("SELECT statement FROM pg_prepared_statements")
        writing = [sql for (sql,) in prepared if "INSERT" in sql]
        assert len(writing) == len(set(writing)) == 2, "with the version as a guess, and without one"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_rested_is_looked_after_first(
    api: Api, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(admin)
    send(client)
    monkeypatch.setattr(portal_statements, "LATELY", 0.0)
    sent = [sql for sql in statements(partial(send, client)) if "watchedhost" not in sql]
    assert sent[0] == versions.NOW


@pytest.mark.django_db(transaction=True)
def test_the_database_away_is_503_and_nobody_is_refused_by_a_guess(api: Api, admin: User, sandbox: Gateway) -> None:
    client = api(admin)
    send(client)

    def away(*_: Any) -> None:
        raise OperationalError

    with connection.execute_wrapper(away):
        assert send(client).status_code == 503
        assert send(client, body=BODY | {"sms_gateway": "nobody"}).status_code == 503
    assert send(client).status_code == 200


@pytest.mark.parametrize(("key", "status"), [("", 503), ("k1", 409)])
def test_a_busy_database_is_told_as_a_key_in_use_only_where_there_is_a_key(
    api: Api, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, key: str, status: int
) -> None:
    def busy() -> None:
        raise OperationalError("database is locked")

    instead(monkeypatch, busy)
    assert send(api(admin), key).status_code == status
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_away_while_it_is_written_counts(
    api: Api, operator: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_statements, "LATELY", 3600.0)
    client = api(operator)
    send(client)
    instead(monkeypatch, operator.groups.clear)
    before = Message.objects.count()
    assert send(client).status_code == 403
    assert Message.objects.count() == before
    assert list(AuditEvent.objects.order_by("pk").values_list("status", flat=True)) == [200, 403]


@pytest.mark.django_db(transaction=True)
def test_fifty_posts_with_one_key_are_one_message_and_one_answer(api: Api, admin: User, sandbox: Gateway) -> None:
    clients = [api(admin) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda client: by_itself(client, "k1"), clients * 5))
    message = Message.objects.get()
    good = [answer for answer in answers if answer.status_code == 200]
    assert len({answer.content for answer in good}) == 1
    assert good[0].json()["item"]["id"] == message.pk
    assert sum("Idempotency-Replayed" not in answer.headers for answer in good) == 1
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} <= {409}
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert IdempotencyRecord.objects.count() == 1


def test_it_writes_what_several_statements_write(
    api: Api, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(admin)
    together_answer = send(client, "k1").json()
    instead(monkeypatch, hindered)
    one_by_one = send(client, "k2").json()
    for model, differs in (
        (Message, {"due_at", "valid_until", "created"}),
        (AuditEvent, {"object_id"}),
        (IdempotencyRecord, {"key", "answer"}),
    ):
        first, second = (model_to_dict(row, exclude={"id", *differs}) for row in model._default_manager.order_by("pk"))
        assert first == second
    ids = [str(pk) for pk in Message.objects.order_by("pk").values_list("pk", flat=True)]
    assert list(AuditEvent.objects.order_by("pk").values_list("object_id", flat=True)) == ids
    moments = ("created", "valid_until", "id")
    items = [{**answer["item"], **dict.fromkeys(moments)} for answer in (together_answer, one_by_one)]
    assert items[0] == items[1]
    assert [together_answer["message"], one_by_one["message"]] == [f"Message {pk} accepted" for pk in ids]


def test_a_repeat_gets_the_first_answer_to_the_byte(api: Api, admin: User, sandbox: Gateway) -> None:
    client = api(admin)
    first, second = send(client, "k1"), send(client, "k1")
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert send(client, "k1", BODY | {"message": "another"}).status_code == 422
    assert Message.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k1"])
def test_a_phone_that_opted_out_gets_nothing_and_the_answer_says_so(
    api: Api, admin: User, sandbox: Gateway, key: str, bells: list[Any]
) -> None:
    opt_outs.opt_out(PHONE)
    answer = send(api(admin), key).json()
    message = Message.objects.get()
    assert (message.state, message.text) == (State.SUPPRESSED, None)
    assert answer["item"]["state"] == "suppressed"
    assert AuditEvent.objects.get().object_id == str(message.pk)
    assert bells == []


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_and_the_message_counts_once_it_is_committed(
    api: Api, admin: User, sandbox: Gateway, bells: list[Any]
) -> None:
    client = api(admin)
    send(client, "k1")
    assert bells == [("messaging.tasks.drain", (sandbox.pk,))]
    send(client, "k1")
    assert len(bells) == 1


@pytest.mark.django_db(transaction=True)
def test_a_gateway_that_is_deleted_at_that_moment_leaves_nothing_behind(
    api: Api, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, lambda: Gateway.objects.all().delete())
    assert send(api(admin), "k1").status_code == 404
    assert not Message.objects.exists()
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_written_does_not_undo_the_message(
    api: Api, admin: User, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = audit.row_of

    def without_status(event: audit.Event) -> AuditEvent:
        row = made(event)
        row.status = None  # type: ignore[assignment]
        return row

    monkeypatch.setattr(audit, "row_of", without_status)
    assert send(api(admin)).status_code == 200
    assert Message.objects.count() == 1
    assert "could not be written" in caplog.text
