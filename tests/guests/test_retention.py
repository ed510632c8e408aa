"""How long persons are kept: registrations that nobody proved a day, the journal and accounts as the rules say."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from guests import accounts, registration, retention, rules, stays
from guests.applying import Application, Visitor
from guests.models import Approval, Code, CodeMessage, Device, Guest, Registration, Stage
from guests.registration import Started
from messaging.models import Message
from tests.guests.test_registration import last_code

PHONE = "+79161234567"
PERSONAL = ("phone", "name", "email", "company", "mac", "device", "address")

pytestmark = pytest.mark.django_db


def start(phone: str = PHONE, address: str = "192.0.2.1") -> Started:
    visitor = Visitor(address, "browser", "02:00:00:00:00:01", {"ssid": "Lobby"}, root="https://wifi.example.org")
    return registration.start(Application(phone, "en"), visitor)


def age(days: float, *rows: Registration) -> None:
    """As if they, or all, had been begun so long ago; and every code with them."""
    then = timezone.now() - timedelta(days=days)
    chosen = Registration.objects.filter(pk__in=[row.pk for row in rows]) if rows else Registration.objects.all()
    chosen.update(created=then)
    Code.objects.update(created=then)


@pytest.mark.usefixtures("sandbox")
class TestRegistrationsThatNobodyProved:
    def test_after_a_day_they_and_their_codes_are_gone_and_the_message_stays(self) -> None:
        start()
        age(1.1)
        assert retention.erase_unverified() == 1
        assert not Registration.objects.exists()
        assert not Code.objects.exists()
        assert not CodeMessage.objects.exists()
        assert Message.objects.count() == 1

    def test_within_the_day_they_stay(self) -> None:
        start()
        age(0.9)
        assert retention.erase_unverified() == 0
        assert Registration.objects.exists()

    @pytest.mark.parametrize("stage", [Stage.ENDED, Stage.LAPSED])
    def test_so_do_those_that_came_to_nothing(self, stage: Stage) -> None:
        start()
        Registration.objects.update(stage=stage)
        age(2)
        assert retention.erase_unverified() == 1

    def test_who_proved_the_phone_stays_whatever_became_of_it(self) -> None:
        registration.confirm(start().registration, last_code())
        age(2)
        assert retention.erase_unverified() == 0
        Registration.objects.update(stage=Stage.LAPSED)
        assert retention.erase_unverified() == 0

    def test_a_code_that_somebody_else_entered_is_kept_for_the_journal(self) -> None:
        start()
        registration.confirm(start(address="192.0.2.2").registration, last_code())
        age(2)
        assert retention.erase_unverified() == 1
        assert Registration.objects.get().code == Code.objects.get()
        assert CodeMessage.objects.count() == 1

    def test_a_code_that_another_one_took_the_place_of_goes_too(self) -> None:
        begun = start()
        Code.objects.update(ended_at=timezone.now(), kept=None)
        registration.resend(begun.registration, Visitor())
        assert Code.objects.count() == 2
        age(2)
        retention.erase_unverified()
        assert not Code.objects.exists()

    def test_some_in_each_turn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "SOME", 2)
        for number in range(3):
            start(f"+7916123450{number}")
        age(2)
        assert [retention.erase_unverified() for _turn in range(3)] == [2, 1, 0]


@pytest.mark.usefixtures("sandbox")
class TestTheJournal:
    def test_it_is_kept_as_long_as_the_rules_say_and_then_names_nobody(self) -> None:
        done = registration.confirm(start().registration, last_code())
        Approval.objects.create(registration=done, email="ann@example.org", phone="+79161234599", link="secret")
        age(182)
        assert retention.anonymise_registrations() == 0
        age(184)
        assert retention.anonymise_registrations() == 1
        row = Registration.objects.get()
        assert not any(getattr(row, name) for name in (*PERSONAL, "arrival", "password"))
        assert row.anonymised_at
        assert (row.stage, row.guest, row.verified_at) == (Stage.DONE, done.guest, done.verified_at)
        assert not Code.objects.exists()
        asked = Approval.objects.get()
        assert (asked.email, asked.phone, asked.link) == ("", "", None)
        assert retention.anonymise_registrations() == 0

    def test_the_rules_may_say_otherwise(self) -> None:
        registration.confirm(start().registration, last_code())
        shorter = rules.current()
        shorter.journal_days = 10
        shorter.save()
        age(11)
        assert retention.anonymise_registrations() == 1

    def test_codes_that_belong_to_nothing_go_as_late(self) -> None:
        code = Code.objects.create(phone=PHONE, ended_at=timezone.now())
        assert retention.drop_old_codes() == 0
        Code.objects.filter(pk=code.pk).update(created=timezone.now() - timedelta(days=184))
        assert retention.drop_old_codes() == 1


class TestAccounts:
    def make(self, name: str, over: float) -> Guest:
        end = timezone.now() - timedelta(days=over)
        guest = accounts.create(
            username=name, by=None, phone=PHONE, valid_from=end - timedelta(days=1), valid_until=end
        )
        Device.objects.create(guest=guest, mac="02:00:00:00:00:01")
        return guest

    def test_long_after_the_stay_nobody_can_tell_who_it_was(self, db: None) -> None:
        old, late = self.make("old", 184), self.make("late", 182)
        assert retention.anonymise_guests() == 1
        old.refresh_from_db()
        late.refresh_from_db()
        assert old.anonymised_at
        assert (old.phone, late.phone) == ("", PHONE)
        assert Device.objects.get().guest == late
        assert retention.anonymise_guests() == 0

    def test_a_ban_is_remembered(self, db: None) -> None:
        stays.ban(self.make("old", 184), why="noise")
        assert retention.anonymise_guests() == 0

    def test_who_was_removed_meanwhile_stops_nobody(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        gone = self.make("gone", 200)
        self.make("old", 184)
        really: Callable[[Guest], Guest] = stays.anonymise

        def late(guest: Guest) -> Guest:
            Guest.objects.filter(pk=gone.pk).delete()
            return really(guest)

        monkeypatch.setattr(stays, "anonymise", late)
        assert retention.anonymise_guests() == 1
