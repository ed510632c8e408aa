"""Approval by a sponsor as a process: whom a guest names, the question, the answer, and what becomes of none."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import translation

from gateways.models import Gateway
from guests import approvals, moments, stays
from guests.approvals import asking, lapsing, links, mailing, naming, throttle, wording
from guests.limits import HeldBack
from guests.models import Approval, Guest, GuestType, LimitCount, Registration, Sponsor, Stage
from messaging import texts
from messaging.models import Message
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User
from tests.guests.sponsoring import (
    PHONE,
    PORTAL,
    SPONSORS_PHONE,
    ada,
    begin,
    change_rules,
    let_time_pass,
    prove,
    sms_to,
    token_in,
    visitors,
    waits,
)

DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture(autouse=True)
def _portal(settings: Any, db: None) -> None:
    settings.PORTAL_URL = PORTAL
    visitors()


@pytest.fixture
def sponsor(_portal: None) -> Sponsor:
    return ada()


def mailed(approval: Approval) -> str:
    """The e-mail that a worker sends when it is rung for."""
    mailing.mail(approval.pk)
    return str(mail.outbox[-1].body)


class TestNaming:
    def test_a_guest_who_names_nobody_is_asked_to(self, sponsor: Sponsor) -> None:
        with pytest.raises(Refusal) as refused:
            begin()
        assert refused.value.field == "sponsor"
        assert not Message.objects.exists()

    @pytest.mark.parametrize("typed", ["bob@example.org", " Bob@EXAMPLE.org ", "bob@example.org."])
    def test_anybody_at_a_listed_domain_may_be_named(self, typed: str) -> None:
        change_rules(sponsor_domains=["Example.ORG"])
        begin(sponsor_email=typed)
        assert Approval.objects.get().email == "bob@example.org"

    @pytest.mark.parametrize("listed", ["bücher.example", "xn--bcher-kva.example", "@BÜCHER.example"])
    def test_a_domain_in_another_alphabet_is_the_same_in_both_spellings(self, listed: str) -> None:
        change_rules(sponsor_domains=[listed])
        for number, typed in enumerate(["eva@bücher.example", "eva@xn--bcher-kva.example"]):
            begin(sponsor_email=typed, phone=f"+7916123450{number}")
        assert set(Approval.objects.values_list("email", flat=True)) == {"eva@xn--bcher-kva.example"}

    @pytest.mark.parametrize("typed", ["eve@evil.example", "eve@sub.example.org", "eve@example.org.evil.example"])
    def test_nobody_elsewhere_may_be(self, typed: str) -> None:
        change_rules(sponsor_domains=["example.org"])
        with pytest.raises(Refusal, match="Nobody with this e-mail") as refused:
            begin(sponsor_email=typed)
        assert refused.value.field == "sponsor_email"

    @pytest.mark.parametrize(
        "typed", ["ada", "@example.org", "a b@example.org", "ada@", "a@b@example.org", "é@\udcff.x"]
    )
    def test_what_is_no_address_is_told_so(self, typed: str) -> None:
        change_rules(sponsor_domains=["example.org", ".."])
        with pytest.raises(Refusal, match="not an e-mail address") as refused:
            begin(sponsor_email=typed)
        assert refused.value.field == "sponsor_email"

    def test_a_sponsor_of_the_list_is_found_by_address_and_asked_by_sms_too(self, sponsor: Sponsor) -> None:
        begin(sponsor_email="ADA@example.org")
        assert (Approval.objects.get().sponsor, Approval.objects.get().phone) == (sponsor, SPONSORS_PHONE)

    def test_one_who_approves_no_more_is_named_in_no_way(self, sponsor: Sponsor) -> None:
        Sponsor.objects.update(enabled=False)
        sponsor.refresh_from_db()
        change_rules(sponsor_domains=["example.org"])
        assert approvals.offered() == []
        for said in ({"sponsor": sponsor}, {"sponsor_email": sponsor.email}):
            with pytest.raises(Refusal):
                begin(**said)

    def test_guests_see_the_names_alone(self, sponsor: Sponsor) -> None:
        assert [str(one) for one in naming.offered()] == ["Ada Lovelace"]


class TestTheQuestion:
    def test_it_goes_out_when_the_phone_is_proven_and_no_sooner(self, sponsor: Sponsor) -> None:
        begun = begin(sponsor)
        assert not sms_to(SPONSORS_PHONE)
        assert prove(begun).stage == Stage.APPROVAL
        assert len(sms_to(SPONSORS_PHONE)) == 1
        assert not Guest.objects.exists()

    def test_both_ways_have_the_same_link_and_nothing_readable_is_kept_of_it(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        sms = sms_to(SPONSORS_PHONE)[0]
        token = token_in(sms.text or "")
        assert token_in(mailed(approval)) == token
        assert token not in sms.masked_text
        stored = Approval.objects.extra(select={"raw": "link"}).values_list("raw", "link_digest").get()
        assert all(token not in str(column) for column in stored)
        assert approvals.of_link(token) == approval

    def test_the_task_carries_an_id_and_no_link(
        self, sponsor: Sponsor, bells: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            approval = waits(sponsor)
        assert ("guests.tasks.mail_sponsor", (approval.pk,)) in bells

    def test_it_says_who_asks_when_and_until_when(self, sponsor: Sponsor) -> None:
        change_rules(ask_name="optional", ask_company="optional")
        approval = waits(sponsor, name="Grace Hopper", company="Navy")
        body = mailed(approval)
        assert approval.expires_at
        for said in ("Grace Hopper", "Navy", PHONE, moments.moment(approval.expires_at)):
            assert said in body
        assert mail.outbox[-1].to == ["ada@example.org"]
        assert "Grace Hopper" in mail.outbox[-1].subject

    def test_it_is_in_the_sponsors_language(self) -> None:
        said: list[str] = []

        def note(*_: Any) -> str:
            said.append(translation.get_language())
            return "text"

        approval = waits(ada(language="ru"))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(wording, "_question", note)
            asking._sms(approval, "token")
        assert set(said) == {"ru"}
        assert wording.language_of(Approval(email="x@example.org")) == "ru"

    def test_what_a_guest_wrote_is_one_line_without_links(self, sponsor: Sponsor) -> None:
        change_rules(ask_name="optional")
        approval = waits(sponsor, name="Win https://evil.example/x\r\nBcc: all@example.org")
        body = mailed(approval)
        assert "evil.example" not in body
        assert "all@example.org" not in body
        assert "\n" not in mail.outbox[-1].subject
        assert mail.outbox[-1].recipients() == ["ada@example.org"]

    @pytest.mark.parametrize("name", ["", "Иван Петров", "Константин Константинопольский-Заморский", "J. Smith €"])
    def test_the_sms_fits_two_segments(self, sponsor: Sponsor, name: str) -> None:
        change_rules(ask_name="optional")
        sent = sms_to(waits(sponsor, name=name).phone)[0]
        assert texts.measure(sent.text or "").segments <= 2

    def test_without_an_address_of_the_portal_it_waits_for_the_staff(self, sponsor: Sponsor, settings: Any) -> None:
        settings.PORTAL_URL = ""
        approval = waits(sponsor)
        asking.ask_waiting()
        approval.refresh_from_db()
        assert (approval.asked_at, sms_to(SPONSORS_PHONE), approval.link_digest) == (None, [], "")
        assert approval.expires_at
        settings.PORTAL_URL = PORTAL
        asking.ask_waiting()
        assert len(sms_to(SPONSORS_PHONE)) == 1

    def test_a_process_that_died_after_the_code_is_made_up_for(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        Message.objects.filter(kind=Kind.INFORMATION).delete()
        undone = dict.fromkeys(("link", "asked_at", "expires_at", "mail_at"))
        Approval.objects.update(link_digest="", **undone)
        asking.ask_waiting()
        approval.refresh_from_db()
        assert approval.expires_at
        assert len(sms_to(SPONSORS_PHONE)) == 1

    def test_a_guest_who_named_nobody_waits_for_the_staff(self, sponsor: Sponsor) -> None:
        begun = begin(sponsor)
        Approval.objects.all().delete()
        assert prove(begun).stage == Stage.APPROVAL
        approval = Approval.objects.get()
        assert (approval.whom, approval.asked_at) == ("", None)
        assert approvals.approve(approval, stay=DAY, by=None).stage == Stage.DONE

    def test_without_a_gateway_the_email_remains(self, sponsor: Sponsor) -> None:
        begun = begin(sponsor)
        sent = Message.objects.get(kind=Kind.CODE).text
        Gateway.objects.update(enabled=False)
        assert sent
        approval = Approval.objects.get(registration=prove(begun))
        assert approval.sms is None
        assert PORTAL in mailed(approval)


class TestWaiting:
    def test_the_guest_reads_who_is_asked_and_until_when(self, sponsor: Sponsor, settings: Any) -> None:
        asked = waits(sponsor)
        assert approvals.waiting(asked.registration) == ("Ada Lovelace", asked.expires_at, True)
        settings.PORTAL_URL = ""
        unasked = waits(sponsor, phone="+79161234568")
        assert approvals.waiting(unasked.registration) == ("Ada Lovelace", unasked.expires_at, False)

    def test_who_does_not_wait_reads_nothing(self, sponsor: Sponsor) -> None:
        assert approvals.waiting(begin(sponsor)) is None


class TestHowOften:
    def test_the_same_guest_in_another_browser_asks_nobody_twice(self, sponsor: Sponsor) -> None:
        first, second = waits(sponsor), waits(sponsor)
        assert len(sms_to(SPONSORS_PHONE)) == 1
        assert (second.asked_at, second.expires_at) == (first.asked_at, first.expires_at)

    def test_one_phone_has_somebody_asked_three_times_a_day(self, sponsor: Sponsor) -> None:
        change_rules(phone_hour=0, phone_day=0)
        for _time in range(throttle.PHONE_DAY):
            approvals.deny(waits(sponsor), why="no", by=None)
        with pytest.raises(HeldBack) as refused:
            begin(sponsor)
        assert refused.value.why is Why.TOO_MANY
        assert refused.value.until

    def test_a_sponsor_is_asked_ten_times_an_hour_and_the_others_wait(self, sponsor: Sponsor) -> None:
        change_rules(prefix_hour=0)
        begun = [begin(sponsor, f"+791612345{number:02d}") for number in range(throttle.SPONSOR_HOUR + 1)]
        for one in begun:
            assert prove(one).stage == Stage.APPROVAL
        assert len(sms_to(SPONSORS_PHONE)) == throttle.SPONSOR_HOUR
        held = Approval.objects.get(asked_at=None)
        assert held.ask_at
        asking.ask_waiting()
        assert len(sms_to(SPONSORS_PHONE)) == throttle.SPONSOR_HOUR
        let_time_pass(minutes=61)
        asking.ask_waiting()
        assert len(sms_to(SPONSORS_PHONE)) == throttle.SPONSOR_HOUR + 1

    def test_who_never_proves_the_phone_uses_up_nothing(self, sponsor: Sponsor) -> None:
        begin(sponsor)
        assert not LimitCount.objects.filter(scope="sponsor").exists()


class TestReminding:
    def test_who_does_not_answer_is_reminded_once(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        mailed(approval)
        asking.remind()
        assert len(sms_to(SPONSORS_PHONE)) == 1
        let_time_pass(minutes=61)
        for _turn in range(2):
            asking.remind()
        body = mailed(approval)
        assert len(sms_to(SPONSORS_PHONE)) == len(mail.outbox) == 2
        assert "still waits" in body
        assert token_in(sms_to(SPONSORS_PHONE)[1].text or "") == token_in(body)

    def test_who_has_answered_is_not(self, sponsor: Sponsor) -> None:
        approvals.deny(waits(sponsor), why="no", by=None)
        let_time_pass(minutes=61)
        asking.remind()
        assert len(sms_to(SPONSORS_PHONE)) == 1

    def test_two_browsers_of_one_guest_make_one_reminder(self, sponsor: Sponsor) -> None:
        waits(sponsor)
        waits(sponsor)
        let_time_pass(minutes=61)
        asking.remind()
        assert len(sms_to(SPONSORS_PHONE)) == 2


class TestTheAnswer:
    @pytest.mark.usefixtures("no_time_passes")
    def test_an_approved_guest_is_in_for_so_long_and_is_sent_the_password(self, sponsor: Sponsor, admin: User) -> None:
        Sponsor.objects.update(user=admin)
        done = approvals.approve(waits(sponsor), stay=timedelta(hours=3), by=None)
        guest = Guest.objects.get()
        assert (done.stage, done.guest, guest.sponsor) == (Stage.DONE, guest, admin)
        assert guest.valid_until - guest.valid_from == timedelta(hours=3)
        assert guest.check_password(done.password or "")
        assert (done.password or "-") in (Message.objects.get(kind=Kind.CREDENTIALS).text or "")

    def test_credentials_are_sent_though_others_only_read_them(self, sponsor: Sponsor) -> None:
        change_rules(sends_credentials=False)
        approvals.approve(waits(sponsor), stay=DAY, by=None)
        assert Message.objects.filter(kind=Kind.CREDENTIALS).count() == 1

    def test_the_link_is_spent(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        token = token_in(mailed(approval))
        approvals.approve(approval, stay=DAY, by=None)
        approval.refresh_from_db()
        assert (approval.link, approval.link_digest, approvals.of_link(token)) == (None, "", None)

    def test_a_denied_guest_is_told_why_and_not_let_in(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        approvals.deny(approval, why=" not  expected ", by=None)
        approval.registration.refresh_from_db()
        assert (approval.registration.stage, approval.registration.reason) == (Stage.DENIED, "not expected")
        assert "not expected" in (sms_to(PHONE)[0].text or "")
        assert not Guest.objects.exists()

    @pytest.mark.parametrize("why", ["", "  ", "x" * 101])
    def test_a_reason_is_given_and_short(self, sponsor: Sponsor, why: str) -> None:
        approval = waits(sponsor)
        with pytest.raises(Refusal) as refused:
            approvals.deny(approval, why=why, by=None)
        assert refused.value.field == "reason"
        approval.refresh_from_db()
        assert approval.decided_at is None

    @pytest.mark.parametrize("why", ["нет", "ж" * 100, "x" * 100])
    def test_what_a_denied_guest_reads_fits_two_segments(self, why: str) -> None:
        with translation.override("ru"):
            assert texts.measure(wording.denied(why)).segments <= 2
            assert texts.measure(wording.lapsed()).segments <= 2

    @pytest.mark.parametrize("stay", [timedelta(days=3), timedelta(0), -DAY])
    def test_nobody_stays_longer_than_the_type_allows(self, sponsor: Sponsor, stay: timedelta) -> None:
        with pytest.raises(Refusal) as refused:
            approvals.approve(waits(sponsor), stay=stay, by=None)
        assert refused.value.field == "duration"
        assert not Guest.objects.exists()

    def test_offered_is_what_fits(self) -> None:
        kind = GuestType(longest_stay=timedelta(hours=5), default_stay=timedelta(hours=2))
        assert [written for written, _words in approvals.choices(kind)] == ["1h", "2h", "3h"]
        assert approvals.usual(kind) == timedelta(hours=2)

    def test_the_second_one_reads_what_the_first_decided(self, sponsor: Sponsor, admin: User) -> None:
        approval = waits(sponsor)
        approvals.approve(approval, stay=DAY, by=admin)
        for again in (
            lambda: approvals.approve(approval, stay=DAY, by=None),
            lambda: approvals.deny(approval, why="no", by=None),
        ):
            with pytest.raises(Refusal, match="approved already by admin at") as refused:
                again()
            assert refused.value.why is Why.CONFLICT
        assert Message.objects.filter(kind=Kind.CREDENTIALS).count() == 1

    def test_a_type_switched_off_meanwhile_lets_nobody_in(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        GuestType.objects.update(enabled=False)
        with pytest.raises(Refusal, match="are let in no more") as refused:
            approvals.approve(approval, stay=timedelta(days=1), by=None)
        assert refused.value.why is Why.CONFLICT
        assert not Guest.objects.exists()

    def test_a_guest_banned_meanwhile_is_not_let_in(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        stays.ban(Guest.objects.create(username="79161234567", phone=PHONE), why="theft")
        with pytest.raises(Refusal, match="blocked") as refused:
            approvals.approve(approval, stay=DAY, by=None)
        assert refused.value.why is Why.CONFLICT
        approval.refresh_from_db()
        assert approval.decided_at is None
        assert not Message.objects.filter(kind=Kind.CREDENTIALS).exists()

    def test_every_browser_of_the_guest_is_answered(self, sponsor: Sponsor) -> None:
        first, second = waits(sponsor), waits(sponsor)
        approvals.approve(first, stay=DAY, by=None)
        done = list(Registration.objects.order_by("pk"))
        assert [one.stage for one in done] == [Stage.DONE, Stage.DONE]
        assert done[0].password == done[1].password
        assert Message.objects.filter(kind=Kind.CREDENTIALS).count() == 1
        second.refresh_from_db()
        assert second.approved

    def test_and_denied_in_every_one_and_told_once(self, sponsor: Sponsor) -> None:
        first, _second = waits(sponsor), waits(sponsor)
        approvals.deny(first, why="no", by=None)
        assert set(Registration.objects.values_list("stage", flat=True)) == {Stage.DENIED}
        assert len(sms_to(PHONE)) == 1


class TestNoAnswer:
    def test_the_guest_is_told_and_the_link_is_good_no_more(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        token = token_in(mailed(approval))
        let_time_pass(hours=9)
        assert approvals.of_link(token) is None
        assert lapsing.lapse() == 1
        assert lapsing.lapse() == 0
        approval.refresh_from_db()
        approval.registration.refresh_from_db()
        assert (approval.registration.stage, approval.link, approval.link_digest) == (Stage.LAPSED, None, "")
        assert approval.registration.reason
        assert len(sms_to(PHONE)) == 1
        for late in (
            lambda: approvals.approve(approval, stay=DAY, by=None),
            lambda: approvals.deny(approval, why="no", by=None),
        ):
            with pytest.raises(Refusal, match="time to answer is over"):
                late()

    def test_it_is_over_before_housekeeping_says_so(self, sponsor: Sponsor) -> None:
        approval = waits(sponsor)
        let_time_pass(hours=9)
        with pytest.raises(Refusal, match="time to answer is over"):
            approvals.approve(approval, stay=DAY, by=None)

    def test_a_guest_with_two_browsers_is_told_once(self, sponsor: Sponsor) -> None:
        waits(sponsor)
        waits(sponsor)
        let_time_pass(hours=9)
        assert lapsing.lapse() == 2
        assert len(sms_to(PHONE)) == 1

    def test_what_is_still_open_stays(self, sponsor: Sponsor) -> None:
        waits(sponsor)
        assert lapsing.lapse() == 0


def test_links_are_long_and_never_alike() -> None:
    assert len({links.new() for _one in range(50)}) == 50
    assert len(links.new()) >= 22
