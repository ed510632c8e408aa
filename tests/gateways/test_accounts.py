"""What staff do to gateways, whatever the door they come through."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from gateways import accounts, configuration, health
from gateways.configuration import MASK
from gateways.models import Gateway
from gateways.outcomes import GatewayFault
from gateways.provider import BaseProvider
from portal.errors import Refusal, Why
from tests.portal.admin_pages import a_message

pytestmark = pytest.mark.django_db

SETTINGS = {"url": "https://provider.example/send", "password": "canary"}


@pytest.fixture
def gateway(telegraph: type[BaseProvider]) -> Gateway:
    return accounts.create(name="wire", provider="telegraph", settings=dict(SETTINGS))


def fresh(gateway: Gateway) -> Gateway:
    return Gateway.objects.get(pk=gateway.pk)


def test_a_new_gateway_has_its_settings_with_defaults_and_its_health(gateway: Gateway) -> None:
    assert fresh(gateway).settings == SETTINGS | {"second_password": "", "tries": 3, "flash": False}
    assert fresh(gateway).health.faults == 0


def test_a_sandbox_without_settings_can_do_everything() -> None:
    provider = fresh(accounts.create(name="s", provider="sandbox")).open()
    assert (provider.dedupe_key, provider.can_look_up, provider.sends_receipts, provider.can_query) == (True,) * 4


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"password": "p"}, "settings.url"),
        (SETTINGS | {"url": "no address"}, "settings.url"),
        (SETTINGS | {"tries": 0}, "settings.tries"),
        (SETTINGS | {"tries": "many"}, "settings.tries"),
        (SETTINGS | {"flash": "yes"}, "settings.flash"),
        (SETTINGS | {"pasword": "p"}, "settings.pasword"),
        (SETTINGS | {"url": ["https://a.example"]}, "settings.url"),
        (SETTINGS | {"password": MASK}, "settings.password"),
    ],
)
def test_wrong_settings_are_named_and_nothing_is_made(
    telegraph: type[BaseProvider], settings: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        accounts.create(name="wire", provider="telegraph", settings=settings)
    assert list(refused.value.message_dict) == [field]
    assert not Gateway.objects.exists()


def test_a_refusal_does_not_quote_a_secret(telegraph: type[BaseProvider]) -> None:
    with pytest.raises(ValidationError) as refused:
        accounts.create(name="wire", provider="telegraph", settings={"url": "canary", "password": "canary"})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a/b"),
        ("provider", "nobody"),
        ("prefixes", ["7916"]),
        ("prefixes", ["+7", 7]),
        ("prefixes", "+7"),
        ("rate_per_second", 0.0),
        ("rate_per_second", float("nan")),
        ("timeout", float("inf")),
        ("timeout", 1000.0),
        ("max_in_flight", 0),
        ("priority", -1),
        ("sender", "x" * 21),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    details: Any = {"name": "wire", "provider": "sandbox", field: value}
    with pytest.raises(ValidationError) as refused:
        accounts.create(**details)
    assert list(refused.value.message_dict) == [field]


def test_a_name_that_is_taken_is_a_conflict(sandbox: Gateway) -> None:
    with pytest.raises(Refusal) as refused:
        accounts.create(name="sandbox", provider="sandbox")
    assert (refused.value.field, refused.value.why) == ("name", Why.CONFLICT)


def test_there_is_one_default_gateway(sandbox: Gateway) -> None:
    other = accounts.create(name="other", provider="sandbox", is_default=True)
    assert list(Gateway.objects.filter(is_default=True)) == [other]
    accounts.change(fresh(sandbox), is_default=True)
    assert list(Gateway.objects.filter(is_default=True)) == [sandbox]


def test_the_default_gateway_gives_up_its_place_to_another_only(sandbox: Gateway) -> None:
    with pytest.raises(Refusal, match="Make another gateway the default instead") as refused:
        accounts.change(fresh(sandbox), is_default=False, sender="Hotel")
    assert (refused.value.field, refused.value.why) == ("is_default", Why.CONFLICT)
    assert (fresh(sandbox).is_default, fresh(sandbox).sender) == (True, "")


def test_losing_the_race_for_the_default_is_a_conflict(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_to_take_it_from(rows: QuerySet[Gateway], **_: object) -> int:
        return 0

    other = accounts.create(name="other", provider="sandbox")
    monkeypatch.setattr(QuerySet, "update", nothing_to_take_it_from)
    with pytest.raises(Refusal) as refused:
        accounts.change(other, is_default=True)
    assert isinstance(refused.value.__cause__ or refused.value.__context__, IntegrityError)
    assert (refused.value.field, refused.value.why) == ("is_default", Why.CONFLICT)


def test_a_change_merges_the_settings_and_keeps_the_secret(gateway: Gateway) -> None:
    accounts.change(gateway, settings={"tries": 5})
    assert fresh(gateway).settings["tries"] == 5
    accounts.change(fresh(gateway), settings={"url": "https://other.example", "password": MASK})
    assert fresh(gateway).settings["password"] == "canary"
    assert fresh(gateway).settings["url"] == "https://other.example"
    accounts.change(fresh(gateway), settings={"password": "new"})
    assert fresh(gateway).settings["password"] == "new"


def test_a_change_of_something_else_leaves_the_settings(gateway: Gateway) -> None:
    accounts.change(fresh(gateway), rate_per_second=2.5, enabled=False)
    changed = fresh(gateway)
    assert (changed.rate_per_second, changed.enabled) == (2.5, False)
    assert changed.settings == gateway.settings


def test_another_provider_needs_settings_of_its_own(gateway: Gateway) -> None:
    accounts.change(gateway, provider="sandbox")
    assert fresh(gateway).settings == {"understands_keys": True, "answers_look_ups": True, "receipts": True}
    with pytest.raises(ValidationError) as refused:
        accounts.change(fresh(gateway), provider="telegraph")
    assert set(refused.value.message_dict) == {"settings.url", "settings.password"}


def test_new_settings_end_the_pause_and_other_changes_do_not(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("wrong password"))
    accounts.change(fresh(gateway), priority=5)
    assert health.paused_until(gateway.pk)
    accounts.change(fresh(gateway), settings={"password": "right"})
    assert health.paused_until(gateway.pk) is None


def test_a_gateway_whose_providers_file_is_gone_can_still_be_switched_off(sandbox: Gateway) -> None:
    Gateway.objects.update(provider="gone")
    accounts.change(fresh(sandbox), enabled=False)
    assert not fresh(sandbox).enabled
    with pytest.raises(ValidationError) as refused:
        accounts.change(fresh(sandbox), settings={"receipts": False})
    assert list(refused.value.message_dict) == ["provider"]


def test_a_gateway_is_made_with_a_provider(db: None) -> None:
    with pytest.raises(ValidationError) as refused:
        accounts.create(name="wire")
    assert list(refused.value.message_dict) == ["provider"]


def test_a_new_callback_key_changes_nothing_else(gateway: Gateway) -> None:
    before = gateway.callback_key
    accounts.renew_callback_key(fresh(gateway))
    assert fresh(gateway).callback_key != before
    assert fresh(gateway).settings == gateway.settings


def test_the_prefix_that_is_wrong_is_named(db: None) -> None:
    with pytest.raises(ValidationError, match="“7916” is no prefix"):
        accounts.create(name="wire", provider="sandbox", prefixes=["+7", "7916"])


def test_a_gateway_without_messages_can_be_deleted(gateway: Gateway) -> None:
    accounts.delete(gateway)
    assert not Gateway.objects.exists()


def test_a_gateway_with_messages_cannot_be_deleted(sandbox: Gateway) -> None:
    a_message(sandbox)
    with pytest.raises(Refusal, match="switch it off instead") as refused:
        accounts.delete(sandbox)
    assert refused.value.why is Why.CONFLICT
    assert fresh(sandbox)


class TestShownSettings:
    def test_a_secret_is_a_mask_of_one_length(self, gateway: Gateway) -> None:
        shown = configuration.shown(gateway)
        assert shown["password"] == MASK
        assert shown["url"] == SETTINGS["url"]

    def test_a_secret_that_was_not_given_is_empty(self, gateway: Gateway) -> None:
        assert configuration.shown(gateway)["second_password"] == ""

    def test_all_is_secret_where_the_providers_file_is_gone(self, gateway: Gateway) -> None:
        gateway.provider = "gone"
        assert configuration.shown(gateway)["url"] == MASK

    def test_nothing_is_shown_where_the_key_is_missing(self, gateway: Gateway, settings: Settings) -> None:
        settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
        assert configuration.shown(fresh(gateway)) == {}

    def test_a_change_keeps_settings_whose_key_is_missing(self, gateway: Gateway, settings: Settings) -> None:
        keys = settings.ENCRYPTION_KEYS
        settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
        accounts.change(fresh(gateway), priority=7)
        settings.ENCRYPTION_KEYS = keys
        assert (fresh(gateway).priority, fresh(gateway).settings) == (7, gateway.settings)


def test_settings_are_not_readable_in_the_database(gateway: Gateway) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT settings FROM gateways_gateway")
        (stored,) = cursor.fetchone()
    assert len(stored) > len(str(gateway.settings))
    assert "canary" not in stored
