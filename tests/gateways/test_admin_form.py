"""The page of a gateway: what it is told, errors at the field, and nothing lost."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings as DjangoSettings

from gateways import accounts, health
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import GatewayFault
from messaging.models import Message
from portal.models import AuditEvent, User
from tests.gateways.admin_pages import address_of, errors, form_in, html_of, save
from tests.portal.admin_pages import SECRET, a_message, page, signed_in

ADD = f"{page(Gateway, 'add')}?provider=telegraph"


def fresh(gateway: Gateway) -> Gateway:
    return Gateway.objects.get(pk=gateway.pk)


def test_a_gateway_is_made_with_its_health(browser: Client, telegraph: object) -> None:
    response = save(browser, ADD, name="wire", settings__url="https://t.example/", settings__password=SECRET)
    assert response.status_code == 302
    gateway = Gateway.objects.get(name="wire")
    assert (gateway.settings["password"], gateway.settings["tries"]) == (SECRET, 3)
    assert GatewayHealth.objects.filter(gateway=gateway).exists()


def test_the_page_takes_all_that_a_gateway_can_be_told(browser: Client, wire: Gateway) -> None:
    told = {
        "daily_limit": "500",
        "strict": "on",
        "test_number": "+7 (916) 123-45-67",
        "balance_warning": "99.50",
        "prefixes": "+7916, +7903\n+375",
        "segment_price": "3.5",
        "currency": "EUR",
    }
    assert save(browser, wire, **told).status_code == 302
    gateway = fresh(wire)
    assert (gateway.daily_limit, gateway.strict, gateway.test_number) == (500, True, "+79161234567")
    assert (gateway.balance_warning, gateway.prefixes) == (Decimal("99.50"), ["+7916", "+7903", "+375"])
    assert (gateway.segment_price, gateway.currency) == (Decimal("3.5"), "EUR")


def test_prefixes_are_shown_as_they_are_written(browser: Client, wire: Gateway) -> None:
    accounts.change(wire, prefixes=["+7", "+375"])
    assert form_in(html_of(browser, wire))["prefixes"] == "+7, +375"


def test_new_settings_end_the_pause_and_other_changes_do_not(browser: Client, wire: Gateway) -> None:
    health.record_fault(wire.pk, GatewayFault("no funds"))
    save(browser, wire, sender="Hotel")
    assert health.paused_until(wire.pk)
    save(browser, wire, settings__password="new-one")
    assert health.paused_until(wire.pk) is None


@pytest.mark.parametrize(
    ("changes", "field", "complaint"),
    [
        ({"settings__url": "no address"}, "settings.url", "Enter a valid URL."),
        ({"settings__tries": "0"}, "settings.tries", "Ensure this value is greater than or equal to 1."),
        ({"settings__url": ""}, "settings.url", "This field is required."),
        ({"prefixes": "+7, 7916"}, "prefixes", "“7916” is no prefix"),
        ({"test_number": "8 916 123-45-67"}, "test_number", "Give a phone such as +79161234567."),
        ({"daily_limit": "0"}, "daily_limit", "Ensure this value is greater than or equal to 1."),
        ({"balance_warning": "-1"}, "balance_warning", "Ensure this value is greater than or equal to 0."),
        ({"sender": "x" * 21}, "sender", "Ensure this value has at most 20 characters"),
        ({"name": ""}, "name", "This field is required."),
        ({"name": "a/b"}, "name", "Use letters, digits"),
    ],
)
def test_an_error_stands_at_its_field_and_what_was_typed_stays(
    browser: Client, wire: Gateway, changes: dict[str, str], field: str, complaint: str
) -> None:
    response = save(browser, wire, **{"timeout": "20", **changes})
    found = errors(response)
    assert list(found) == [field]
    assert found[field][0].startswith(complaint)
    ((name, typed),) = changes.items()
    assert form_in(response.content.decode())[name.replace("__", ".")] == typed
    assert form_in(response.content.decode())["timeout"] == "20"
    assert fresh(wire).timeout == 15


def test_all_errors_are_shown_at_once(browser: Client, telegraph: object) -> None:
    assert set(errors(save(browser, ADD, priority="none"))) == {
        *("name", "priority"),
        *("settings.url", "settings.password"),
    }
    assert not Gateway.objects.exists()


def test_what_the_settings_lack_together_stands_at_the_field(browser: Client, db: None) -> None:
    response = save(browser, f"{page(Gateway, 'add')}?provider=smsc_ru", name="smsc", settings__login="hotel")
    assert dict(errors(response)) == {"settings.password": ["Give login and password, or a key."]}


def test_a_name_that_is_taken_is_refused(browser: Client, wire: Gateway, sandbox: Gateway) -> None:
    assert list(errors(save(browser, wire, name="sandbox"))) == ["name"]


def test_being_the_default_is_taken_over_and_not_given_up(browser: Client, wire: Gateway, sandbox: Gateway) -> None:
    assert save(browser, wire, is_default="on").status_code == 302
    assert set(Gateway.objects.filter(is_default=True)) == {wire}
    assert list(errors(save(browser, wire, is_default=None))) == ["is_default"]


def test_a_gateway_is_deleted_with_its_health(browser: Client, wire: Gateway) -> None:
    assert browser.post(page(Gateway, "delete", wire.pk), {"post": "yes"}).status_code == 302
    assert not Gateway.objects.exists()
    assert not GatewayHealth.objects.exists()


def test_a_gateway_with_messages_is_not_deleted(browser: Client, sandbox: Gateway) -> None:
    a_message(sandbox)
    browser.post(page(Gateway, "delete", sandbox.pk), {"post": "yes"})
    assert Gateway.objects.exists()
    assert Message.objects.exists()


def test_no_setting_reaches_the_audit_trail(browser: Client, wire: Gateway) -> None:
    changes = {"settings__password": f"new-{SECRET}", "settings__url": f"https://t.example/{SECRET}"}
    assert save(browser, wire, **changes).status_code == 302
    assert save(browser, wire, **changes, priority="none").status_code == 200
    found = {event.action: event for event in AuditEvent.objects.order_by("id")}
    assert [event.status for event in AuditEvent.objects.order_by("id")] == [200, 200, 422]
    assert found["admin:gateways_gateway_secrets"].request == {"given": ["password"]}
    for event in found.values():
        assert SECRET not in json.dumps(event.request)


class TestSomebodyElse:
    """Two people at one gateway."""

    def test_a_change_made_meanwhile_is_not_overwritten_unseen(self, browser: Client, wire: Gateway) -> None:
        opened = form_in(html_of(browser, wire))
        accounts.change(fresh(wire), sender="Theirs")
        response = browser.post(address_of(wire), opened | {"timeout": "20"})
        assert "Somebody changed this gateway after you opened the page" in errors(response)["__all__"][0]
        assert (fresh(wire).sender, fresh(wire).timeout) == ("Theirs", 15)
        again = form_in(response.content.decode())
        assert again["timeout"] == "20"
        assert browser.post(address_of(wire), again).status_code == 302
        assert (fresh(wire).sender, fresh(wire).timeout) == ("", 20)

    def test_new_settings_are_noticed_as_well(self, browser: Client, wire: Gateway) -> None:
        opened = form_in(html_of(browser, wire))
        accounts.change(fresh(wire), settings={"password": "theirs"})
        assert "__all__" in errors(browser.post(address_of(wire), opened | {"settings.password": "mine"}))
        assert fresh(wire).settings["password"] == "theirs"

    def test_what_names_the_state_gives_nothing_away(self, browser: Client, wire: Gateway) -> None:
        before = form_in(html_of(browser, wire))["seen"]
        assert len(before) == 64
        assert form_in(html_of(browser, wire))["seen"] == before

    def test_a_gateway_that_was_deleted_is_said_to_be_gone(self, browser: Client, wire: Gateway) -> None:
        opened = form_in(html_of(browser, wire))
        accounts.delete(wire)
        response = browser.post(address_of(wire), opened, follow=True)
        assert "Perhaps it was deleted?" in response.content.decode()


class TestUnreadable:
    """A provider whose file is gone; settings whose key is missing."""

    @pytest.fixture
    def gone(self, sandbox: Gateway) -> Gateway:
        Gateway.objects.filter(pk=sandbox.pk).update(provider="gone", settings={"password": SECRET})
        return fresh(sandbox)

    @pytest.fixture
    def keys(self, settings: DjangoSettings) -> list[str]:
        return list(settings.ENCRYPTION_KEYS)

    @pytest.fixture
    def locked(self, wire: Gateway, keys: list[str], settings: DjangoSettings) -> Gateway:
        settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
        return fresh(wire)

    def test_a_provider_without_a_file_is_explained(self, browser: Client, auditor: User, gone: Gateway) -> None:
        for client in (browser, signed_in(auditor)):
            text = html_of(client, gone)
            assert "gone" in text
            assert SECRET not in text
        assert "is missing or broken: nothing can be sent through this gateway" in html_of(browser, gone)

    def test_nothing_is_lost_when_it_is_saved(self, browser: Client, gone: Gateway) -> None:
        assert save(browser, gone, sender="Hotel", enabled=None).status_code == 302
        changed = fresh(gone)
        assert (changed.sender, changed.enabled, changed.provider) == ("Hotel", False, "gone")
        assert changed.settings == {"password": SECRET}

    def test_locked_settings_are_explained(self, browser: Client, locked: Gateway) -> None:
        text = html_of(browser, locked)
        assert "Add the former key to ENCRYPTION_KEYS" in text
        assert "settings.password" not in form_in(text)

    def test_locked_settings_are_kept(
        self, browser: Client, locked: Gateway, keys: list[str], settings: DjangoSettings
    ) -> None:
        assert save(browser, locked, sender="Hotel").status_code == 302
        settings.ENCRYPTION_KEYS = keys
        assert (fresh(locked).sender, fresh(locked).settings["password"]) == ("Hotel", SECRET)

    def test_locked_settings_can_be_given_anew(self, browser: Client, locked: Gateway) -> None:
        given: dict[str, Any] = {"settings__url": "https://new.example/", "settings__password": "new"}
        assert save(browser, f"{address_of(locked)}?provider=telegraph", **given).status_code == 302
        assert fresh(locked).settings["password"] == "new"
