"""The sandbox phone: its inbox, its receipts, its magic numbers, and what its provider makes of the answers."""

from datetime import timedelta

import phonenumbers
import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from gateways import accounts, transport
from gateways import sandbox as rules
from gateways.http import HttpResponse
from gateways.models import Gateway, SandboxSms
from gateways.outcomes import Accepted, Ambiguous, NotSent, OutboundSms, ReceiptState, Refused, SentSms, Unreadable
from gateways.provider import read_outcome
from gateways.sandbox import MAGIC, Reply, answer_all, arrived, forget_old_sandbox_messages
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db

ORDINARY = "+79161234567"
DELIVERED, UNDELIVERED, REFUSED, NOT_SENT, LOST_ANSWER, SLOW, LATE, LOST, EXPIRED = (
    f"+7999000000{digit}" for digit in range(1, 10)
)


def sms(phone: str = ORDINARY, key: str = "key", text: str = "Hello") -> OutboundSms:
    return OutboundSms(key, phone, text, "Portal", timezone.now() + timedelta(hours=1))


def asked(key: str = "key", reference: str = "") -> SentSms:
    return SentSms(key, 1, ORDINARY, reference)


def submit(gateway: Gateway, phone: str = ORDINARY, key: str = "key") -> Reply:
    (reply,) = answer_all([gateway.open().submit(sms(phone, key))])
    return reply


def outcome(gateway: Gateway, reply: Reply) -> object:
    """As the transport and the provider together tell it."""
    if reply.response is None:
        return Ambiguous if reply.written else NotSent
    found = read_outcome(gateway.open(), reply.response)
    return found if isinstance(found, Accepted) else type(found)


def states(gateway: Gateway, *references: str) -> dict[str, str]:
    (reply,) = answer_all([gateway.open().query([asked(reference=one) for one in references])])
    assert reply.response
    return {receipt.reference: receipt.state for receipt in gateway.open().read_query(reply.response)}


def found(gateway: Gateway, *keys: str) -> dict[str, Accepted | None]:
    (reply,) = answer_all([gateway.open().look_up([asked(key=one) for one in keys])])
    assert reply.response
    return dict(gateway.open().read_look_up(reply.response))


def reference_of(gateway: Gateway, reply: Reply) -> str:
    told = outcome(gateway, reply)
    assert isinstance(told, Accepted)
    return told.reference


class TestInbox:
    def test_a_message_arrives_as_it_was_sent(self, sandbox: Gateway) -> None:
        submit(sandbox)
        received = SandboxSms.objects.get()
        assert (received.gateway, received.phone, received.sender) == (sandbox, ORDINARY, "Portal")
        assert (received.key, received.text, received.times_submitted) == ("key", "Hello", 1)

    def test_a_text_is_not_readable_in_the_database(self, sandbox: Gateway) -> None:
        submit(sandbox)
        with connection.cursor() as cursor:
            cursor.execute("SELECT text FROM gateways_sandboxsms")
            assert "Hello" not in cursor.fetchone()[0]

    def test_a_request_shows_neither_text_nor_phone(self, sandbox: Gateway) -> None:
        request = sandbox.open().submit(sms())
        assert "Hello" not in repr(request)
        assert ORDINARY not in repr(request)

    def test_gateways_with_any_name_have_inboxes_of_their_own(self) -> None:
        names = ["песок 1", "a.b-c_d", "submit"]
        gateways = [accounts.create(name=name, provider="sandbox") for name in names]
        answer_all([gateway.open().submit(sms()) for gateway in gateways])
        assert [received.gateway.name for received in SandboxSms.objects.order_by("pk")] == names

    def test_a_gateway_that_is_gone_cannot_be_reached(self, sandbox: Gateway) -> None:
        request = sandbox.open().submit(sms())
        provider = sandbox.open()
        sandbox.delete()
        replies = answer_all([request, provider.query([asked(reference="1")]), provider.look_up([asked()])])
        assert replies == [Reply(None, written=False)] * 3

    def test_old_messages_are_forgotten(self, sandbox: Gateway) -> None:
        with time_machine.travel(timezone.now() - timedelta(days=7, seconds=1), tick=False):
            submit(sandbox, key="old")
        submit(sandbox, key="new")
        assert forget_old_sandbox_messages() == 1
        assert SandboxSms.objects.get().key == "new"


