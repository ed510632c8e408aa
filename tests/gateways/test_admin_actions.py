"""What can be done with gateways: by buttons on the page of one, and on many from the list."""

import pytest
from django.test import Client
from pytest_django import Settings

from gateways import accounts, balance, checking, health
from gateways.checking import Finding
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault
from messaging.models import Message
from portal.models import AuditEvent, User
from portal.permissions import SENDING, Right
from tests.gateways.admin_pages import (
    LIST,
    act,
    act_address,
    act_on_list,
    address_of,
    buttons_in,
    html_of,
    said,
)
from tests.portal.admin_pages import SECRET, page, signed_in, staff_with

READER = (Right.SMS_GATEWAY_READ,)
KEEPER = (Right.SMS_GATEWAY_READ, Right.SMS_GATEWAY_UPDATE)
#: Every button there is, with the right that is named where it is missing.
NEEDED = {
    "check_connection": "SMS_GATEWAY_UPDATE",
    "show_request": "SMS_GATEWAY_UPDATE",
    "ask_balance": "SMS_GATEWAY_UPDATE",
    "try_again": "SMS_GATEWAY_UPDATE",
    "switch_on": "SMS_GATEWAY_UPDATE",
    "switch_off": "SMS_GATEWAY_UPDATE",
    "make_default": "SMS_GATEWAY_UPDATE",
    "renew_callback_key": "SMS_GATEWAY_UPDATE",
    "earlier": "SMS_GATEWAY_UPDATE",
    "later": "SMS_GATEWAY_UPDATE",
    "send_test": "SYSTEM_CREATE",
}


def events() -> list[tuple[str, str, int]]:
    """What the audit trail has: action, gateway, status."""
    return list(AuditEvent.objects.order_by("id").values_list("action", "object_id", "status"))


