"""What self-registration tells the front page, the system page and `/metrics`."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from guests import registration, rules, system
from guests.applying import Application, Visitor
from guests.limits import HeldBack, brake
from guests.models import Brake, GuestType, LimitCount, Scope
from messaging.models import Message
from messaging.retries import Kind
from portal import counting
from portal.admin.dashboard import Board, Concern
from portal.errors import Refusal
from portal.models import User, WorkerHeartbeat
from portal.permissions import Right
from portal.system import State
from tests.portal.admin_pages import signed_in, staff_with

pytestmark = pytest.mark.usefixtures("sandbox")

OnCommit = Callable[..., Any]
PHONE = "+79161234567"


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    counting.take()
    yield
    counting.take()


def pull() -> None:
    now = timezone.now()
    Brake.objects.create(pk=brake.ROW, pulled_at=now, until=now + timedelta(hours=1), sent=57, entered=9)


def start(phone: str = PHONE) -> registration.Started:
    return registration.start(Application(phone=phone, language="en"), Visitor(address="192.0.2.1"))


def code() -> str:
    text = Message.objects.filter(kind=Kind.CODE).latest("pk").text or ""
    return "".join(filter(str.isdigit, text))[:6]


class TestMetrics:
    def scraped(self, name: str) -> dict[str, float]:
        """The samples of this name, by the value of their one label."""
        counting.flush()
        families = text_string_to_metric_families(Client().get("/metrics").content.decode())
        samples = [one for family in families for one in family.samples if one.name == name]
        return {"".join(one.labels.values()): one.value for one in samples}

    def test_what_becomes_of_registrations_is_counted(self, django_capture_on_commit_callbacks: OnCommit) -> None:
        rules.change(phone_hour=1, phone_day=0)
        with django_capture_on_commit_callbacks(execute=True):
            registration.confirm(start().registration, code())
            other = start("+79161234500").registration
            for _try in range(registration.TRIES):
                with pytest.raises(Refusal):
                    registration.confirm(other, "0000000")
            with pytest.raises(HeldBack):
                start()
            pull()
            with pytest.raises(Refusal):
                start("+79161234501")
        assert self.scraped("portal_guest_registrations_total") == {
            "started": 2, "done": 1, "ended": 1, "held_back": 1, "stopped": 1
        }  # fmt: skip
        assert self.scraped("portal_guest_codes_sent_total") == {"": 2}

    def test_what_holds_guests_back_now_is_told(self) -> None:
        assert self.scraped("portal_registration_stopped") == self.scraped("portal_limits_used_up") == {"": 0}
        pull()
        LimitCount.objects.create(scope=Scope.PHONE, minutes=60, key=PHONE, since=timezone.now(), count=3, most=3)
        assert self.scraped("portal_registration_stopped") == self.scraped("portal_limits_used_up") == {"": 1}


class TestTheFrontPage:
    @pytest.fixture(autouse=True)
    def _nothing_else_is_wrong(self, db: None, settings: Settings, no_time_passes: None) -> None:
        settings.PRODUCTION = False
        WorkerHeartbeat.objects.create(worker="w", at=timezone.now())

    def concerns(self, user: User) -> list[Concern]:
        board: Board = signed_in(user).get("/admin/").context["board"]
        return board.concerns

    def listed(self, user: User, link: str) -> int:
        count: int = signed_in(user).get(link).context["cl"].result_count
        return count

    def test_a_pulled_brake_needs_somebody(self, receptionist: User) -> None:
        pull()
        [concern] = self.concerns(receptionist)
        assert str(concern.sentence).endswith("of 57 codes 9 were entered.")
        assert concern.grave
        assert "Registration is stopped" in signed_in(receptionist).get(concern.link).content.decode()

    def test_a_network_that_is_held_back_may_be_an_own_one(self, receptionist: User) -> None:
        now = timezone.now()
        for scope, key, refused in (
            (Scope.ADDRESS, "192.0.2.7", 4),
            (Scope.NETWORK, "192.0.2.0/24", 1),
            (Scope.ADDRESS, "192.0.2.8", 0),
            (Scope.PHONE, PHONE, 9),
        ):
            LimitCount.objects.create(scope=scope, minutes=60, key=key, since=now, count=3, most=3, refused=refused)
        [concern] = self.concerns(receptionist)
        assert str(concern.sentence).startswith("2 addresses or networks are held back.")
        assert not concern.grave
        assert self.listed(receptionist, concern.link) == 2

    def test_it_is_said_to_those_who_see_all_guests(self, sponsor: User) -> None:
        pull()
        assert self.concerns(sponsor) == []
        assert self.concerns(staff_with("clerk", Right.SYSTEM_READ)) == []


class TestTheSystemPage:
    def lines(self) -> dict[str, tuple[str, State]]:
        return {str(line.about): (str(line.value), line.state) for line in system.lines()}

    def test_all_is_well(self, settings: Settings) -> None:
        settings.GUEST_NETWORKS = [ip_network("203.0.113.7/32")]
        assert self.lines() == {
            "Guests may register themselves": ("yes", State.OK),
            "GUEST_NETWORKS": ("203.0.113.7/32", State.OK),
        }

    def test_closed_by_the_rules_is_as_it_should_be(self) -> None:
        rules.change(is_open=False)
        assert self.lines()["Guests may register themselves"] == ("no: closed by the rules", State.OK)

    def test_a_pulled_brake_is_told(self) -> None:
        pull()
        said, state = self.lines()["Guests may register themselves"]
        assert said.startswith("stopped until")
        assert state is State.WARNING

    def test_without_a_type_to_choose_nobody_comes_in(self) -> None:
        GuestType.objects.update(self_service=False)
        said, state = self.lines()["Guests may register themselves"]
        assert (said, state) == ("no: no guest type is theirs to choose", State.WARNING)
