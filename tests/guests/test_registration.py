"""Self-registration as a process: start, the code, and what becomes of wrong ones."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from gateways.outcomes import Outcome
from guests import registration
from guests.applying import Application, Visitor
from guests.models import Code, CodeMessage, Guest, GuestType, LimitCount, Registration, RegistrationRules, Stage
from guests.registration import codes
from guests.registration.wrong_codes import CodeOver, Ended, WrongCode
from messaging.models import Attempt, Message, MessageTemplate, State
from messaging.retries import Kind
from portal.errors import Refusal, Why

PHONE = "+79161234567"

pytestmark = pytest.mark.usefixtures("sandbox")


def start(phone: str = PHONE, address: str = "192.0.2.1", **said: object) -> registration.Started:
    """Somebody types a phone."""
    application = Application(phone=phone, language="en", **said)  # type: ignore[arg-type]
    return registration.start(application, Visitor(address=address))


def code_in(message: Message) -> str:
    """What the phone shows."""
    found = re.search(r"\b\d{6}\b", message.text or "")
    assert found, message.text
    return found[0]


def last_code() -> str:
    return code_in(Message.objects.filter(kind=Kind.CODE).latest("pk"))


def let_time_pass(**span: float) -> None:
    """As if everything had been done so much earlier."""
    shift = timedelta(**span)
    Code.objects.update(created=F("created") - shift, expires_at=F("expires_at") - shift)
    CodeMessage.objects.update(at=F("at") - shift)
    LimitCount.objects.update(since=F("since") - shift)


class TestTheWayIn:
    def test_a_guest_types_the_code_and_is_in(self) -> None:
        started = start()
        done = registration.confirm(started.registration, last_code())
        assert done.stage == Stage.DONE
        guest = Guest.objects.get()
        assert (guest.username, guest.phone, done.guest) == ("79161234567", PHONE, guest)
        assert guest.verified_at
        assert guest.first_sign_in
        assert done.password
        assert guest.check_password(done.password)
        sent = Message.objects.get(kind=Kind.CREDENTIALS)
        assert done.password in (sent.text or "")
        assert done.password not in sent.masked_text

    @pytest.mark.parametrize("typed", ["+7 916 123-45-67", "8 (916) 1234567", "79161234567", "9161234567"])
    def test_every_way_of_writing_a_phone_is_one_guest(self, typed: str) -> None:
        for phone in (PHONE, typed):
            registration.confirm(start(phone).registration, last_code())
        assert Guest.objects.get().phone == PHONE

    def test_what_is_kept_of_the_code_tells_nobody_which_it_is(self, code: str, settings: Settings) -> None:
        # Of a random key the checksum might hold the six digits by chance.
        settings.SECRET_KEY = "always the same"
        start()
        assert last_code() == code
        with connection.cursor() as cursor:
            cursor.execute("SELECT digest, kept FROM guests_code")
            assert all(code not in str(column) for column in cursor.fetchone())

    def test_confirming_twice_is_confirming_once(self) -> None:
        started, digits = start(), last_code()
        first = registration.confirm(started.registration, last_code())
        again = registration.confirm(started.registration, digits)
        assert (again.stage, again.guest, again.password) == (Stage.DONE, first.guest, first.password)
        assert Message.objects.filter(kind=Kind.CREDENTIALS).count() == 1

    def test_blanks_and_foreign_digits_are_understood(self) -> None:
        started, digits = start(), last_code()
        typed = f" {digits[:3]} {digits[3:]}\n".translate({ord("0") + n: chr(0x0660 + n) for n in range(10)})
        assert registration.confirm(started.registration, typed).stage == Stage.DONE


class TestOneCodeForOnePhone:
    def test_another_browser_is_asked_for_the_same_code_without_another_message(self) -> None:
        start()
        digits = last_code()
        other = start(address="192.0.2.2")
        assert Message.objects.count() == 1
        assert registration.confirm(other.registration, digits).stage == Stage.DONE

    def test_more_browsers_than_anybody_has_are_told_when_to_come_back(self) -> None:
        for number in range(codes.BROWSERS):
            start(address=f"192.0.2.{number + 1}")
        with pytest.raises(Refusal) as refused:
            start(address="192.0.2.99")
        assert refused.value.until == Code.objects.get().expires_at
        assert Registration.objects.count() == codes.BROWSERS

    def test_sent_again_it_is_the_same(self) -> None:
        started, digits = start(), last_code()
        let_time_pass(seconds=61)
        registration.resend(started.registration, Visitor())
        assert Message.objects.count() == 2
        assert last_code() == digits

    def test_one_that_is_nearly_over_is_not_sent_again_but_another_one(self) -> None:
        started, digits = start(), last_code()
        let_time_pass(minutes=8, seconds=30)
        registration.resend(started.registration, Visitor())
        assert Code.objects.get(ended_at=None).expires_at > timezone.now() + timedelta(minutes=9)
        assert (last_code() == digits) == (Code.objects.count() == 1)
        assert Code.objects.count() == 2

    def test_it_is_not_sent_again_at_once_and_says_when(self) -> None:
        before = timezone.now()
        started = start()
        with pytest.raises(Refusal) as refused:
            registration.resend(started.registration, Visitor())
        assert refused.value.why is Why.TOO_MANY
        assert refused.value.until
        assert refused.value.until >= before + timedelta(minutes=1)
        assert Message.objects.count() == 1
        assert LimitCount.objects.get(scope="phone", minutes=60).count == 1

    def test_after_ten_minutes_another_one_is_made(self) -> None:
        start()
        former = last_code()
        let_time_pass(minutes=11)
        second = start()
        assert Message.objects.count() == 2
        assert registration.confirm(second.registration, last_code()).stage == Stage.DONE
        assert not Code.objects.filter(kept__isnull=False).exists()
        assert former  # the first one went out, too


class TestMeanwhile:
    """What may change between the two pages."""

    @pytest.mark.parametrize("change", [{"enabled": False}, None])
    def test_nobody_comes_in_by_a_type_that_is_offered_no_more(self, change: dict[str, bool] | None) -> None:
        started, types = start(), GuestType.objects.all()
        types.update(**change) if change else types.delete()
        done = registration.confirm(started.registration, last_code())
        assert (done.stage, done.reason) == (Stage.DENIED, "Registration is closed. Please ask at the reception.")
        assert not Guest.objects.exists()

    def test_whose_stay_goes_on_comes_in_all_the_same(self) -> None:
        registration.confirm(start().registration, last_code())
        started = start()
        GuestType.objects.update(enabled=False)
        assert registration.confirm(started.registration, last_code()).stage == Stage.DONE

    def test_nothing_more_is_sent_once_registration_is_closed(self) -> None:
        started, digits = start(), last_code()
        RegistrationRules.objects.create(pk=1, is_open=False)
        let_time_pass(seconds=61)
        with pytest.raises(Refusal) as refused:
            registration.resend(started.registration, Visitor())
        assert refused.value.why is Why.CONFLICT
        assert Message.objects.count() == 1
        assert registration.confirm(started.registration, digits).stage == Stage.DONE


class TestWrongCodes:
    def wrong(self) -> str:
        return f"{(int(last_code()) + 1) % 1_000_000:06d}"

    def test_a_wrong_code_says_how_many_are_left(self) -> None:
        started = start()
        with pytest.raises(WrongCode) as refused:
            registration.confirm(started.registration, self.wrong())
        assert refused.value.left == 4

    def test_five_end_the_registration_and_the_right_one_comes_too_late(self) -> None:
        started, digits, wrong = start(), last_code(), self.wrong()
        for _try in range(4):
            with pytest.raises(WrongCode):
                registration.confirm(started.registration, wrong)
        with pytest.raises(Ended):
            registration.confirm(started.registration, wrong)
        with pytest.raises(Ended):
            registration.confirm(started.registration, digits)
        assert not Guest.objects.exists()

    def test_a_stranger_ends_nobody_elses_registration(self) -> None:
        started, digits, wrong = start(), last_code(), self.wrong()
        stranger = start(address="192.0.2.66")
        for _try in range(5):
            with pytest.raises(Refusal):
                registration.confirm(stranger.registration, wrong)
        assert registration.confirm(started.registration, digits).stage == Stage.DONE

    def test_fifteen_end_the_code_and_a_new_one_may_be_asked_for(self) -> None:
        started, digits, wrong = start(), last_code(), self.wrong()
        for number in range(3):
            stranger = start(address=f"192.0.2.{number + 60}")
            for _try in range(5):
                with pytest.raises(Refusal):
                    registration.confirm(stranger.registration, wrong)
        with pytest.raises(CodeOver) as refused:
            registration.confirm(started.registration, digits)
        assert "guessed" in refused.value.sentence
        let_time_pass(seconds=61)
        registration.resend(started.registration, Visitor())
        assert registration.confirm(started.registration, last_code()).stage == Stage.DONE

    def test_expired_is_told_apart_from_wrong_and_costs_no_try(self) -> None:
        started, digits = start(), last_code()
        let_time_pass(minutes=11)
        with pytest.raises(CodeOver) as refused:
            registration.confirm(started.registration, digits)
        assert "expired" in refused.value.sentence
        assert Registration.objects.get().tries == 0

    @pytest.mark.parametrize("typed", ["", " ", "abc", "12", "12345678901", "１２３", "😀", "\x00", "1" * 10_000])
    def test_what_is_no_code_costs_no_try(self, typed: str) -> None:
        started = start()
        with pytest.raises(Refusal) as refused:
            registration.confirm(started.registration, typed)
        assert refused.value.field == "code"
        assert Registration.objects.get().tries == 0


class TestWhatWasNeverSent:
    """It is counted against nobody, whether or not the guest came to look."""

    @pytest.fixture
    def begun(self) -> registration.Started:
        return start()

    def end(self, state: State, outcome: Outcome = Outcome.NOT_SENT) -> None:
        message = Message.objects.get()
        Attempt.objects.create(message=message, gateway=message.gateway, epoch=1, outcome=outcome)
        Message.objects.update(state=state, due_at=None, finished_at=timezone.now(), waits_for="")

    def counts(self) -> set[int]:
        return set(LimitCount.objects.values_list("count", flat=True))

    @pytest.mark.parametrize("state", [State.FAILED, State.LAPSED, State.CANCELLED])
    def test_the_page_gives_back_what_was_taken_once(self, begun: registration.Started, state: State) -> None:
        self.end(state)
        for _look in range(2):
            assert registration.news(begun.registration).unsent
        assert self.counts() == {0}
        assert Code.objects.get().sends == 0

    @pytest.mark.parametrize("state", [State.FAILED, State.LAPSED, State.CANCELLED])
    def test_housekeeping_does_so_for_who_left(self, begun: registration.Started, state: State) -> None:
        self.end(state)
        assert [codes.give_back_unsent() for _turn in range(2)] == [1, 0]
        assert self.counts() == {0}

    def test_who_begins_anew_is_counted_for_the_second_message_alone(self, begun: registration.Started) -> None:
        self.end(State.LAPSED)
        start(address="192.0.2.1")
        assert Message.objects.count() == 2
        assert self.counts() == {1}

    def test_a_phone_that_is_refused_stays_counted(self, begun: registration.Started) -> None:
        self.end(State.FAILED, Outcome.REFUSED)
        assert not registration.news(begun.registration).unsent
        assert codes.give_back_unsent() == 0
        assert self.counts() == {1}

    def test_what_may_have_been_sent_stays_counted(self, begun: registration.Started) -> None:
        self.end(State.UNRESOLVED, Outcome.AMBIGUOUS)
        assert not registration.news(begun.registration).unsent
        assert codes.give_back_unsent() == 0
        assert self.counts() == {1}

    def test_a_count_that_began_anew_loses_nothing(self, begun: registration.Started) -> None:
        self.end(State.LAPSED)
        LimitCount.objects.update(since=timezone.now())
        registration.news(begun.registration)
        assert self.counts() == {1}


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture(autouse=True)
    def offered(self) -> None:
        """What migrations made is gone once another test of this kind has run."""
        GuestType.objects.get_or_create(name="Guest", defaults={"self_service": True})
        MessageTemplate.objects.get_or_create(kind=Kind.CODE, language="ru", defaults={"text": "Код $code, $portal"})

    def test_of_many_guesses_at_once_five_are_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        started = start()
        wrong = f"{(int(last_code()) + 1) % 1_000_000:06d}"
        judged: list[str] = []
        really = codes.matches

        def judge(code: Code, typed: str) -> bool:
            judged.append(typed)
            return really(code, typed)

        monkeypatch.setattr(codes, "matches", judge)

        def guess(_number: int) -> None:
            try:
                registration.confirm(started.registration, wrong)
            except Refusal:
                pass
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(guess, range(1000)))
        assert len(judged) == 5
        assert Registration.objects.get().stage == Stage.ENDED

    @pytest.mark.parametrize("limits", ["usual", "off"])
    def test_two_browsers_at_once_have_one_message_sent(self, limits: str) -> None:
        if limits == "off":
            none = {field.name: 0 for field in RegistrationRules._meta.fields if field.name.endswith(("_hour", "_day"))}
            RegistrationRules.objects.create(pk=1, **none)

        def begin(number: int) -> None:
            try:
                start(address=f"192.0.2.{number + 1}")
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(begin, range(16)))
        assert Message.objects.count() == 1
        assert Code.objects.count() == 1
        assert Registration.objects.count() == 16
        assert LimitCount.objects.get(scope="phone", minutes=60).count == 1