def english(user: User) -> Client:
    client = signed_in(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


class TestRights:
    @pytest.mark.parametrize("name", NEEDED)
    def test_without_the_right_the_address_says_which_one_is_missing(self, sandbox: Gateway, name: str) -> None:
        client = english(staff_with("clerk", *READER))
        for response in (client.post(act_address(sandbox, name)), client.get(act_address(sandbox, name))):
            assert response.status_code == 403
            assert NEEDED[name] in response.content.decode()
        assert ("admin:gateways_gateway_act", f"{sandbox.pk}/{name}", 403) in events()

    @pytest.mark.parametrize(
        ("rights", "buttons"),
        [
            (READER, []),
            (KEEPER, ["check_connection", "show_request", "switch_off", "renew_callback_key"]),
            (SENDING, ["send_test"]),
        ],
    )
    def test_everybody_finds_the_buttons_that_their_rights_allow(
        self, sandbox: Gateway, rights: tuple[Right, ...], buttons: list[str]
    ) -> None:
        client = english(staff_with("clerk", *rights))
        assert buttons_in(html_of(client, sandbox)) == buttons
        assert (f'href="/admin/gateways/gateway/{sandbox.pk}/provider/"' in html_of(client, sandbox)) is (
            rights == KEEPER
        )
        assert ("data-gateway" in html_of(client, LIST)) is (rights == KEEPER)

    def test_actions_of_the_list_ask_for_the_same_rights(
        self, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check(_gateway: Gateway) -> Finding:
            raise AssertionError

        monkeypatch.setattr(checking, "check", check)
        client = english(staff_with("clerk", *READER))
        for name in NEEDED:
            act_on_list(client, name, sandbox, answered="yes")
        assert not Message.objects.exists()
        assert Gateway.objects.get().enabled

    def test_no_button_acts_when_it_is_only_looked_at(self, browser: Client, sandbox: Gateway) -> None:
        assert browser.get(act_address(sandbox, "switch_off")).status_code == 405
        assert browser.get(act_address(sandbox, "renew_callback_key")).status_code == 200
        after = Gateway.objects.get()
        assert (after.enabled, after.callback_key) == (True, sandbox.callback_key)

    def test_there_is_no_other_button(self, browser: Client, sandbox: Gateway) -> None:
        assert browser.post(act_address(sandbox, "delete_selected")).status_code == 404

    def test_a_gateway_that_was_deleted_meanwhile_is_said_to_be_gone(self, browser: Client, sandbox: Gateway) -> None:
        accounts.delete(sandbox)
        response = browser.post(f"/admin/gateways/gateway/{sandbox.pk or 1}/act/switch_off/", follow=True)
        assert "Perhaps it was deleted?" in response.content.decode()


class TestCheck:
    @pytest.mark.parametrize(
        ("found", "message"),
        [
            (Finding(True, "the balance is 5"), ("success", "Gateway “wire”: the balance is 5")),
            (Finding(None, str(checking.ONLY_A_TEST)), ("warning", f"Gateway “wire”: {checking.ONLY_A_TEST}")),
            (Finding(False, "no <way>"), ("error", "Gateway “wire”: no <way>")),
            (
                Finding(False, "no <way>", "mend <it>"),
                ("error", "Gateway “wire”: no &lt;way&gt;<br>What to do: mend &lt;it&gt;"),
            ),
        ],
    )
    def test_it_is_a_message_with_its_remedy(
        self,
        browser: Client,
        wire: Gateway,
        monkeypatch: pytest.MonkeyPatch,
        found: Finding,
        message: tuple[str, str],
    ) -> None:
        monkeypatch.setattr(checking, "check", lambda _gateway: found)
        response = act(browser, wire, "check_connection")
        assert said(response) == [message]
        assert "<way>" not in response.content.decode()
        assert events() == [("admin:gateways_gateway_check", "wire", 200)]

    def test_it_leads_back_where_it_came_from(
        self, browser: Client, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checking, "check", lambda _gateway: Finding(True, "well"))
        assert act(browser, sandbox, "check_connection").redirect_chain == [(address_of(sandbox), 302)]
        assert act(browser, sandbox, "check_connection", from_list="1").redirect_chain == [(LIST, 302)]
        assert act_on_list(browser, "check_connection", sandbox).redirect_chain[0][0].startswith(LIST)


class TestBalance:
    def test_it_is_told_at_once(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        gateway = accounts.create(name="ru", provider="sms_ru", settings={"api_key": SECRET})
        assert "ask_balance" in buttons_in(html_of(browser, gateway))
        monkeypatch.setattr(balance, "ask_now", lambda _gateway: Finding(True, "the balance is 5 RUB"))
        assert said(act(browser, gateway, "ask_balance")) == [("success", "Gateway “ru”: the balance is 5 RUB")]
        assert events() == [("admin:gateways_gateway_balance", "ru", 200)]

    def test_a_provider_that_cannot_tell_has_no_button(self, browser: Client, sandbox: Gateway) -> None:
        assert "ask_balance" not in buttons_in(html_of(browser, sandbox))
        assert said(act(browser, sandbox, "ask_balance")) == [
            ("warning", "Gateway “sandbox”: this provider cannot be asked for its balance")
        ]


class TestRequest:
    def test_it_is_shown_without_secrets(self, browser: Client) -> None:
        settings = {"url": "https://sms.example.org", "api_key": SECRET}
        gateway = accounts.create(name="sms ru", provider="sms_ru", settings=settings, sender="Hotel")
        text = html_of(browser, act_address(gateway, "show_request"))
        assert "<strong>POST</strong> <code>https://sms.example.org/sms/send</code>" in text
        assert "Hotel" in text
        assert SECRET not in text
        assert not Message.objects.exists()
        other = act(browser, gateway, "show_request", phone="+79031112233", text="Другой <текст>")
        assert "79031112233" in other.content.decode()
        assert "<текст>" not in other.content.decode()
        wrong = act(browser, gateway, "show_request", phone="12", text="")
        assert "Give a phone such as" in wrong.content.decode()

    def test_several_are_shown_together(self, browser: Client, sandbox: Gateway) -> None:
        second = accounts.create(name="second", provider="sandbox")
        text = act_on_list(browser, "show_request", sandbox, second).content.decode()
        assert text.count("<strong>POST</strong>") == 2
        assert text.count('name="_selected_action"') == 2

    def test_where_there_is_none_the_page_says_why(self, browser: Client, wire: Gateway) -> None:
        assert "cannot make a request" in html_of(browser, act_address(wire, "show_request"))


class TestSwitch:
    def test_one_is_switched_off_and_on(self, browser: Client, sandbox: Gateway) -> None:
        assert said(act(browser, sandbox, "switch_off")) == [("success", "1 gateway is switched off.")]
        assert not Gateway.objects.get().enabled
        assert "switch_on" in buttons_in(html_of(browser, sandbox))
        assert said(act(browser, sandbox, "switch_on")) == [("success", "1 gateway is switched on.")]
        assert Gateway.objects.get().enabled
        assert [action for action, _name, _status in events()] == [
            "admin:gateways_gateway_switch_off",
            "admin:gateways_gateway_switch_on",
        ]

    def test_one_whose_providers_file_is_gone_can_be_switched_off(self, browser: Client, sandbox: Gateway) -> None:
        Gateway.objects.update(provider="gone")
        act(browser, sandbox, "switch_off")
        assert not Gateway.objects.get().enabled

    def test_many_are_switched_off_together(self, browser: Client, sandbox: Gateway) -> None:
        second = accounts.create(name="second", provider="sandbox")
        assert said(act_on_list(browser, "switch_off", sandbox, second)) == [
            ("success", "2 gateways are switched off.")
        ]

    def test_another_one_is_made_the_default(self, browser: Client, sandbox: Gateway) -> None:
        second = accounts.create(name="second", provider="sandbox")
        assert "make_default" not in buttons_in(html_of(browser, sandbox))
        act(browser, second, "make_default")
        assert list(Gateway.objects.filter(is_default=True)) == [second]

    def test_many_cannot_be_the_default(self, browser: Client, sandbox: Gateway) -> None:
        text = html_of(browser, LIST)
        assert 'value="switch_off"' in text
        assert 'value="make_default"' not in text


class TestCallbackKey:
    def test_the_consequence_is_named_before_it_is_done(self, browser: Client, sandbox: Gateway) -> None:
        response = act(browser, sandbox, "renew_callback_key")
        assert "The present callback address stops working at once." in response.content.decode()
        assert Gateway.objects.get().callback_key == sandbox.callback_key

    def test_it_is_another_one_then(self, browser: Client, sandbox: Gateway, settings: Settings) -> None:
        settings.PORTAL_URL = "https://portal.example.org"
        response = act(browser, sandbox, "renew_callback_key", answered="yes")
        assert said(response)[0][0] == "success"
        key = Gateway.objects.get().callback_key
        assert key != sandbox.callback_key
        assert events() == [("admin:gateways_gateway_renew_callback", "sandbox", 200)]
        assert key not in str(AuditEvent.objects.get().request)


class TestSendTest:
    def test_it_asks_for_a_phone_and_offers_the_test_number(self, browser: Client, sandbox: Gateway) -> None:
        accounts.change(sandbox, test_number="+79161234567")
        text = html_of(browser, act_address(sandbox, "send_test"))
        assert 'value="+79161234567"' in text
        assert not Message.objects.exists()

    def test_it_goes_to_any_phone_in_any_spelling(self, browser: Client, admin: User, sandbox: Gateway) -> None:
        response = act(browser, sandbox, "send_test", answered="yes", phone="8 916 123-45-67", text="Hello")
        message = Message.objects.get()
        assert (message.gateway, message.phone, message.only_here) == (sandbox, "+79161234567", True)
        assert message.requested_by == admin
        link = f'<a class="underline" href="{page(Message, "change", message.pk)}">See what becomes of it</a>'
        assert said(response) == [("success", f"Gateway “sandbox”: the test is message {message.pk}. {link}")]
        assert events() == [("admin:gateways_gateway_test", "sandbox", 200)]

    def test_a_wrong_phone_is_said_at_the_field(self, browser: Client, sandbox: Gateway) -> None:
        response = act(browser, sandbox, "send_test", answered="yes", phone="12", text="Hello")
        assert "This is not a phone number" in response.content.decode()
        assert "Hello" in response.content.decode()
        assert not Message.objects.exists()

    def test_from_the_list_it_goes_to_the_test_number_of_each(self, browser: Client, sandbox: Gateway) -> None:
        accounts.change(sandbox, test_number="+79161234567")
        second = accounts.create(name="second", provider="sandbox")
        assert "Send" in act_on_list(browser, "send_test", sandbox, second).content.decode()
        response = act_on_list(browser, "send_test", sandbox, second, answered="yes", phone="", text="")
        assert Message.objects.get().gateway == sandbox
        assert ("error", "Gateway “second”: Give a phone, or set the gateway's test number.") in said(response)
        assert [status for _action, _name, status in events()] == [200, 422]

    def test_one_that_waits_says_for_what(self, browser: Client, sandbox: Gateway) -> None:
        health.record_fault(sandbox.pk, CredentialsRefused("wrong password"))
        ((level, message),) = said(act(browser, sandbox, "send_test", answered="yes", phone="+79161234567", text=""))
        assert level == "warning"
        assert "It waits: the provider refuses the gateway&#x27;s credentials." in message

    def test_a_gateway_that_is_switched_off_is_not_tested(self, browser: Client, sandbox: Gateway) -> None:
        accounts.change(sandbox, enabled=False)
        assert said(act(browser, sandbox, "send_test", answered="yes", phone="+79161234567", text="")) == [
            ("error", "Gateway “sandbox”: Gateway “sandbox” is switched off.")
        ]

    def test_who_may_not_read_messages_is_not_led_to_one(self, sandbox: Gateway) -> None:
        client = english(staff_with("clerk", *SENDING))
        assert said(act(client, sandbox, "send_test", answered="yes", phone="+79161234567", text="")) == [
            ("success", f"Gateway “sandbox”: the test is message {Message.objects.get().pk}.")
        ]


def test_a_pause_ends_when_a_person_will_not_wait(browser: Client, wire: Gateway) -> None:
    health.record_fault(wire.pk, GatewayFault("no funds"))
    assert "try_again" in buttons_in(html_of(browser, wire))
    assert said(act(browser, wire, "try_again")) == [("success", "Gateway “wire”: the next message tries it.")]
    found = GatewayHealth.objects.get()
    assert health.breaker(found) is health.Breaker.HALF_OPEN
    assert said(act(browser, wire, "try_again")) == [("warning", "Gateway “wire”: it is not paused any more.")]
    assert [status for _action, _name, status in events()] == [200, 409]
