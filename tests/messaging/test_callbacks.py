"""`/callbacks/<gateway>/<key>/`: who is let in, what is stored, and that the key stays out of the log."""

import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import UnreadablePostError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateways import providers
from gateways.http import FORM, LARGEST_BODY, Callback, CallbackReply, object_of
from gateways.models import Gateway
from gateways.outcomes import BadCallback, InboundSms, Receipt, ReceiptState
from gateways.provider import BaseProvider
from messaging import receipts
from messaging.models import Attempt, DeliveryEvent, InboundMessage, Message, OptOut, State
from portal.models import AuditEvent
from tests.gateways.conftest import at_once
from tests.messaging.conftest import Send, fresh

pytestmark = pytest.mark.django_db

URL = "https://portal.example.org"


class Courier(BaseProvider):
    """Calls with a receipt in the query, or with a form or JSON in the body; signs its forms where it has a secret."""

    label = "Courier"
    secrets: ClassVar = ("password",)
    sends_receipts = True
    #: Every call that came through the door.
    calls: ClassVar[list[Callback]] = []

    def read_callback(self, callback: Callback) -> list[Receipt | InboundSms]:
        self.calls.append(callback)
        if "id" in callback.query:
            return [Receipt(callback.query["id"], ReceiptState(callback.query["state"]))]
        if callback.headers.get("content-type", "").startswith("application/json"):
            said = object_of(callback)
            if "text" in said:
                return [InboundSms(said["from"], said["text"], said.get("guid", ""))]
            return [Receipt(said["id"], ReceiptState(said["state"]))]
        self._verify(callback)
        return [InboundSms(callback.form["From"], callback.form["Body"], callback.form["MessageSid"])]

    def callback_reply(self, callback: Callback, said: Sequence[Receipt | InboundSms]) -> CallbackReply:
        return CallbackReply(f"<taken>{len(said)}</taken>", 202, "application/xml")

    def _verify(self, callback: Callback) -> None:
        signed = callback.url + "".join(name + value for name, value in sorted(callback.form.items()))
        if not hmac.compare_digest(
            signature(self.settings["password"], signed), callback.headers.get("x-signature", "")
        ):
            raise BadCallback("the signature is wrong", 401)


def signature(secret: str, signed: str) -> str:
    """HMAC-SHA1 over the address and the sorted fields, as Twilio makes it."""
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@pytest.fixture(autouse=True)
def _known_to_the_world(settings: Settings) -> None:
    settings.PORTAL_URL = URL


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch, db: None) -> Gateway:
    """A gateway whose provider calls."""
    known = {"sandbox": providers.load("sandbox"), "courier": Courier}
    monkeypatch.setattr(providers, "names", lambda: tuple(known))
    monkeypatch.setattr(providers, "load", known.__getitem__)
    monkeypatch.setattr(Courier, "calls", [])
    gateway = Gateway(name="courier", provider="courier")
    gateway.settings = {"password": "pa55"}
    gateway.save()
    return gateway


@pytest.fixture
def submitted(send: Send, courier: Gateway) -> Message:
    """Handed over to the courier, which called it ref-1."""
    message = send()
    Attempt.objects.create(message=message, gateway=courier, epoch=1, key=message.key)
    know_reference(message)
    Message.objects.update(state=State.SUBMITTED, gateway=courier, reference="ref-1", due_at=None)
    return fresh(message)


def know_reference(message: Message, reference: str = "ref-1") -> None:
    """As a worker writes it down; the second column is how references are compared."""
    Attempt.objects.filter(message=message).update(reference=reference, reference_key=reference)


def path(gateway: Gateway) -> str:
    """Where its provider calls."""
    return gateway.callback_url.removeprefix(URL)


def say(gateway: Gateway, body: dict[str, Any], **extra: Any) -> Any:
    """A call with JSON in its body."""
    return Client().post(path(gateway), body, content_type="application/json", **extra)


DELIVERED = {"id": "ref-1", "state": "delivered"}
STOP = {"from": "79161234567", "text": "Стоп!", "guid": "g-1"}


def test_a_receipt_changes_its_message_and_the_provider_hears_its_own_reply(
    courier: Gateway, submitted: Message
) -> None:
    answer = say(courier, DELIVERED)
    assert (answer.status_code, answer.content) == (202, b"<taken>1</taken>")
    assert answer.headers["Content-Type"] == "application/xml"
    assert fresh(submitted).state == State.DELIVERED


