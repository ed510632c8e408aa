"""One guest's data, exported or erased by staff when the guest asks for it."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from guests.models import Device, Guest, Registration
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(guest: Guest) -> Guest:
    """Has a device and registered once."""
    Device.objects.create(guest=guest, mac="02:00:00:00:00:01")
    Registration.objects.create(
        token_digest="x", guest=guest, phone=guest.phone, name="Bob", language="en", mac="02:00:00:00:00:01"
    )
    return guest


def export_of(guest: Guest) -> str:
    return reverse("admin:guests_guest_export_one", args=(guest.pk,))


def erasing(guest: Guest) -> str:
    return reverse("admin:guests_guest_deed", args=(guest.pk, "erase"))


def html(client: Client, guest: Guest) -> str:
    return client.get(page(Guest, "change", guest.pk)).content.decode()


class TestExport:
    def test_it_is_a_file_and_on_the_audit_trail(self, known: Guest) -> None:
        clerk = signed_in(staff_with("clerk", Right.USERS_READ))
        assert export_of(known) in html(clerk, known)
        answer = clerk.post(export_of(known))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="guest-{known.pk}.json"'
        assert "no-store" in answer.headers["Cache-Control"]
        assert json.loads(answer.content)["devices"][0]["mac"] == "02:00:00:00:00:01"
        event = AuditEvent.objects.get()
        assert (event.action, event.object_id) == ("admin:guests_guest_export_data", "bob")

    def test_it_needs_the_right_to_read_all_guests(self, own: Guest, sponsor: User) -> None:
        client = signed_in(sponsor)
        assert export_of(own) not in html(client, own)
        assert client.post(export_of(own)).status_code == 403

    def test_it_is_asked_for_by_a_form(self, known: Guest, receptionist: User) -> None:
        client = signed_in(receptionist)
        assert client.get(export_of(known)).status_code == 405
        assert client.post(reverse("admin:guests_guest_export_one", args=(10**6,))).status_code == 404


class TestErase:
    def test_it_is_confirmed_and_done(self, known: Guest) -> None:
        clerk = signed_in(staff_with("clerk", Right.USERS_READ, Right.USERS_DELETE))
        assert erasing(known) in html(clerk, known)
        assert clerk.get(erasing(known)).status_code == 200
        assert clerk.post(erasing(known)).status_code == 200
        assert Guest.objects.get().anonymised_at is None
        assert clerk.post(erasing(known), {"sure": "on"}).status_code == 302
        assert Guest.objects.get().anonymised_at
        assert not Device.objects.exists()
        row = Registration.objects.get()
        assert (row.name, row.phone) == ("", known.phone)
        assert AuditEvent.objects.filter(action="admin:guests_guest_erase", status=200).count() == 1

    def test_it_needs_the_right_to_delete_guests(self, known: Guest, receptionist: User) -> None:
        client = signed_in(receptionist)
        assert erasing(known) not in html(client, known)
        assert client.post(erasing(known), {"sure": "on"}).status_code == 403
        assert Guest.objects.get().anonymised_at is None
