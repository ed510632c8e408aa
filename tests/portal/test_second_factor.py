"""Signing in with a password and a code: of an app, or a recovery code."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from portal.models import AllowedNetwork, AuditEvent, RecoveryCodes, TotpDevice, User, WatchedHost
from portal.sign_in import confirming, enrolment, sessions
from tests.conftest import PASSWORD
from tests.portal.admin_pages import ENGLISH, signed_in
from tests.portal.second_factors import KEY, LOGIN, SECOND, give_code, is_in, password_given, shown_code, with_app

NOON = "2026-03-01T12:00:00Z"


def events() -> list[tuple[str, int, str]]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", "status", "user_name"))


def test_the_password_alone_signs_nobody_in_who_has_an_app(admin: User) -> None:
    with_app(admin)
    client = password_given(admin)
    assert not is_in(client)
    assert "_auth_user_id" not in client.session
    assert client.get("/sandbox/").status_code == 302


def test_password_and_code_open_the_page_that_was_wanted(admin: User) -> None:
    with_app(admin)
    wanted = reverse("admin:portal_user_changelist")
    client = password_given(admin, wanted)
    answer = give_code(client, shown_code())
    assert (answer.status_code, answer.headers["Location"]) == (302, wanted)
    assert client.get(wanted).status_code == 200
    assert events() == [("admin:login", 202, "admin"), ("admin:second_factor", 200, "admin")]


def test_nobody_is_led_to_another_site(admin: User) -> None:
    with_app(admin)
    client = password_given(admin, "https://evil.example/")
    assert give_code(client, shown_code()).headers["Location"] == reverse("admin:index")


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "-12345", "1234567", "000000 000000"])
def test_a_wrong_code_is_refused_and_written_down(admin: User, code: str) -> None:
    with_app(admin)
    client = password_given(admin)
    assert give_code(client, code).status_code == 200
    assert not is_in(client)
    assert not code or ("admin:second_factor", 401, "admin") in events()


@pytest.mark.parametrize(("steps", "comes_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_wrong_by_one_code(admin: User, steps: int, comes_in: bool) -> None:
    with_app(admin)
    with time_machine.travel(NOON, tick=False):
        client = password_given(admin)
        give_code(client, shown_code(steps=steps))
        assert is_in(client) == comes_in


def test_a_code_is_good_once_and_so_are_those_before_it(admin: User) -> None:
    with_app(admin)
    with time_machine.travel(NOON, tick=False) as clock:
        code, former = shown_code(), shown_code(steps=-1)
        give_code(password_given(admin), code)
        for used in (code, former):
            clock.shift(4)
            client = password_given(admin)
            assert "used already" in give_code(client, used).content.decode()
            assert not is_in(client)
        clock.shift(30)
        client = password_given(admin)
        give_code(client, shown_code())
        assert is_in(client)


def test_after_wrong_codes_the_right_one_must_wait(admin: User) -> None:
    device = with_app(admin)
    with time_machine.travel(NOON, tick=False) as clock:
        client = password_given(admin)
        for _ in range(3):
            give_code(client, "000000")
            clock.shift(5)
        give_code(client, "000000")
        device.refresh_from_db()
        assert device.throttling_failure_count == 4
        assert "Try again in 8 seconds" in give_code(client, shown_code()).content.decode()
        clock.shift(8)
        give_code(client, shown_code())
        assert is_in(client)
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


def test_the_code_of_one_phone_counts_as_wrong_for_no_other(admin: User) -> None:
    device = with_app(admin)
    TotpDevice.objects.create(user=admin, name="tablet", key=KEY[::-1].replace("1", "A"))
    client = password_given(admin)
    give_code(client, shown_code(KEY[::-1].replace("1", "A")))
    assert is_in(client)
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


def test_a_recovery_code_lets_in_once_however_it_is_typed(admin: User) -> None:
    with_app(admin)
    codes = enrolment.make_codes(admin)
    client = password_given(admin)
    give_code(client, f" {codes[3].upper().replace('-', ' ')} ")
    assert is_in(client)
    assert RecoveryCodes.objects.get().left == 9
    again = password_given(admin)
    assert give_code(again, codes[3]).status_code == 200
    assert not is_in(again)
    give_code(again, codes[4])
    assert is_in(again)


def test_recovery_codes_open_the_door_while_the_app_must_wait(admin: User) -> None:
    with_app(admin)
    [code, *_] = enrolment.make_codes(admin)
    client = password_given(admin)
    give_code(client, "000000")
    give_code(client, code)
    assert is_in(client)


def test_the_database_holds_neither_keys_nor_codes(admin: User) -> None:
    with_app(admin)
    codes = enrolment.make_codes(admin)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM portal_totpdevice")
        [(key,)] = cursor.fetchall()
        cursor.execute("SELECT digests FROM portal_recoverycodes")
        [(digests,)] = cursor.fetchall()
    assert KEY not in str(key)
    assert not any(code in str(digests) or code.replace("-", "") in str(digests) for code in codes)


def test_a_key_moves_to_the_first_encryption_key_when_it_is_used(admin: User) -> None:
    with override_settings(ENCRYPTION_KEYS=["o" * 40]):
        with_app(admin)
    with override_settings(ENCRYPTION_KEYS=["n" * 40, "o" * 40]):
        give_code(password_given(admin), shown_code())
    with override_settings(ENCRYPTION_KEYS=["n" * 40]):
        assert TotpDevice.objects.get().key == KEY


def test_a_key_that_cannot_be_read_lets_nobody_in_but_recovery_codes_do(admin: User) -> None:
    with override_settings(ENCRYPTION_KEYS=["o" * 40]):
        with_app(admin)
    [code, *_] = enrolment.make_codes(admin)
    client = password_given(admin)
    give_code(client, shown_code())
    assert not is_in(client)
    give_code(client, code)
    assert is_in(client)


def test_the_command_lets_the_last_administrator_in_again(admin: User, capsys: pytest.CaptureFixture[str]) -> None:
    with_app(admin)
    call_command("remove_second_factors", "admin")
    assert "Removed 1" in capsys.readouterr().out
    assert is_in(password_given(admin))
    with pytest.raises(CommandError, match="There is no user"):
        call_command("remove_second_factors", "stranger")


def test_the_second_step_waits_ten_minutes(admin: User) -> None:
    with_app(admin)
    with time_machine.travel(NOON, tick=False) as clock:
        client = password_given(admin)
        clock.shift(599)
        assert client.get(SECOND).status_code == 200
        clock.shift(1)
        assert client.get(SECOND).headers["Location"] == LOGIN
        give_code(client, shown_code())
        assert not is_in(client)


@pytest.mark.parametrize("change", ["password", "switched off"])
def test_the_second_step_is_over_when_the_account_changes(admin: User, change: str) -> None:
    with_app(admin)
    client = password_given(admin)
    admin.set_password("another long secret")
    admin.is_active = change != "switched off"
    admin.is_staff = True
    admin.save()
    give_code(client, shown_code())
    assert not is_in(client)


def test_without_a_password_there_is_no_second_step(admin: User) -> None:
    with_app(admin)
    client = Client(headers=ENGLISH)
    assert client.get(SECOND).headers["Location"] == LOGIN
    give_code(client, shown_code())
    assert not is_in(client)


def test_whoever_gives_up_starts_again(admin: User) -> None:
    with_app(admin)
    client = password_given(admin)
    client.post(reverse("admin:give_up"))
    assert client.get(SECOND).headers["Location"] == LOGIN


def test_a_program_cannot_sign_in_and_is_told_so_after_the_right_password_only(admin: User) -> None:
    User.objects.update(is_program=True)
    wrong = Client(headers=ENGLISH).post(LOGIN, {"username": "admin", "password": "guess"})
    assert "program" not in wrong.content.decode()
    right = Client(headers=ENGLISH).post(LOGIN, {"username": "admin", "password": PASSWORD})
    assert "Programs use the API" in right.content.decode()
    assert events()[-1][1] == 401


def test_a_program_that_was_signed_in_as_a_person_is_out(admin: User) -> None:
    client = Client(headers=ENGLISH)
    client.force_login(admin)
    User.objects.update(is_program=True)
    assert not is_in(client)


def test_without_a_second_factor_one_is_recommended(admin: User) -> None:
    client = password_given(admin)
    html = client.get(reverse("admin:index")).content.decode()
    assert "Set up a second factor" in html
    assert reverse("admin:own_sign_in") in html


def test_the_last_use_is_known(admin: User) -> None:
    device = with_app(admin)
    give_code(password_given(admin), shown_code())
    device.refresh_from_db()
    assert device.last_used_at is not None
    assert timezone.now() - device.last_used_at < timedelta(minutes=1)


class TestWhoGuessedTooOften:
    """At a host that is never blocked as a whole a user is, and then no second factor of theirs is good there."""

    @pytest.fixture
    def waiting(self, admin: User) -> Client:
        """A browser that guessed at codes, after the right password, until it was turned away."""
        AllowedNetwork.objects.create(network="127.0.0.1/32")
        with_app(admin)
        client = password_given(admin)
        assert [give_code(client, "wrong").status_code for _ in range(6)] == [200] * 5 + [429]
        return client

    def test_the_right_code_is_turned_away_too(self, waiting: Client) -> None:
        assert give_code(waiting, shown_code()).status_code == 429
        assert not is_in(waiting)
        assert TotpDevice.objects.get().last_step == -1

    def test_elsewhere_it_lets_in(self, waiting: Client, admin: User) -> None:
        client = password_given(admin, host="198.51.100.9")
        give_code(client, shown_code())
        assert is_in(client)

    def test_nor_does_it_confirm_anything(self, waiting: Client, admin: User) -> None:
        client = signed_in(admin)
        session = client.session
        session[sessions.CONFIRMED] = 0
        session.save()
        address = reverse("admin:add_app")
        assert client.post(address, {confirming.SEALED: "", "confirm-code": shown_code()}).status_code == 429
        assert client.session[sessions.CONFIRMED] == 0


def test_who_knows_the_password_alone_takes_no_guess_at_the_code_off_the_count(admin: User) -> None:
    with_app(admin)
    client = password_given(admin)
    answers = []
    for _ in range(3):
        answers.append(give_code(client, "wrong").status_code)
        body = {"username": admin.username, "password": PASSWORD}
        assert Client().post("/api/v1/login", body, content_type="application/json").status_code == 403
    assert answers == [200, 200, 200]
    assert WatchedHost.objects.get(username="").count == 3


@pytest.mark.parametrize("by", ["code", "recovery code"])
def test_an_account_that_ended_meanwhile_does_not_come_in(admin: User, by: str) -> None:
    with_app(admin)
    code = enrolment.make_codes(admin)[0] if by == "recovery code" else shown_code()
    client = password_given(admin)
    User.objects.update(expires_at=timezone.now())
    assert give_code(client, code).headers["Location"] == LOGIN
    assert ("admin:second_factor", 200, "admin") not in events()


def test_a_form_without_a_name_or_a_password_is_no_try_to_sign_in(admin: User) -> None:
    client = Client()
    for form in ({}, {"username": "admin"}, {"password": "x"}):
        assert client.post(LOGIN, form).status_code == 200
    assert not events()
    client.post(LOGIN, {"username": "admin", "password": "x"})
    assert events() == [("admin:login", 401, "admin")]
