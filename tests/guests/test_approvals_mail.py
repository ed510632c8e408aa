"""E-mail to sponsors: a mail server that is away keeps no guest waiting, is tried again, and is seen by the staff."""

import smtplib
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from guests import approvals
from guests.approvals import mailing
from guests.models import Approval, Sponsor, Stage
from guests.tasks import mail_sponsor
from portal.models import User
from tests.guests.sponsoring import PORTAL, ada, begin, let_time_pass, prove, visitors, waits
from tests.portal.admin_pages import page, signed_in

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture(autouse=True)
def sponsor(settings: Any, db: None) -> Sponsor:
    settings.PORTAL_URL = PORTAL
    visitors()
    return ada(phone="")


@pytest.fixture
def no_mail_server(settings: Any) -> Iterator[None]:
    """A port of this machine at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = held.getsockname()
        yield


def now_is(approval: Approval) -> Approval:
    return Approval.objects.get(pk=approval.pk)


class TestAMailServerThatIsAway:
    def test_the_guest_notices_nothing(self, sponsor: Sponsor, no_mail_server: None) -> None:
        assert prove(begin(sponsor)).stage == Stage.APPROVAL

    def test_it_is_tried_again_later_and_later(self, sponsor: Sponsor, no_mail_server: None) -> None:
        approval = waits(sponsor)
        pauses = []
        for _try in range(7):
            mail_sponsor(approval.pk)
            pauses.append(round((now_is(approval).mail_at - timezone.now()).total_seconds() / 60))  # type: ignore[operator]
            Approval.objects.update(mail_at=timezone.now())
        assert pauses == [1, 2, 4, 8, 16, 30, 30]
        assert now_is(approval).mail_tries == 7
        assert now_is(approval).mailed_at is None

    def test_the_staff_reads_why(self, sponsor: Sponsor, no_mail_server: None, admin: User) -> None:
        approval = waits(sponsor)
        mail_sponsor(approval.pk)
        client = signed_in(admin)
        assert "ConnectionRefusedError" in client.get(page(Approval, "changelist")).content.decode()
        assert "ConnectionRefusedError" in client.get(page(Approval, "change", approval.pk)).content.decode()
        assert "could not be mailed" in client.get("/admin/").content.decode()

    def test_once_it_is_back_the_question_goes_out_and_nothing_is_said_of_it(
        self, sponsor: Sponsor, no_mail_server: None, settings: Any
    ) -> None:
        approval = waits(sponsor)
        mail_sponsor(approval.pk)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        let_time_pass(minutes=2)
        mail_sponsor(approval.pk)
        assert len(mail.outbox) == 1
        found = now_is(approval)
        assert (found.mail_at, found.mail_fault, found.mail_tries) == (None, "", 0)
        assert found.mailed_at

    def test_not_before_its_time(self, sponsor: Sponsor, no_mail_server: None) -> None:
        approval = waits(sponsor)
        mail_sponsor(approval.pk)
        mail_sponsor(approval.pk)
        assert now_is(approval).mail_tries == 1

    def test_what_the_server_says_is_not_kept(
        self, sponsor: Sponsor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        approval = waits(sponsor)

        def refuse(approval: Approval) -> None:
            raise smtplib.SMTPDataError(554, f"spam: {PORTAL}/guest/approve/{approval.link}".encode())

        monkeypatch.setattr(mailing, "_send", refuse)
        mail_sponsor(approval.pk)
        assert now_is(approval).mail_fault == "SMTPDataError 554"
        assert (approval.link or "-") not in caplog.text


class TestOnceEach:
    def test_two_workers_send_one(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        mail_sponsor(approval.pk)
        mail_sponsor(approval.pk)
        assert len(mail.outbox) == 1

    def test_one_that_died_is_followed_by_another(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        assert mailing._claimed(approval.pk, timezone.now())
        mail_sponsor(approval.pk)
        assert not mail.outbox
        let_time_pass(minutes=6)
        mail_sponsor(approval.pk)
        assert len(mail.outbox) == 1

    def test_what_was_decided_is_mailed_no_more(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        approvals.approve(approval, stay=timedelta(hours=1), by=None)
        mail_sponsor(approval.pk)
        assert not mail.outbox

    def test_a_task_for_what_is_gone_does_nothing(self) -> None:
        mail_sponsor(4711)
        assert not mail.outbox

    def test_a_lost_bell_is_rung_again(self, sponsor: Sponsor, bells: list[Any]) -> None:
        approval = waits(sponsor)
        bells.clear()
        mailing.ring_for_mail()
        assert bells == [("guests.tasks.mail_sponsor", (approval.pk,))]
        mail_sponsor(approval.pk)
        bells.clear()
        mailing.ring_for_mail()
        assert not bells
