"""Templates of texts: what they must hold, how they are told apart, and what they cost."""

import pytest
from django.db import IntegrityError
from django.test import Client

from messaging import templates
from messaging.models import MessageTemplate
from messaging.retries import Kind
from portal.errors import Refusal
from portal.models import User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.CREDENTIALS, "$portal: $username $password"),
        (Kind.CREDENTIALS, "Guest WI-FI: ${username} / ${password}, costs $$5"),
        (Kind.CODE, "$portal: $code"),
        (Kind.INFORMATION, "$portal: the pool is open"),
    ],
)
def test_a_text_with_all_it_needs_is_taken(kind: Kind, text: str) -> None:
    templates.check(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (Kind.CREDENTIALS, "$portal: $username", "$password"),
        (Kind.CREDENTIALS, "$portal", "$username, $password"),
        (Kind.CREDENTIALS, "$username $password", "names who sends it"),
        (Kind.CODE, "$portal: 1234", "$code"),
        (Kind.INFORMATION, "the pool is open", "Guest Wi-Fi"),
        (Kind.INFORMATION, "$portal $username", "$username"),
        (Kind.CREDENTIALS, "$portal: $pasword", "$pasword"),
        (Kind.INFORMATION, "$portal: 5 $ a day", "$$"),
    ],
)
def test_what_is_missing_is_named(kind: Kind, text: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        templates.check(kind, text)
    assert refused.value.field == "text"
    assert why in refused.value.sentence


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"text": "$portal: $username $password"}, 302),
        ({"text": "$username $password"}, 200),
        ({"text": "$pasword"}, 200),
        ({"text": "$portal: $username $password" + " and so on" * 200}, 200),
        ({"text": ""}, 200),
        ({"text": "$portal: $username $password", "name": "second"}, 200),
        ({"kind": Kind.INFORMATION, "text": "$portal: hello"}, 200),
        ({"kind": Kind.INFORMATION, "text": "$portal: hello", "name": "Greeting"}, 302),
    ],
)
def test_the_page_takes_only_what_can_be_sent(admin: User, form: dict[str, str], status: int) -> None:
    template = MessageTemplate.objects.get(kind=Kind.CREDENTIALS, language="en")
    given = {"kind": Kind.CREDENTIALS, "language": "en", "name": "", **form}
    response = signed_in(admin).post(page(MessageTemplate, "change", template.pk), given)
    assert response.status_code == status
    template.refresh_from_db()
    assert (template.text == form["text"]) is (status == 302)


def test_information_has_several_texts_and_credentials_one(db: None) -> None:
    for name in ("pool", "breakfast"):
        MessageTemplate.objects.create(kind=Kind.INFORMATION, language="en", name=name, text="$portal")
    with pytest.raises(IntegrityError):
        MessageTemplate.objects.create(kind=Kind.CREDENTIALS, language="en", name="second", text="$portal")


def test_a_second_text_of_one_name_is_refused_in_words(admin: User) -> None:
    MessageTemplate.objects.create(kind=Kind.INFORMATION, language="en", name="pool", text="$portal")
    client = signed_in(admin)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    form = {"kind": Kind.INFORMATION, "language": "en", "name": "pool", "text": "$portal: x"}
    assert "with this name" in client.post(page(MessageTemplate, "add"), form).content.decode()


def measured(client: Client, **form: str) -> dict[str, str]:
    """What the meter says."""
    found: dict[str, str] = client.post("/admin/messages/measure/", form, headers={"accept-language": "en"}).json()
    return found


def test_the_meter_counts_a_template_with_sample_values(admin: User) -> None:
    found = measured(signed_in(admin), kind=Kind.CREDENTIALS, text="$portal: логин $username, пароль $password")
    assert found["text"] == "Guest Wi-Fi: логин ivanov.i, пароль kofe-luna-42"
    assert found["says"].startswith("UCS-2 · 1 segment · 48 characters")
    assert "$password" in measured(signed_in(admin), kind=Kind.CREDENTIALS, text="$portal $username")["wrong"]


@pytest.mark.parametrize(
    ("right", "status"), [(Right.SYSTEM_UPDATE, 200), (Right.SYSTEM_CREATE, 200), (Right.SYSTEM_READ, 403)]
)
def test_the_meter_is_for_those_who_write_templates(db: None, right: Right, status: int) -> None:
    client = signed_in(staff_with("clerk", right))
    assert client.post("/admin/messages/measure/", {"kind": Kind.CODE, "text": "x"}).status_code == status
