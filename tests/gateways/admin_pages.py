"""How tests use the pages of gateways: the form as a browser fills it in, the buttons, and what is said afterwards."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse
from lxml import html

from gateways.models import Gateway
from tests.portal.admin_pages import page

LIST = page(Gateway, "changelist")


def address_of(gateway: Gateway) -> str:
    """Its page."""
    return page(Gateway, "change", gateway.pk)


def act_address(gateway: Gateway, name: str) -> str:
    """Where a button leads."""
    return reverse("admin:gateways_gateway_act", args=(gateway.pk, name))


def html_of(client: Client, address: str | Gateway) -> str:
    """What the page shows."""
    response = client.get(address_of(address) if isinstance(address, Gateway) else address)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def form_in(text: str) -> dict[str, str]:
    """What a browser would send of the gateway's form if nobody touched it."""
    (form,) = html.fromstring(text).xpath("//form[@id='gateway_form']")
    sent = form.xpath(".//input[not(@type='submit')][not(@type='checkbox') or @checked] | .//select | .//textarea")
    return {field.name: _value(field) for field in sent if field.name and field.name != "csrfmiddlewaretoken"}


def _value(field: Any) -> str:
    value = field.value or ""
    # The line break right after the tag is no part of the text.
    return str(value).removeprefix("\n") if field.tag == "textarea" else str(value)


def save(client: Client, address: str | Gateway, **changes: Any) -> Any:
    """Opens the page, changes these fields and submits all; None unticks. `settings.x` is written `settings__x`."""
    filled = form_in(html_of(client, address)) | {name.replace("__", "."): value for name, value in changes.items()}
    target = address_of(address) if isinstance(address, Gateway) else address
    return client.post(target, {name: value for name, value in filled.items() if value is not None})


def errors(response: Any) -> dict[str, list[str]]:
    """What the form was refused for."""
    assert response.status_code == 200
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def act(client: Client, gateway: Gateway, name: str, **form: Any) -> Any:
    """Presses a button of its page."""
    return client.post(act_address(gateway, name), form, follow=True)


def act_on_list(client: Client, name: str, *gateways: Gateway, **more: Any) -> Any:
    """Runs an action of the list on these gateways."""
    form = {"action": name, "_selected_action": [gateway.pk for gateway in gateways], **more}
    return client.post(LIST, form, follow=True)


def said(response: Any) -> list[tuple[str, str]]:
    """The messages on top of the page: how serious, and what."""
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def buttons_in(text: str) -> list[str]:
    """The names of the buttons of a page, in their order."""
    return re.findall(r'(?:formaction|href)="/admin/gateways/gateway/\d+/act/(\w+)/"', text)
