"""Credentials that the portal makes, sets and sends, to one guest or to many."""

from typing import Any

import pytest
from django.db import transaction

from guests import accounts, credentials, passwords, stays
from guests.models import Guest
from messaging import sending
from messaging.models import Message, State
from messaging.sending import Deed
from portal.errors import Refusal, Why
from portal.models import User

pytestmark = pytest.mark.usefixtures("sandbox")


def many(count: int) -> list[Guest]:
    """So many guests with a phone each."""
    return [accounts.create(username=f"g{n:03}", by=None, phone=f"+7916123{n:04}") for n in range(count)]


def test_a_new_password_is_set_and_sent_together(guest: Guest, admin: User) -> None:
    renewed = credentials.renew(guest, gateway_name="", by=admin)
    kept = Guest.objects.get()
    assert kept.check_password(renewed.password)
    assert kept.last_credentials == renewed.message
    message = Message.objects.get()
    assert message.text
    assert renewed.password in message.text
    assert renewed.password not in message.masked_text
    assert renewed.password not in repr(kept.__dict__)


def test_a_refused_send_leaves_the_old_password(guest: Guest) -> None:
    old = passwords.reset(guest)
    with pytest.raises(Refusal):
        credentials.renew(guest, gateway_name="nowhere", by=None)
    assert Guest.objects.get().check_password(old)


def test_who_was_banned_while_the_password_was_hashed_gets_none(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_password = passwords.hash_password

    def slow(password: str) -> str:
        stays.ban(Guest.objects.get(), why="sold the password")
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", slow)
    with pytest.raises(Refusal, match="banned"):
        credentials.renew(guest, gateway_name="", by=None)
    assert not Message.objects.exists()
    assert not Guest.objects.get().has_password


def test_the_phone_is_the_one_the_guest_has_now(guest: Guest) -> None:
    accounts.change(Guest.objects.get(), phone="+79161234599")
    credentials.renew(guest, gateway_name="", by=None)
    assert Message.objects.get().phone == "+79161234599"


def test_who_was_made_anonymous_meanwhile_gets_no_password_and_is_named_by_no_message(guest: Guest) -> None:
    stays.anonymise(Guest.objects.get())
    with pytest.raises(Refusal) as refused:
        credentials.send(guest, password="pa55word", password_hash="hash", gateway_name="", by=None)
    assert refused.value.why is Why.CONFLICT
    with pytest.raises(Refusal):
        passwords.put(guest, "hash")
    assert not Message.objects.exists()
    assert not Guest.objects.get().has_password


def test_a_form_that_is_sent_twice_makes_one_password(guest: Guest) -> None:
    seen = credentials.latest()
    renewed = credentials.renew(guest, gateway_name="", by=None, seen=seen)
    with pytest.raises(Refusal, match="since this page was opened") as refused:
        credentials.renew(guest, gateway_name="", by=None, seen=seen)
    assert refused.value.why is Why.CONFLICT
    assert Guest.objects.get().check_password(renewed.password)
    assert Message.objects.count() == 1


@pytest.mark.parametrize("at_once", [False, True])
def test_credentials_that_are_sent_again_are_the_last_ones(guest: Guest, phoneless: Guest, at_once: bool) -> None:
    former = credentials.renew(guest, gateway_name="", by=None).message
    Message.objects.update(state=State.FAILED)
    if at_once:
        sending.do_all(Deed.RESEND, Message.objects.all(), by=None)
    else:
        sending.resend(former, requested_by=None)
    assert Guest.objects.get(pk=guest.pk).last_credentials == Message.objects.get(resend_of=former)
    assert Guest.objects.get(pk=phoneless.pk).last_credentials is None


def test_a_banned_guest_gets_none(guest: Guest) -> None:
    stays.ban(guest, why="sold the password")
    with pytest.raises(Refusal) as refused:
        credentials.renew(guest, gateway_name="", by=None)
    assert refused.value.field == "guest"
    assert not Message.objects.exists()


class TestMany:
    def test_each_gets_a_password_and_a_message_of_their_own(self, db: None) -> None:
        guests = many(45)
        batch, outcomes = credentials.renew_many(guests, gateway_name="sandbox", by=None)
        assert (batch.total, batch.taken, batch.refused) == (45, 45, [])
        assert Message.objects.filter(batch=batch).count() == 45
        assert [outcome.guest for outcome in outcomes] == guests
        assert Message.objects.count() == 45
        for outcome in outcomes:
            assert outcome.message is not None
            password = str(outcome.message.text).rpartition(" ")[2]
            assert Guest.objects.get(pk=outcome.guest.pk).check_password(password)

    def test_who_is_refused_stops_nobody_and_is_told_why(self, guest: Guest, phoneless: Guest) -> None:
        batch, outcomes = credentials.renew_many([phoneless, guest], gateway_name="", by=None)
        assert [bool(outcome.message) for outcome in outcomes] == [False, True]
        assert "phone" in outcomes[0].refused
        assert [(one["reference"], one["message"]) for one in batch.refused] == [("eve", outcomes[0].refused)]
        assert not Guest.objects.get(username="eve").has_password

    def test_an_unknown_gateway_refuses_all_before_anything_happens(self, guest: Guest) -> None:
        with pytest.raises(Refusal) as refused:
            credentials.renew_many([guest], gateway_name="nowhere", by=None)
        assert (refused.value.field, refused.value.why) == ("gateway", Why.NOT_FOUND)
        assert not Message.objects.exists()

    def test_what_was_done_is_told_although_the_rest_is_cut_off(self, db: None, monkeypatch: Any) -> None:
        told: list[credentials.Outcome] = []
        guests, generate = many(30), passwords.generate

        def breaks_off(kind: Any) -> str:
            if told:
                raise OSError("the disk is gone")
            return generate(kind)

        monkeypatch.setattr(passwords, "generate", breaks_off)
        with pytest.raises(OSError, match="disk"):
            credentials.renew_many(guests, gateway_name="", by=None, tell=told.append)
        assert [outcome.guest for outcome in told] == guests[:20]
        assert Message.objects.count() == 20

    def test_too_many_at_once_are_refused(self, guest: Guest) -> None:
        with pytest.raises(Refusal) as refused:
            credentials.renew_many([guest] * (credentials.MOST_AT_ONCE + 1), gateway_name="", by=None)
        assert str(credentials.MOST_AT_ONCE) in refused.value.sentence

    @pytest.mark.django_db(transaction=True)
    def test_no_password_is_hashed_while_the_database_is_locked(self, monkeypatch: Any) -> None:
        locked: list[bool] = []
        hash_password = passwords.hash_password

        def watched(password: str) -> str:
            locked.append(main.in_atomic_block)
            return hash_password(password)

        # A connection belongs to a thread: this is the one that writes, and hashing happens in others.
        main = transaction.get_connection()
        monkeypatch.setattr(passwords, "hash_password", watched)
        credentials.renew_many(many(25), gateway_name="", by=None)
        assert locked == [False] * 25

    def test_the_outcomes_hold_no_password(self, guest: Guest) -> None:
        outcome = credentials.renew_many([guest], gateway_name="", by=None).outcomes[0]
        assert set(vars(outcome)) == {"guest", "message", "refused"}