def test_a_receipt_may_come_in_the_query_of_a_get(courier: Gateway, submitted: Message) -> None:
    assert Client().get(f"{path(courier)}?id=ref-1&state=undelivered").status_code == 202
    assert fresh(submitted).state == State.UNDELIVERED


def test_the_last_slash_may_be_left_out(courier: Gateway, submitted: Message) -> None:
    assert Client().get(f"{path(courier).rstrip('/')}?id=ref-1&state=delivered").status_code == 202
    assert Courier.calls[0].url == f"{URL}{path(courier).rstrip('/')}?id=ref-1&state=delivered"
    assert fresh(submitted).state == State.DELIVERED


def test_a_gateway_that_is_switched_off_still_takes_receipts(courier: Gateway, submitted: Message) -> None:
    Gateway.objects.filter(pk=courier.pk).update(enabled=False)
    assert say(courier, DELIVERED).status_code == 202
    assert fresh(submitted).state == State.DELIVERED


def test_a_receipt_that_comes_twice_leads_to_the_same_state(courier: Gateway, submitted: Message) -> None:
    say(courier, DELIVERED)
    first = fresh(submitted)
    assert say(courier, DELIVERED).status_code == 202
    say(courier, {"id": "ref-1", "state": "undelivered"})
    assert (fresh(submitted).state, fresh(submitted).finished_at) == (State.DELIVERED, first.finished_at)


def test_a_receipt_for_an_unknown_id_is_taken_and_touches_nobody(courier: Gateway, submitted: Message) -> None:
    assert say(courier, {"id": "ref-2", "state": "undelivered"}).status_code == 202
    assert fresh(submitted).state == State.SUBMITTED
    assert DeliveryEvent.objects.get().message is None


def test_a_receipt_that_is_faster_than_our_own_commit_finds_its_message_later(
    courier: Gateway, submitted: Message
) -> None:
    know_reference(submitted, "")
    assert say(courier, DELIVERED).status_code == 202
    assert fresh(submitted).state == State.SUBMITTED
    know_reference(submitted)
    receipts.match_orphans(timezone.now())
    assert fresh(submitted).state == State.DELIVERED


def test_what_a_guest_writes_is_stored_and_obeyed(courier: Gateway) -> None:
    assert say(courier, STOP).status_code == 202
    inbound = InboundMessage.objects.get()
    assert (inbound.gateway, inbound.phone, inbound.text, inbound.reference) == (
        courier, "+79161234567", "Стоп!", "g-1",
    )  # fmt: skip
    assert OptOut.objects.get().phone == "+79161234567"


def test_the_same_call_again_stores_nothing_new(courier: Gateway) -> None:
    for _ in range(3):
        assert say(courier, STOP).status_code == 202
    assert InboundMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_call_many_times_at_once_is_stored_once(courier: Gateway) -> None:
    answers = at_once(lambda: say(courier, STOP).status_code)
    assert answers == [202] * 4
    assert (InboundMessage.objects.count(), OptOut.objects.count()) == (1, 1)


def signed_form(gateway: Gateway, query: str = "", **extra: Any) -> Any:
    """An inbound message whose signature covers the public address, which the test's own host name is not."""
    form = {"From": "+79161234567", "Body": "Wi-Fi?", "MessageSid": "SM1"}
    signed = gateway.callback_url + query + "".join(name + value for name, value in sorted(form.items()))
    headers = {"x-signature": signature("pa55", signed)} | extra
    return Client().generic("POST", path(gateway) + query, urlencode(form), FORM, headers=headers)


@pytest.mark.parametrize("query", ["", "?bodySHA256=aGFsbG8%3D&x=%D1%8F"])
def test_a_signature_over_the_public_address_is_right_behind_a_proxy(courier: Gateway, query: str) -> None:
    assert signed_form(courier, query).status_code == 202
    assert Courier.calls[0].url == courier.callback_url + query
    assert InboundMessage.objects.get().text == "Wi-Fi?"


def test_without_a_public_address_the_one_that_was_called_counts(courier: Gateway, settings: Settings) -> None:
    called = path(courier)
    settings.PORTAL_URL = ""
    Client().get(f"{called}?id=1&state=pending")
    assert Courier.calls[0].url == f"http://testserver{called}?id=1&state=pending"


