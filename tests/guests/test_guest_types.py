"""Guest types: how long guests stay, who may give them, and their pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.utils import timezone

from guests import accounts, guest_types
from guests.models import CountsFrom, Guest, GuestType
from portal.errors import Refusal
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Contractor",
    "enabled": "on",
    "default_stay": "12h",
    "longest_stay": "5D",
    "counts_from": "beginning",
    "password_style": "words",
    "password_length": "3",
}


def refusal(act: Any, *args: Any, **given: Any) -> Refusal:
    """What it refuses with."""
    with pytest.raises(Refusal) as refused:
        act(*args, **given)
    return refused.value


class TestStays:
    def test_the_type_says_when_a_stay_ends(self, visitor_type: GuestType) -> None:
        guest = accounts.create(username="bob", by=None, guest_type=visitor_type)
        assert guest.valid_until - guest.valid_from == timedelta(hours=3)

    def test_what_counts_from_the_first_sign_in_may_wait_for_it(self, visitor_type: GuestType) -> None:
        visitor_type.counts_from = CountsFrom.FIRST_SIGN_IN
        guest = accounts.create(username="bob", by=None, guest_type=visitor_type)
        assert guest.valid_until - guest.valid_from == timedelta(days=2)

    def test_nobody_on_the_desk_makes_a_longer_stay(self, receptionist: User, visitor_type: GuestType) -> None:
        now = timezone.now()
        given: dict[str, Any] = {
            "guest_type": visitor_type, "valid_from": now, "valid_until": now + timedelta(days=3),
        }  # fmt: skip
        assert refusal(accounts.create, username="bob", by=receptionist, **given).field == "valid_until"
        guest = accounts.create(username="bob", by=None, **given)
        assert refusal(accounts.change, guest, by=receptionist, valid_until=guest.valid_until).field == "valid_until"
        assert accounts.change(guest, by=receptionist, company="Ours").company == "Ours"

    def test_nobody_on_the_desk_takes_the_type_away_to_make_it_longer(
        self, receptionist: User, admin: User, visitor_type: GuestType
    ) -> None:
        guest = accounts.create(username="bob", by=receptionist, guest_type=visitor_type)
        assert refusal(accounts.change, guest, by=receptionist, guest_type=None).field == "guest_type"
        accounts.change(guest, by=admin, guest_type=None)
        assert Guest.objects.get().guest_type is None

    def test_a_type_that_stays_the_same_needs_no_right_to_give_it(
        self, receptionist: User, visitor_type: GuestType
    ) -> None:
        guest = accounts.create(username="bob", by=None, guest_type=visitor_type)
        GuestType.objects.update(enabled=False)
        visitor_type.refresh_from_db()
        accounts.change(guest, by=receptionist, guest_type=visitor_type, notes="as before")
        assert Guest.objects.get().notes == "as before"

    def test_a_stay_that_was_used_began_when_it_did(self, receptionist: User, visitor_type: GuestType) -> None:
        guest = accounts.create(username="bob", by=receptionist, guest_type=visitor_type)
        began = guest.valid_from
        later: accounts.Details = {
            "valid_from": began + timedelta(hours=2),
            "valid_until": began + timedelta(days=2, hours=1),
        }
        accounts.change(guest, by=receptionist, **later)
        accounts.change(guest, by=None, valid_from=began, valid_until=began + timedelta(days=1))
        Guest.objects.update(first_sign_in=began)
        assert refusal(accounts.change, guest, by=receptionist, **later).field == "valid_until"

    def test_a_guest_without_a_type_keeps_the_usual_31_days(self, db: None) -> None:
        guest = accounts.create(username="bob", by=None)
        assert guest.guest_type is None
        assert guest.valid_until - guest.valid_from == timedelta(days=31)


class TestWhoMayGiveThem:
    def test_a_type_without_roles_is_for_everybody(self, receptionist: User, visitor_type: GuestType) -> None:
        assert visitor_type in guest_types.usable_by(receptionist)

    def test_a_type_with_roles_is_for_those(
        self, receptionist: User, sponsor: User, admin: User, visitor_type: GuestType
    ) -> None:
        visitor_type.roles.set(Group.objects.filter(name__in=["Reception", "Auditor"]))
        assert visitor_type in guest_types.usable_by(receptionist)
        assert visitor_type in guest_types.usable_by(admin), "who may change types gives any"
        assert visitor_type not in guest_types.usable_by(sponsor)
        refused = refusal(accounts.create, username="bob", by=sponsor, guest_type=visitor_type)
        assert refused.field == "guest_type"
        assert not Guest.objects.exists()

    def test_a_type_that_is_off_is_given_by_nobody(self, admin: User, visitor_type: GuestType) -> None:
        guest = accounts.create(username="bob", by=admin, guest_type=visitor_type)
        visitor_type.enabled = False
        visitor_type.save()
        assert refusal(accounts.create, username="anna", by=admin, guest_type=visitor_type).field == "guest_type"
        assert accounts.change(guest, by=admin, company="Ours").guest_type == visitor_type


class TestPages:
    def test_a_type_is_made(self, admin: User) -> None:
        given = FORM | {"days": ["1", "5"], "hours_from": "08:00", "hours_until": "20:00", "devices": "2"}
        assert signed_in(admin).post(page(GuestType, "add"), given).status_code == 302
        made = GuestType.objects.get(name="Contractor")
        assert (made.default_stay, made.longest_stay) == (timedelta(hours=12), timedelta(days=5))
        assert (made.days, made.devices) == ([1, 5], 2)
        assert AuditEvent.objects.get().object_id == "Contractor"

    def test_it_is_said_what_guests_may_do_themselves(self, admin: User) -> None:
        given = FORM | {"self_service": "on", "needs_approval": "on", "may_extend": "on", "notice_hours": "3"}
        assert signed_in(admin).post(page(GuestType, "add"), given).status_code == 302
        made = GuestType.objects.get(name="Contractor")
        assert (made.self_service, made.needs_approval, made.may_extend, made.notice_hours) == (True, True, True, 3)

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("default_stay", {"default_stay": "long"}),
            ("longest_stay", {"default_stay": "6D"}),
            ("days", {"days": ["8"]}),
            ("hours_until", {"hours_from": "08:00"}),
            ("devices", {"devices": "0"}),
            ("notice_hours", {"notice_hours": "0"}),
            ("password_length", {"password_length": "2"}),
            ("password_length", {"password_style": "digits", "password_length": "7"}),
            ("name", {"name": ""}),
        ],
    )
    def test_what_cannot_be_is_refused_at_its_field(self, admin: User, field: str, changes: dict[str, Any]) -> None:
        response = signed_in(admin).post(page(GuestType, "add"), FORM | changes)
        assert set(response.context["adminform"].form.errors) == {field}

    def test_a_type_that_guests_have_cannot_be_deleted(self, admin: User, visitor_type: GuestType) -> None:
        accounts.create(username="bob", by=None, guest_type=visitor_type)
        signed_in(admin).post(page(GuestType, "delete", visitor_type.pk), {"post": "yes"})
        assert GuestType.objects.filter(pk=visitor_type.pk).exists()

    def test_who_makes_guests_chooses_among_the_types_for_the_role(self, visitor_type: GuestType) -> None:
        clerk = staff_with("clerk", Right.USERS_READ, Right.USERS_CREATE)
        assert "Visitor" in signed_in(clerk).get(page(Guest, "add")).content.decode()
        visitor_type.roles.add(Group.objects.create(name="Others"))
        assert "Visitor" not in signed_in(clerk).get(page(Guest, "add")).content.decode()

    def test_the_end_is_left_to_the_type(self, visitor_type: GuestType) -> None:
        clerk = staff_with("clerk", Right.USERS_READ, Right.USERS_CREATE)
        form = {
            "username": "anna", "guest_type": visitor_type.pk,
            "valid_from_0": "2026-01-01", "valid_from_1": "12:00:00", "valid_until_0": "", "valid_until_1": "",
        }  # fmt: skip
        assert signed_in(clerk).post(page(Guest, "add"), form).status_code == 302
        made = Guest.objects.get()
        assert made.valid_until - made.valid_from == timedelta(hours=3)


@pytest.mark.parametrize(
    "changes",
    [{"longest_stay": timedelta(hours=1)}, {"hours_from": "08:00"}],
)
def test_the_database_itself_refuses_what_contradicts_itself(changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        GuestType.objects.create(name="Odd", **{"default_stay": timedelta(hours=3)} | changes)
