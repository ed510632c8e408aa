"""What staff do to guests, without HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from guests import accounts, credentials, passwords
from guests.models import USUAL_STAY, Guest
from messaging.models import Message, MessageTemplate
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User

CANARY = "canary-5up3r-s3cret"


def refusal(call: Any, **arguments: Any) -> Refusal:
    """What the call refuses with."""
    with pytest.raises(Refusal) as refused:
        call(**arguments)
    return refused.value


class TestCreating:
    def test_a_guest_is_sponsored_by_who_creates_it_and_stays_31_days(self, admin: User) -> None:
        guest = Guest.objects.get(pk=accounts.create(username="bob", by=admin).pk)
        assert guest.sponsor == admin
        assert guest.valid_until - guest.valid_from == USUAL_STAY == timedelta(days=31)
        assert not guest.has_password

    def test_a_later_beginning_moves_the_usual_end(self, admin: User) -> None:
        start = timezone.now() + timedelta(days=90)
        assert accounts.create(username="bob", by=admin, valid_from=start).valid_until == start + USUAL_STAY

    def test_another_sponsor_may_be_named(self, admin: User, operator: User) -> None:
        assert accounts.create(username="bob", by=admin, sponsor=operator).sponsor == operator

    @pytest.mark.parametrize("written", ["+7 916 123-45-67", "8 (916) 1234567", "79161234567", "9161234567"])
    def test_every_spelling_is_one_phone(self, db: None, written: str) -> None:
        assert accounts.create(username="bob", by=None, phone=written).phone == "+79161234567"

    @pytest.mark.parametrize(
        "username", ["bob", "a/b", "DOMAIN\\bob", "bob@hotel.example", "a-b_c.d", "/a", "a//b", ".a", "...", "x" * 255]
    )
    def test_it_takes_the_documented_characters(self, db: None, username: str) -> None:
        assert accounts.create(username=username, by=None).username == username

    @pytest.mark.parametrize(
        "username",
        [
            "",
            " ",
            "bob+1",
            "bob\n",
            "\nbob",
            "боб",
            "a b",
            "bob$",
            "x" * 256,
            "bob/password",
            "bob/",
            "/",
            ".",
            "..",
            "a/../b",
            "a/.",
        ],
    )
    def test_it_refuses_any_other_user_name(self, db: None, username: str) -> None:
        assert refusal(accounts.create, username=username, by=None).field == "username"
        assert not Guest.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("phone", "12345"),
            ("email", "bob"),
            ("language", "fr"),
            ("company", "x" * 256),
            ("notes", "x" * 10_001),
            ("suspended_why", "x" * 256),
        ],
    )
    def test_a_wrong_detail_is_refused_by_name(self, db: None, field: str, value: str) -> None:
        details: dict[str, Any] = {field: value}
        assert refusal(accounts.create, username="bob", by=None, **details).field == field
        assert not Guest.objects.exists()

    @pytest.mark.parametrize("hours", [0, -1])
    def test_a_stay_must_end_after_it_begins(self, db: None, hours: int) -> None:
        now = timezone.now()
        refused = refusal(
            accounts.create, username="bob", by=None, valid_from=now, valid_until=now + timedelta(hours=hours)
        )
        assert refused.field == "valid_until"

    def test_a_user_name_is_given_once(self, guest: Guest) -> None:
        refused = refusal(accounts.create, username=guest.username, by=None, company="Other")
        assert (refused.why, refused.field) == (Why.CONFLICT, "username")
        assert Guest.objects.get().company == ""

    def test_user_names_differ_by_case(self, guest: Guest) -> None:
        assert accounts.create(username="BOB", by=None).pk != guest.pk


class TestChanging:
    def test_another_phone_is_not_proven_and_the_same_one_stays_so(self, guest: Guest) -> None:
        accounts.write(guest, verified_at=timezone.now())
        assert accounts.change(guest, phone="+7 916 123-45-67").verified_at
        assert accounts.change(guest, phone="8 916 765-43-21").verified_at is None
        guest.refresh_from_db()
        assert guest.verified_at is None

    def test_it_writes_what_is_given_and_nothing_else(self, guest: Guest) -> None:
        elsewhere = Guest.objects.get(pk=guest.pk)
        accounts.change(elsewhere, company="Hotel")
        changed = accounts.change(guest, phone="8 916 765-43-21")
        assert (changed.company, changed.phone) == ("Hotel", "+79167654321")
        assert Guest.objects.get().phone == "+79167654321"

    def test_a_phone_may_be_taken_away(self, guest: Guest) -> None:
        assert accounts.change(guest, phone="").phone == ""

    def test_an_end_is_held_against_the_beginning_that_is_kept(self, guest: Guest) -> None:
        refused = refusal(accounts.change, guest=guest, valid_until=guest.valid_from)
        assert refused.field == "valid_until"
        assert Guest.objects.get().valid_until == guest.valid_until

    def test_a_guest_who_was_removed_in_the_meantime_is_not_found(self, guest: Guest) -> None:
        Guest.objects.get(pk=guest.pk).delete()
        assert refusal(accounts.change, guest=guest, company="Hotel").why is Why.NOT_FOUND
        assert refusal(passwords.clear, guest=guest).why is Why.NOT_FOUND

    def test_the_database_itself_refuses_a_stay_without_length(self, guest: Guest) -> None:
        guest.valid_until = guest.valid_from
        with pytest.raises(IntegrityError):
            guest.save()


class TestPasswords:
    def test_only_an_argon2id_hash_is_kept(self, guest: Guest) -> None:
        passwords.put(guest, passwords.hash_password(CANARY))
        kept = Guest.objects.get()
        assert kept.password.startswith("argon2$argon2id$v=19$")
        assert CANARY not in kept.password
        assert kept.check_password(CANARY)
        assert not kept.check_password("other")

    def test_a_cleared_password_opens_nothing(self, guest: Guest) -> None:
        passwords.put(guest, passwords.hash_password(CANARY))
        passwords.clear(guest)
        kept = Guest.objects.get()
        assert not kept.has_password
        assert not kept.check_password(CANARY)
        assert not kept.check_password("")

    def test_an_empty_password_is_refused(self) -> None:
        assert refusal(passwords.hash_password, password="").field == "password"


class TestRemoving:
    def test_messages_stay_on_record(self, guest: Guest, sandbox: Gateway) -> None:
        message = credentials.send(guest, password=CANARY, gateway_name="sandbox", by=None)
        accounts.remove(guest)
        assert not Guest.objects.exists()
        assert Message.objects.get().pk == message.pk

    def test_a_guest_outlives_the_credentials_message_and_the_sponsor(
        self, guest: Guest, sandbox: Gateway, admin: User
    ) -> None:
        accounts.change(guest, sponsor=admin)
        credentials.send(guest, password=CANARY, gateway_name="sandbox", by=admin)
        Message.objects.all().delete()
        admin.delete()
        kept = Guest.objects.get()
        assert (kept.last_credentials, kept.sponsor) == (None, None)


class TestSendingCredentials:
    @pytest.fixture(autouse=True)
    def _gateway(self, sandbox: Gateway) -> None:
        pass

    def send(self, guest: Guest, **arguments: Any) -> Message:
        return credentials.send(guest, **{"password": CANARY, "gateway_name": "sandbox", "by": None, **arguments})

    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("ru", "Hotel: логин bob, пароль p$a"),
            ("en", "Hotel: user name bob, password p$a"),
            ("", "Hotel: логин bob, пароль p$a"),
        ],
    )
    def test_it_writes_in_the_guests_language(self, guest: Guest, settings: Settings, language: str, text: str) -> None:
        settings.PORTAL_NAME, settings.LANGUAGE_CODE = "Hotel", "ru"
        guest = accounts.change(guest, language=language)
        message = Message.objects.get(pk=self.send(guest, password="p$a").pk)
        assert message.text == text
        assert message.masked_text == text.replace("p$a", "••••••••")

    def test_the_message_knows_the_phone_and_the_name_as_text(self, guest: Guest, admin: User) -> None:
        message = self.send(guest, by=admin)
        assert (message.phone, message.recipient_label, message.kind) == ("+79161234567", "bob", Kind.CREDENTIALS)
        assert message.requested_by == admin
        assert Guest.objects.get().last_credentials == message

    def test_the_password_is_kept_nowhere_in_the_guest_unless_its_hash_is_given(self, guest: Guest) -> None:
        self.send(guest)
        assert not Guest.objects.get().has_password
        self.send(guest, password_hash=passwords.hash_password(CANARY))
        assert Guest.objects.get().check_password(CANARY)
        self.send(guest, password="only-a-text")
        assert Guest.objects.get().check_password(CANARY)

    def test_a_refused_send_leaves_the_old_password(self, guest: Guest) -> None:
        refused = refusal(self.send, guest=guest, gateway_name="nowhere", password_hash=passwords.hash_password(CANARY))
        assert refused.field == "gateway"
        assert not Guest.objects.get().has_password
        assert not Message.objects.exists()

    def test_a_guest_without_a_phone_is_refused(self, phoneless: Guest) -> None:
        refused = refusal(self.send, guest=phoneless)
        assert (refused.field, refused.why) == ("guest", Why.INVALID)
        assert "eve" in refused.sentence

    def test_a_suspended_guest_is_refused(self, guest: Guest) -> None:
        refused = refusal(self.send, guest=accounts.change(guest, suspended=True))
        assert refused.field == "guest"
        assert not Message.objects.exists()

    def test_an_empty_password_is_refused(self, guest: Guest) -> None:
        assert refusal(self.send, guest=guest, password="").field == "password"

    def test_no_refusal_repeats_the_password(self, guest: Guest) -> None:
        MessageTemplate.objects.update(text="$password $room")
        assert CANARY not in refusal(self.send, guest=guest).sentence
        MessageTemplate.objects.update(text="$password")
        assert CANARY not in refusal(self.send, guest=guest, password=CANARY * 200).sentence

    def test_the_portals_language_stands_in_for_a_missing_text(self, guest: Guest) -> None:
        guest = accounts.change(guest, language="en" if settings.LANGUAGE_CODE == "ru" else "ru")
        MessageTemplate.objects.filter(language=guest.language).delete()
        MessageTemplate.objects.update(text="from the portal's language: $password")
        assert self.send(guest).text == f"from the portal's language: {CANARY}"

    def test_without_any_text_it_says_where_to_write_one(self, guest: Guest) -> None:
        MessageTemplate.objects.all().delete()
        assert "Message templates" in refusal(self.send, guest=guest).sentence

    def test_a_guest_who_was_removed_in_the_meantime_gets_no_message(self, guest: Guest) -> None:
        Guest.objects.get(pk=guest.pk).delete()
        assert refusal(self.send, guest=guest).why is Why.NOT_FOUND
        assert not Message.objects.exists()
