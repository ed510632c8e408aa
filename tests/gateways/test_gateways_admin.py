"""Gateways in the admin: written by `accounts`, and their secrets never read back."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateways import accounts, balance, checking, health, providers
from gateways.checking import Finding
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import Balance, CredentialsRefused, GatewayFault
from messaging.models import Message
from portal.models import AuditEvent, User
from portal.permissions import SENDING, Right
from tests.portal.admin_pages import SECRET, page, signed_in, staff_with

MASK = "*" * 24


@pytest.fixture
def browser(admin: User) -> Client:
    """The administrator's, in English."""
    client = signed_in(admin)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def wire(telegraph: object, db: None) -> Gateway:
    """A gateway with a secret."""
    return accounts.create(
        name="wire", provider="telegraph", settings={"url": "https://t.example/", "password": SECRET, "tries": 5}
    )


def submit(client: Client, gateway: Gateway | None = None, **changes: Any) -> Any:
    """Submits the page as the browser would: the masked settings as they are shown unless others are given."""
    form = {
        "name": "wire",
        "provider": "telegraph",
        "settings": json.dumps({"url": "https://t.example/", "password": MASK, "tries": 5}),
        "sender": "",
        "enabled": "on",
        "priority": "100",
        "prefixes": "[]",
        "rate_per_second": "50",
        "max_in_flight": "50",
        "timeout": "15",
    } | changes
    address = page(Gateway, "change", gateway.pk) if gateway else page(Gateway, "add")
    return client.post(address, {name: value for name, value in form.items() if value is not None})


def stored(gateway: Gateway) -> dict[str, Any]:
    """The settings as the database has them."""
    settings: dict[str, Any] = Gateway.objects.get(pk=gateway.pk).settings
    return settings


def errors(response: Any) -> dict[str, list[str]]:
    """What the form was refused for."""
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def test_a_gateway_is_made_with_its_health(browser: Client, telegraph: object) -> None:
    settings = json.dumps({"url": "https://t.example/", "password": SECRET})
    assert submit(browser, settings=settings).status_code == 302
    gateway = Gateway.objects.get(name="wire")
    assert stored(gateway)["password"] == SECRET
    assert stored(gateway)["tries"] == 3
    assert GatewayHealth.objects.filter(gateway=gateway).exists()


def test_the_page_shows_the_settings_without_the_secret(browser: Client, auditor: User, wire: Gateway) -> None:
    for client in (browser, signed_in(auditor)):
        html = client.get(page(Gateway, "change", wire.pk)).content.decode()
        assert "https://t.example/" in html
        assert MASK in html
        assert SECRET not in html


def test_a_mask_that_is_left_keeps_the_secret(browser: Client, wire: Gateway) -> None:
    assert submit(browser, wire, sender="Hotel").status_code == 302
    assert stored(wire)["password"] == SECRET
    assert Gateway.objects.get(pk=wire.pk).sender == "Hotel"


def test_a_new_secret_replaces_the_old_one_and_ends_the_pause(browser: Client, wire: Gateway) -> None:
    GatewayHealth.objects.filter(gateway=wire).update(faults=3)
    settings = json.dumps({"url": "https://t.example/", "password": "new-one", "tries": 5})
    assert submit(browser, wire, settings=settings).status_code == 302
    assert stored(wire)["password"] == "new-one"
    assert GatewayHealth.objects.get(gateway=wire).faults == 0


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("{", "Enter a valid JSON."),
        ("[]", "Give an object such as {}."),
        ('{"url": "https://t.example/"}', "password:"),
        ('{"url": "https://t.example/", "password": "x", "colour": "red"}', "colour:"),
        ('{"url": "https://t.example/", "password": "x", "tries": 0}', "tries:"),
    ],
)
def test_wrong_settings_are_shown_on_the_form(
    browser: Client, telegraph: object, settings: str, complaint: str
) -> None:
    response = submit(browser, settings=settings)
    assert response.status_code == 200
    assert errors(response)["settings"][0].startswith(complaint)
    assert not Gateway.objects.exists()


