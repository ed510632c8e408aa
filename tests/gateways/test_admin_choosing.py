"""Adding a gateway begins with choosing a provider; another one for a gateway that is there is chosen on purpose."""

import pytest
from django.test import Client
from django.urls import reverse

from gateways import abilities, accounts, providers
from gateways.models import Gateway
from portal.models import User
from portal.permissions import Right
from tests.gateways.admin_pages import address_of, errors, form_in, html_of, save
from tests.portal.admin_pages import page, signed_in, staff_with

ADD = page(Gateway, "add")


def choosing_address(gateway: Gateway) -> str:
    return reverse("admin:gateways_gateway_provider", args=(gateway.pk,))


def test_every_provider_is_offered_with_what_it_is_and_can_do(browser: Client) -> None:
    text = html_of(browser, ADD)
    for name in providers.names():
        provider = providers.load(name)
        assert f'href="{ADD}?provider={name}"' in text
        assert str(provider.about).replace("'", "&#x27;") in text
        assert all(str(ability) in text for ability in abilities.of_kind(provider))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("exolve", ["balance"]),
        ("runtel", []),
        ("kannel", ["receipts by call", "takes what guests write"]),
        ("targetsms_codes", ["receipts when asked", "makes the one-time code"]),
        (
            "smsc_ru",
            [
                *("receipts by call", "receipts when asked", "can be asked whether it has a message"),
                *("balance", "takes what guests write"),
            ],
        ),
    ],
)
def test_what_a_provider_can_do_is_said_in_short_words(name: str, expected: list[str]) -> None:
    assert list(map(str, abilities.of_kind(providers.load(name)))) == expected


def test_an_unknown_provider_leads_back_to_the_choice(browser: Client) -> None:
    assert f'href="{ADD}?provider=sms_ru"' in html_of(browser, f"{ADD}?provider=gone")


def test_a_provider_whose_file_is_broken_is_named_and_not_offered(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = providers.load

    def loaded(name: str) -> object:
        if name == "twilio":
            raise SyntaxError
        return load(name)

    monkeypatch.setattr(providers, "load", loaded)
    monkeypatch.setattr(providers, "choices", list)
    text = html_of(browser, ADD)
    assert "The file of the provider “twilio” cannot be loaded" in text
    assert f'href="{ADD}?provider=twilio"' not in text


def test_the_form_of_a_new_gateway_is_that_of_the_chosen_provider(browser: Client) -> None:
    asked = {name for name in form_in(html_of(browser, f"{ADD}?provider=sms_ru")) if name.startswith("settings.")}
    assert asked == {"settings.url", "settings.api_key", "settings.verify_tls"}


def test_a_gateway_is_made_of_it(browser: Client) -> None:
    response = save(browser, f"{ADD}?provider=sms_ru", name="ru", settings__api_key="kenar-4711")
    assert response.status_code == 302
    gateway = Gateway.objects.get(name="ru")
    assert gateway.provider == "sms_ru"
    assert gateway.settings == {"url": "https://sms.ru", "api_key": "kenar-4711", "verify_tls": True}


def test_another_provider_is_chosen_in_a_step_that_says_what_is_lost(browser: Client, wire: Gateway) -> None:
    assert choosing_address(wire) in html_of(browser, wire)
    text = html_of(browser, choosing_address(wire))
    assert "the settings of this gateway are lost, its secrets too" in text
    assert f'href="{address_of(wire)}?provider=sandbox"' in text
    asked = html_of(browser, f"{address_of(wire)}?provider=sandbox")
    assert "the present settings of the gateway are lost" in asked
    assert Gateway.objects.get(pk=wire.pk).provider == "telegraph"


def test_the_other_provider_begins_with_its_own_settings(browser: Client, wire: Gateway) -> None:
    assert save(browser, f"{address_of(wire)}?provider=sandbox", settings__receipts=None).status_code == 302
    changed = Gateway.objects.get(pk=wire.pk)
    assert changed.provider == "sandbox"
    assert changed.settings == {"understands_keys": True, "answers_look_ups": True, "receipts": False}


def test_a_wrong_setting_of_another_provider_changes_nothing(
    browser: Client, telegraph: object, sandbox: Gateway
) -> None:
    response = save(browser, f"{address_of(sandbox)}?provider=telegraph", settings__url="https://t.example/")
    assert set(errors(response)) == {"settings.password"}
    assert Gateway.objects.get(pk=sandbox.pk).provider == "sandbox"


def test_the_same_provider_chosen_again_keeps_readable_settings(browser: Client, wire: Gateway) -> None:
    before = wire.settings
    assert save(browser, f"{address_of(wire)}?provider=telegraph", sender="Hotel").status_code == 302
    assert Gateway.objects.get(pk=wire.pk).settings == before


def test_choosing_asks_for_the_right_to_add_or_to_change(auditor: User, sandbox: Gateway) -> None:
    client = signed_in(auditor)
    for address, right in ((ADD, "SMS_GATEWAY_CREATE"), (choosing_address(sandbox), "SMS_GATEWAY_UPDATE")):
        response = client.get(address)
        assert response.status_code == 403
        assert right in response.content.decode()


def test_who_may_add_and_not_read_can_add(sandbox: Gateway) -> None:
    client = signed_in(staff_with("clerk", Right.SMS_GATEWAY_CREATE))
    save(client, f"{ADD}?provider=sandbox", name="second")
    assert Gateway.objects.filter(name="second").exists()


def test_a_gateway_that_was_deleted_meanwhile_has_no_provider_to_choose(browser: Client, sandbox: Gateway) -> None:
    address = choosing_address(sandbox)
    accounts.delete(sandbox)
    assert browser.get(address, follow=True).redirect_chain
