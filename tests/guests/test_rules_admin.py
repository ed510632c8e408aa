"""The rules of self-registration in the admin: one form, checked by the domain, and written down."""

from typing import Any

import pytest
from django.test import Client

from guests import rules
from guests.models import RegistrationRules
from portal.errors import Refusal
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

PAGE = "/admin/guests/registrationrules/"


@pytest.fixture
def browser(admin: User) -> Client:
    """The administrator's."""
    return signed_in(admin)


def form(browser: Client, **changed: str) -> dict[str, str]:
    """The form as it is shown, with some fields changed."""
    shown = browser.get(PAGE).context["adminform"].form
    values = {name: shown[name].value() for name in shown.fields}
    given = {name: "on" if value is True else value for name, value in values.items() if value is not False}
    return {**given, **changed}


def test_before_anybody_changes_them_the_usual_rules_are_shown_and_nothing_is_written(browser: Client) -> None:
    html = browser.get(PAGE).content.decode()
    assert 'name="phone_hour" value="3"' in html
    assert not RegistrationRules.objects.exists()


def test_a_change_is_written_with_the_old_and_the_new_value(browser: Client) -> None:
    said = form(browser, phone_hour="4", countries="ru, kz\nde", redirect_hosts="*.Example.org, 10.0.0.1:8443")
    response = browser.post(PAGE, said)
    assert response.headers["Location"] == PAGE
    now = rules.current()
    assert (now.phone_hour, now.countries) == (4, ["RU", "KZ", "DE"])
    assert now.redirect_hosts == ["*.example.org", "10.0.0.1:8443"]
    event = AuditEvent.objects.get()
    assert (event.action, event.status) == ("admin:guests_registrationrules_change", 200)
    assert event.changes["phone_hour"] == [3, 4]
    assert set(event.changes) == {"phone_hour", "countries", "redirect_hosts"}


def test_what_was_typed_in_other_spellings_is_shown_a_line_each(browser: Client) -> None:
    browser.post(PAGE, form(browser, countries="ru;kz"))
    assert browser.get(PAGE).context["adminform"].form["countries"].value() == "RU\nKZ"
    # The same once more changes nothing.
    browser.post(PAGE, form(browser))
    assert AuditEvent.objects.latest("pk").changes == {}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("countries", "RU, Narnia", "“NARNIA” is no country."),
        ("sponsor_domains", "example.org anna@example.org", "“anna@example.org” is no domain."),
        ("redirect_hosts", "http://example.org/", "is no host."),
        ("phone_day", "2", "The limit for a day is below that for an hour (3)"),
        ("brake_percent", "101", "Write a share from 1 to 100 percent"),
        ("journal_days", "0", "This must be 1 or more."),
        ("portal_hour", "-1", "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_lost(
    browser: Client, field: str, value: str, sentence: str
) -> None:
    response = browser.post(PAGE, form(browser, **{field: value, "device_hour": "7"}))
    shown = response.context["adminform"].form
    assert response.status_code == 200
    assert sentence in str(shown.errors[field])
    assert (shown[field].value(), shown["device_hour"].value()) == (value, "7")
    assert rules.current().device_hour == 5


def test_no_limit_for_a_day_goes_with_any_limit_for_an_hour() -> None:
    assert rules.change(phone_hour=9, phone_day=0).phone_day == 0
    assert rules.change(phone_hour=0, phone_day=1).phone_hour == 0


@pytest.mark.parametrize("given", [{"ask_name": "perhaps"}, {"brake_minutes": 0}, {"countries": ["R"]}])
def test_the_domain_refuses_what_no_form_would_let_through(given: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        rules.change(**given)
    assert refused.value.field == next(iter(given))
    assert rules.current().brake_minutes == 60


def test_there_is_one_row_and_no_other(browser: Client) -> None:
    assert browser.get(page(RegistrationRules, "change", 1)).status_code == 200
    assert browser.get(page(RegistrationRules, "change", 2)).status_code == 404
    assert browser.get(page(RegistrationRules, "add")).status_code == 403
    rules.change(phone_hour=4)
    assert browser.post(page(RegistrationRules, "delete", 1), {"post": "yes"}).status_code == 403


def test_who_may_read_the_system_sees_them_and_changes_nothing(db: None) -> None:
    client = signed_in(staff_with("clerk", Right.SYSTEM_READ))
    html = client.get(PAGE).content.decode()
    assert "messages to a phone in an hour" in html.lower()
    assert 'name="phone_hour"' not in html
    response = client.post(PAGE, {"phone_hour": "99"})
    assert response.status_code == 403
    assert not RegistrationRules.objects.exists()
