"""Sponsors and approvals in the admin: who is listed, and the answer of the staff."""

from typing import Any

import pytest
from django.urls import reverse

from guests import approvals
from guests.models import Approval, Guest, Registration, Sponsor, Stage
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.guests.sponsoring import PHONE, PORTAL, ada, let_time_pass, visitors, waits
from tests.portal.admin_pages import page, signed_in, staff_with

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def approval(settings: Any, db: None) -> Approval:
    settings.PORTAL_URL = PORTAL
    visitors()
    return waits(ada())


def deed(verb: str, approval: Approval) -> str:
    return reverse(f"admin:guests_approval_{verb}", args=(approval.pk,))


class TestTheList:
    def test_it_shows_who_waits_and_the_others_when_asked(self, approval: Approval, admin: User) -> None:
        client, listed = signed_in(admin), page(Approval, "changelist")
        assert PHONE in client.get(listed).content.decode()
        approvals.deny(approval, why="no", by=admin)
        assert PHONE not in client.get(listed).content.decode()
        for standing, shown in (("denied", True), ("approved", False), ("unanswered", False), ("all", True)):
            assert (PHONE in client.get(f"{listed}?standing={standing}").content.decode()) is shown

    def test_who_was_not_answered_in_time_is_told_apart(self, approval: Approval, admin: User) -> None:
        let_time_pass(hours=9)
        listed = page(Approval, "changelist")
        assert PHONE in signed_in(admin).get(f"{listed}?standing=unanswered").content.decode()
        assert PHONE not in signed_in(admin).get(listed).content.decode()

    def test_no_page_has_the_link(self, approval: Approval, admin: User) -> None:
        for address in (page(Approval, "changelist"), page(Approval, "change", approval.pk)):
            assert (approval.link or "-") not in signed_in(admin).get(address).content.decode()

    def test_who_sees_own_guests_only_sees_the_own_ones(self, approval: Approval, sponsor: User) -> None:
        client = signed_in(sponsor)
        assert PHONE not in client.get(page(Approval, "changelist")).content.decode()
        assert client.get(page(Approval, "change", approval.pk)).status_code == 404
        assert client.post(deed("approve", approval), {"duration": "1D"}).status_code == 404
        Sponsor.objects.update(user=sponsor)
        assert PHONE in client.get(page(Approval, "changelist")).content.decode()
        assert client.post(deed("deny", approval), {"reason": "no"}).status_code == 302


class TestAnswering:
    def test_approved(self, approval: Approval, receptionist: User) -> None:
        client = signed_in(receptionist)
        asked = client.get(deed("approve", approval)).content.decode()
        assert 'value="2D"' in asked
        assert 'value="3D"' not in asked
        assert client.post(deed("approve", approval), {"duration": "3h"}).status_code == 302
        assert Guest.objects.get().phone == PHONE
        found = Approval.objects.get()
        assert (found.approved, found.decided_by) == (True, receptionist)
        event = AuditEvent.objects.get(action="admin:guests_approval_approve")
        assert (event.status, event.request) == (200, {"duration": "3h"})

    def test_denied(self, approval: Approval, receptionist: User) -> None:
        assert signed_in(receptionist).post(deed("deny", approval), {"reason": "not expected"}).status_code == 302
        assert Registration.objects.get().reason == "not expected"

    def test_looking_decides_nothing(self, approval: Approval, receptionist: User) -> None:
        for verb in ("approve", "deny"):
            assert signed_in(receptionist).get(deed(verb, approval)).status_code == 200
        assert Registration.objects.get().stage == Stage.APPROVAL

    def test_who_comes_second_reads_who_came_first(self, approval: Approval, receptionist: User, admin: User) -> None:
        approvals.deny(approval, why="no", by=admin)
        answer = signed_in(receptionist).post(deed("approve", approval), {"duration": "1D"})
        assert "denied already by admin at" in answer.content.decode()
        assert AuditEvent.objects.filter(action="admin:guests_approval_approve", status=409).exists()

    @pytest.mark.parametrize(("verb", "given"), [("approve", {"duration": "5D"}), ("deny", {"reason": ""})])
    def test_what_is_wrong_is_said_at_its_field(
        self, approval: Approval, receptionist: User, verb: str, given: dict[str, str]
    ) -> None:
        answer = signed_in(receptionist).post(deed(verb, approval), given)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert Registration.objects.get().stage == Stage.APPROVAL

    @pytest.mark.parametrize("verb", ["approve", "deny"])
    def test_without_the_right_it_is_forbidden_by_name(self, approval: Approval, auditor: User, verb: str) -> None:
        for answer in (
            signed_in(auditor).get(deed(verb, approval)),
            signed_in(auditor).post(deed(verb, approval), {"duration": "1D", "reason": "no"}),
        ):
            assert answer.status_code == 403
            assert "USERS_UPDATE" in answer.content.decode()
        assert Registration.objects.get().stage == Stage.APPROVAL


class TestTheFrontPage:
    def test_it_says_who_waits(self, approval: Approval, receptionist: User, auditor: User) -> None:
        assert "1 guest waits for approval" in signed_in(receptionist).get("/admin/").content.decode()
        assert "waits for approval" not in signed_in(auditor).get("/admin/").content.decode()

    def test_it_says_that_no_link_can_be_made(self, admin: User, settings: Any) -> None:
        settings.PORTAL_URL = ""
        assert "set PORTAL_URL" not in signed_in(admin).get("/admin/").content.decode()
        visitors()
        assert "set PORTAL_URL" in signed_in(admin).get("/admin/").content.decode()


class TestSponsors:
    def given(self, **changes: str) -> dict[str, str]:
        return {"name": "Bob", "email": "Bob@Example.org", "phone": "8 916 111-00-01", "enabled": "on"} | changes

    def test_address_and_phone_are_kept_in_one_spelling(self, admin: User) -> None:
        assert signed_in(admin).post(page(Sponsor, "add"), self.given()).status_code == 302
        found = Sponsor.objects.get()
        assert (found.email, found.phone) == ("bob@example.org", "+79161110001")

    @pytest.mark.parametrize("wrong", [{"phone": "12"}, {"email": "bob"}, {"email": "ADA@example.org"}])
    def test_what_is_wrong_is_said_at_its_field(self, admin: User, wrong: dict[str, str]) -> None:
        ada()
        answer = signed_in(admin).post(page(Sponsor, "add"), self.given(**wrong))
        assert answer.status_code == 200
        assert set(answer.context["adminform"].form.errors) == set(wrong)

    def test_who_may_send_is_no_author_of_sponsors(self, db: None) -> None:
        clerk = staff_with("clerk", Right.SYSTEM_CREATE)
        assert signed_in(clerk).get(page(Sponsor, "add")).status_code == 403
