"""Coming in with user name and password, and what too many wrong ones do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from unittest import mock

import pytest
from django.db import connection
from pytest_django import Settings

from guests import accounts, passwords, stays
from guests.limits import HeldBack
from guests.models import Guest, LimitCount, Scope
from guests.own_access import entering
from portal.errors import Refusal, Why

HERE = "192.0.2.1"
RIGHT = "kofe-luna-karta"

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(guest: Guest) -> Guest:
    passwords.put(guest, passwords.hash_password(RIGHT))
    return guest


def refusal_of(username: str, password: str = "wrong", address: str | None = HERE) -> Refusal:
    with pytest.raises(Refusal) as refused:
        entering.enter(username, password, address)
    return refused.value


@pytest.mark.parametrize("typed", ["bob", " bob ", "+79161234567", "8 (916) 123-45-67", "9161234567"])
def test_the_user_name_or_the_phone_in_any_spelling(visitor: Guest, typed: str) -> None:
    assert entering.enter(typed, f" {RIGHT} ", HERE) == visitor


def test_a_right_password_counts_for_nothing(visitor: Guest) -> None:
    for _time in range(7):
        entering.enter("bob", RIGHT, HERE)
    assert not LimitCount.objects.filter(count__gt=0).exists()


def test_it_never_tells_whether_there_is_such_a_guest(visitor: Guest, phoneless: Guest) -> None:
    found = [refusal_of(name) for name in ("bob", "eve", "mallory", "", "+79169999999", "a\x00b", "x" * 1000, "\ud800")]
    assert {(one.sentence, one.field, one.why) for one in found} == {(str(entering.WRONG), "password", Why.INVALID)}


def test_a_strangers_phone_is_counted_in_every_spelling_as_a_guests_is(visitor: Guest) -> None:
    for phone in ("916123456", "916999999"):
        found = [refusal_of(f"{start}{phone}{end}").why for start in ("+7", "8", "7 ") for end in "77"]
        assert found == [Why.INVALID] * 5 + [Why.TOO_MANY]


@pytest.mark.parametrize("name", ["bob", "eve", "mallory"])
def test_every_name_costs_one_hash(visitor: Guest, phoneless: Guest, name: str) -> None:
    with (
        mock.patch("argon2.low_level.hash_secret", side_effect=AssertionError),
        mock.patch("portal.passwords.PortalPasswordHasher.encode", return_value="") as made,
        mock.patch("portal.passwords.PortalPasswordHasher.verify", return_value=False) as verified,
    ):
        refusal_of(name)
    assert made.call_count + verified.call_count == 1


def test_five_wrong_ones_hold_the_guest_back_here_and_nowhere_else(visitor: Guest) -> None:
    for _try in range(5):
        assert refusal_of("bob").why is Why.INVALID
    held = refusal_of("bob", RIGHT)
    assert held.why is Why.TOO_MANY
    assert held.until is not None
    assert refusal_of("8 916 123-45-67", RIGHT).why is Why.TOO_MANY
    assert entering.enter("bob", RIGHT, "192.0.2.2") == visitor
    assert LimitCount.objects.get(scope=Scope.GUESSES, key__endswith=HERE).refused == 2


def test_fifty_wrong_ones_hold_an_address_back_unless_it_is_the_venues(visitor: Guest, settings: Settings) -> None:
    for number in range(50):
        refusal_of(f"guest{number}")
    assert refusal_of("bob", RIGHT).why is Why.TOO_MANY
    settings.GUEST_NETWORKS = [ip_network("192.0.2.0/24")]
    assert entering.enter("bob", RIGHT, HERE) == visitor


def test_an_ipv6_host_is_its_whole_network(visitor: Guest) -> None:
    for number in range(5):
        refusal_of("bob", address=f"2001:db8::{number + 1}")
    assert refusal_of("bob", RIGHT, "2001:db8::99").why is Why.TOO_MANY


def test_a_hundred_wrong_ones_a_day_hold_a_guest_back_everywhere(visitor: Guest) -> None:
    for number in range(100):
        refusal_of("bob", address=f"192.0.2.{number}")
    assert refusal_of("bob", RIGHT, "198.51.100.1").why is Why.TOO_MANY


def test_what_a_stranger_types_as_a_name_is_not_kept(db: None) -> None:
    refusal_of("my-secret-password")
    assert not LimitCount.objects.filter(key__contains="secret").exists()
    assert LimitCount.objects.filter(key__startswith="?").count() == 2


def test_who_is_banned_learns_it_with_the_right_password_only(visitor: Guest) -> None:
    stays.ban(visitor, why="noise")
    assert "blocked" in refusal_of("bob", RIGHT).sentence
    assert refusal_of("bob").sentence == str(entering.WRONG)


def test_who_is_suspended_or_over_comes_in_to_read_so(visitor: Guest) -> None:
    stays.suspend(visitor, why="noise")
    assert entering.enter("bob", RIGHT, HERE) == visitor


def test_who_was_made_anonymous_does_not(visitor: Guest) -> None:
    stays.anonymise(visitor)
    assert refusal_of("bob", RIGHT).sentence == str(entering.WRONG)


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_five_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    guest = accounts.create(username="bob", by=None, password_hash=passwords.hash_password(RIGHT))
    judged: list[int] = []
    really: Callable[[Guest, str], bool] = Guest.check_password

    def judge(self: Guest, typed: str) -> bool:
        judged.append(self.pk)
        return really(self, typed)

    monkeypatch.setattr(Guest, "check_password", judge)

    def guess(_number: int) -> str:
        try:
            entering.enter("bob", "wrong", HERE)
        except HeldBack:
            return "held back"
        except Refusal:
            return "wrong"
        finally:
            connection.close()
        return "in"

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(guess, range(40)))
    assert (found.count("wrong"), found.count("held back"), len(judged)) == (5, 35, 5)
    assert judged == [guest.pk] * 5