def test_a_bad_signature_is_refused_and_nothing_is_stored(courier: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    answer = signed_form(courier, **{"x-signature": "forged"})
    assert (answer.status_code, answer.content) == (401, b"the signature is wrong")
    assert not InboundMessage.objects.exists()
    assert f"gateway {courier.pk}: a call was refused: the signature is wrong" in caplog.text


def strangers(gateway: Gateway) -> Iterator[str]:
    """Addresses that let nobody in."""
    key = gateway.callback_key
    for number, guess in (
        (gateway.pk, "wrong"),
        (gateway.pk, key[:-1]),
        (gateway.pk, f"{key}x"),
        (gateway.pk, "ключ"),
        (gateway.pk + 1, key),
        (0, key),
        (10**18 - 1, key),
    ):
        yield f"/callbacks/{number}/{guess}/"


def test_a_wrong_key_and_an_unknown_gateway_cannot_be_told_apart(courier: Gateway, submitted: Message) -> None:
    answers = [
        Client().generic(method, address, b'{"id": "ref-1", "state": "delivered"}', content_type="application/json")
        for address in strangers(courier)
        for method in ("GET", "HEAD", "POST")
    ]
    assert len(answers) == 21
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, b"")}
    assert len({tuple(sorted(answer.items())) for answer in answers}) == 1
    assert (Courier.calls, fresh(submitted).state) == ([], State.SUBMITTED)


def test_a_key_that_cannot_be_decrypted_lets_nobody_in(courier: Gateway, settings: Settings) -> None:
    address = path(courier)
    settings.ENCRYPTION_KEYS = ["another key that is long enough to be one"]
    assert Client().get(f"{address}?id=1&state=pending").status_code == 404


