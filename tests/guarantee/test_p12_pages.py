"""P12: what people and programs are shown, and what a failure leaves in the log, holds no password, token or code.

Every page of the admin is looked at, found in its routes, while messages with secrets are in every stage; and every
call that brings a secret is made to fail with an error that quotes what was to be written.
"""

import logging
from collections.abc import Callable, Iterator
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DataError, connection
from rest_framework.test import APIClient

from guests import accounts
from messaging import codes
from messaging.models import Door, Message, State
from portal.models import AuditEvent, User
from tests.browser.pages import KEY, every_page
from tests.conftest import Api
from tests.messaging.peers import Account, account_at
from tests.portal.admin_pages import signed_in
from tests.simulators.peers import smsgate
from tests.simulators.server import Fault

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("network")]

GUEST_PASSWORD = "canary-guest-5RmXn9cJ"
GATEWAY_PASSWORD = "canary-gateway-2VtYb6hQ"
CODE = "canary-code-9WkPz3dF"
PHONE = "+79165557391"
SECRETS = (GUEST_PASSWORD, GATEWAY_PASSWORD, CODE)


@pytest.fixture
def account(api: Api, admin: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """A gateway with a canary for a password, at a provider that lets it in."""
    monkeypatch.setattr(smsgate, "PASSWORD", GATEWAY_PASSWORD)
    with account_at("smsgate", api(admin)) as made:
        yield made


def send_secrets(client: APIClient) -> None:
    """A password that staff gave to a guest, and a code for the same phone."""
    body = {"sms_gateway": "smsgate", "pid": "mia", "password": GUEST_PASSWORD, "set_password": True}
    answer = client.post("/api/v1/sms_gateways/send_user_credentials", body, format="json")
    assert answer.status_code == 200
    codes.send(phone=PHONE, code=CODE, language="en", door=Door.GUESTS)


@pytest.fixture
def in_every_stage(account: Account) -> None:
    """Messages with secrets that were delivered, refused, are unclear, and wait."""
    accounts.create(username="mia", phone=PHONE, by=None)
    send_secrets(account.administrator)
    account.drain()
    account.inquire()
    for fault in (Fault.ERROR_IN_200, Fault.MALFORMED):
        account.simulator.faults = {fault}
        send_secrets(account.administrator)
        account.drain()
    account.simulator.faults = set()
    send_secrets(account.administrator)
    states = set(Message.objects.values_list("state", flat=True))
    assert states >= {State.DELIVERED, State.FAILED, State.UNKNOWN, State.QUEUED}


def addresses() -> Iterator[str]:
    """Every page there is, of every row that there is."""
    for found in every_page():
        rows = apps.get_model(found.model)._default_manager.values_list("pk", flat=True) if found.model else []
        yield from {found.address.replace(KEY, str(row)) for row in rows} or {found.address}


def test_no_page_and_no_answer_shows_a_secret(account: Account, in_every_stage: None, admin: User) -> None:
    browser = signed_in(admin)
    seen: dict[str, Any] = {address: browser.get(address, follow=True) for address in addresses() if KEY not in address}
    assert len(seen) > 100
    messages = Message.objects.values_list("pk", flat=True)
    paths = ["messages", "users", "user/mia", "sms_gateways", "sms_gateway/smsgate", "system", "inbound_messages"]
    for path in [*paths, *(f"message/{key}" for key in messages)]:
        seen[path] = account.administrator.get(f"/api/v1/{path}")
    opened = [address for address, answer in seen.items() if answer.status_code == 200]
    assert len(opened) > len(seen) / 2
    shown = [
        (address, secret)
        for address, answer in seen.items()
        for secret in SECRETS
        if secret in answer.content.decode(errors="replace") + str(answer.headers)
    ]
    assert shown == []
    # What was looked at is what people see: the guest's name is there.
    assert sum("mia" in seen[address].content.decode(errors="replace") for address in opened) > 5
    assert AuditEvent.objects.exists()


Call = Callable[[APIClient], Any]

#: Calls that bring a secret or a phone.
CALLS: dict[str, Call] = {
    "credentials": lambda client: client.post(
        "/api/v1/sms_gateways/send_user_credentials",
        {"sms_gateway": "smsgate", "pid": "mia", "password": GUEST_PASSWORD, "set_password": True},
        format="json",
    ),
    "text": lambda client: client.post(
        "/api/v1/sms_gateways/send_sms",
        {"sms_gateway": "smsgate", "phone_number": PHONE, "message": CODE},
        format="json",
    ),
    "guest": lambda client: client.post(
        "/api/v1/users", {"pid": "max", "telephone": PHONE, "password": GUEST_PASSWORD}, format="json"
    ),
    "gateway": lambda client: client.post(
        "/api/v1/sms_gateways",
        {"id": "new", "provider": "smsgate", "settings": {"login": "x", "password": GATEWAY_PASSWORD}, "sender": "P"},
        format="json",
    ),
    "sign-in": lambda client: client.post(
        "/api/v1/login", {"username": "admin", "password": GUEST_PASSWORD}, format="json"
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_fails_shows_and_logs_nothing_of_what_it_brought(
    account: Account, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The database says in its errors what was to be written, as PostgreSQL does of a row that breaks a rule."""
    accounts.create(username="mia", phone=PHONE, by=None)

    def fail(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SELECT", "SAVEPOINT", "ROLLBACK", "RELEASE", "SET")):
            quoted = f'the value "{values[0] if values else ""}" is wrong for "message_phone_rule"'
            said = f"{quoted}\nDETAIL:  Failing row contains ({values})."
            raise DataError(said) from ValueError(said)
        return execute(sql, values, many, context)

    account.administrator.raise_request_exception = False
    with caplog.at_level(logging.DEBUG), connection.execute_wrapper(fail):
        answer = CALLS[name](account.administrator)
    assert answer.status_code >= 400
    lines = [formatted(record) for record in caplog.records]
    said = "\n".join([*lines, answer.content.decode(), str(answer.headers)])
    assert [secret for secret in (*SECRETS, PHONE, PHONE[2:]) if secret in said] == []


def formatted(record: logging.LogRecord) -> str:
    """The line that the portal's own log has."""
    configuration: dict[str, Any] = settings.LOGGING
    line = DictConfigurator(configuration).configure_formatter(configuration["formatters"]["line"])
    return str(line.format(record))


def test_an_error_of_the_database_keeps_what_helps() -> None:
    said = f'new row for "messaging_message" breaks "phone_rule" by "{PHONE}"\nDETAIL:  Failing row contains ({PHONE}).'
    with pytest.raises(DataError) as raised:
        raise DataError(said) from ValueError(said)
    # As Celery says it, and with a trace.
    trace = (DataError, raised.value, raised.value.__traceback__)
    line = formatted(logging.LogRecord("celery", logging.ERROR, "", 0, "raised: %r", (raised.value,), trace))
    assert 'new row for "messaging_message" breaks "phone_rule" by "…"' in line
    assert "Traceback" in line
    assert (PHONE in line, "Failing row" in line) == (False, False)