def test_a_wrong_change_leaves_the_gateway_as_it_was(browser: Client, wire: Gateway) -> None:
    response = submit(browser, wire, name="other", prefixes='["7916"]')
    assert response.status_code == 200
    assert "prefixes" in errors(response)
    assert Gateway.objects.get(pk=wire.pk).name == "wire"


def test_a_name_that_is_taken_is_refused(browser: Client, wire: Gateway, sandbox: Gateway) -> None:
    response = submit(browser, wire, name="sandbox")
    assert response.status_code == 200
    assert "name" in errors(response)


def test_being_the_default_is_taken_over(browser: Client, wire: Gateway, sandbox: Gateway) -> None:
    assert submit(browser, wire, is_default="on").status_code == 302
    assert set(Gateway.objects.filter(is_default=True)) == {wire}


def test_a_gateway_is_deleted_with_its_health(browser: Client, wire: Gateway) -> None:
    assert browser.post(page(Gateway, "delete", wire.pk), {"post": "yes"}).status_code == 302
    assert not Gateway.objects.exists()
    assert not GatewayHealth.objects.exists()


def test_no_secret_reaches_the_audit_trail(browser: Client, wire: Gateway) -> None:
    settings = json.dumps({"url": "https://t.example/", "password": SECRET})
    assert submit(browser, wire, settings=settings).status_code == 302
    assert submit(browser, wire, settings=settings, priority="none").status_code == 200
    events = AuditEvent.objects.order_by("id")
    assert [event.status for event in events] == [200, 422]
    for event in events:
        assert SECRET not in json.dumps(event.request)


def test_a_provider_whose_file_is_gone_hides_all_its_settings(browser: Client, sandbox: Gateway) -> None:
    Gateway.objects.filter(pk=sandbox.pk).update(provider="gone", settings={"password": SECRET})
    response = browser.get(page(Gateway, "change", sandbox.pk))
    assert response.status_code == 200
    assert SECRET not in response.content.decode()


def html_of(client: Client, gateway: Gateway) -> str:
    """Its page."""
    text: str = client.get(page(Gateway, "change", gateway.pk)).content.decode()
    return text


def act(client: Client, action: str, *gateways: Gateway, **more: Any) -> Any:
    """Runs an action of the list on these gateways."""
    form = {"action": action, "_selected_action": [gateway.pk for gateway in gateways], **more}
    return client.post(page(Gateway, "changelist"), form, follow=True)


def said(response: Any) -> list[tuple[str, str]]:
    """The messages on top of the page: how serious, and what."""
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def test_the_page_takes_all_that_a_gateway_can_be_told(browser: Client, wire: Gateway) -> None:
    told = {"daily_limit": "500", "strict": "on", "test_number": "+79161234567", "balance_warning": "99.50"}
    assert submit(browser, wire, **told).status_code == 302
    gateway = Gateway.objects.get(pk=wire.pk)
    assert (gateway.daily_limit, gateway.strict, gateway.test_number) == (500, True, "+79161234567")
    assert gateway.balance_warning == Decimal("99.50")


@pytest.mark.parametrize(
    ("field", "value"),
    [("daily_limit", "0"), ("test_number", "8 916 123-45-67"), ("balance_warning", "-1"), ("sender", "x" * 21)],
)
def test_a_wrong_field_is_shown_on_the_form(browser: Client, wire: Gateway, field: str, value: str) -> None:
    response = submit(browser, wire, **{field: value})
    assert response.status_code == 200
    assert list(errors(response)) == [field]


def test_the_page_explains_the_settings_of_every_provider(browser: Client, db: None) -> None:
    html = browser.get(page(Gateway, "add")).content.decode()
    for name in providers.names():
        for key in providers.load(name).Config.base_fields:
            assert f"<code>{key}</code>" in html
    assert "In reserve: https://gate.smsaero.org/v2" in html


