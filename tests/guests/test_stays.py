"""Extend, suspend, reinstate, un-expire, ban, make anonymous."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from gateways.models import Gateway
from guests import accounts, credentials, passwords, stays
from guests.models import USUAL_STAY, CountsFrom, Guest, GuestType
from messaging.models import Message, State
from portal.errors import Refusal, Why
from portal.models import User

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def refused(act: Any, *args: Any, **given: Any) -> Refusal:
    """What it refuses with."""
    with pytest.raises(Refusal) as refusal:
        act(*args, **given)
    return refusal.value


def a_guest(kind: GuestType | None = None, *, ended: bool = False) -> Guest:
    """One whose stay runs, or ended an hour ago."""
    now = timezone.now()
    begin, end = (now - 9 * HOUR, now - HOUR) if ended else (now - HOUR, now + HOUR)
    return Guest.objects.create(
        username="bob", phone="+79161234567", guest_type=kind, valid_from=begin, valid_until=end
    )


class TestExtending:
    def test_a_stay_that_runs_ends_so_much_later(self, db: None) -> None:
        guest = a_guest()
        extended = stays.extend(guest, by=None, duration=3 * HOUR)
        assert extended.valid_until == guest.valid_until + 3 * HOUR
        assert extended.valid_from == guest.valid_from

    def test_a_stay_that_has_ended_begins_anew_now(self, db: None) -> None:
        before = timezone.now()
        extended = stays.extend(a_guest(ended=True), by=None, duration=3 * HOUR)
        assert before <= extended.valid_from <= timezone.now()
        assert extended.valid_until - extended.valid_from == 3 * HOUR

    def test_a_date_takes_precedence(self, db: None) -> None:
        until = timezone.now() + 4 * DAY
        assert stays.extend(a_guest(), by=None, duration=HOUR, until=until).valid_until == until

    def test_a_date_that_has_passed_is_refused(self, db: None) -> None:
        guest = a_guest()
        assert refused(stays.extend, guest, by=None, until=timezone.now() - HOUR).field == "valid_until"
        assert Guest.objects.get().valid_until == guest.valid_until

    def test_nothing_to_extend_by_is_refused(self, db: None) -> None:
        assert refused(stays.extend, a_guest(), by=None).field == "duration"

    def test_no_calendar_holds_some_durations(self, db: None) -> None:
        assert refused(stays.extend, a_guest(), by=None, duration=timedelta(days=999_999_999)).field == "valid_until"

    def test_the_longest_stay_of_the_type_binds(self, receptionist: User, visitor_type: GuestType) -> None:
        guest = a_guest(visitor_type)
        allowed = guest.valid_from + visitor_type.longest_stay
        assert stays.extend(guest, by=receptionist, until=allowed).valid_until == allowed
        refusal = refused(stays.extend, guest, by=receptionist, duration=timedelta(minutes=1))
        assert (refusal.field, "2 days" in refusal.sentence) == ("valid_until", True)

    def test_who_may_change_types_is_not_bound_by_them(self, admin: User, visitor_type: GuestType) -> None:
        guest = a_guest(visitor_type)
        assert stays.extend(guest, by=admin, duration=9 * DAY).valid_until == guest.valid_until + 9 * DAY


class TestUnexpiring:
    def test_a_new_stay_is_as_long_as_usual_for_the_type(self, receptionist: User, visitor_type: GuestType) -> None:
        again = stays.unexpire(a_guest(visitor_type, ended=True), by=receptionist)
        assert again.valid_until - again.valid_from == visitor_type.default_stay

    def test_without_a_type_it_is_31_days(self, db: None) -> None:
        again = stays.unexpire(a_guest(ended=True), by=None)
        assert again.valid_until - again.valid_from == USUAL_STAY

    def test_a_stay_that_runs_is_a_conflict(self, db: None) -> None:
        assert refused(stays.unexpire, a_guest(), by=None).why is Why.CONFLICT


class TestSuspendingAndBanning:
    def test_a_suspension_has_a_reason_and_ends(self, guest: Guest) -> None:
        stays.suspend(guest, why=" lost badge ")
        kept = Guest.objects.get()
        assert (kept.suspended, kept.suspended_why) == (True, "lost badge")
        stays.reinstate(guest)
        kept.refresh_from_db()
        assert (kept.suspended, kept.suspended_why) == (False, "")

    @pytest.mark.parametrize("act", [stays.suspend, stays.ban])
    @pytest.mark.parametrize("why", ["", "  ", "x" * 256])
    def test_without_a_fitting_reason_nothing_happens(self, guest: Guest, act: Any, why: str) -> None:
        assert refused(act, guest, why=why).field == "reason"
        assert not Guest.objects.filter(suspended=True).exists()
        assert not Guest.objects.filter(banned=True).exists()

    def test_what_is_so_already_is_a_conflict(self, guest: Guest) -> None:
        elsewhere = Guest.objects.get()
        stays.suspend(guest, why="first")
        stays.ban(guest, why="first")
        assert refused(stays.suspend, elsewhere, why="second").why is Why.CONFLICT
        assert refused(stays.ban, elsewhere, why="second").why is Why.CONFLICT
        kept = Guest.objects.get()
        assert (kept.suspended_why, kept.banned_why) == ("first", "first")
        stays.reinstate(guest)
        stays.unban(guest)
        assert refused(stays.reinstate, elsewhere).why is Why.CONFLICT
        assert refused(stays.unban, elsewhere).why is Why.CONFLICT

    def test_a_ban_outlives_reinstatement_a_proof_of_the_phone_and_a_change(self, guest: Guest) -> None:
        stays.suspend(guest, why="lost badge")
        stays.ban(guest, why="sold the password")
        stays.reinstate(guest)
        accounts.write(guest, verified_at=timezone.now())
        accounts.change(guest, suspended=False, company="Ours")
        assert Guest.objects.get().banned
        stays.unban(guest)
        assert not Guest.objects.get().banned

    def test_a_guest_who_was_removed_in_the_meantime_is_not_found(self, guest: Guest) -> None:
        Guest.objects.get().delete()
        assert refused(stays.suspend, guest, why="lost badge").why is Why.NOT_FOUND
        assert refused(stays.anonymise, guest).why is Why.NOT_FOUND


class TestFirstSignIn:
    def test_some_stays_begin_to_run_with_it(self, visitor_type: GuestType) -> None:
        visitor_type.counts_from = CountsFrom.FIRST_SIGN_IN
        visitor_type.save()
        guest = accounts.create(username="bob", by=None, guest_type=visitor_type)
        assert guest.valid_until == guest.valid_from + visitor_type.longest_stay
        at = guest.valid_from + HOUR
        stays.note_sign_in(guest, at)
        stays.note_sign_in(Guest.objects.get(), at + DAY)
        kept = Guest.objects.get()
        assert (kept.first_sign_in, kept.valid_until) == (at, at + visitor_type.default_stay)

    def test_others_run_from_their_beginning(self, visitor_type: GuestType) -> None:
        guest = accounts.create(username="bob", by=None, guest_type=visitor_type)
        stays.note_sign_in(guest, guest.valid_from + HOUR)
        kept = Guest.objects.get()
        assert kept.first_sign_in == guest.valid_from + HOUR
        assert kept.valid_until == guest.valid_from + visitor_type.default_stay

    def test_nothing_lasts_beyond_the_longest_stay(self, visitor_type: GuestType) -> None:
        visitor_type.counts_from = CountsFrom.FIRST_SIGN_IN
        visitor_type.save()
        guest = accounts.create(username="bob", by=None, guest_type=visitor_type)
        stays.note_sign_in(guest, guest.valid_until - HOUR)
        assert Guest.objects.get().valid_until == guest.valid_from + visitor_type.longest_stay


class TestAnonymising:
    @pytest.fixture
    def person(self, admin: User, sandbox: Gateway, visitor_type: GuestType) -> Guest:
        """One who left traces everywhere."""
        guest = accounts.create(
            username="ivan.petrov",
            by=admin,
            guest_type=visitor_type,
            phone="+79161234567",
            first_name="Ivan",
            last_name="Petrov",
            email="ivan@example.org",
            company="Petrov & Co",
            notes="Petrov snores",
            language="ru",
            password_hash=passwords.hash_password("a long secret"),
        )
        stays.suspend(guest, why="Petrov lost his badge")
        stays.ban(guest, why="Petrov again")
        return guest

    def test_nothing_kept_of_the_guest_names_the_person(self, person: Guest, admin: User) -> None:
        stays.anonymise(person)
        kept = Guest.objects.values().get()
        told = " ".join(map(str, kept.values())).lower()
        assert not [word for word in ("ivan", "petrov", "example.org", "9161234567", "argon2") if word in told]
        assert kept["anonymised_at"] is not None

    def test_that_somebody_stayed_remains(self, person: Guest, admin: User, visitor_type: GuestType) -> None:
        stays.anonymise(person)
        kept = Guest.objects.get()
        assert (kept.pk, kept.sponsor, kept.guest_type) == (person.pk, admin, visitor_type)
        assert (kept.valid_from, kept.valid_until) == (person.valid_from, person.valid_until)

    def test_messages_stay_and_name_nobody(self, guest: Guest, sandbox: Gateway, admin: User) -> None:
        ended = credentials.send(guest, password="pa55word", gateway_name="", by=admin)
        Message.objects.filter(pk=ended.pk).update(state=State.FAILED)
        waiting = credentials.send(guest, password="pa55word", gateway_name="", by=admin)
        other = accounts.create(username="anna", by=None, phone="+79161234568")
        untouched = credentials.send(other, password="pa55word", gateway_name="", by=admin)
        stays.anonymise(guest)
        for message in (ended, waiting):
            message.refresh_from_db()
            assert (message.recipient_label, message.masked_text) == ("", "")
        assert ended.text is None
        assert waiting.text, "what was accepted is still sent"
        untouched.refresh_from_db()
        assert untouched.recipient_label == "anna"
        assert Guest.objects.get(pk=guest.pk).last_credentials is None

    def test_the_admins_own_log_names_nobody(self, guest: Guest, admin: User) -> None:
        kind = ContentType.objects.get_for_model(Guest)
        LogEntry.objects.create(
            user=admin, content_type=kind, object_id=str(guest.pk), object_repr="bob", action_flag=CHANGE
        )
        stays.anonymise(guest)
        assert LogEntry.objects.get().object_repr == Guest.objects.get().username

    def test_it_happens_once_and_nobody_comes_back(self, guest: Guest, sandbox: Gateway) -> None:
        gone = stays.anonymise(guest)
        for act in (
            lambda: stays.anonymise(gone),
            lambda: accounts.change(gone, first_name="Bob"),
            lambda: stays.suspend(gone, why="late"),
            lambda: passwords.reset(gone),
            lambda: credentials.renew(gone, gateway_name="", by=None),
        ):
            assert refused(act).why is Why.CONFLICT
        assert Guest.objects.get().first_name == ""
