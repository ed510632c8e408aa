"""Letting in who proved a phone: whose account that is, and who is not let in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateways.models import Gateway
from guests import accounts, admitting, passwords, registration, stays
from guests.applying import Application, Visitor
from guests.models import CountsFrom, Device, Guest, GuestType, Purpose, Registration, RegistrationRules, Stage
from messaging.models import Message
from messaging.retries import Kind
from portal.errors import Refusal
from tests.guests.test_registration import PHONE, last_code, start

pytestmark = pytest.mark.usefixtures("sandbox")


def come_in(mac: str = "", **said: object) -> Registration:
    """A guest registers and types the code."""
    started = start(**said)  # type: ignore[arg-type]
    Registration.objects.filter(pk=started.registration.pk).update(mac=mac, arrival={"ssid": "Lobby"})
    return registration.confirm(started.registration, last_code())


@pytest.fixture
def kind(db: None) -> GuestType:
    return GuestType.objects.get(self_service=True)


class TestWhoseAccount:
    def test_a_new_guest_is_named_after_the_phone_and_stays_as_long_as_the_type_says(self, kind: GuestType) -> None:
        RegistrationRules.objects.create(pk=1, ask_name="optional", ask_email="optional", ask_company="optional")
        come_in(name="Ivan Petrov Junior", email="ivan@example.org", company="Hotel")
        guest = Guest.objects.get()
        assert (guest.username, guest.first_name, guest.last_name) == ("79161234567", "Ivan", "Petrov Junior")
        assert (guest.email, guest.company, guest.language) == ("ivan@example.org", "Hotel", "en")
        assert guest.guest_type == kind
        assert abs(guest.valid_until - timezone.now() - kind.default_stay) < timedelta(minutes=1)

    def test_a_guest_whom_staff_made_is_the_same_guest_and_keeps_the_name_they_gave(self) -> None:
        made = accounts.create(username="ivanov.i", by=None, phone=PHONE, first_name="Ivan")
        assert come_in().guest == made
        assert Guest.objects.get().first_name == "Ivan"

    def test_of_several_with_one_phone_none_is_taken_for_the_guest(self) -> None:
        for name in ("first", "second"):
            accounts.create(username=name, by=None, phone=PHONE)
        assert come_in().guest == Guest.objects.get(username="79161234567")
        assert come_in().guest == Guest.objects.get(username="79161234567")

    def test_a_name_that_somebody_else_has_is_not_taken_away(self) -> None:
        other = accounts.create(username="79161234567", by=None, phone="+79160000000")
        guest = come_in().guest
        assert guest
        assert guest != other
        assert guest.username.startswith("79161234567-")

    def test_a_stay_that_goes_on_keeps_its_end_and_gets_a_new_password(self) -> None:
        first = come_in()
        end = Guest.objects.get().valid_until
        again = come_in()
        guest = Guest.objects.get()
        assert guest.valid_until == end
        assert first.password != again.password
        assert guest.check_password(again.password or "")

    def test_a_stay_that_has_ended_begins_anew(self, kind: GuestType) -> None:
        come_in()
        Guest.objects.update(
            valid_from=timezone.now() - timedelta(days=9), valid_until=timezone.now() - timedelta(days=8)
        )
        come_in()
        guest = Guest.objects.get()
        assert guest.valid_until > timezone.now() + kind.default_stay - timedelta(minutes=1)

    def test_a_stay_that_was_booked_for_later_begins_now_and_stays_what_it_is(self) -> None:
        conference = GuestType.objects.create(name="Conference", default_stay=timedelta(days=5))
        monday = timezone.now() + timedelta(days=3)
        made = accounts.create(
            username="bob", by=None, phone=PHONE, guest_type=conference, valid_from=monday,
            valid_until=monday + timedelta(days=5),
        )  # fmt: skip
        come_in()
        guest = Guest.objects.get()
        assert (guest.pk, guest.guest_type, guest.valid_until) == (made.pk, conference, made.valid_until)
        assert guest.valid_from <= timezone.now()

    def test_where_stays_count_from_the_first_sign_in_this_is_it(self, kind: GuestType) -> None:
        GuestType.objects.filter(pk=kind.pk).update(counts_from=CountsFrom.FIRST_SIGN_IN)
        come_in()
        guest = Guest.objects.get()
        assert guest.first_sign_in
        assert guest.valid_until <= timezone.now() + kind.default_stay


class TestWhoIsNotLetIn:
    def test_a_ban_is_not_ended_by_another_proof(self) -> None:
        guest = accounts.create(username="bob", by=None, phone=PHONE)
        stays.ban(guest, why="rowdy")
        done = come_in()
        assert (done.stage, done.guest) == (Stage.DENIED, None)
        assert "blocked" in done.reason
        assert "rowdy" not in done.reason
        assert not Message.objects.filter(kind=Kind.CREDENTIALS).exists()
        assert Guest.objects.get().banned

    def test_nor_a_ban_of_one_of_several_with_that_phone(self) -> None:
        for name in ("first", "second"):
            accounts.create(username=name, by=None, phone=PHONE)
        stays.ban(Guest.objects.get(username="second"), why="rowdy")
        assert come_in().stage == Stage.DENIED

    def test_nor_a_suspension(self) -> None:
        stays.suspend(accounts.create(username="bob", by=None, phone=PHONE), why="lost the phone")
        assert come_in().stage == Stage.DENIED


class TestDevices:
    def test_nor_a_suspension_of_one_of_several_with_that_phone(self) -> None:
        for name in ("first", "second"):
            accounts.create(username=name, by=None, phone=PHONE)
        stays.suspend(Guest.objects.get(username="first"), why="noise")
        assert come_in().stage == Stage.DENIED

    def test_a_device_is_kept_with_its_network(self) -> None:
        come_in(mac="02:00:5e:10:00:01")
        device = Device.objects.get()
        assert (device.mac, device.ssid, device.guest.phone) == ("02:00:5e:10:00:01", "Lobby", PHONE)

    def test_one_too_many_is_refused_and_the_code_is_still_good(self, kind: GuestType) -> None:
        GuestType.objects.filter(pk=kind.pk).update(devices=1)
        come_in(mac="02:00:5e:10:00:01")
        come_in(mac="02:00:5e:10:00:01")
        started = start()
        Registration.objects.filter(pk=started.registration.pk).update(mac="02:00:5e:10:00:02")
        digits = last_code()
        with pytest.raises(Refusal) as refused:
            registration.confirm(started.registration, digits)
        assert refused.value.field == "device"
        Device.objects.all().delete()
        assert registration.confirm(started.registration, digits).stage == Stage.DONE


class TestCredentials:
    def test_no_message_is_sent_where_the_rules_say_so(self) -> None:
        RegistrationRules.objects.create(pk=1, sends_credentials=False)
        assert come_in().password
        assert not Message.objects.filter(kind=Kind.CREDENTIALS).exists()

    def test_a_gateway_that_cannot_send_them_keeps_nobody_out(self, sandbox: Gateway) -> None:
        started, digits = start(), last_code()
        Gateway.objects.filter(pk=sandbox.pk).update(prefixes=["+1"])
        done = registration.confirm(started.registration, digits)
        assert done.stage == Stage.DONE
        assert done.guest
        assert Guest.objects.get().check_password(done.password or "")

    def test_to_see_the_own_access_changes_nothing(self) -> None:
        guest = accounts.create(
            username="bob", by=None, phone=PHONE, password_hash=passwords.hash_password("as before")
        )
        started = registration.start(Application(phone=PHONE, language="en", purpose=Purpose.ACCESS), Visitor())
        done = registration.confirm(started.registration, last_code())
        assert (done.stage, done.guest, done.password) == (Stage.DONE, guest, None)
        assert Guest.objects.get().check_password("as before")

    def test_who_has_no_account_sees_none_and_gets_none(self) -> None:
        started = registration.start(Application(phone=PHONE, language="en", purpose=Purpose.ACCESS), Visitor())
        assert registration.confirm(started.registration, last_code()).guest is None
        assert not Guest.objects.exists()


def test_account_of_leaves_out_who_was_made_anonymous() -> None:
    guest = accounts.create(username="bob", by=None, phone=PHONE)
    stays.anonymise(guest)
    assert admitting.account_of(PHONE) is None