class TestKeys:
    def test_a_repeat_of_a_key_is_answered_alike_and_makes_no_second_message(self, sandbox: Gateway) -> None:
        assert outcome(sandbox, submit(sandbox)) == outcome(sandbox, submit(sandbox))
        assert SandboxSms.objects.get().times_submitted == 2

    def test_a_repeat_in_one_list_is_one_message_too(self, sandbox: Gateway) -> None:
        provider = sandbox.open()
        replies = answer_all([provider.submit(sms()), provider.submit(sms()), provider.submit(sms(key="other"))])
        references = [reference_of(sandbox, reply) for reply in replies]
        assert references[0] == references[1] != references[2]
        assert sorted(SandboxSms.objects.values_list("key", "times_submitted")) == [("key", 2), ("other", 1)]

    def test_without_keys_a_repeat_is_a_second_message(self, sandbox: Gateway) -> None:
        accounts.change(sandbox, settings={"understands_keys": False})
        assert not sandbox.open().dedupe_key
        assert outcome(sandbox, submit(sandbox)) != outcome(sandbox, submit(sandbox))
        assert list(SandboxSms.objects.values_list("times_submitted", flat=True)) == [1, 1]

    def test_the_same_key_at_another_gateway_is_another_message(self, sandbox: Gateway) -> None:
        other = accounts.create(name="other", provider="sandbox")
        assert outcome(sandbox, submit(sandbox)) != outcome(other, submit(other))


class TestReceipts:
    @pytest.mark.parametrize(
        ("phone", "state"),
        [
            (ORDINARY, ReceiptState.DELIVERED),
            (DELIVERED, ReceiptState.DELIVERED),
            (UNDELIVERED, ReceiptState.UNDELIVERED),
            (EXPIRED, ReceiptState.EXPIRED),
            (SLOW, ReceiptState.DELIVERED),
        ],
    )
    def test_they_settle_half_a_second_after_acceptance(
        self, sandbox: Gateway, phone: str, state: ReceiptState
    ) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            reference = reference_of(sandbox, submit(sandbox, phone))
            clock.shift(0.499)
            assert states(sandbox, reference) == {reference: ReceiptState.PENDING}
            clock.shift(0.001)
            assert states(sandbox, reference) == {reference: state}

    def test_a_late_receipt_comes_after_a_minute(self, sandbox: Gateway) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            reference = reference_of(sandbox, submit(sandbox, LATE))
            clock.shift(59.9)
            assert states(sandbox, reference) == {reference: ReceiptState.PENDING}
            clock.shift(0.1)
            assert states(sandbox, reference) == {reference: ReceiptState.DELIVERED}

    def test_references_that_are_none_of_its_own_are_left_out(self, sandbox: Gateway) -> None:
        other = accounts.create(name="other", provider="sandbox")
        foreign = reference_of(other, submit(other))
        assert states(sandbox, foreign, "no number", "", "-1", "999999") == {}


class TestLookUp:
    def test_it_finds_what_was_accepted_and_proves_what_was_not(self, sandbox: Gateway) -> None:
        reference = reference_of(sandbox, submit(sandbox))
        assert found(sandbox, "key", "other") == {"key": Accepted(reference), "other": None}

    def test_an_answer_that_is_none_is_not_taken_for_absence(self, sandbox: Gateway) -> None:
        with pytest.raises(Unreadable):
            sandbox.open().read_look_up(HttpResponse(404, {}, b"{}"))


