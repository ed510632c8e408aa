"""What people write: stored once however it comes and how often, and fetched where providers have to be asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from time_machine import TimeMachineFixture

from gateways import providers, transport
from gateways.http import HttpRequest, HttpResponse, get, json_of
from gateways.models import Gateway, GatewayHealth
from gateways.outcomes import Ambiguous, CredentialsRefused, GatewayFault, InboundSms
from gateways.provider import BaseProvider
from gateways.providers.sandbox import Provider as SandboxProvider
from messaging import inbound
from messaging.models import InboundMessage, OptOut, Word
from tests.gateways.conftest import at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


def sms(text: str = "hello", phone: str = "79161234567", reference: str = "", at: datetime | None = None) -> InboundSms:
    return InboundSms(phone, text, reference, at)


class TestStoring:
    def test_a_text_is_kept_as_it_was_written_and_unreadable_in_the_database(self, sandbox: Gateway) -> None:
        text = "Привет 🙂\n<canary>&\"'"
        assert inbound.store(sandbox, [sms(text, reference="1", at=NOON)]) == 1
        kept = InboundMessage.objects.get()
        assert (kept.text, kept.reference, kept.at, kept.opted) == (text, "1", NOON, Word.NONE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM messaging_inboundmessage")
            assert "canary" not in str(cursor.fetchall())

    def test_nothing_said_is_nothing_new(self, sandbox: Gateway) -> None:
        assert inbound.store(sandbox, []) == 0

    def test_an_id_is_stored_once(self, sandbox: Gateway) -> None:
        assert inbound.store(sandbox, [sms(reference="1"), sms(reference="1"), sms(reference="2")]) == 2
        assert inbound.store(sandbox, [sms(reference="2"), sms(reference="3")]) == 1

    def test_two_gateways_may_use_the_same_id(self, sandbox: Gateway) -> None:
        other = Gateway.objects.create(name="other", provider="sandbox")
        assert inbound.store(sandbox, [sms(reference="1")]) + inbound.store(other, [sms(reference="1")]) == 2

    def test_without_an_id_phone_text_and_time_tell_texts_apart(self, sandbox: Gateway) -> None:
        said = [
            sms(at=NOON),
            sms(at=NOON + timedelta(seconds=1)),
            sms("bye", at=NOON),
            sms(phone="79160000000", at=NOON),
        ]
        assert inbound.store(sandbox, said) == 4
        assert inbound.store(sandbox, said) == 0

    def test_the_same_moment_in_another_zone_is_the_same_text(self, sandbox: Gateway) -> None:
        assert inbound.store(sandbox, [sms(at=NOON)]) == 1
        assert inbound.store(sandbox, [sms(at=NOON.astimezone(timezone.get_default_timezone()))]) == 0

    @pytest.mark.parametrize(
        ("moments", "stored"),
        [
            ((0, 30), 1),
            ((59, 61), 1),  # the minute turned between them
            ((0, 119), 1),
            ((0, 120), 2),
            ((0, 3600), 2),
        ],
    )
    def test_without_id_and_time_a_repeat_is_known_by_coming_soon(
        self, sandbox: Gateway, time_machine: TimeMachineFixture, moments: tuple[int, int], stored: int
    ) -> None:
        new = 0
        for seconds in moments:
            time_machine.move_to(NOON + timedelta(seconds=seconds), tick=False)
            new += inbound.store(sandbox, [sms()])
        assert (new, InboundMessage.objects.count()) == (stored, stored)

    def test_a_reference_that_looks_like_a_digest_is_a_reference(self, sandbox: Gateway) -> None:
        inbound.store(sandbox, [sms(at=NOON)])
        digest = InboundMessage.objects.get().fingerprint
        assert inbound.store(sandbox, [sms(reference=digest)]) == 1

    @pytest.mark.django_db(transaction=True)
    def test_the_same_texts_at_once_are_stored_once(self, sandbox: Gateway) -> None:
        said = [sms(f"text {n}", reference=str(n)) for n in range(5)]
        turns = iter([said, said[::-1], said, said[::-1]])
        assert sum(at_once(lambda: inbound.store(sandbox, next(turns)))) == 5
        assert InboundMessage.objects.count() == 5

    def test_a_worker_that_was_too_late_goes_on_with_the_rest(
        self, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the race above does only sometimes: another worker stores a text after this one looked."""
        look = inbound._unknown

        def look_and_be_overtaken(gateway: Gateway, said: list[InboundSms]) -> list[InboundMessage]:
            rows = look(gateway, said)
            monkeypatch.setattr(inbound, "_unknown", look)
            inbound.store(gateway, said[:1])
            return rows

        monkeypatch.setattr(inbound, "_unknown", look_and_be_overtaken)
        with transaction.atomic():
            assert inbound.store(sandbox, [sms("STOP", reference="1"), sms(reference="2")]) == 1
            assert InboundMessage.objects.count() == 2

    def test_the_database_itself_refuses_a_second_copy(self, sandbox: Gateway) -> None:
        inbound.store(sandbox, [sms(reference="1")])
        copy = InboundMessage.objects.get()
        copy.pk = None
        with pytest.raises(IntegrityError):
            copy.save(force_insert=True)

    def test_a_text_written_in_the_future_was_written_now(self, sandbox: Gateway) -> None:
        inbound.store(sandbox, [sms(at=timezone.now() + timedelta(days=1))])
        kept = InboundMessage.objects.get()
        assert kept.at == kept.received_at

    def test_a_time_without_a_zone_is_meant_in_the_portals(self, sandbox: Gateway) -> None:
        inbound.store(sandbox, [sms(at=datetime(2026, 1, 2, 3, 4))])  # noqa: DTZ001 — as a careless file gives it
        assert timezone.localtime(InboundMessage.objects.get().at).hour == 3

    @pytest.mark.parametrize(
        ("written", "phone"),
        [
            ("+79161234567", "+79161234567"),
            ("79161234567", "+79161234567"),
            ("89161234567", "+79161234567"),
            ("9161234567", "+79161234567"),
            ("8 (916) 123-45-67", "+79161234567"),
            ("375291234567", "+375291234567"),
            ("84912345678", "+84912345678"),  # Vietnam, which read as Russian is a landline
            ("4915112345678", "+4915112345678"),
            ("900", "900"),
            ("MegaFon", "MegaFon"),
            ("", ""),
        ],
    )
    def test_phones_are_spelled_as_everywhere(self, sandbox: Gateway, written: str, phone: str) -> None:
        inbound.store(sandbox, [sms(phone=written)])
        assert InboundMessage.objects.get().phone == phone


