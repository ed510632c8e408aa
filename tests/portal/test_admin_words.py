"""What the admin says around the rows: titles that need no case but the first, and the way to the other pages."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from lxml.html import HtmlElement, fromstring

from gateways.models import Gateway, SandboxSms
from guests.models import Guest
from portal.models import User
from tests.portal.admin_pages import page, signed_in


def html(client: Client, address: str, language: str) -> str:
    text: str = client.get(address, HTTP_ACCEPT_LANGUAGE=language).content.decode()
    return text


def titles(text: str) -> tuple[str, str]:
    """What the browser's tab says before the portal's name, and the heading with the way to it."""
    page: HtmlElement = fromstring(text)
    for icon in page.find_class("material-symbols-outlined"):
        icon.text = " > "
    tab, heading = (" ".join(page.findall(f".//{tag}")[0].text_content().split()) for tag in ("title", "h1"))
    return tab.rpartition(" | ")[0], heading


@pytest.mark.parametrize(
    ("language", "one", "new", "many"),
    [("ru", "Гость", "Гость: новая запись", "Гости"), ("en", "Guest", "Guest: new", "Guests")],
)
def test_titles_name_the_model_as_it_is(admin: User, language: str, one: str, new: str, many: str) -> None:
    client = signed_in(admin)
    guest = Guest.objects.create(username="guest1", phone="+79161234567")
    assert titles(html(client, page(Guest, "change", guest.pk), language)) == (f"guest1 | {one}", f"{many} > guest1")
    assert titles(html(client, page(Guest, "add"), language)) == (new, f"{many} > {new}")
    assert titles(html(client, page(Guest, "changelist"), language)) == (many, many)


def test_administrators_find_the_documentation_and_the_sandbox_phone(admin: User) -> None:
    front = html(signed_in(admin), "/admin/", "ru")
    assert '<a href="/api/docs' in front
    assert '<a href="/sandbox/"' in front


def test_others_are_not_led_to_a_page_that_refuses_them(auditor: User) -> None:
    assert "/sandbox/" not in html(signed_in(auditor), "/admin/", "ru")


def test_a_message_on_the_sandbox_phone_is_named_by_local_time(sandbox: Gateway) -> None:
    sms = SandboxSms(gateway=sandbox, phone="+79161234567")
    sms.received = datetime(2026, 1, 2, 21, 30, tzinfo=UTC)
    assert str(sms) == "+79161234567 2026-01-03 00:30:00"
