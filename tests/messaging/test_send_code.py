"""A message with a one-time code: how it reads, which gateway it begins at, and who makes the code."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from gateways import accounts, health
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import CredentialsRefused, GatewayFault
from gateways.providers.sandbox import Provider
from messaging import codes, texts
from messaging.models import Door, Message, MessageTemplate
from messaging.retries import Kind
from portal.errors import Refusal, Why
from tests.messaging.test_whereabouts import CANNOT

PHONE, CODE, HOST = "+79161234567", "483920", "wifi.example.org"
LINK = "https://wifi.example.org/r/canary-token"
ACCOUNT = {"login": "portal", "password": "secret"}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def send(**details: Any) -> codes.Sent:
    given: dict[str, Any] = {"phone": PHONE, "code": CODE, "language": "en", "door": Door.GUESTS}
    return codes.send(**{**given, **details})


def text(**details: Any) -> str:
    return send(**details).message.text or ""


@pytest.mark.usefixtures("sandbox")
class TestText:
    """What the guest reads."""

    def test_it_is_a_message_of_its_kind_that_came_by_its_door(self) -> None:
        message, made_by_provider = send(phone="8 (916) 123-45-67")
        stored = Message.objects.get()
        assert stored == message
        assert (stored.kind, stored.door, stored.phone) == (Kind.CODE, Door.GUESTS, PHONE)
        assert not made_by_provider

    @pytest.mark.parametrize(
        ("language", "begins"),
        [("en", "Guest Wi-Fi: your code is 483920"), ("ru", "Guest Wi-Fi: ваш код 483920")],
    )
    def test_it_is_in_the_language_of_the_guest(self, language: str, begins: str) -> None:
        assert text(language=language) == begins

    def test_where_that_text_is_missing_it_is_in_the_portal_s(self, settings: Settings) -> None:
        MessageTemplate.objects.filter(language="ru").delete()
        settings.LANGUAGE_CODE = "en"
        assert text(language="ru") == "Guest Wi-Fi: your code is 483920"

    def test_without_any_text_it_is_refused(self) -> None:
        MessageTemplate.objects.all().delete()
        with pytest.raises(Refusal) as refused:
            send()
        assert (refused.value.field, Message.objects.count()) == ("text", 0)

    def test_its_last_line_is_for_browsers(self) -> None:
        assert text(host=HOST, link=LINK).splitlines() == [
            "Guest Wi-Fi: your code is 483920",
            LINK,
            "@wifi.example.org #483920",
        ]

    @pytest.mark.parametrize("host", ["WiFi.Example.ORG:8443", "wifi.example.org.", "wifi.example.org:80"])
    def test_a_host_is_named_as_the_format_has_it(self, host: str) -> None:
        assert text(host=host).splitlines()[-1] == "@wifi.example.org #483920"

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "localhost",
            "localhost:8000",
            "192.168.1.1",
            "10.0.0.1:8000",
            "[::1]:8000",
            "portal",
            "a b.org",
            "-a.org",
        ],
    )
    def test_what_is_no_domain_name_is_not_named(self, host: str) -> None:
        assert "@" not in text(host=host)

    @pytest.mark.parametrize("language", ["en", "ru"])
    def test_one_segment_holds_it_with_a_short_host(self, language: str) -> None:
        message = send(language=language, host=HOST).message
        assert message.segments == 1
        assert texts.measure(message.text or "").segments == 1

    def test_what_is_shown_hides_the_code_and_the_link(self) -> None:
        shown = Message.objects.get(pk=send(host=HOST, link=LINK).message.pk).shown_text or ""
        assert CODE not in shown
        assert "canary" not in shown
        assert shown.splitlines()[1:] == ["https://wifi.example.org/[…]", "@wifi.example.org #[…]"]


@pytest.fixture
def gateways(db: None, monkeypatch: pytest.MonkeyPatch) -> list[Gateway]:
    """`a`, which is the default one, `b` and `c`, to be tried in this order."""
    monkeypatch.setattr(Provider, "alone", False)
    made = [accounts.create(name=name, provider="sandbox", priority=at) for at, name in enumerate("abc")]
    accounts.change(made[0], is_default=True)
    return made


@pytest.fixture
def maker(gateways: list[Gateway]) -> Gateway:
    """The default gateway is one whose provider makes codes; `a`, `b` and `c` are ordinary."""
    settings = {**ACCOUNT, "url": "https://codes.example.org/", "state_url": "https://codes.example.org/"}
    return accounts.create(
        name="codes", provider="targetsms_codes", sender="Portal", settings=settings, is_default=True
    )


def pause(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, GatewayFault("no funds"))


def refuse_credentials(gateway: Gateway) -> None:
    health.record_fault(gateway.pk, CredentialsRefused("wrong password"))


def spend_daily_limit(gateway: Gateway) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(daily_limit=1)
    GatewayHealth.objects.update_or_create(gateway=gateway, defaults={"day": timezone.localdate(), "day_count": 1})


def leave_the_phone_out(gateway: Gateway) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(prefixes=["+375"])


def switch_off(gateway: Gateway) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(enabled=False)


Obstacle = Callable[[Gateway], None]
OBSTACLES = [pause, refuse_credentials, spend_daily_limit, leave_the_phone_out, switch_off]


class TestGateway:
    """Where it begins."""

    def test_it_begins_at_the_default_one(self, gateways: list[Gateway]) -> None:
        assert send().message.gateway == gateways[0]

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_where_that_may_not_be_used_it_begins_at_the_next(
        self, gateways: list[Gateway], obstacle: Obstacle
    ) -> None:
        obstacle(gateways[0])
        message = send().message
        assert (message.gateway, message.wanted) == (gateways[1], None)

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_where_none_may_be_used_it_is_refused_and_nothing_is_stored(
        self, gateways: list[Gateway], obstacle: Obstacle
    ) -> None:
        for gateway in gateways:
            obstacle(gateway)
        with pytest.raises(Refusal) as refused:
            send()
        assert (refused.value.field, refused.value.why) == ("gateway", Why.UNAVAILABLE)
        assert refused.value.sentence == CANNOT
        assert Message.objects.count() == 0

    def test_without_any_gateway_it_is_refused_alike(self) -> None:
        with pytest.raises(Refusal) as refused:
            send()
        assert refused.value.why is Why.UNAVAILABLE

    def test_without_a_default_one_it_begins_at_the_first(self, gateways: list[Gateway]) -> None:
        Gateway.objects.update(is_default=False)
        assert send().message.gateway == gateways[0]

    def test_nothing_stands_in_for_a_strict_one(self, gateways: list[Gateway]) -> None:
        accounts.change(gateways[0], strict=True)
        pause(gateways[0])
        with pytest.raises(Refusal):
            send()

    def test_those_to_leave_out_are_left_out_while_another_may_be_used(self, gateways: list[Gateway]) -> None:
        first, second, third = gateways
        assert send(without={first.pk}).message.gateway == second
        assert send(without=[first.pk, second.pk]).message.gateway == third
        pause(third)
        assert send(without=[first.pk, second.pk]).message.gateway == first


class TestMadeByTheProvider:
    """Such a gateway sends codes of its own, and nothing else."""

    def test_the_text_has_a_place_for_the_code_and_not_the_code(self, maker: Gateway) -> None:
        message, made_by_provider = send(language="ru", host=HOST, link=LINK)
        assert (message.gateway, made_by_provider) == (maker, True)
        assert (message.text or "").splitlines() == ["Guest Wi-Fi: ваш код {код}", LINK]
        assert "canary" not in message.masked_text

    def test_the_place_is_there_once(self, maker: Gateway) -> None:
        MessageTemplate.objects.filter(language="en").update(text="$portal: $code. Again: $code")
        assert text() == "Guest Wi-Fi: {код}. Again: "

    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_where_it_may_not_be_used_an_ordinary_one_sends_our_code(
        self, maker: Gateway, gateways: list[Gateway], obstacle: Obstacle
    ) -> None:
        obstacle(maker)
        message, made_by_provider = send(host=HOST)
        assert (message.gateway, made_by_provider) == (gateways[0], False)
        assert (message.text or "").endswith("@wifi.example.org #483920")

    def test_a_resend_may_leave_it_out(self, maker: Gateway, gateways: list[Gateway]) -> None:
        assert send(without=[maker.pk]).message.gateway == gateways[0]

    def test_it_stands_in_for_nobody(self, maker: Gateway, gateways: list[Gateway]) -> None:
        accounts.change(gateways[0], is_default=True)
        for gateway in gateways:
            pause(gateway)
        with pytest.raises(Refusal) as refused:
            send()
        assert refused.value.why is Why.UNAVAILABLE
