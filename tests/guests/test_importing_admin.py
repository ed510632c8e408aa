"""The pages of an import: from the file to the report, and what they ask of whoever opens them."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from gateways.models import Gateway
from guests.importing import steps
from guests.models import Guest, GuestImport, Outlook
from messaging.models import Message
from portal.models import AuditEvent, User
from portal.permissions import Right
from portal.sign_in import sessions
from tests.conftest import PASSWORD
from tests.guests.test_importing import FAULTS, two_hundred
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

FILE = "admin:guests_guest_import_file"
EXISTING = {"existing": "refuse"}


@pytest.fixture
def browser(receptionist: User, sandbox: Gateway) -> Client:
    """The receptionist's, in English."""
    client = signed_in(receptionist)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def upload(client: Client, text: str, **given: Any) -> Any:
    """Sends a file in."""
    return client.post(reverse(FILE), {"file": SimpleUploadedFile("guests.csv", text.encode()), **EXISTING, **given})


def checked(client: Client, text: str, **given: Any) -> GuestImport:
    """An import whose columns were taken as guessed."""
    assert upload(client, text, **given).status_code == 302
    found = GuestImport.objects.latest("pk")
    mapping = {field: str(index) for field, index in found.mapping.items()}
    assert client.post(step("columns", found), mapping).headers["Location"] == step("check", found)
    return found


def step(name: str, found: GuestImport) -> str:
    """The address of a step."""
    return reverse(f"admin:guests_guest_import_{name}", args=(found.pk,))


def mended() -> dict[str, str]:
    """What somebody writes into the five faulty rows."""
    return {f"_cell-{number}-{field}": right for number, (field, _wrong, right) in FAULTS.items()}