class Mailbox(BaseProvider):
    """Has to be asked."""

    label = "Mailbox"
    can_fetch_inbound = True

    def fetch_inbound(self, since: datetime) -> HttpRequest:
        return get("https://mailbox.example.org/inbound", {"since": since.isoformat()})

    def read_inbound(self, response: HttpResponse) -> list[InboundSms]:
        if response.status == 401:
            raise CredentialsRefused("the key is not accepted")
        return [InboundSms(row["from"], row["text"], row["id"]) for row in json_of(response)]


class Emptied(Mailbox):
    """Its settings say that there is nothing to ask for."""

    label = "Emptied"

    @property
    def can_fetch_inbound(self) -> bool:  # type: ignore[override]
        return False


class Post:
    """Stands in for the network: what was asked, and what is answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[], HttpResponse] = lambda: HttpResponse(200, {}, b"[]")

    def fetch(self, request: HttpRequest, timeout: float) -> HttpResponse:
        self.asked.append(request.url)
        return self.answer()

    def since(self) -> list[datetime]:
        """From when on each question asked."""
        return [
            datetime.fromisoformat(url.partition("since=")[2].replace("%3A", ":").replace("%2B", "+"))
            for url in self.asked
        ]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post()
    monkeypatch.setattr(transport, "fetch", post.fetch)
    return post


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch, db: None) -> Gateway:
    """A gateway whose provider has to be asked."""
    known: dict[str, type[BaseProvider]] = {"sandbox": SandboxProvider, "mailbox": Mailbox, "emptied": Emptied}
    monkeypatch.setattr(providers, "names", lambda: tuple(known))
    monkeypatch.setattr(providers, "load", known.__getitem__)
    gateway = Gateway.objects.create(name="mailbox", provider="mailbox")
    GatewayHealth.objects.create(gateway=gateway)
    return gateway


def health_of(gateway: Gateway) -> GatewayHealth:
    return GatewayHealth.objects.get(pk=gateway.pk)


def a_while_later(seconds: int = 61) -> None:
    """As if so much time had passed since the gateway was asked."""
    shift = timedelta(seconds=seconds)
    for column in ("inbound_at", "inbound_heard_at", "open_until"):
        GatewayHealth.objects.filter(**{f"{column}__isnull": False}).update(**{column: F(column) - shift})


class TestFetching:
    def test_texts_are_fetched_stored_and_obeyed(self, mailbox: Gateway, post: Post) -> None:
        post.answer = lambda: HttpResponse(200, {}, '[{"from": "79161234567", "text": "стоп", "id": 7}]'.encode())
        assert inbound.fetch(mailbox.pk) == 1
        assert (InboundMessage.objects.get().reference, OptOut.objects.get().phone) == ("7", "+79161234567")
        a_while_later()
        assert inbound.fetch(mailbox.pk) == 0
        assert len(post.asked) == 2

    def test_a_gateway_is_due_once_a_minute(self, mailbox: Gateway, post: Post) -> None:
        assert inbound.due_to_fetch() == [mailbox.pk]
        inbound.fetch(mailbox.pk)
        assert inbound.due_to_fetch() == []
        a_while_later(30)
        assert inbound.due_to_fetch() == []
        a_while_later(31)
        assert inbound.due_to_fetch() == [mailbox.pk]

    def test_a_bell_that_rings_twice_asks_once(self, mailbox: Gateway, post: Post) -> None:
        inbound.fetch(mailbox.pk)
        inbound.fetch(mailbox.pk)
        assert len(post.asked) == 1

    @pytest.mark.django_db(transaction=True)
    def test_one_of_many_workers_asks(self, mailbox: Gateway, post: Post) -> None:
        at_once(lambda: inbound.fetch(mailbox.pk))
        assert len(post.asked) == 1

    def test_each_question_overlaps_the_one_before(self, mailbox: Gateway, post: Post) -> None:
        inbound.fetch(mailbox.pk)
        first = health_of(mailbox).inbound_heard_at
        assert first
        a_while_later()
        inbound.fetch(mailbox.pk)
        assert post.since() == [
            first - inbound.FIRST_LOOK_BACK,
            first - timedelta(seconds=61) - inbound.OVERLAP,
        ]

    def test_after_an_outage_the_question_reaches_back_to_the_last_answer(self, mailbox: Gateway, post: Post) -> None:
        inbound.fetch(mailbox.pk)
        for _ in range(20):
            a_while_later()
            post.answer = lambda: HttpResponse(502)
            assert inbound.fetch(mailbox.pk) == 0
        since = post.since()
        assert len(since) == 21
        a_while_later()
        answered = health_of(mailbox).inbound_heard_at
        assert answered
        post.answer = lambda: HttpResponse(200, {}, b"[]")
        inbound.fetch(mailbox.pk)
        assert post.since()[-1] == answered - inbound.OVERLAP
        assert answered < timezone.now() - 20 * inbound.FETCH_EVERY

    def test_after_an_error_it_is_left_alone_for_a_minute_and_says_why(
        self, mailbox: Gateway, post: Post, caplog: pytest.LogCaptureFixture
    ) -> None:
        def answer() -> HttpResponse:
            raise Ambiguous("no usable answer: time ran out")

        post.answer = answer
        inbound.fetch(mailbox.pk)
        assert inbound.due_to_fetch() == []
        assert inbound.fetch(mailbox.pk) == 0
        assert len(post.asked) == 1
        error = "it could not be asked for inbound messages: no usable answer: time ran out"
        assert health_of(mailbox).last_error == error
        assert f"gateway {mailbox.pk}: no inbound messages (Ambiguous)" in caplog.text
        a_while_later()
        assert inbound.due_to_fetch() == [mailbox.pk]

    @pytest.mark.parametrize("body", [b"", b"[{}]", b"7", b"<html>"])
    def test_an_unreadable_answer_is_an_error_like_others(self, mailbox: Gateway, post: Post, body: bytes) -> None:
        post.answer = lambda: HttpResponse(200, {}, body)
        assert inbound.fetch(mailbox.pk) == 0
        asked = health_of(mailbox)
        assert asked.last_error.startswith("it could not be asked for inbound messages: ")
        assert asked.inbound_heard_at is None

    def test_refused_credentials_are_shown_once_and_it_is_asked_no_more(self, mailbox: Gateway, post: Post) -> None:
        post.answer = lambda: HttpResponse(401)
        inbound.fetch(mailbox.pk)
        assert health_of(mailbox).last_error == "the key is not accepted"
        a_while_later(86_400)
        assert inbound.due_to_fetch() == []
        assert inbound.fetch(mailbox.pk) == 0
        assert len(post.asked) == 1

    def test_a_paused_gateway_is_left_alone(self, mailbox: Gateway, post: Post) -> None:
        GatewayHealth.objects.update(open_until=timezone.now() + timedelta(minutes=5))
        assert inbound.due_to_fetch() == []
        inbound.fetch(mailbox.pk)
        assert post.asked == []

    def test_a_gateway_that_is_switched_off_is_not_asked(self, mailbox: Gateway, post: Post) -> None:
        Gateway.objects.update(enabled=False)
        assert inbound.due_to_fetch() == []

    def test_a_fault_of_the_account_is_shown_and_does_not_keep_messages_from_leaving(
        self, mailbox: Gateway, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def blocked(*_: object) -> list[InboundSms]:
            raise GatewayFault("the account is blocked", pause=300)

        monkeypatch.setattr(Mailbox, "read_inbound", blocked)
        inbound.fetch(mailbox.pk)
        asked = health_of(mailbox)
        assert (asked.last_error, asked.inbound_heard_at) == ("the account is blocked", None)
        assert asked.open_until is None

    def test_providers_that_cannot_be_asked_are_not(self, sandbox: Gateway, mailbox: Gateway, post: Post) -> None:
        GatewayHealth.objects.create(gateway=sandbox)
        assert inbound.due_to_fetch() == [mailbox.pk]
        Gateway.objects.filter(pk=mailbox.pk).update(provider="emptied")
        assert inbound.fetch(mailbox.pk) == 0
        assert (post.asked, health_of(mailbox).last_error) == ([], "")
