"""The settings of every provider in the admin: each a field of its own, saved as they are, and no secret read back."""

from typing import Any

import pytest
from django import forms
from django.test import Client
from lxml import html

from gateways import accounts, configuration, providers
from gateways.models import Gateway
from portal.models import User
from tests.gateways import recorded
from tests.gateways.admin_pages import address_of, errors, form_in, html_of, save
from tests.gateways.recorded import Variant
from tests.portal.admin_pages import SECRET, page, signed_in

every_provider = pytest.mark.parametrize("name", providers.names())
every_variant = pytest.mark.parametrize(("name", "variant"), recorded.variants())

ADD = page(Gateway, "add")


def made(name: str, variant: Variant) -> Gateway:
    """A gateway as it is recorded, whose secrets would be noticed."""
    secrets = {key: f"{SECRET}-{key}" for key in providers.load(name).secrets if variant.settings.get(key)}
    return accounts.create(name="own", provider=name, settings=variant.settings | secrets, sender=variant.sender)


def stored(gateway: Gateway) -> dict[str, Any]:
    """The settings as the database has them."""
    settings: dict[str, Any] = Gateway.objects.get(pk=gateway.pk).settings
    return settings


@every_provider
def test_every_setting_is_a_field_with_its_label_and_help(browser: Client, name: str) -> None:
    text = html_of(browser, f"{ADD}?provider={name}")
    page_: Any = html.fromstring(text)
    for key, field in providers.load(name).Config.base_fields.items():
        (element,) = page_.xpath(f"//*[@id='id_settings.{key}']")
        (label,) = page_.xpath(f"//label[@for='id_settings.{key}']")
        assert str(field.label).lower() in label.text_content().lower()
        assert str(field.help_text) in page_.text_content()
        assert element.tag == ("select" if isinstance(field, forms.ChoiceField) else element.tag)
        assert (element.get("type") == "checkbox") is isinstance(field, forms.BooleanField)
        assert (element.get("type") == "password") is (key in providers.load(name).secrets)
        assert (element.tag == "textarea") is isinstance(field.widget, forms.Textarea)


@every_provider
def test_sections_leave_no_setting_out(name: str) -> None:
    provider = providers.load(name)
    if provider.sections:
        shown = [key for _title, keys, _folded in provider.sections for key in keys]
        assert sorted(shown) == sorted(provider.Config.base_fields)


@every_variant
def test_a_page_that_is_saved_untouched_leaves_every_setting(
    browser: Client, name: str, variant: Variant, db: None
) -> None:
    gateway = made(name, variant)
    assert save(browser, gateway, test_number="+79161234567").status_code == 302
    assert stored(gateway) == gateway.settings
    assert Gateway.objects.get(pk=gateway.pk).test_number == "+79161234567"


@every_variant
def test_a_gateway_is_made_of_what_was_filled_in(browser: Client, name: str, variant: Variant) -> None:
    given = configuration.checked(name, variant.settings, {})
    filled = {f"settings__{key}": _as_typed(value) for key, value in given.items()}
    response = save(browser, f"{ADD}?provider={name}", name="own", sender=variant.sender, **filled)
    assert response.status_code == 302, errors(response)
    assert Gateway.objects.get(name="own").settings == given


def _as_typed(value: Any) -> str | None:
    if isinstance(value, bool):
        return "on" if value else None
    return "" if value is None else str(value)


@pytest.mark.usefixtures("known_csrf_token")
@every_variant
def test_no_secret_is_on_any_page(browser: Client, auditor: User, name: str, variant: Variant) -> None:
    gateway = made(name, variant)
    for client in (browser, signed_in(auditor)):
        for address in (page(Gateway, "changelist"), address_of(gateway), page(Gateway, "delete", gateway.pk)):
            text = client.get(address, follow=True).content.decode()
            assert SECRET not in text
            assert "gAAAA" not in text


def test_nobody_sees_how_long_a_secret_is(browser: Client, wire: Gateway) -> None:
    before = form_in(html_of(browser, wire))
    accounts.change(wire, settings={"password": "x" * 200})
    assert form_in(html_of(browser, wire))["settings.password"] == before["settings.password"] == ""


def test_no_setting_is_written_as_json(browser: Client, wire: Gateway) -> None:
    text = html_of(browser, wire)
    assert "&quot;url&quot;" not in text
    assert form_in(text)["settings.url"] == "https://t.example/"


class TestSecrets:
    def test_one_that_is_kept_says_so(self, browser: Client, wire: Gateway) -> None:
        page_: Any = html.fromstring(html_of(browser, wire))
        (password,) = page_.xpath("//input[@name='settings.password']")
        (second,) = page_.xpath("//input[@name='settings.second_password']")
        assert "kept" in password.xpath("string(ancestor::div[@class='secret-kept'])")
        assert not second.xpath("ancestor::div[@class='secret-kept']")
        assert (password.get("autocomplete"), password.get("value")) == ("new-password", None)

    def test_left_alone_it_stays(self, browser: Client, wire: Gateway) -> None:
        assert save(browser, wire, settings__tries="7").status_code == 302
        assert (stored(wire)["password"], stored(wire)["tries"]) == (SECRET, 7)

    def test_another_one_replaces_it(self, browser: Client, wire: Gateway) -> None:
        assert save(browser, wire, settings__password="new-one").status_code == 302
        assert stored(wire)["password"] == "new-one"

    def test_one_that_may_be_missing_can_be_removed(self, browser: Client, wire: Gateway) -> None:
        accounts.change(wire, settings={"second_password": "other"})
        changes = {"settings__second_password-remove": "on"}
        assert save(browser, wire, **changes).status_code == 302
        assert stored(wire) == wire.settings | {"second_password": ""}

    def test_one_that_is_needed_cannot_be_removed(self, browser: Client, wire: Gateway) -> None:
        assert "settings.password-remove" not in html_of(browser, wire)
        assert "settings.password" in errors(save(browser, wire, **{"settings__password-remove": "on"}))
        assert stored(wire)["password"] == SECRET

    def test_nobody_replaces_and_removes_at_once(self, browser: Client, wire: Gateway) -> None:
        accounts.change(wire, settings={"second_password": "other"})
        both = {"settings__second_password": "x", "settings__second_password-remove": "on"}
        assert errors(save(browser, wire, **both))["settings.second_password"] == [
            "Either replace the secret or remove it."
        ]

    def test_what_was_typed_is_not_sent_back(self, browser: Client, wire: Gateway) -> None:
        response = save(browser, wire, settings__password="typed-4711", settings__tries="0")
        assert set(errors(response)) == {"settings.tries"}
        assert "typed-4711" not in response.content.decode()
        assert "Enter it again" in response.content.decode()
