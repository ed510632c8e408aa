"""Which gateway a message goes through: the one that was asked for, else the next by priority and longest prefix."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways import accounts, health, routing
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault
from portal.errors import Refusal, Why

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

PHONE = "+79161234567"


def gateway(name: str, **details: Any) -> Gateway:
    """One that takes part in failover."""
    made = Gateway.objects.create(**{"name": name, "provider": "smsc_ru", **details})
    GatewayHealth.objects.create(gateway=made)
    return made


def pause(paused: Gateway) -> None:
    health.record_fault(paused.pk, GatewayFault("no funds"))


def refuse_credentials(refused: Gateway) -> None:
    health.record_fault(refused.pk, CredentialsRefused("wrong password"))


def spend_daily_limit(spent: Gateway) -> None:
    Gateway.objects.filter(pk=spent.pk).update(daily_limit=3)
    GatewayHealth.objects.filter(gateway=spent).update(day=timezone.localdate(), day_count=3)


def leave_the_phone_out(narrow: Gateway) -> None:
    Gateway.objects.filter(pk=narrow.pk).update(prefixes=["+375"])


#: All that can make a gateway unusable while it is switched on.
OBSTACLES = [pause, refuse_credentials, spend_daily_limit, leave_the_phone_out]
Obstacle = Callable[[Gateway], None]


def chosen(name: str, *, strict: bool = False) -> Gateway:
    """What a new message to PHONE goes through; no name: none was asked for."""
    return routing.choose(PHONE, routing.named(name) if name else routing.default(), strict=strict)


def test_it_is_the_one_that_was_named(sandbox: Gateway) -> None:
    other = accounts.create(name="Другой", provider="sandbox")
    assert chosen("Другой") == routing.named("Другой") == other


def test_it_is_the_default_one_where_none_was_named(sandbox: Gateway) -> None:
    accounts.create(name="other", provider="sandbox", priority=1)
    assert chosen("") == routing.default() == sandbox


def test_an_unknown_name_is_not_found(sandbox: Gateway) -> None:
    with pytest.raises(Refusal) as refused:
        chosen("nobody")
    assert (refused.value.field, refused.value.why) == ("gateway", Why.NOT_FOUND)


@pytest.mark.parametrize("name", ["sandbox", ""])
def test_a_gateway_that_is_switched_off_is_refused(sandbox: Gateway, name: str) -> None:
    accounts.change(sandbox, enabled=False)
    with pytest.raises(Refusal, match="switched off") as refused:
        chosen(name)
    assert (refused.value.field, refused.value.why) == ("gateway", Why.INVALID)


def test_without_a_default_one_a_gateway_must_be_named() -> None:
    accounts.create(name="other", provider="sandbox")
    with pytest.raises(Refusal, match="no default gateway") as refused:
        chosen("")
    assert refused.value.field == "gateway"


@pytest.mark.parametrize(
    ("prefixes", "serves"),
    [([], True), (["+7"], True), (["+375", "+7916"], True), (["+375"], False), (["+7903", "+44"], False)],
)
def test_prefixes_limit_the_phones(sandbox: Gateway, prefixes: list[str], *, serves: bool) -> None:
    accounts.change(sandbox, prefixes=prefixes)
    if serves:
        assert chosen("sandbox") == sandbox
    else:
        with pytest.raises(Refusal, match="may not send") as refused:
            chosen("sandbox")
        assert PHONE not in refused.value.sentence


@pytest.mark.parametrize("obstacle", OBSTACLES)
class TestWhereTheNamedOneMayNotBeUsed:
    def test_the_next_by_priority_takes_over(self, obstacle: Obstacle) -> None:
        named, _last, second = gateway("named"), gateway("last", priority=200), gateway("second", priority=150)
        obstacle(named)
        assert chosen("named") == second

    def test_one_that_may_not_be_used_either_is_passed_over(self, obstacle: Obstacle) -> None:
        named, second, third = gateway("named"), gateway("second", priority=150), gateway("third", priority=200)
        for one in (named, second):
            obstacle(one)
        assert chosen("named") == third

    def test_one_that_is_switched_off_is_passed_over(self, obstacle: Obstacle) -> None:
        named, _off, third = gateway("named"), gateway("off", priority=1, enabled=False), gateway("third")
        obstacle(named)
        assert chosen("named") == third

    def test_the_default_one_is_replaced_as_well(self, obstacle: Obstacle) -> None:
        default, other = gateway("default", is_default=True), gateway("other")
        obstacle(default)
        assert chosen("") == other

    def test_the_sandbox_stands_in_for_nobody(self, sandbox: Gateway, obstacle: Obstacle) -> None:
        named, other = gateway("named"), gateway("other", priority=200)
        Gateway.objects.filter(pk=sandbox.pk).update(priority=1)
        obstacle(named)
        assert chosen("named") == other

    def test_a_provider_that_makes_the_codes_stands_in_for_nobody(self, obstacle: Obstacle) -> None:
        named, other = gateway("named"), gateway("other", priority=200)
        gateway("codes", provider="targetsms_codes", priority=1)
        obstacle(named)
        assert chosen("named") == other

    def test_one_whose_file_is_gone_stands_in_for_nobody(self, obstacle: Obstacle) -> None:
        named, other = gateway("named"), gateway("other", priority=200)
        gateway("gone", provider="gone", priority=1)
        obstacle(named)
        assert chosen("named") == other


WAITED_FOR = [pause, refuse_credentials, spend_daily_limit]


@pytest.mark.parametrize("obstacle", WAITED_FOR)
@pytest.mark.parametrize("provider", ["sandbox", "targetsms_codes", "gone"])
def test_what_takes_no_part_in_failover_is_waited_for(provider: str, obstacle: Obstacle) -> None:
    named, _other = gateway("named", provider=provider), gateway("other")
    obstacle(named)
    assert chosen("named") == named


@pytest.mark.parametrize("obstacle", WAITED_FOR)
def test_a_strict_one_is_waited_for(obstacle: Obstacle) -> None:
    named, _other = gateway("named", strict=True), gateway("other")
    obstacle(named)
    assert chosen("named") == named


@pytest.mark.parametrize("obstacle", WAITED_FOR)
def test_a_message_for_one_gateway_alone_waits_for_it(obstacle: Obstacle) -> None:
    named, _other = gateway("named"), gateway("other")
    obstacle(named)
    assert chosen("named", strict=True) == named


@pytest.mark.parametrize("strict", ["the gateway", "the message"])
def test_nobody_goes_round_the_prefixes_of_a_strict_one(strict: str) -> None:
    gateway("named", strict=strict == "the gateway", prefixes=["+375"])
    gateway("other")
    with pytest.raises(Refusal, match="may not send"):
        chosen("named", strict=strict == "the message")


def test_a_strict_one_stands_in_for_others() -> None:
    named, strict = gateway("named"), gateway("strict", strict=True)
    pause(named)
    assert chosen("named") == strict


@pytest.mark.parametrize("obstacle", WAITED_FOR)
def test_where_none_may_be_used_the_named_one_is_waited_for(obstacle: Obstacle) -> None:
    named, other = gateway("named", priority=200), gateway("other", priority=1)
    for one in (named, other):
        obstacle(one)
    assert chosen("named") == named


def test_where_none_may_be_used_the_best_of_those_that_serve_the_phone_is_waited_for() -> None:
    gateway("named", prefixes=["+375"])
    second, third = gateway("second", priority=150), gateway("third", priority=200)
    for one in (second, third):
        pause(one)
    assert chosen("named") == second


def test_of_equal_priority_the_longest_prefix_is_first_and_then_the_name() -> None:
    named = gateway("named", priority=1)
    pause(named)
    first = [
        gateway("any"),
        gateway("russia", prefixes=["+44", "+7"]),
        gateway("moscow b", prefixes=["+7", "+7916"]),
        gateway("moscow a", prefixes=["+7916"]),
        gateway("urgent", priority=99),
        gateway("belarus", prefixes=["+375"], priority=1),
    ]
    ranked = [one.name for one in routing.Survey().others(PHONE, without={named.pk})]
    assert ranked == ["urgent", "moscow a", "moscow b", "russia", "any"]
    assert chosen("named") == first[4]


def test_after_a_pause_it_is_the_named_one_again() -> None:
    named, _other = gateway("named"), gateway("other")
    pause(named)
    GatewayHealth.objects.filter(gateway=named).update(open_until=timezone.now() - timedelta(seconds=1))
    assert chosen("named") == named


class TestInstead:
    """Where a message that has a gateway goes from there."""

    def instead(self, here: Gateway, wanted: Gateway | None = None, without: tuple[Gateway, ...] = ()) -> list[Gateway]:
        wanted_id = wanted.pk if wanted else None
        return routing.Survey().instead(PHONE, wanted_id, here.pk, {one.pk for one in without})

    def test_back_to_the_wanted_one_first_and_then_to_the_others(self) -> None:
        wanted, best, here, last = (gateway(name, priority=at) for name, at in zip("wbhl", (9, 1, 2, 3), strict=True))
        assert self.instead(here, wanted) == [wanted, best, last]

    def test_to_the_default_one_first_where_none_was_named(self) -> None:
        best, here = gateway("best", priority=1), gateway("here")
        default = gateway("default", is_default=True)
        assert self.instead(here) == [default, best]

    def test_nowhere_where_another_has_refused_it_for_good(self) -> None:
        here, other = gateway("here"), gateway("other")
        assert self.instead(here, here, without=(other,)) == []

    def test_nowhere_that_does_not_serve_the_phone(self) -> None:
        here, _other = gateway("here"), gateway("other", prefixes=["+375"])
        assert self.instead(here, here) == []

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_nowhere_that_may_not_be_used(self, obstacle: Obstacle) -> None:
        here, other = gateway("here"), gateway("other")
        obstacle(other)
        assert self.instead(here, here) == []

    def test_what_is_meant_for_a_strict_one_goes_nowhere_else(self) -> None:
        strict, here, _other = gateway("strict", strict=True), gateway("here"), gateway("other")
        assert self.instead(strict, strict) == []
        assert self.instead(here, strict) == [strict]

    @pytest.mark.parametrize("provider", ["sandbox", "targetsms_codes", "gone"])
    def test_what_is_at_a_gateway_that_takes_no_part_stays(self, provider: str) -> None:
        alone, _other = gateway("alone", provider=provider), gateway("other")
        assert self.instead(alone, alone) == []

    def test_the_sandbox_as_the_new_default_one_gets_nothing_that_was_sent_before(self, sandbox: Gateway) -> None:
        here, other = gateway("here"), gateway("other")
        assert self.instead(here) == [other]


def test_what_no_gateway_can_be_called_is_not_kept(sandbox: Gateway) -> None:
    assert Gateway._meta.get_field("name").max_length == routing.LONGEST_SENDER
    assert routing.sending_as("x" * 101) is None
    assert routing._senders.get("x" * 101) is None
    assert routing.sending_as("x" * 100) is None
    assert routing._senders.get("x" * 100) == []
    assert routing.sending_as("sandbox") == sandbox
