"""What guests do themselves: extend the stay, get a new password, take their data along, erase it."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from gateways.models import Gateway
from guests import accounts, admitting, own_access, registration, rules, stays, terms
from guests.applying import Application, Visitor
from guests.limits import Asker
from guests.models import Code, Device, Guest, GuestType, LimitCount, Registration, Stage
from guests.own_access import extending
from messaging.models import Message
from messaging.retries import Kind
from portal.errors import Refusal, Why
from portal.models import User
from tests.guests.test_registration import last_code

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"
ASKER = Asker("192.0.2.1", "02:00:00:00:00:01")


@pytest.fixture
def day_type(db: None) -> GuestType:
    """A day at a time, three at most."""
    return GuestType.objects.create(
        name="Day", default_stay=timedelta(days=1), longest_stay=timedelta(days=3), may_extend=True
    )


@pytest.fixture
def staying(day_type: GuestType) -> Guest:
    """An hour of the day is left."""
    return make(day_type, left=timedelta(hours=1))


def make(kind: GuestType, left: timedelta, length: timedelta = timedelta(days=1), **details: object) -> Guest:
    end = timezone.now() + left
    given = {"username": "bob", "phone": PHONE, "guest_type": kind, "valid_from": end - length, "valid_until": end}
    return accounts.create(by=None, **(given | details))  # type: ignore[arg-type]


@pytest.fixture
def registered(sandbox: Gateway) -> Guest:
    """Came in by phone and code, said everything and agreed to the terms."""
    agreed = terms.draft("en", "Be nice.")
    terms.publish(agreed)
    asked = rules.current()
    asked.ask_name = asked.ask_email = asked.ask_company = "optional"
    asked.save()
    said = Application(PHONE, "en", name="Ann Lee", email="ann@example.org", company="Acme", accepted=agreed.pk)
    visitor = Visitor("192.0.2.1", "browser", "02:00:00:00:00:01", {"ssid": "Lobby"})
    guest = registration.confirm(registration.start(said, visitor).registration, last_code()).guest
    assert guest
    return guest


def refusal_of(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value


class TestExtending:
    def test_it_goes_on_for_as_long_as_is_usual(self, staying: Guest) -> None:
        end = staying.valid_until
        assert extending.extend(staying, seen=end).valid_until == end + timedelta(days=1)

    def test_never_beyond_the_longest_stay_from_its_beginning(self, day_type: GuestType) -> None:
        guest = make(day_type, left=timedelta(hours=1), length=timedelta(days=2, hours=12))
        longest = guest.valid_from + timedelta(days=3)
        assert extending.extend(guest, seen=guest.valid_until).valid_until == longest
        guest.refresh_from_db()
        assert extending.offer(guest) is None
        refused = refusal_of(lambda: extending.extend(guest, seen=guest.valid_until))
        assert refused.why is Why.CONFLICT

    def test_after_the_end_it_goes_on_from_now_and_has_the_same_beginning(self, day_type: GuestType) -> None:
        guest = make(day_type, left=-timedelta(hours=5))
        extended = extending.extend(guest, seen=guest.valid_until)
        assert extended.valid_from == guest.valid_from
        assert timedelta(hours=23) < extended.valid_until - timezone.now() <= timedelta(days=1)

    def test_it_is_not_offered_before_the_last_quarter_and_says_when(self, day_type: GuestType) -> None:
        guest = make(day_type, left=timedelta(hours=6, minutes=5))
        refused = refusal_of(lambda: extending.extend(guest, seen=guest.valid_until))
        assert (refused.why, refused.until) == (Why.TOO_MANY, guest.valid_until - timedelta(hours=6))

    def test_nor_more_than_a_day_before_the_end_of_a_long_one(self, day_type: GuestType) -> None:
        day_type.default_stay, day_type.longest_stay = timedelta(days=30), timedelta(days=90)
        offer = extending.offer(make(day_type, left=timedelta(days=2), length=timedelta(days=30)))
        assert offer is not None
        assert not offer.is_open(timezone.now())

    def test_but_from_the_notice_on(self, day_type: GuestType) -> None:
        day_type.notice_hours = 12
        offer = extending.offer(make(day_type, left=timedelta(hours=11)))
        assert offer is not None
        assert offer.is_open(timezone.now())

    @pytest.mark.parametrize("why", ["type", "no type", "suspended", "banned", "later", "anonymous"])
    def test_who_may_not(self, day_type: GuestType, why: str) -> None:
        guest = make(day_type, left=timedelta(hours=1))
        match why:
            case "type":
                day_type.may_extend = False
                day_type.save()
            case "no type":
                Guest.objects.update(guest_type=None)
            case "suspended":
                stays.suspend(guest, why="noise")
            case "banned":
                stays.ban(guest, why="noise")
            case "later":
                Guest.objects.update(valid_from=guest.valid_until - timedelta(minutes=1))
            case "anonymous":
                stays.anonymise(guest)
        guest.refresh_from_db()
        assert extending.offer(guest) is None
        refusal_of(lambda: extending.extend(guest, seen=guest.valid_until))

    def test_pressed_twice_it_is_extended_once(self, staying: Guest) -> None:
        end = staying.valid_until
        extending.extend(staying, seen=end)
        refused = refusal_of(lambda: extending.extend(staying, seen=end))
        assert (refused.why, refused.sentence) == (Why.CONFLICT, str(extending.MOVED))


@pytest.mark.django_db(transaction=True)
def test_pressed_in_many_tabs_at_once_it_is_extended_once() -> None:
    kind = GuestType.objects.create(name="Hour", longest_stay=timedelta(days=30), may_extend=True)
    guest = make(kind, left=timedelta(hours=1))
    end = guest.valid_until

    def press(_number: int) -> datetime | None:
        try:
            return extending.extend(guest, seen=end).valid_until
        except Refusal:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = [one for one in pool.map(press, range(16)) if one]
    guest.refresh_from_db()
    assert found == [guest.valid_until] == [end + timedelta(days=1)]


class TestANewPassword:
    def test_it_is_set_and_sent(self, staying: Guest, sandbox: Gateway) -> None:
        password = own_access.new_password(staying, ASKER)
        staying.refresh_from_db()
        assert staying.check_password(password)
        assert password in (Message.objects.get(kind=Kind.CREDENTIALS).text or "")

    def test_a_form_that_is_sent_twice_makes_one(self, staying: Guest, sandbox: Gateway) -> None:
        first = own_access.new_password(staying, ASKER, seen=0)
        refused = refusal_of(lambda: own_access.new_password(staying, ASKER, seen=0))
        assert refused.why is Why.CONFLICT
        staying.refresh_from_db()
        assert staying.check_password(first)
        assert LimitCount.objects.get(scope="phone", minutes=60).count == 1

    def test_it_is_counted_as_every_message_to_the_phone(self, staying: Guest, sandbox: Gateway) -> None:
        for _time in range(3):
            own_access.new_password(staying, ASKER)
        refused = refusal_of(lambda: own_access.new_password(staying, ASKER))
        assert refused.why is Why.TOO_MANY
        assert refused.until
        assert Message.objects.count() == 3

    def test_without_a_gateway_it_is_shown_and_counted_against_nobody(self, staying: Guest) -> None:
        password = own_access.new_password(staying, ASKER)
        staying.refresh_from_db()
        assert staying.check_password(password)
        assert not LimitCount.objects.filter(count__gt=0).exists()

    def test_without_a_phone_it_is_shown(self, phoneless: Guest, sandbox: Gateway) -> None:
        password = own_access.new_password(phoneless, ASKER)
        phoneless.refresh_from_db()
        assert phoneless.check_password(password)
        assert not Message.objects.exists()

    def test_who_is_suspended_gets_none(self, staying: Guest, sandbox: Gateway) -> None:
        stays.suspend(staying, why="noise")
        assert refusal_of(lambda: own_access.new_password(staying, ASKER)).why is Why.CONFLICT


class TestTheOwnData:
    @pytest.fixture(autouse=True)
    def _a_full_second(self, code: str) -> Iterator[None]:
        """It has no microseconds that might be a code."""
        with time_machine.travel(timezone.now().replace(microsecond=0), tick=False):
            yield

    def test_everything_is_there_and_no_secret(self, code: str, registered: Guest) -> None:
        found = own_access.export(registered)
        written = json.dumps(found)
        agreed = found["registrations"][0]["terms"]
        assert (agreed["version"], agreed["sha256"]) == (1, terms.digest("Be nice."))
        assert agreed["accepted_at"]
        assert found["account"]["phone"] == found["messages"][0]["phone"] == PHONE
        assert {one["kind"] for one in found["messages"]} == {"code", "credentials"}
        assert [one["mac"] for one in found["devices"]] == ["02:00:00:00:00:01"]
        assert found["registrations"][0]["email"] == "ann@example.org"
        secret = Registration.objects.get().password
        assert secret
        assert last_code() == code
        for hidden in (secret, registered.password, code):
            assert hidden not in written

    def test_a_phone_that_was_never_proven_shows_nothing_of_what_went_to_it(self, registered: Guest) -> None:
        other = accounts.create(username="eve", by=None, phone=PHONE)
        assert own_access.export(other)["messages"] == []


class TestErasing:
    def test_the_account_is_nobodys_and_what_the_law_wants_is_kept(self, registered: Guest) -> None:
        erased = own_access.erase(registered, by=None)
        assert (erased.phone, erased.email, erased.password) == ("", "", "")
        assert erased.anonymised_at
        assert not Device.objects.exists()
        row = Registration.objects.get()
        assert (row.name, row.email, row.company, row.arrival, row.password) == ("", "", "", {}, None)
        assert (row.phone, row.mac, row.address) == (PHONE, "02:00:00:00:00:01", "192.0.2.1")
        assert row.terms
        assert row.terms_accepted_at
        assert not Message.objects.exclude(recipient_label="").exists()
        assert admitting.account_of(PHONE) is None

    def test_a_code_that_was_sent_opens_nothing_any_more(self, registered: Guest) -> None:
        agreed = terms.current("en")
        assert agreed
        begun = registration.start(Application(PHONE, "en", accepted=agreed.pk), Visitor("192.0.2.1"))
        digits = last_code()
        own_access.erase(registered, by=None)
        assert not Code.objects.filter(ended_at=None).exists()
        assert not Code.objects.filter(kept__isnull=False).exists()
        refusal_of(lambda: registration.confirm(begun.registration, digits))
        assert Guest.objects.filter(anonymised_at=None).count() == 0

    def test_a_sponsor_who_answers_late_brings_nobody_back(self, registered: Guest) -> None:
        waits = Registration.objects.create(token_digest="x", phone=PHONE, language="en", stage=Stage.APPROVAL)
        own_access.erase(registered, by=None)
        waits.refresh_from_db()
        assert waits.stage == Stage.LAPSED

    def test_who_is_suspended_does_not_get_rid_of_it_so_but_staff_may_erase(
        self, registered: Guest, receptionist: User
    ) -> None:
        stays.suspend(registered, why="noise")
        assert refusal_of(lambda: own_access.erase(registered, by=None)).why is Why.CONFLICT
        assert own_access.erase(registered, by=receptionist).anonymised_at

    def test_twice_is_a_conflict(self, registered: Guest) -> None:
        own_access.erase(registered, by=None)
        assert refusal_of(lambda: own_access.erase(registered, by=None)).why is Why.CONFLICT
