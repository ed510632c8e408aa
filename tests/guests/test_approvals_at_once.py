"""Approvals at the same moment: two who decide, two who remind, two who ask. One of each counts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from gateways.models import Gateway
from guests import approvals
from guests.approvals import asking, lapsing
from guests.models import Approval, Guest, Registration, Sponsor, Stage
from messaging.models import Message, MessageTemplate
from messaging.retries import Kind
from portal.errors import Refusal, Why
from tests.guests.sponsoring import PHONE, PORTAL, SPONSORS_PHONE, ada, let_time_pass, sms_to, visitors, waits

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


@pytest.fixture(autouse=True)
def sponsor(settings: Any, transactional_db: None, sandbox: Gateway) -> Sponsor:
    """What migrations made is gone once another test of this kind has run."""
    settings.PORTAL_URL = PORTAL
    for kind, text in ((Kind.CODE, "Code $code, $portal"), (Kind.CREDENTIALS, "$username $password, $portal")):
        MessageTemplate.objects.get_or_create(kind=kind, language="en", defaults={"text": text})
    visitors()
    return ada()


def together(act: Callable[[int], object]) -> list[Refusal]:
    """Does it in several threads at once; what was refused."""

    def one(number: int) -> Refusal | None:
        try:
            act(number)
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [refused for refused in pool.map(one, range(AT_ONCE)) if refused]


def test_of_several_who_decide_one_does(sponsor: Sponsor) -> None:
    pk = waits(sponsor).pk

    def decide(number: int) -> None:
        approval = Approval.objects.select_related("registration", "sponsor").get(pk=pk)
        if number % 2:
            approvals.approve(approval, stay=timedelta(hours=1), by=None)
        else:
            approvals.deny(approval, why="no", by=None)

    refused = together(decide)
    assert len(refused) == AT_ONCE - 1
    assert {one.why for one in refused} == {Why.CONFLICT}
    approved = Approval.objects.get().approved
    assert Registration.objects.get().stage == (Stage.DONE if approved else Stage.DENIED)
    assert Guest.objects.count() == Message.objects.filter(kind=Kind.CREDENTIALS).count() == int(bool(approved))
    assert len(sms_to(PHONE)) == int(not approved)


def test_two_browsers_of_a_guest_decided_at_once_are_decided_alike(sponsor: Sponsor) -> None:
    pks = [waits(sponsor).pk, waits(sponsor).pk]

    def decide(number: int) -> None:
        approval = Approval.objects.select_related("registration", "sponsor").get(pk=pks[number % 2])
        approvals.approve(approval, stay=timedelta(hours=1), by=None)

    assert len(together(decide)) == AT_ONCE - 1
    assert set(Registration.objects.values_list("stage", flat=True)) == {Stage.DONE}
    assert Message.objects.filter(kind=Kind.CREDENTIALS).count() == 1


def test_several_workers_remind_once(sponsor: Sponsor) -> None:
    waits(sponsor)
    let_time_pass(minutes=61)
    assert together(lambda _number: asking.remind()) == []
    assert len(sms_to(SPONSORS_PHONE)) == 2


def test_several_workers_ask_once(sponsor: Sponsor, settings: Any) -> None:
    settings.PORTAL_URL = ""
    waits(sponsor)
    settings.PORTAL_URL = PORTAL
    assert together(lambda _number: asking.ask_waiting()) == []
    assert len(sms_to(SPONSORS_PHONE)) == 1


def test_several_workers_end_it_once(sponsor: Sponsor) -> None:
    waits(sponsor)
    let_time_pass(hours=9)
    assert together(lambda _number: lapsing.lapse()) == []
    assert len(sms_to(PHONE)) == 1