class TestWholeWay:
    def test_200_rows_with_five_faults_are_mended_imported_and_sent_to(self, browser: Client) -> None:
        found = checked(browser, two_hundred(), sends="on", gateway="")
        html = browser.get(step("check", found)).content.decode()
        assert {int(number) for number in re.findall(r"<legend>Row (\d+)</legend>", html)} == set(FAULTS)
        assert "Rows 98 and 99 have the same user name, guest98." in html
        assert not Guest.objects.exists()
        assert browser.post(step("check", found), mended() | {"again": "1"}).status_code == 302
        assert "Import all 200 rows" in browser.get(step("check", found)).content.decode()
        response = browser.post(step("check", found), {"go": "1"})
        assert response.headers["Location"] == step("report", found)
        assert Guest.objects.exclude(password="").count() == Message.objects.count() == 200
        assert "Credentials go out to 200 guests." in browser.get(step("report", found)).content.decode()

    def test_submitted_twice_it_is_done_once(self, browser: Client) -> None:
        found = checked(browser, "phone\n+79161234567", sends="on", gateway="")
        for _twice in range(2):
            assert browser.post(step("check", found), {"go": "1"}).status_code == 302
        assert (Guest.objects.count(), Message.objects.count()) == (1, 1)

    def test_what_is_written_into_faulty_rows_is_not_lost_by_importing_the_good_ones(self, browser: Client) -> None:
        found = checked(browser, "username\nann\nbob/")
        browser.post(step("check", found), {"_cell-3-username": "bob", "go": "1"})
        assert set(Guest.objects.values_list("username", flat=True)) == {"ann", "bob"}

    def test_faulty_rows_come_as_a_file_that_can_go_in_again(self, browser: Client) -> None:
        found = checked(browser, "username,phone,notes\nann,12,=1+1\nbob,+79161234567,")
        text = b"".join(browser.get(step("faulty", found))).decode("utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["error"].startswith("Phone: This is not a phone number")
        assert row["notes"] == "'=1+1"
        again = checked(browser, text)
        assert again.rows.get().cells[:3] == ["ann", "12", "=1+1"]

    def test_it_can_be_thrown_away_and_taken_up_again(self, browser: Client) -> None:
        found = checked(browser, "username\nann")
        assert step("check", found) in browser.get(reverse(FILE)).content.decode()
        assert browser.get(step("drop", found)).status_code == 302
        assert GuestImport.objects.exists()
        browser.post(step("drop", found))
        assert not GuestImport.objects.exists()
        assert browser.get(step("check", found)).status_code == 404

    def test_credentials_can_be_sent_afterwards(self, browser: Client) -> None:
        found = checked(browser, "username,phone\nann,+79161234567\nbob,")
        browser.post(step("check", found), {"go": "1"})
        assert not Message.objects.exists()
        assert "Send credentials to 2 guests" in browser.get(step("report", found)).content.decode()
        browser.post(step("report", found))
        html = browser.get(step("report", found)).content.decode()
        assert Message.objects.get().recipient_label == "ann"
        assert "bob has no phone number" in html

    def test_the_sample_is_a_file_to_be_saved(self, browser: Client) -> None:
        response = browser.get(reverse("admin:guests_guest_import_sample"))
        assert "guests-sample" in response.headers["Content-Disposition"]
        assert b"User name,Phone" in b"".join(response)


class TestBadInput:
    def test_a_file_that_cannot_be_read_is_said_so_in_the_form(self, browser: Client) -> None:
        response = upload(browser, "phone\n")
        assert "nothing to import" in str(response.context["form"].errors["file"])
        assert not GuestImport.objects.exists()
        assert "file" in browser.post(reverse(FILE), EXISTING).context["form"].errors

    def test_wrong_columns_are_said_so_in_the_form(self, browser: Client) -> None:
        upload(browser, "a,b\n1,2")
        found = GuestImport.objects.get()
        response = browser.post(step("columns", found), {"phone": "0", "notes": "0"})
        assert "phone" in response.context["form"].errors
        assert set(found.rows.values_list("outlook", flat=True)) == {Outlook.UNCHECKED}

    def test_cells_of_other_rows_and_fields_are_passed_over(self, browser: Client) -> None:
        found = checked(browser, "username\nann\nbob/")
        browser.post(step("check", found), {"_cell-3-password": "x", "_cell-x-username": "x", "_cell-9-username": "x"})
        assert [row.cells for row in found.rows.all()] == [["ann"], ["bob/"]]


class TestRights:
    def test_without_the_right_to_create_no_page_opens(self, browser: Client) -> None:
        found = checked(browser, "username\nann")
        reader = signed_in(staff_with("reader", Right.USERS_READ, Right.USERS_UPDATE))
        assert reverse(FILE) not in reader.get(page(Guest, "changelist")).content.decode()
        addresses = [step(name, found) for name in ("columns", "check", "faulty", "report", "drop")]
        for address in [reverse(FILE), reverse("admin:guests_guest_import_sample"), *addresses]:
            assert reader.get(address).status_code == 403
        assert reader.post(step("check", found), {"go": "1"}).status_code == 403

    def test_nobody_sees_the_import_of_another(self, browser: Client, admin: User) -> None:
        found = checked(browser, "username\nann")
        assert signed_in(admin).get(step("check", found)).status_code == 404

    @pytest.mark.parametrize("right", [Right.USERS_READ, Right.USERS_UPDATE])
    def test_who_may_not_see_and_change_guests_changes_none_by_import(self, guest: Guest, right: Right) -> None:
        client = signed_in(staff_with("clerk", right, Right.USERS_CREATE))
        assert "existing" in upload(client, "username\nbob", existing="update").context["form"].errors

    def test_who_may_not_send_sends_none_by_import(self, guest: Guest) -> None:
        client = signed_in(staff_with("clerk", Right.USERS_READ, Right.USERS_CREATE))
        found = checked(client, "username,phone\nann,+79161234567", sends="on")
        assert not found.sends
        assert client.post(step("report", found)).status_code == 403

    def test_a_right_that_was_taken_away_in_between_is_missed(self, browser: Client, receptionist: User) -> None:
        found = checked(browser, "username,phone\nann,+79161234567", sends="on", gateway="")
        receptionist.groups.clear()
        receptionist.user_permissions.set(
            User.user_permissions.field.related_model.objects.filter(codename="USERS_CREATE")  # type: ignore[attr-defined]
        )
        assert browser.post(step("check", found), {"go": "1", "_cell-2-username": "canary"}).status_code == 403
        assert not Guest.objects.exists()
        assert "canary" not in str(list(AuditEvent.objects.values()))

    def test_sending_is_confirmed_first_and_what_was_mended_comes_along(
        self, browser: Client, receptionist: User
    ) -> None:
        found = checked(browser, "username,phone\nann,12", sends="on", gateway="")
        found.rows.update(outlook=Outlook.NEW)
        session = browser.session
        session[sessions.CONFIRMED] = 0
        session.save()
        response = browser.post(step("check", found), {"go": "1", "_cell-2-phone": "+79161234567"})
        assert not Guest.objects.exists()
        sealed = {"_submitted": response.context["sealed"], "confirm-password": PASSWORD}
        assert browser.post(step("check", found), sealed).headers["Location"] == step("report", found)
        assert Message.objects.get().phone == "+79161234567"


def test_every_step_is_written_down_without_personal_data(browser: Client) -> None:
    found = checked(browser, "username,phone,company\nann,+79161234567,Canary\nbob,12,Canary")
    browser.post(step("check", found), {"_cell-3-phone": "canary", "again": "1"})
    browser.post(step("check", found), {"go": "1"})
    browser.post(step("report", found))
    browser.post(step("drop", found))
    events = AuditEvent.objects.order_by("pk")
    assert [event.action.removeprefix("admin:guests_guest_import_") for event in events] == [
        *("upload", "check", "check", "run", "send_imported", "drop")
    ]
    assert not re.search("canary|ann|916", str(list(events.values("request", "object_id"))), re.IGNORECASE)
    assert events[3].request == {"waiting": {"faulty": 1}, "done": {"new": 1}}


def test_the_pages_ask_the_database_alike_for_many_rows(
    browser: Client, django_assert_max_num_queries: Any, receptionist: User
) -> None:
    found = checked(browser, two_hundred())
    steps.run(found)
    with django_assert_max_num_queries(20):
        browser.get(step("check", found))
    with django_assert_max_num_queries(20):
        browser.get(step("report", found))
