"""The list of guests as a CSV file."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from guests import accounts
from guests.importing import steps
from guests.models import Existing, Guest
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

EXPORT = "/admin/guests/guest/export/"


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    """The rows of the file."""
    response: Any = client.post(f"{EXPORT}?{query}", headers={"Accept-Language": "en"})
    return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))


def test_it_holds_what_the_list_shows_and_is_written_down(receptionist: User, own: Guest, foreign: Guest) -> None:
    client = signed_in(receptionist)
    assert {row["User name"] for row in exported(client)} == {"own", "foreign"}
    accounts.write(own, suspended=True, password="argon2$canary")
    (row,) = exported(client, "state=suspended&q=own")
    assert (row["User name"], row["Phone"], row["Sponsor"], row["State"]) == (
        *("own", "'+79161234501", "sponsor"),
        "suspended",
    )
    assert "canary" not in str(row)
    assert AuditEvent.objects.latest("pk").request == {"guests": 1, "filters": ["q", "state"]}


def test_it_needs_the_right_to_read_all_guests(sponsor: User, own: Guest) -> None:
    client = signed_in(sponsor)
    assert EXPORT not in client.get(page(Guest, "changelist")).content.decode()
    assert client.post(EXPORT).status_code == 403
    assert signed_in(staff_with("clerk", Right.USERS_CREATE)).post(EXPORT).status_code == 403
    assert AuditEvent.objects.get(user=sponsor).status == 403


def test_it_is_asked_for_by_a_form(receptionist: User) -> None:
    client = signed_in(receptionist)
    assert EXPORT in client.get(page(Guest, "changelist")).content.decode()
    assert client.get(EXPORT).status_code == 405
    assert client.post(f"{EXPORT}?nothing__such=1").headers["Location"] == page(Guest, "changelist")


def test_a_formula_is_defused(receptionist: User, guest: Guest) -> None:
    accounts.write(guest, company="=HYPERLINK(1)")
    assert exported(signed_in(receptionist))[0]["Company"] == "'=HYPERLINK(1)"


def test_it_can_be_imported_again(receptionist: User, admin: User, guest: Guest) -> None:
    accounts.write(guest, company="=1", notes="two\nlines, and a comma", language="ru")
    before: Any = Guest.objects.values().get()
    response: Any = signed_in(receptionist).post(EXPORT)
    found = steps.start(
        b"".join(response), by=admin, guest_type=None, existing=Existing.UPDATE, sends=False, gateway_name=""
    )
    steps.check(found)
    steps.run(found)
    after: Any = Guest.objects.values().get()
    moments = ("valid_from", "valid_until")
    assert {name: value for name, value in after.items() if name not in moments} == {
        name: value for name, value in before.items() if name not in moments
    }
    assert all(abs((after[name] - before[name]).total_seconds()) < 1 for name in moments)
