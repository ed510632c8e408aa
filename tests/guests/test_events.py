"""What webhooks are told of guests: a phone that was proven, and each end of a stay once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from guests import accounts, event_types, events, own_access, registration, stays
from guests.models import Guest, GuestType
from messaging.models import WebhookDelivery, WebhookEvent, WebhookTry
from portal.errors import Refusal
from tests.guests.lobby import wrong_code
from tests.guests.sponsoring import PHONE, ada, begin, prove, visitors
from tests.messaging.hooks import listen, said, told

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def make(name: str, end: timedelta, **details: object) -> Guest:
    now = timezone.now()
    given = {"phone": PHONE, "valid_from": now - timedelta(days=2), "valid_until": now + end}
    return accounts.create(username=name, by=None, **(given | details))  # type: ignore[arg-type]


def ended() -> list[str]:
    events.tell_ended()
    return [data["pid"] for data in said("guest.expired")]


@pytest.mark.usefixtures("sandbox")
class TestRegistrations:
    def test_a_phone_that_was_proven_is_told_with_the_guest_who_is_in(self) -> None:
        listen("registration.verified")
        prove(begin())
        (data,) = said("registration.verified")
        assert set(data) == set(event_types.VERIFIED.sample)
        assert (data["stage"], data["pid"]) == ("done", Guest.objects.get().username)
        assert PHONE not in str(data)

    def test_a_wrong_code_is_told_to_nobody(self) -> None:
        listen("registration.verified")
        begun = begin()
        with pytest.raises(Refusal):
            registration.confirm(begun, wrong_code())
        assert said("registration.verified") == []

    def test_whoever_waits_for_a_sponsor_is_nobody_yet(self) -> None:
        listen("registration.verified")
        visitors()
        prove(begin(ada()))
        (data,) = said("registration.verified")
        assert (data["stage"], data["pid"], data["guest_type"]) == ("approval", None, "Visitor")


class TestStays:
    def test_an_end_is_told_once(self) -> None:
        listen("guest.expired")
        make("gone", -HOUR)
        make("here", HOUR)
        assert ended() == ["gone"]
        assert ended() == ["gone"]

    def test_it_says_what_the_sample_says_and_no_phone(self) -> None:
        listen("guest.expired")
        make("gone", -HOUR, guest_type=GuestType.objects.create(name="Visitor", longest_stay=timedelta(days=9)))
        events.tell_ended()
        (data,) = said("guest.expired")
        assert set(data) == set(event_types.EXPIRED.sample)
        assert (data["guest_type"], data["state"]) == ("Visitor", "expired")
        assert PHONE not in str(data)

    def test_a_stay_that_is_extended_before_anybody_looks_has_not_ended(self) -> None:
        listen("guest.expired")
        guest = make("bob", -HOUR)
        stays.extend(guest, by=None, duration=HOUR)
        assert ended() == []

    def test_a_stay_that_is_extended_later_ends_again(self) -> None:
        listen("guest.expired")
        guest = make("bob", -HOUR)
        assert ended() == ["bob"]
        stays.extend(guest, by=None, duration=HOUR)
        assert ended() == ["bob"]
        Guest.objects.update(valid_until=timezone.now())
        assert ended() == ["bob", "bob"]

    def test_an_end_that_is_moved_into_the_past_is_told(self) -> None:
        listen("guest.expired")
        guest = make("bob", HOUR)
        assert ended() == []
        accounts.change(guest, by=None, valid_until=timezone.now() - HOUR)
        assert ended() == ["bob"]

    def test_whoever_listens_later_is_not_told_of_what_was_before(self) -> None:
        make("gone", -HOUR)
        events.tell_ended()
        listen("guest.expired")
        assert ended() == []

    def test_nobody_is_named_who_was_made_anonymous(self) -> None:
        listen("guest.expired")
        stays.anonymise(make("bob", -HOUR))
        assert ended() == []
        assert not WebhookEvent.objects.exists()

    def test_many_are_told_in_portions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "SOME", 2)
        listen("guest.expired")
        for number in range(5):
            make(f"guest{number}", -HOUR)
        assert sorted(ended()) == [f"guest{number}" for number in range(5)]


class TestForgetting:
    """Whoever is made anonymous, erased or removed is in no event any more, whether or not it was told."""

    @pytest.fixture
    def guest(self, sandbox: object) -> Guest:
        listen("registration.verified", "guest.expired")
        prove(begin())
        guest = Guest.objects.get()
        Guest.objects.update(valid_until=timezone.now())
        make("somebody.else", -HOUR)
        events.tell_ended()
        WebhookTry.objects.bulk_create(
            WebhookTry(delivery=one, milliseconds=1) for one in WebhookDelivery.objects.all()
        )
        assert sorted(data["pid"] for data in told_data()) == sorted([guest.username] * 2 + ["somebody.else"])
        return guest

    @pytest.mark.parametrize("deed", [stays.anonymise, accounts.remove, lambda one: own_access.erase(one, by=None)])
    def test_no_event_names_the_guest(self, guest: Guest, deed: Callable[[Guest], object]) -> None:
        Guest.objects.update(valid_until=timezone.now() + HOUR)
        deed(Guest.objects.get(pk=guest.pk))
        assert [data["pid"] for data in told_data()] == ["somebody.else"]
        assert WebhookDelivery.objects.count() == WebhookTry.objects.count() == 1


def told_data() -> list[dict[str, Any]]:
    return [body["data"] for body in told()]
