"""Gateways in the admin: written by `accounts`, and their secrets never read back."""

import json
from typing import Any

import pytest
from django.test import Client

from gateways import accounts
from gateways.models import Gateway, GatewayHealth
from portal.models import AuditEvent, User
from tests.portal.admin_pages import SECRET, page, signed_in

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