def test_the_key_is_compared_in_constant_time(courier: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = secrets.compare_digest

    def note(expected: bytes, given: bytes) -> bool:
        compared.append((expected, given))
        return compare(expected, given)

    monkeypatch.setattr(secrets, "compare_digest", note)
    Client().get(f"/callbacks/{courier.pk}/wrong/")
    Client().get(f"/callbacks/{courier.pk + 1}/wrong/")
    assert compared == [(courier.callback_key.encode(), b"wrong"), (b"", b"wrong")]


def test_head_shows_that_somebody_listens_and_changes_nothing(courier: Gateway, submitted: Message) -> None:
    answer = Client().head(f"{path(courier)}?id=ref-1&state=delivered")
    assert (answer.status_code, answer.content) == (200, b"")
    assert fresh(submitted).state == State.SUBMITTED


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_any_other_method_is_not_allowed(courier: Gateway, method: str) -> None:
    assert Client().generic(method, path(courier)).status_code == 405


def test_a_call_needs_no_csrf_token_and_gets_no_cookie(courier: Gateway) -> None:
    answer = Client(enforce_csrf_checks=True).post(path(courier), STOP, content_type="application/json")
    assert answer.status_code == 202
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_body_of_the_largest_size_is_read_and_a_larger_one_is_not(courier: Gateway) -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == LARGEST_BODY
    text = "x" * (LARGEST_BODY - len(b'{"from": "900", "text": ""}'))
    assert say(courier, {"from": "900", "text": text}).status_code == 202
    assert say(courier, {"from": "900", "text": f"{text}x"}).status_code == 413
    assert InboundMessage.objects.count() == 1


def test_the_limit_is_held_where_django_would_take_more(courier: Gateway, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    assert say(courier, {"from": "900", "text": "x" * LARGEST_BODY}).status_code == 413


def test_a_body_that_breaks_off_is_a_bad_request(courier: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks_off(_request: Any) -> bytes:
        raise UnreadablePostError

    monkeypatch.setattr("django.core.handlers.wsgi.WSGIRequest.body", property(breaks_off))
    assert say(courier, STOP).status_code == 400


@pytest.mark.parametrize("body", [b"null", b"[]", b"{", b'{"from": "canary"}', b'{"id": "1", "state": "canary"}'])
def test_what_the_file_stumbles_over_is_a_bad_request_and_logged_by_its_kind_only(
    courier: Gateway, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    answer = Client().generic("POST", path(courier), body, content_type="application/json")
    assert (answer.status_code, answer.content) == (400, b"the call could not be read")
    assert f"gateway {courier.pk}: a call could not be read (" in caplog.text
    assert "canary" not in caplog.text
    assert not DeliveryEvent.objects.exists()


def test_a_file_that_cannot_even_reply_leaves_nothing_half_done(
    courier: Gateway, submitted: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Courier, "callback_reply", lambda *_: 1 / 0)
    assert say(courier, DELIVERED).status_code == 400
    assert fresh(submitted).state == State.SUBMITTED


def test_a_provider_that_does_not_call_has_no_door(sandbox: Gateway) -> None:
    assert say(sandbox, DELIVERED).status_code == 404


def test_while_a_gateway_cannot_be_opened_its_provider_is_asked_to_call_again(courier: Gateway) -> None:
    Gateway.objects.filter(pk=courier.pk).update(provider="gone")
    answer = say(courier, STOP)
    assert (answer.status_code, InboundMessage.objects.count()) == (503, 0)


@contextmanager
def the_database_away(kind: type[Exception], begins_with: str = "") -> Iterator[None]:
    """Statements that begin so fail as they do when the server is gone."""

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(begins_with):
            raise kind("the connection is closed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
@pytest.mark.parametrize("statement", ['SELECT "gateways_gateway"', 'INSERT INTO "messaging_inboundmessage"'])
def test_while_the_database_is_away_the_provider_is_asked_to_call_again(
    courier: Gateway, kind: type[Exception], statement: str
) -> None:
    with the_database_away(kind, statement):
        assert say(courier, STOP).status_code == 503
    assert say(courier, STOP).status_code == 202
    assert InboundMessage.objects.count() == 1


def test_what_one_call_says_is_stored_wholly_or_not_at_all(
    courier: Gateway, submitted: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    both: list[Receipt | InboundSms] = [Receipt("ref-1", ReceiptState.DELIVERED), InboundSms("900", "hello")]
    monkeypatch.setattr(Courier, "read_callback", lambda *_: both)
    with the_database_away(OperationalError, 'INSERT INTO "messaging_inboundmessage"'):
        assert say(courier, {}).status_code == 503
    assert (fresh(submitted).state, DeliveryEvent.objects.count()) == (State.SUBMITTED, 0)
    assert say(courier, {}).status_code == 202
    assert (fresh(submitted).state, InboundMessage.objects.count()) == (State.DELIVERED, 1)


def every_kind_of_call(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Good ones, refused ones, failing ones."""
    client = Client(raise_request_exception=False)
    yield say(gateway, STOP)
    yield signed_form(gateway, **{"x-signature": "forged"})
    yield client.post(path(gateway), b"{", content_type="application/json")
    yield client.put(path(gateway))
    yield client.get(f"{path(gateway)}more/")
    yield client.get(path(gateway).replace(f"/{gateway.pk}/", f"/{gateway.pk + 1}/"))
    with the_database_away(OperationalError):
        yield client.get(path(gateway))
    yield client.get(path(gateway), headers={"host": "no host"})
    monkeypatch.setattr(receipts, "record", lambda *_: 1 / 0)
    yield client.post(path(gateway), STOP, content_type="application/json")


def test_the_key_is_in_no_log_and_not_in_the_audit_trail(
    courier: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    statuses = [answer.status_code for answer in every_kind_of_call(courier, monkeypatch)]
    assert statuses == [202, 401, 400, 405, 404, 404, 503, 400, 500]
    assert f"Not Found: /callbacks/{courier.pk}/…" in caplog.text
    assert f"Internal Server Error: /callbacks/{courier.pk}/…" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert courier.callback_key not in caplog.text
    assert not AuditEvent.objects.exists()


def test_other_paths_stay_readable_in_the_log(db: None, caplog: pytest.LogCaptureFixture) -> None:
    Client().get("/there/is/100%25/nothing")
    assert "Not Found: /there/is/100%/nothing" in caplog.text


def test_a_query_is_handed_to_the_provider_as_it_was_written(courier: Gateway) -> None:
    query = "id=a%2Bb&state=pending&text=%CF%F0%E8%E2%E5%F2"
    Client().get(f"{path(courier)}?{query}")
    assert Courier.calls[0].url.partition("?")[2] == query
    assert dict(parse_qsl(query))["id"] == Courier.calls[0].query["id"] == "a+b"


def test_names_of_headers_are_in_lower_case(courier: Gateway) -> None:
    say(courier, STOP, headers={"X-Request-ID": "Seven"})
    assert Courier.calls[0].headers["x-request-id"] == "Seven"