def test_what_the_page_offers_to_begin_with_has_every_setting(browser: Client, wire: Gateway) -> None:
    html = html_of(browser, wire)
    (unfolded,) = re.findall(r"<details open>.*?<pre[^>]*>(.*?)</pre>", html, re.DOTALL)
    assert json.loads(unfolded.replace("&quot;", '"')) == {
        "url": "",
        "password": "",
        "second_password": "",
        "tries": 3,
        "flash": False,
    }


def test_the_page_says_how_a_gateway_fares(browser: Client, wire: Gateway) -> None:
    accounts.change(wire, daily_limit=500, balance_warning=Decimal(100))
    health.record_fault(wire.pk, GatewayFault("no funds", "top the account up"))
    balance.record(wire, Balance(Decimal("49.90"), "RUB"))
    GatewayHealth.objects.update(day=timezone.localdate(), day_count=31)
    html = html_of(browser, wire)
    for shown in ("no funds", "top the account up", "49.90 RUB · below half of the threshold", "31 / 500", "paused"):
        assert shown in html
    listed = browser.get(page(Gateway, "changelist")).content.decode()
    for shown in ("no funds", "49.90 RUB · below half of the threshold", "31 / 500", "paused"):
        assert shown in listed


def test_a_gateway_whose_credentials_are_refused_says_so(browser: Client, wire: Gateway) -> None:
    health.record_fault(wire.pk, CredentialsRefused("wrong password"))
    assert "credentials refused" in html_of(browser, wire)
    assert health.CORRECT_CREDENTIALS.replace("'", "&#x27;") in html_of(browser, wire)


def test_where_its_provider_calls_is_shown_to_those_who_may_set_it_up(
    browser: Client, auditor: User, wire: Gateway, settings: Settings
) -> None:
    assert "Set PORTAL_URL" in html_of(browser, wire)
    settings.PORTAL_URL = "https://portal.example.org"
    assert f"https://portal.example.org/callbacks/{wire.pk}/{wire.callback_key}/" in html_of(browser, wire)
    assert wire.callback_key not in html_of(signed_in(auditor), wire)


def test_no_list_can_be_filtered_by_where_providers_call(browser: Client, wire: Gateway) -> None:
    response = browser.get(page(Gateway, "changelist"), {"callback_key__startswith": "a"})
    assert response.status_code == 400


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
def test_a_check_is_a_message_with_its_remedy(
    browser: Client, wire: Gateway, monkeypatch: pytest.MonkeyPatch, found: Finding, message: tuple[str, str]
) -> None:
    monkeypatch.setattr(checking, "check", lambda _gateway: found)
    response = act(browser, "check_connection", wire)
    assert said(response) == [message]
    assert "<way>" not in response.content.decode()
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.status) == ("admin:gateways_gateway_check", "wire", 200)


def test_the_request_is_shown_without_secrets(browser: Client, sandbox: Gateway) -> None:
    settings = {"url": "https://sms.example.org", "api_key": SECRET}
    sms_ru = accounts.create(name="sms ru", provider="sms_ru", settings=settings, sender="Hotel")
    response = act(browser, "show_request", sandbox, sms_ru)
    html = response.content.decode()
    assert "POST https://sms.example.org/sms/send" in html
    assert "Hotel" in html
    assert SECRET not in html
    assert not Message.objects.exists()
    other = act(browser, "show_request", sms_ru, phone="+79031112233", text="Другой <текст>")
    assert "79031112233" in other.content.decode()
    assert "<текст>" not in other.content.decode()
    wrong = act(browser, "show_request", sms_ru, phone="12", text="")
    assert "Give a phone such as" in wrong.content.decode()


def test_where_there_is_no_request_the_page_says_why(browser: Client, wire: Gateway) -> None:
    response = act(browser, "show_request", wire)
    assert response.status_code == 200
    assert "cannot make a request" in response.content.decode()


