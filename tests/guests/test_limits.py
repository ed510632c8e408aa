"""How often: counts that hold under concurrency, what a message is counted against, and the brake."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway
from guests import limits, registration
from guests.limits import Asker, HeldBack, Limit, brake, counting
from guests.models import CODE_TRIES, Brake, Code, LimitCount, Registration, RegistrationRules, Scope
from messaging.models import Message
from portal.errors import Refusal, Why
from portal.models import AuditEvent, User
from tests.guests.test_registration import last_code, let_time_pass, start

ONE = Limit(Scope.PHONE, 60, "+79161234567", 3)


@transaction.atomic
def take(*asked: Limit) -> Sequence[limits.Key]:
    return limits.charge(asked)


@pytest.mark.django_db
class TestCounting:
    def test_it_takes_as_many_as_there_are_and_says_from_when_on_there_are_more(self) -> None:
        began = timezone.now()
        for _time in range(3):
            take(ONE)
        with pytest.raises(HeldBack) as refused:
            take(ONE)
        assert refused.value.why is Why.TOO_MANY
        assert refused.value.until
        assert began + timedelta(minutes=60) <= refused.value.until <= timezone.now() + timedelta(minutes=60)

    def test_once_its_time_is_over_it_counts_anew(self) -> None:
        for _time in range(3):
            take(ONE)
        LimitCount.objects.update(since=F("since") - timedelta(minutes=61))
        take(ONE)
        assert LimitCount.objects.get().count == 1

    def test_where_one_of_several_is_used_up_none_is_taken(self) -> None:
        other = Limit(Scope.ADDRESS, 60, "192.0.2.1", 100)
        for _time in range(3):
            take(ONE)
        with pytest.raises(HeldBack):
            take(ONE, other)
        assert not LimitCount.objects.filter(scope=Scope.ADDRESS).exists()

    def test_the_latest_moment_of_all_that_are_used_up_is_told(self) -> None:
        day = Limit(Scope.PHONE, 1440, ONE.key, 3)
        for _time in range(3):
            take(ONE, day)
        with pytest.raises(HeldBack) as refused:
            take(ONE, day)
        assert refused.value.until
        assert refused.value.until > timezone.now() + timedelta(hours=23)

    def test_what_is_given_back_can_be_taken_again(self) -> None:
        for _time in range(3):
            taken = take(ONE)
        limits.give_back(taken)
        take(ONE)
        with pytest.raises(HeldBack):
            take(ONE)

    def test_a_limit_of_nought_is_none_and_leaves_no_row(self) -> None:
        for _time in range(20):
            take(ONE._replace(most=0))
        assert not LimitCount.objects.exists()

    def test_who_is_turned_away_is_noted_shown_and_released(self) -> None:
        for _time in range(3):
            take(ONE)
        assert [row.key for row in limits.held_back()] == [ONE.key]
        with pytest.raises(HeldBack) as refused:
            take(ONE)
        refused.value.note()
        row = limits.held_back().get()
        assert row.refused == 1
        limits.release(row)
        assert not limits.held_back().exists()
        take(ONE)

    def test_who_is_held_back_is_found_without_reading_every_count(self) -> None:
        with CaptureQueriesContext(connection) as asked:
            assert not limits.held_back().exists()
        assert len(asked) == 1

    def test_counts_that_are_over_are_forgotten_and_others_stay(self) -> None:
        take(ONE, Limit(Scope.PHONE, 1440, ONE.key, 3))
        LimitCount.objects.update(since=F("since") - timedelta(minutes=90))
        assert limits.drop_old_counts() == 1
        assert LimitCount.objects.get().minutes == 1440


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_are_taken_than_there_are() -> None:
    many = [Limit(Scope.PORTAL, 60, "", 10), Limit(Scope.PORTAL, 1440, "", 1000)]

    def try_one(number: int) -> int:
        try:
            take(*many, Limit(Scope.PHONE, 60, f"+7916123{number:04d}", 3))
        except HeldBack:
            return 0
        else:
            return 1
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_one, range(64))) == 10
    assert LimitCount.objects.get(scope=Scope.PORTAL, minutes=60).count == 10
    assert LimitCount.objects.filter(scope=Scope.PHONE).count() == 10


@pytest.mark.django_db
def test_rows_are_locked_in_one_order_so_that_nobody_waits_for_ever() -> None:
    taken = take(*(Limit(Scope.PHONE, 60, key, 3) for key in "ba"))
    with CaptureQueriesContext(connection) as asked:
        limits.give_back(taken)
    locked = next(one["sql"] for one in asked.captured_queries if one["sql"].startswith("SELECT"))
    assert "ORDER BY" in locked
    assert ("FOR UPDATE" in locked) == (connection.vendor == "postgresql")


@pytest.mark.django_db
def test_a_count_that_housekeeping_took_away_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    really, left = counting._any_of, [1]

    def lose(keys: Iterable[limits.Key]) -> object:
        if left:
            left.pop()
            LimitCount.objects.all().delete()
        return really(keys)

    monkeypatch.setattr(counting, "_any_of", lose)
    take(ONE)
    assert LimitCount.objects.get().count == 1


class TestWhatAMessageIsCountedAgainst:
    def scopes(self, phone: str = "+79161234567", **asker: str) -> dict[str, str]:
        found = limits.limits_of(phone, Asker(**asker), RegistrationRules())
        return {limit.scope.value: limit.key for limit in found}

    def test_the_phone_its_range_and_the_portal_always(self) -> None:
        assert self.scopes() == {"phone": "+79161234567", "prefix": "+7916123", "portal": ""}

    def test_the_address_and_its_network(self) -> None:
        found = self.scopes(address="203.0.113.7")
        assert (found["address"], found["network"]) == ("203.0.113.7", "203.0.113.0/24")

    def test_of_ipv6_the_network_that_everybody_has_of_his_own(self) -> None:
        found = self.scopes(address="2001:db8:1:2:3::4")
        assert (found["address"], found["network"]) == ("2001:db8:1:2::/64", "2001:db8:1:2::/64")

    def test_the_venue_is_exempt_from_this_one_only(self, settings: Settings) -> None:
        settings.GUEST_NETWORKS = [ip_network("203.0.113.7/32")]
        found = self.scopes(address="203.0.113.7", device="a phone")
        assert set(found) == {"phone", "prefix", "portal", "device"}
        assert "address" in self.scopes(address="203.0.113.8")

    def test_another_country_has_a_limit_of_its_own(self) -> None:
        assert self.scopes("+447400123456")["country"] == "GB"


@pytest.mark.usefixtures("sandbox")
class TestRegistration:
    def test_who_asks_too_often_from_one_address_is_told_when_to_come_back(self) -> None:
        for number in range(10):
            start(f"+7916123450{number}")
        with pytest.raises(HeldBack) as refused:
            start("+79161234599")
        assert refused.value.until
        assert Message.objects.count() == Registration.objects.count() == 10
        assert LimitCount.objects.get(scope=Scope.ADDRESS, minutes=60).refused == 1
        start("+79161234599", address="192.0.2.200")

    def test_numbers_of_other_countries_and_landlines_are_refused(self) -> None:
        for phone in ("+447400123456", "+74951234567"):
            with pytest.raises(Refusal) as refused:
                start(phone)
            assert refused.value.field == "phone"
        assert not LimitCount.objects.exists()

    def test_where_no_gateway_can_send_nothing_is_counted_or_kept(self, sandbox: Gateway) -> None:
        Gateway.objects.filter(pk=sandbox.pk).update(enabled=False)
        with pytest.raises(Refusal) as refused:
            start()
        assert refused.value.why is Why.UNAVAILABLE
        assert not LimitCount.objects.exists()
        assert not Registration.objects.exists()


@pytest.mark.usefixtures("sandbox")
class TestBrake:
    @pytest.fixture
    def rules(self, db: None) -> RegistrationRules:
        return RegistrationRules.objects.create(pk=1, brake_least=10, address_hour=0, network_hour=0, prefix_hour=0)

    def codes(self, many: int, entered: int) -> None:
        made = timezone.now() - timedelta(minutes=5)
        ended = [made if number < entered else None for number in range(many)]
        Code.objects.bulk_create(
            Code(phone=f"+7916000{number:04d}", created=made, entered_at=at, ended_at=at, sends=1)
            for number, at in enumerate(ended)
        )

    def test_it_stops_registration_when_too_few_codes_are_entered(self, rules: RegistrationRules) -> None:
        self.codes(10, entered=4)
        with pytest.raises(Refusal) as refused:
            start()
        assert refused.value.why is Why.TOO_MANY
        assert refused.value.until
        assert not Message.objects.exists()
        assert AuditEvent.objects.get(action="guests:brake").user_name == "Portal"

    @pytest.mark.parametrize(("many", "entered"), [(10, 5), (9, 0), (0, 0)])
    def test_it_does_not_where_enough_are_or_few_were_sent(
        self, rules: RegistrationRules, many: int, entered: int
    ) -> None:
        self.codes(many, entered)
        start()
        assert not brake.is_pulled(brake.current(), timezone.now())

    def test_codes_of_a_moment_ago_and_those_never_sent_tell_nothing_yet(self, rules: RegistrationRules) -> None:
        self.codes(20, entered=0)
        Code.objects.filter(phone__lt="+79160000010").update(created=timezone.now())
        Code.objects.filter(phone__gte="+79160000010").update(sends=0)
        start()

    def test_a_released_brake_is_not_pulled_again_for_the_same_codes(
        self, rules: RegistrationRules, admin: User
    ) -> None:
        self.codes(10, entered=0)
        with pytest.raises(Refusal):
            start()
        brake.release(admin)
        assert start().registration.pk
        assert brake.current().released_by == admin

    def test_of_several_who_pull_it_at_once_one_does(self, rules: RegistrationRules) -> None:
        self.codes(10, entered=0)
        as_read, now = brake.current(), timezone.now()
        for _worker in range(2):
            assert brake.is_pulled(brake._pull(as_read, rules, now), now)
            as_read = Brake(pk=brake.ROW)
        assert AuditEvent.objects.filter(action="guests:brake").count() == 1

    def test_who_burns_the_own_codes_is_counted_all_the_same(self, rules: RegistrationRules) -> None:
        self.codes(10, entered=0)
        Code.objects.update(tries=CODE_TRIES, ended_at=F("created"))
        with pytest.raises(Refusal):
            start()

    def test_it_ends_by_itself_and_looks_only_at_what_came_since(self, rules: RegistrationRules) -> None:
        self.codes(10, entered=0)
        with pytest.raises(Refusal):
            start()
        Brake.objects.update(until=timezone.now() - timedelta(seconds=1))
        start()

    def test_whoever_has_a_code_may_still_enter_it(self, rules: RegistrationRules) -> None:
        started = start()
        let_time_pass(minutes=5)
        self.codes(20, entered=0)
        with pytest.raises(Refusal):
            start("+79161234500")
        assert registration.confirm(started.registration, last_code()).guest

    def test_switched_off_it_stops_nothing(self, rules: RegistrationRules) -> None:
        RegistrationRules.objects.update(brake_percent=0)
        self.codes(20, entered=0)
        start()
