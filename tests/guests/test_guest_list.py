"""The list of guests: what it shows, finds and filters, and how often it asks the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import TimeMachineFixture

from gateways.models import Gateway
from guests import accounts, credentials, stays
from guests.models import Guest, GuestType
from guests.states import State
from messaging.models import Message
from messaging.models import State as Fate
from portal.models import User
from tests.portal.admin_pages import page, signed_in
from tests.statements import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]


@pytest.fixture
def browser(receptionist: User) -> Client:
    """The receptionist's, in English."""
    client = signed_in(receptionist)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def found(client: Client, **query: str) -> set[str]:
    """The user names that the list shows."""
    response = client.get(page(Guest, "changelist"), query)
    assert response.status_code == 200
    return {guest.username for guest in response.context["cl"].result_list}


@pytest.mark.parametrize("written", ["+79161234567", "8 (916) 123-45-67", "916 1234567", "79161234567"])
def test_a_phone_is_found_in_any_spelling(browser: Client, guest: Guest, written: str) -> None:
    accounts.create(username="other", by=None, phone="+79161234568")
    assert found(browser, q=written) == {"bob"}


def test_a_guest_is_found_by_what_is_known(browser: Client) -> None:
    accounts.create(username="a1", by=None, first_name="Anna", company="Ours", email="anna@example.org")
    accounts.create(username="b2", by=None)
    for text in ("a1", "ann", "OURS", "example.org"):
        assert found(browser, q=text) == {"a1"}


def test_it_filters_by_state(browser: Client, guest: Guest, phoneless: Guest) -> None:
    stays.suspend(guest, why="lost the badge")
    assert found(browser, state="suspended") == {"bob"}
    assert found(browser, state="created") == {"eve"}
    for state in State:
        found(browser, state=state.value)


@pytest.mark.usefixtures("noon")
def test_it_filters_by_validity(browser: Client) -> None:
    now = timezone.now()
    for name, begin, end in (
        ("lately", -3, -1), ("long ago", -30, -20), ("soon", -1, 2), ("running", -1, 9), ("later", 4, 9),
    ):  # fmt: skip
        day = timedelta(days=1)
        Guest.objects.create(username=name, valid_from=now + begin * day, valid_until=now + end * day)
    assert found(browser, validity="lately") == {"lately"}
    assert found(browser, validity="soon") == {"soon"}
    assert found(browser, validity="later") == {"later"}
    Guest.objects.filter(username="running").update(valid_until=now + timedelta(hours=11))
    assert found(browser, validity="today") == {"running"}


def test_it_filters_by_type_sponsor_and_language(browser: Client, visitor_type: GuestType, admin: User) -> None:
    accounts.create(username="a", by=admin, guest_type=visitor_type)
    accounts.create(username="b", by=None, language="ru")
    assert found(browser, guest_type__id__exact=str(visitor_type.pk)) == {"a"}
    assert found(browser, sponsor__id__exact=str(admin.pk)) == {"a"}
    assert found(browser, language__exact="ru") == {"b"}


@pytest.mark.parametrize(
    ("fate", "answer"),
    [
        (Fate.QUEUED, "under_way"),
        (Fate.SUBMITTED, "under_way"),
        (Fate.DELIVERED, "arrived"),
        (Fate.NO_RECEIPT, "unknown"),
        (Fate.FAILED, "failed"),
        (Fate.UNRESOLVED, "failed"),
    ],
)
def test_it_says_what_became_of_credentials_and_filters_by_it(
    browser: Client, guest: Guest, phoneless: Guest, fate: Fate, answer: str
) -> None:
    credentials.renew(guest, gateway_name="", by=None)
    accounts.change(guest, phone="+79161234599")
    Message.objects.update(state=fate)
    for known in ("none", "under_way", "arrived", "unknown", "failed"):
        expected = {"none": {"eve"}, answer: {"bob"}}.get(known, set())
        assert found(browser, credentials=known) == expected
    html = browser.get(page(Guest, "changelist")).content.decode()
    assert str(fate.label) in html
    assert "+79161234567" in html, "to whom it went, and not where it would go now"


def test_it_asks_the_database_as_often_for_many_guests_as_for_few(
    browser: Client, admin: User, visitor_type: GuestType, time_machine: TimeMachineFixture
) -> None:
    # The session is written now and then, whatever is on the page.
    time_machine.move_to(timezone.now(), tick=False)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page(Guest, "changelist")).status_code == 200
        return len(queries)

    def add(names: range) -> None:
        for number in names:
            phone = f"+7916123{number:04}"
            guest = accounts.create(username=f"g{number}", by=admin, guest_type=visitor_type, phone=phone)
            credentials.send(guest, password="pa55word", gateway_name="", by=admin)

    add(range(2))
    asked()
    few = asked()
    add(range(2, 22))
    assert asked() == few


def test_no_list_decrypts_a_text(browser: Client, guest: Guest, monkeypatch: Any) -> None:
    credentials.renew(guest, gateway_name="", by=None)
    sent = statements(lambda: browser.get(page(Guest, "changelist")))
    assert sent
    assert not [one for one in sent if '"messaging_message"."text"' in one]


def test_a_guests_page_lists_the_messages_that_were_sent(browser: Client, guest: Guest, sandbox: Gateway) -> None:
    made = credentials.renew(guest, gateway_name="", by=None)
    other = accounts.create(username="anna", by=None, phone="+79161234599")
    credentials.renew(other, gateway_name="", by=None)
    response = browser.get(page(Guest, "change", guest.pk))
    assert [message.pk for message, _fate in response.context["sent"]] == [made.message.pk]
    assert made.password not in response.content.decode()
