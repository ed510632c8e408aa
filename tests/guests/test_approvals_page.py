"""The page behind a sponsor's link: looking decides nothing, a link is good once, one that is not tells nothing."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from guests import approvals
from guests.models import Approval, Guest, Registration, Sponsor, Stage
from messaging.models import Message
from messaging.retries import Kind
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.guests.sponsoring import (
    PHONE,
    PORTAL,
    SPONSORS_PHONE,
    ada,
    change_rules,
    let_time_pass,
    sms_to,
    token_in,
    visitors,
    waits,
)
from tests.portal.admin_pages import ENGLISH, signed_in, staff_with

APPROVE = {"decision": "approve", "duration": "1D"}
DENY = {"decision": "deny", "reason": "nobody I know"}

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture(autouse=True)
def _portal(settings: Any, db: None) -> None:
    settings.PORTAL_URL = PORTAL
    visitors()


@pytest.fixture
def sponsor(_portal: None) -> Sponsor:
    return ada()


@pytest.fixture
def approval(sponsor: Sponsor) -> Approval:
    change_rules(ask_name="optional", ask_company="optional")
    return waits(sponsor, name="Grace <b>Hopper</b>", company="Navy")


@pytest.fixture
def browser() -> Client:
    return Client(headers=ENGLISH)


def address(_approval: Approval) -> str:
    """Where the link in the last SMS leads."""
    return f"/guest/approve/{token_in(sms_to(SPONSORS_PHONE)[-1].text or '')}"


def stage() -> str:
    return Registration.objects.get().stage


class TestLooking:
    def test_it_says_who_asks_and_offers_what_fits(self, approval: Approval, browser: Client) -> None:
        page = browser.get(address(approval))
        shown = page.content.decode()
        assert page.status_code == 200
        for said in ("Grace &lt;b&gt;Hopper&lt;/b&gt;", "Navy", PHONE):
            assert said in shown
        assert 'value="2D"' in shown
        assert 'value="3D"' not in shown
        assert '<option value="1D" selected>' in shown

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_it_decides_nothing_however_often(self, approval: Approval, browser: Client, method: str) -> None:
        for query in ("", "?decision=approve&duration=1D"):
            assert getattr(browser, method)(address(approval) + query).status_code == 200
        assert stage() == Stage.APPROVAL
        assert browser.get(address(approval)).status_code == 200

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_other_ways_of_asking_are_not_understood(self, approval: Approval, browser: Client, method: str) -> None:
        assert getattr(browser, method)(address(approval)).status_code == 405
        assert stage() == Stage.APPROVAL

    def test_it_is_stored_nowhere_and_named_to_nobody(self, approval: Approval, browser: Client) -> None:
        page = browser.get(address(approval))
        assert "no-store" in page.headers["Cache-Control"]
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert 'name="robots" content="noindex"' in page.content.decode()

    def test_without_the_pages_token_nothing_is_decided(self, approval: Approval) -> None:
        strict = Client(enforce_csrf_checks=True, headers=ENGLISH)
        assert strict.post(address(approval), APPROVE).status_code == 403
        assert stage() == Stage.APPROVAL


class TestAnswering:
    @pytest.mark.usefixtures("no_time_passes")
    def test_approved(self, approval: Approval, browser: Client) -> None:
        page = browser.post(address(approval), APPROVE)
        assert page.status_code == 200
        assert "is let in" in page.content.decode()
        guest = Guest.objects.get()
        assert guest.valid_until - guest.valid_from == timedelta(days=1)
        assert Message.objects.filter(kind=Kind.CREDENTIALS).count() == 1

    def test_denied(self, approval: Approval, browser: Client) -> None:
        assert "not let in" in browser.post(address(approval), DENY).content.decode()
        assert stage() == Stage.DENIED

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"decision": "maybe"},
            {"decision": "approve"},
            {"decision": "approve", "duration": "5D"},
            {"decision": "approve", "duration": "9999999W"},
            {"decision": "deny", "reason": " "},
            {"decision": "deny", "reason": "x" * 101},
        ],
    )
    def test_what_is_not_offered_decides_nothing(
        self, approval: Approval, browser: Client, wrong: dict[str, str]
    ) -> None:
        page = browser.post(address(approval), wrong)
        assert page.status_code == 200
        assert ("errorlist" in page.content.decode()) == (wrong.get("decision") in {"approve", "deny"})
        assert stage() == Stage.APPROVAL

    def test_a_second_tap_changes_nothing(self, approval: Approval, browser: Client) -> None:
        link = address(approval)
        browser.post(link, APPROVE)
        again = browser.post(link, DENY)
        assert again.status_code == 404
        assert "your answer stands" in again.content.decode()
        assert stage() == Stage.DONE

    def test_who_looked_before_somebody_else_decided_reads_who_did(
        self, approval: Approval, browser: Client, admin: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link, seen = address(approval), approvals.of_link(address(approval).rpartition("/")[2])
        approvals.deny(approval, why="no", by=admin)
        monkeypatch.setattr(approvals, "of_link", lambda _token: seen)
        page = browser.post(link, APPROVE)
        assert page.status_code == 409
        assert "denied already by admin at" in page.content.decode()

    def test_it_is_on_the_audit_trail_without_the_link(self, approval: Approval, browser: Client) -> None:
        link = address(approval)
        browser.post(link, APPROVE)
        event = AuditEvent.objects.get(action="guests:approve")
        assert (event.status, event.user_name, event.object_id) == (200, "Ada Lovelace", str(approval.pk))
        assert link.rpartition("/")[2] not in str(vars(event))


class TestLinksThatAreGood:
    def test_unknown_used_and_expired_ones_all_look_alike(self, approval: Approval, browser: Client) -> None:
        link = address(approval)
        answers = [browser.get("/guest/approve/no-such-link"), browser.get(f"/guest/approve/{'é' * 300}")]
        let_time_pass(hours=9)
        answers.append(browser.get(link))
        let_time_pass(hours=-9)
        browser.post(link, DENY)
        answers += [browser.get(link), browser.post(link, APPROVE)]
        assert {answer.status_code for answer in answers} == {404}
        texts = {answer.content.decode().split("<main>")[1].split("</main>")[0] for answer in answers}
        assert len(texts) == 1
        assert PHONE not in texts.pop()

    def test_no_log_has_it(self, approval: Approval, browser: Client, caplog: pytest.LogCaptureFixture) -> None:
        link = address(approval)
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (link,), None)
        for one in logging.getLogger("django.request").filters:
            assert isinstance(one, logging.Filter)
            one.filter(record)
        assert link not in record.getMessage()
        record = logging.LogRecord("x", logging.WARNING, "", 0, "/admin/login/?next=%s&a=b", (link,), None)
        for one in logging.getLogger("django.security.csrf").filters:
            assert isinstance(one, logging.Filter)
            one.filter(record)
        assert record.getMessage() == "/admin/login/?next=/guest/approve/…&a=b"
        with caplog.at_level(logging.DEBUG):
            browser.post(link, DENY)
            browser.get(link)
        handled = [one.getMessage() for one in caplog.records]
        assert all(link not in line for line in handled), handled


class TestWithAnAccount:
    @pytest.fixture(autouse=True)
    def _needs_account(self, _portal: None) -> None:
        change_rules(sponsors_need_account=True, ask_name="optional", ask_company="optional")

    @pytest.fixture
    def approval(self, sponsor: Sponsor) -> Approval:
        return waits(sponsor)

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_who_is_not_signed_in_is_asked_to_whatever_the_link(
        self, approval: Approval, browser: Client, method: str
    ) -> None:
        for link in (address(approval), "/guest/approve/no-such-link"):
            response = getattr(browser, method)(link, APPROVE)
            assert response.status_code == 302
            assert response.headers["Location"] == f"{reverse('admin:login')}?next={link}" + (
                "%3Fdecision%3Dapprove%26duration%3D1D" if method == "get" else ""
            )
        assert stage() == Stage.APPROVAL

    def test_the_sponsors_own_account_may_decide(self, approval: Approval, nobody: User) -> None:
        Sponsor.objects.update(user=nobody)
        assert signed_in(nobody).post(address(approval), APPROVE).status_code == 200
        assert Approval.objects.get().decided_by == nobody

    def test_who_may_change_guests_may_too(self, approval: Approval) -> None:
        clerk = staff_with("clerk", Right.USERS_READ, Right.USERS_UPDATE)
        assert signed_in(clerk).post(address(approval), DENY).status_code == 200
        assert stage() == Stage.DENIED

    def test_nobody_else_may(self, approval: Approval, nobody: User) -> None:
        own_only = staff_with("own", Right.USERS_READ_SPONSORED, Right.USERS_UPDATE)
        for user in (nobody, own_only, staff_with("reader", Right.USERS_READ)):
            assert signed_in(user).get(address(approval)).status_code == 403
            assert signed_in(user).post(address(approval), APPROVE).status_code == 403
        assert stage() == Stage.APPROVAL
        assert "USERS_UPDATE" in signed_in(nobody).get(address(approval)).content.decode()