class TestMagicNumbers:
    @pytest.mark.parametrize("phone", MAGIC)
    def test_they_are_valid_phones(self, phone: str) -> None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone))

    def test_refused(self, sandbox: Gateway) -> None:
        assert outcome(sandbox, submit(sandbox, REFUSED)) is Refused
        assert not SandboxSms.objects.exists()

    def test_not_sent_however_often_it_is_tried(self, sandbox: Gateway) -> None:
        assert [outcome(sandbox, submit(sandbox, NOT_SENT)) for _ in range(3)] == [NotSent] * 3
        assert not SandboxSms.objects.exists()

    def test_the_first_answer_is_lost_and_a_repeat_is_answered(self, sandbox: Gateway) -> None:
        assert outcome(sandbox, submit(sandbox, LOST_ANSWER)) is Ambiguous
        assert found(sandbox, "key")["key"]
        assert isinstance(outcome(sandbox, submit(sandbox, LOST_ANSWER)), Accepted)
        assert SandboxSms.objects.get().times_submitted == 2

    def test_the_first_answer_is_lost_and_without_keys_the_repeat_is_a_second_message(self, sandbox: Gateway) -> None:
        accounts.change(sandbox, settings={"understands_keys": False})
        assert outcome(sandbox, submit(sandbox, LOST_ANSWER)) is Ambiguous
        assert isinstance(outcome(sandbox, submit(sandbox, LOST_ANSWER)), Accepted)
        assert SandboxSms.objects.count() == 2

    @pytest.mark.parametrize("knows_keys", [True, False])
    def test_the_first_request_is_lost_and_its_repeat_is_the_only_message(
        self, sandbox: Gateway, *, knows_keys: bool
    ) -> None:
        accounts.change(sandbox, settings={"understands_keys": knows_keys})
        with time_machine.travel(timezone.now() - timedelta(minutes=5), tick=False):
            assert outcome(sandbox, submit(sandbox, LOST)) is Ambiguous
            assert found(sandbox, "key") == {"key": None}
            assert not arrived()
        reference = reference_of(sandbox, submit(sandbox, LOST))
        assert states(sandbox, reference) == {reference: ReceiptState.PENDING}
        assert found(sandbox, "key") == {"key": Accepted(reference)}
        assert [received.times_submitted for received in arrived()] == [1]

    def test_each_key_is_lost_once(self, sandbox: Gateway) -> None:
        assert outcome(sandbox, submit(sandbox, LOST, "a")) is Ambiguous
        assert outcome(sandbox, submit(sandbox, LOST, "b")) is Ambiguous

    def test_a_slow_one_is_accepted_at_once_and_answered_after_five_seconds(self, sandbox: Gateway) -> None:
        reply = submit(sandbox, SLOW)
        assert reply.delay == 5
        assert SandboxSms.objects.count() == 1
        assert isinstance(outcome(sandbox, reply), Accepted)

    def test_every_number_has_an_explanation(self) -> None:
        assert [str(behaviour.label) for behaviour in MAGIC.values()]
        assert all(phone in (rules.__doc__ or "") for phone in MAGIC)


class TestAbilities:
    @pytest.mark.parametrize("switched_on", [True, False])
    def test_they_follow_the_settings(self, sandbox: Gateway, *, switched_on: bool) -> None:
        names = ("understands_keys", "answers_look_ups", "receipts")
        accounts.change(sandbox, settings=dict.fromkeys(names, switched_on))
        provider = Gateway.objects.get().open()
        abilities = (provider.dedupe_key, provider.can_look_up, provider.sends_receipts, provider.can_query)
        assert abilities == (switched_on,) * 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
class TestThroughTheTransport:
    def test_a_launch_is_recorded_and_answered(self, sandbox: Gateway) -> None:
        provider, flight = sandbox.open(), transport.Flight()
        not_after = timezone.now() + timedelta(hours=1)
        phones = {1: ORDINARY, 2: REFUSED, 3: NOT_SENT, 4: LOST_ANSWER}
        flight.launch(
            [
                transport.Call(ticket, provider.submit(sms(phone, str(ticket))), PATIENCE, not_after)
                for ticket, phone in phones.items()
            ]
        )
        landings: dict[int, transport.Landing] = {}
        while flight.in_air:
            landings |= {landing.ticket: landing for landing in flight.landed(PATIENCE)}
        assert landings[1].response
        assert isinstance(read_outcome(provider, landings[1].response), Accepted)
        assert landings[2].response
        assert isinstance(read_outcome(provider, landings[2].response), Refused)
        assert isinstance(landings[3].failure, NotSent)
        assert isinstance(landings[4].failure, Ambiguous)
        assert set(SandboxSms.objects.values_list("key", flat=True)) == {"1", "4"}

    def test_a_question_is_answered(self, sandbox: Gateway) -> None:
        provider = sandbox.open()
        assert provider.read_look_up(transport.fetch(provider.look_up([asked()]), PATIENCE)) == {"key": None}

    def test_a_list_that_fails_half_way_leaves_nothing(self, sandbox: Gateway) -> None:
        provider, flight = sandbox.open(), transport.Flight()
        good = provider.submit(sms())
        broken = provider.query([])
        object.__setattr__(broken, "body", b"no JSON")
        not_after = timezone.now() + timedelta(hours=1)
        flight.launch(
            [transport.Call(ticket, request, PATIENCE, not_after) for ticket, request in enumerate((good, broken))]
        )
        while flight.in_air:
            assert all(isinstance(landing.failure, Ambiguous) for landing in flight.landed(PATIENCE))
        assert not SandboxSms.objects.exists()
