"""How gateways fare, in their list and on the page of one; and what is wrong, beside the buttons that mend it."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateways import accounts, balance, health, providers
from gateways.models import Gateway, GatewayHealth, GatewaySession
from gateways.outcomes import Balance, CredentialsRefused, GatewayFault
from portal.models import User
from tests.gateways import recorded
from tests.gateways.admin_pages import LIST, address_of, buttons_in, html_of
from tests.portal.admin_pages import SECRET, questions, signed_in


@pytest.mark.usefixtures("noon")
def test_the_list_and_the_page_say_how_a_gateway_fares(browser: Client, wire: Gateway) -> None:
    accounts.change(wire, daily_limit=500, balance_warning=Decimal(100), segment_price=Decimal("3.50"))
    health.record_fault(wire.pk, GatewayFault("no funds", "top the account up"))
    balance.record(wire, Balance(Decimal("49.90"), "RUB"))
    GatewayHealth.objects.update(day=timezone.localdate(), day_count=31)
    for text in (html_of(browser, LIST), html_of(browser, wire)):
        for shown in ("no funds", "49.90 RUB", "below half of the threshold", "31 / 500", "paused"):
            assert shown in text
    assert "3.5 RUB" in html_of(browser, LIST)


def test_a_pause_says_why_since_when_and_what_to_do(browser: Client, wire: Gateway) -> None:
    health.record_fault(wire.pk, GatewayFault("no funds", "top the account up"))
    for text in (html_of(browser, LIST), html_of(browser, wire)):
        assert ": no funds." in text
        assert "What to do: top the account up" in text
        assert "(since " in text
        assert {"try_again", "check_connection"} <= set(buttons_in(text))


def test_refused_credentials_are_mended_from_here(browser: Client, wire: Gateway) -> None:
    health.record_fault(wire.pk, CredentialsRefused("wrong password"))
    for text in (html_of(browser, LIST), html_of(browser, wire)):
        assert "The provider refuses the gateway&#x27;s credentials: wrong password." in text
        assert health.CORRECT_CREDENTIALS.replace("'", "&#x27;") in text
        assert f'href="{address_of(wire)}#id_settings.password"' in text
        assert "check_connection" in buttons_in(text)


def test_little_money_says_to_top_up(browser: Client, wire: Gateway) -> None:
    balance.record(wire, Balance(Decimal(0), "RUB"))
    for text in (html_of(browser, LIST), html_of(browser, wire)):
        assert "Little money is left on the account: 0.00 RUB, nothing is left." in text
        assert "Top up the account at the provider." in text


def test_who_may_not_mend_sees_what_is_wrong_and_no_button(auditor: User, wire: Gateway) -> None:
    health.record_fault(wire.pk, CredentialsRefused("wrong password"))
    client = signed_in(auditor)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    for text in (html_of(client, LIST), html_of(client, wire)):
        assert "wrong password" in text
        assert buttons_in(text) == []
        assert "#id_settings.password" not in text


def test_a_healthy_gateway_has_nothing_wrong(browser: Client, wire: Gateway) -> None:
    for text in (html_of(browser, LIST), html_of(browser, wire)):
        assert "What is wrong" not in text


def test_readers_see_the_settings_and_of_secrets_that_they_are_kept(auditor: User, wire: Gateway) -> None:
    client = signed_in(auditor)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    text = html_of(client, wire)
    assert "https://t.example/" in text
    assert "<b>Password</b>: kept" in text
    assert SECRET not in text


def test_a_session_shows_since_when_it_lasts_and_no_token(browser: Client, wire: Gateway) -> None:
    GatewaySession.objects.create(gateway=wire, token=SECRET, refresh=SECRET, issued_at=timezone.now())
    text = html_of(browser, wire)
    assert "Logged in at the provider since" in text
    assert SECRET not in text


def test_the_list_asks_the_database_the_same_number_of_questions_for_any_number(browser: Client, wire: Gateway) -> None:
    one = questions(browser, LIST)
    for number in range(1, 9):
        other = accounts.create(name=str(number), provider="telegraph", settings=wire.settings)
        health.record_fault(other.pk, CredentialsRefused("wrong password"))
    assert browser.get(LIST).content.decode().count("data-gateway=") == 9
    assert len(questions(browser, LIST)) == len(one)


def test_no_list_can_be_filtered_by_where_providers_call(browser: Client, wire: Gateway) -> None:
    assert browser.get(LIST, {"callback_key__startswith": "a"}).status_code == 400


class TestCallbacks:
    @pytest.fixture
    def _known(self, settings: Settings) -> None:
        settings.PORTAL_URL = "https://portal.example.org"

    def test_without_an_address_the_page_says_what_to_do(self, browser: Client, wire: Gateway) -> None:
        assert "Set PORTAL_URL to the address under which the internet reaches the portal" in html_of(browser, wire)

    @pytest.mark.usefixtures("_known")
    @pytest.mark.parametrize("name", providers.names())
    def test_each_provider_says_where_its_address_is_pasted(self, browser: Client, name: str, db: None) -> None:
        variant = next(value.values[1] for value in recorded.variants() if value.values[0] == name)
        gateway = accounts.create(name="own", provider=name, settings=variant.settings)
        text = html_of(browser, gateway)
        pastes = providers.load(name).pastes
        for paste in pastes:
            assert str(paste.where).replace("'", "&#x27;") in text
            assert f"{gateway.callback_url}{paste.query}".replace("&", "&amp;") in text
        assert ("There is nothing to paste" in text) is (not pastes)
        assert text.count("data-copy=") == len(pastes)

    @pytest.mark.usefixtures("_known")
    def test_only_those_who_may_set_it_up_see_it(self, auditor: User, browser: Client, db: None) -> None:
        gateway = accounts.create(name="ru", provider="sms_ru", settings={"api_key": "kenar"})
        assert gateway.callback_key in html_of(browser, gateway)
        assert gateway.callback_key not in html_of(signed_in(auditor), gateway)


def test_the_sandbox_leads_to_its_phone(browser: Client, operator: User, sandbox: Gateway, wire: Gateway) -> None:
    link = 'href="/sandbox/"'
    # One is in the navigation of whoever may see it.
    assert html_of(browser, sandbox).count(link) == html_of(browser, wire).count(link) + 1
    assert link not in html_of(signed_in(operator), sandbox)
