"""What staff do to webhooks: what is refused, secrets, pausing, and who may have what sent."""

import base64
import itertools
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from threading import Barrier, BrokenBarrierError

import pytest
import yarl
from django.apps import apps
from django.db import connection, transaction
from pytest_django import Settings

from messaging import webhooks
from messaging.models import Stop, Webhook
from messaging.webhooks import keeping
from portal.errors import Refusal, Why
from portal.permissions import Right
from tests.gateways.conftest import at_once
from tests.messaging.hooks import listen
from tests.portal.admin_pages import staff_with

pytestmark = pytest.mark.django_db

URL = "https://receiver.example.org/hook"


def stored_address() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM messaging_webhook")
        return str(cursor.fetchone()[0])


def refused(**details: object) -> Refusal:
    given = {"name": "a", "url": URL, "events": ["sms.received"]} | details
    with pytest.raises(Refusal) as found:
        webhooks.create(by=None, **given)  # type: ignore[arg-type]
    return found.value


@pytest.mark.parametrize(
    "url",
    [
        "", "receiver.example.org", "ftp://receiver.example.org/", "https://", "https:///x", "javascript:alert(1)",
        "sandbox:main/send", "https://user:canary@receiver.example.org/", "https://receiver.example.org/#x",
        "https://receiver.example.org:99999/", "https://receiver.example.org:0/", "https://a b/", "https://a\n.b/",
        "https://[::1/", "https://receiver.example.org/…", "…", f"https://receiver.example.org/{'x' * 500}",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert refused(url=url).field == "url"


def test_an_address_in_russian_is_called_as_networks_write_it(db: None) -> None:
    listen("sms.received", url="https://касса.рф/хук?ключ=1")
    called = yarl.URL(Webhook.objects.get().url, encoded=True)
    assert (called.raw_host, called.host) == ("xn--80aa2a3aa.xn--p1ai", "касса.рф")
    assert str(called).isascii()
    assert called.path_qs == "/хук?ключ=1"
    assert refused(url="https://касса\n.рф/").field == "url"


def test_the_database_holds_no_address_that_can_be_read(db: None) -> None:
    webhook = listen("sms.received", url=f"{URL}/canary-4711")
    assert "receiver.example.org" not in stored_address()
    assert Webhook.objects.get().url == webhook.url


def test_addresses_from_before_are_encrypted(db: None) -> None:
    listen("sms.received")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_webhook SET url = %s", [URL])
    migration = import_module("messaging.migrations.0015_webhook_addresses")
    for _ in range(2):
        migration.encrypt(apps, connection.schema_editor())
        assert URL not in stored_address()
        assert Webhook.objects.get().url == URL


def test_after_a_rotation_nothing_of_it_needs_the_former_key(db: None, settings: Settings) -> None:
    webhook = listen("sms.received")
    settings.ENCRYPTION_KEYS = ["another key that is long enough for it", *settings.ENCRYPTION_KEYS]
    webhooks.rotate(webhook)
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    found = Webhook.objects.get()
    assert (found.url, found.former_secret) == (URL, webhook.secret)
    assert found.secret.startswith("whsec_")


def test_one_whose_key_is_missing_is_changed_without_its_address(db: None, settings: Settings) -> None:
    listen("sms.received")
    keys, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, ["another key that is long enough for it"]
    webhooks.change(Webhook.objects.get(), by=None, name="b")
    settings.ENCRYPTION_KEYS = keys
    assert (Webhook.objects.get().name, Webhook.objects.get().url) == ("b", URL)


@pytest.mark.parametrize("events", [[], ["message.cooked"], ["webhook.test"]])
def test_events_must_be_known_and_some(events: list[str]) -> None:
    assert refused(events=events).field == "events"


def test_the_old_format_knows_one_event(db: None) -> None:
    assert refused(format="smsmobileapi_v1", events=["sms.received", "gateway.up"]).field == "events"
    assert refused(format="xml").field == "format"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_it_needs_a_name(name: str) -> None:
    assert refused(name=name).field == "name"


def test_a_name_is_used_once(db: None) -> None:
    listen("sms.received")
    found = refused(name="receiver 0")
    assert (found.field, found.why) == ("name", Why.CONFLICT)


def test_there_are_not_too_many(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST", 2)
    listen("sms.received", enabled=False)
    last = listen("sms.received")
    found = refused(name="one too many")
    assert (found.why, "remove those" in found.sentence) == (Why.CONFLICT, True)
    webhooks.remove(last)
    listen("sms.received")


@pytest.mark.django_db(transaction=True)
def test_there_are_not_too_many_when_two_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST", 2)
    listen("sms.received", enabled=False)
    names, save, both = itertools.count(), keeping._save, Barrier(2)

    def meet(webhook: Webhook) -> None:
        # Whoever comes so far waits for the other, who was let so far as well or never comes.
        with suppress(BrokenBarrierError):
            both.wait(0.5)
        save(webhook)

    monkeypatch.setattr(keeping, "_save", meet)

    def made() -> bool:
        try:
            webhooks.create(by=None, name=f"desk {next(names)}", url=URL, events=["sms.received"], enabled=False)
        except Refusal as refusal:
            return refusal.why is not Why.CONFLICT
        return True

    assert sorted(at_once(made, 2)) == [False, True]
    assert Webhook.objects.count() == 2


def test_a_secret_is_as_the_standard_wants_it(db: None) -> None:
    secrets = {listen("sms.received").secret for _ in range(5)}
    assert len(secrets) == 5
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64


@pytest.mark.django_db(transaction=True)
def test_whoever_is_to_hear_more_is_known_to_every_process_when_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[bool] = []
    monkeypatch.setattr(keeping, "_wait_until_known", lambda: waited.append(connection.in_atomic_block))

    def waits(work: Callable[[], object]) -> bool:
        waited.clear()
        with transaction.atomic():
            work()
            assert waited == []
        assert True not in waited
        return bool(waited)

    assert waits(lambda: listen("sms.received"))
    assert not waits(lambda: listen("sms.received", enabled=False))
    heard, off = Webhook.objects.order_by("pk")
    assert not waits(lambda: webhooks.change(heard, by=None, name="b"))
    assert waits(lambda: webhooks.change(heard, by=None, events=["gateway.up"]))
    assert not waits(lambda: webhooks.resume(heard))
    assert waits(lambda: webhooks.change(off, by=None, enabled=True))
    assert not waits(lambda: webhooks.change(off, by=None, enabled=False))
    assert waits(lambda: webhooks.resume(off))


def test_after_a_second_rotation_the_first_secret_is_gone(db: None) -> None:
    webhook = listen("sms.received")
    second = webhooks.rotate(webhook).secret
    third = webhooks.rotate(webhook).secret
    found = Webhook.objects.get()
    assert (found.former_secret, found.secret) == (second, third)


def test_nobody_has_sent_what_he_may_not_read(db: None) -> None:
    clerk = staff_with("clerk", Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE, Right.SMS_GATEWAY_READ)
    made = webhooks.create(by=clerk, name="a", url=URL, events=["gateway.up"])
    with pytest.raises(Refusal) as found:
        webhooks.create(by=clerk, name="b", url=URL, events=["gateway.up", "sms.received"])
    assert found.value.field == "events"
    Webhook.objects.update(events=["sms.received"])
    made.webhook.refresh_from_db()
    with pytest.raises(Refusal):
        webhooks.change(made.webhook, by=clerk, url="https://elsewhere.example.org/")


def test_it_is_paused_once(db: None) -> None:
    webhook = webhooks.pause(listen("sms.received"))
    assert webhook.paused_because == Stop.PERSON
    with pytest.raises(Refusal):
        webhooks.pause(webhook)


def test_to_switch_on_what_was_gone_resumes_it(db: None) -> None:
    webhook = listen("sms.received")
    Webhook.objects.update(enabled=False, paused_because=Stop.GONE, paused_at="2026-01-01T00:00Z")
    webhook.refresh_from_db()
    webhooks.change(webhook, by=None, enabled=True)
    webhook.refresh_from_db()
    assert webhooks.standing_of(webhook) is webhooks.Standing.OK


def test_a_change_that_is_refused_changes_nothing(db: None) -> None:
    webhook = listen("sms.received")
    with pytest.raises(Refusal):
        webhooks.change(webhook, by=None, name="b", url="nowhere")
    assert Webhook.objects.get().name == "receiver 0"