def test_a_test_goes_to_the_test_number_of_each_and_its_message_can_be_followed(
    browser: Client, admin: User, sandbox: Gateway
) -> None:
    accounts.change(sandbox, test_number="+79161234567")
    second = accounts.create(name="second", provider="sandbox")
    response = act(browser, "send_test", sandbox, second)
    message = Message.objects.get()
    link = f'<a href="{page(Message, "change", message.pk)}">See what becomes of it</a>'
    assert (message.gateway, message.phone, message.only_here) == (sandbox, "+79161234567", True)
    assert message.requested_by == admin
    assert sorted(said(response)) == [
        ("error", "Gateway “second”: Give a phone, or set the gateway's test number."),
        ("success", f"Gateway “sandbox”: the test is message {message.pk}. {link}"),
    ]
    audited = AuditEvent.objects.order_by("status").values_list("action", "object_id", "status")
    assert list(audited) == [
        ("admin:gateways_gateway_test", "sandbox", 200),
        ("admin:gateways_gateway_test", "second", 422),
    ]


def test_a_test_that_waits_says_for_what(browser: Client, sandbox: Gateway) -> None:
    accounts.change(sandbox, test_number="+79161234567")
    health.record_fault(sandbox.pk, CredentialsRefused("wrong password"))
    ((level, message),) = said(act(browser, "send_test", sandbox))
    assert level == "warning"
    assert "It waits: the provider refuses the gateway&#x27;s credentials." in message


def test_a_gateway_that_is_switched_off_is_not_tested(browser: Client, sandbox: Gateway) -> None:
    accounts.change(sandbox, test_number="+79161234567", enabled=False)
    assert said(act(browser, "send_test", sandbox)) == [
        ("error", "Gateway “sandbox”: Gateway “sandbox” is switched off.")
    ]


def test_the_page_of_a_gateway_has_a_button_for_each_and_leads_back(
    browser: Client, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "check", lambda _gateway: Finding(True, "well"))
    address = page(Gateway, "change", sandbox.pk)
    html = html_of(browser, sandbox)
    buttons = re.findall(r'name="action" value="(\w+)">([^<]+)<', html)
    assert buttons == [
        ("check_connection", "Check the connection"),
        ("show_request", "Show the request"),
        ("send_test", "Send a test"),
    ]
    assert act(browser, "check_connection", sandbox, from_page=sandbox.pk).redirect_chain == [(address, 302)]
    assert act(browser, "check_connection", sandbox).redirect_chain[0][0] != address
    strange = act(browser, "check_connection", sandbox, from_page="//elsewhere.example")
    assert strange.redirect_chain[0][0].startswith(page(Gateway, "changelist"))


@pytest.mark.parametrize(
    ("rights", "buttons"),
    [
        ((Right.SMS_GATEWAY_READ,), []),
        ((Right.SMS_GATEWAY_READ, Right.SMS_GATEWAY_UPDATE), ["check_connection", "show_request"]),
        (SENDING, ["send_test"]),
    ],
)
def test_everybody_finds_the_actions_that_their_rights_allow(
    sandbox: Gateway, monkeypatch: pytest.MonkeyPatch, rights: tuple[Right, ...], buttons: list[str]
) -> None:
    accounts.change(sandbox, test_number="+79161234567")
    asked: list[Gateway] = []

    def check(gateway: Gateway) -> Finding:
        asked.append(gateway)
        return Finding(True, "well")

    monkeypatch.setattr(checking, "check", check)
    client = signed_in(staff_with("clerk", *rights))
    assert re.findall(r'name="action" value="(\w+)"', html_of(client, sandbox)) == buttons
    for action in ("check_connection", "show_request", "send_test"):
        act(client, action, sandbox)
    assert bool(asked) is ("check_connection" in buttons)
    assert Message.objects.exists() is ("send_test" in buttons)


def test_who_may_not_read_messages_is_not_led_to_one(sandbox: Gateway) -> None:
    accounts.change(sandbox, test_number="+79161234567")
    client = signed_in(staff_with("clerk", *SENDING))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert said(act(client, "send_test", sandbox)) == [
        ("success", f"Gateway “sandbox”: the test is message {Message.objects.get().pk}.")
    ]
