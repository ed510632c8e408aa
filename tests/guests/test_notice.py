"""Notice before a stay ends, and the link in it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone, translation
from pytest_django import Settings

from gateways.models import Gateway
from guests import accounts, notice, stays
from guests.models import CountsFrom, Guest, GuestType
from guests.notice import LinkOver
from messaging import opt_outs
from messaging.models import Message, State
from messaging.retries import Kind

pytestmark = pytest.mark.django_db

PHONE = "+79161234567"


@pytest.fixture
def kind(db: None) -> GuestType:
    return GuestType.objects.create(name="Day", longest_stay=timedelta(days=3), notice_hours=2, may_extend=True)


def make(kind: GuestType, name: str = "bob", left: timedelta = timedelta(hours=1), **details: object) -> Guest:
    end = timezone.now() + left
    given = {"phone": PHONE, "guest_type": kind, "valid_from": end - timedelta(days=1), "valid_until": end}
    return accounts.create(username=name, by=None, **(given | {"language": "en"} | details))  # type: ignore[arg-type]


def text() -> str:
    return Message.objects.get().text or ""


class TestTheMessage:
    def test_it_tells_the_end_and_has_a_link(self, kind: GuestType, sandbox: Gateway, settings: Settings) -> None:
        settings.PORTAL_URL = "https://wifi.example.org"
        guest = make(kind)
        notice.give_notice()
        message = Message.objects.get()
        assert (message.phone, message.kind, message.recipient_label) == (PHONE, Kind.INFORMATION, "bob")
        assert f"{timezone.localtime(guest.valid_until):%H:%M}" in text()
        assert text().endswith(f"https://wifi.example.org/x/{notice.token_of(guest)}")

    @pytest.mark.parametrize("lacks", ["address", "right", "room"])
    def test_it_tells_the_end_alone_where_nothing_can_be_extended(
        self, kind: GuestType, sandbox: Gateway, settings: Settings, lacks: str
    ) -> None:
        settings.PORTAL_URL = "" if lacks == "address" else "https://wifi.example.org"
        GuestType.objects.update(may_extend=lacks != "right")
        make(kind, valid_from=timezone.now() - timedelta(days=4 if lacks == "room" else 1))
        notice.give_notice()
        assert "/x/" not in text()

    def test_it_is_in_the_guests_language(self, kind: GuestType, sandbox: Gateway) -> None:
        make(kind, language="en")
        with translation.override("ru"):
            notice.give_notice()
        assert "your access ends on" in text()

    def test_one_for_each_end(self, kind: GuestType, sandbox: Gateway) -> None:
        guest = make(kind)
        for _turn in range(3):
            notice.give_notice()
        assert Message.objects.count() == 1
        stays.extend(guest, by=None, duration=timedelta(minutes=20))
        notice.give_notice()
        notice.give_notice()
        assert Message.objects.count() == 2

    def test_who_opted_out_gets_none(self, kind: GuestType, sandbox: Gateway) -> None:
        opt_outs.opt_out(PHONE)
        make(kind)
        notice.give_notice()
        assert Message.objects.get().state == State.SUPPRESSED

    def test_who_gets_none(self, kind: GuestType, sandbox: Gateway) -> None:
        make(kind, "early", left=timedelta(hours=3))
        make(kind, "over", left=-timedelta(minutes=1))
        make(kind, "short", valid_from=timezone.now() - timedelta(minutes=30))
        make(kind, "phoneless", phone="")
        stays.suspend(make(kind, "suspended"), why="noise")
        stays.ban(make(kind, "banned"), why="noise")
        stays.anonymise(make(kind, "anonymous"))
        make(GuestType.objects.create(name="No notice"), "untold")
        waits = GuestType.objects.create(name="Waits", notice_hours=2, counts_from=CountsFrom.FIRST_SIGN_IN)
        make(waits, "never_came")
        notice.give_notice()
        assert not Message.objects.exists()

    def test_without_a_gateway_it_is_told_later(self, kind: GuestType) -> None:
        make(kind)
        notice.give_notice()
        assert Guest.objects.get().noticed_end is None
        Gateway.objects.create(name="sandbox", provider="sandbox", is_default=True)
        notice.give_notice()
        assert Message.objects.count() == 1

    def test_a_phone_that_is_none_keeps_nobody_else_waiting(self, kind: GuestType, sandbox: Gateway) -> None:
        Guest.objects.filter(pk=make(kind, "odd", left=timedelta(minutes=30)).pk).update(phone="+1")
        make(kind)
        notice.give_notice()
        assert Message.objects.get().recipient_label == "bob"
        assert Guest.objects.filter(noticed_end=None).count() == 0

    def test_some_in_each_turn(self, kind: GuestType, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notice, "SOME", 2)
        for number in range(3):
            make(kind, f"guest{number}", phone=f"+7916123450{number}")
        notice.give_notice()
        assert Message.objects.count() == 2
        notice.give_notice()
        assert Message.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_several_workers_tell_each_guest_once() -> None:
    Gateway.objects.create(name="sandbox", provider="sandbox", is_default=True)
    kind = GuestType.objects.create(name="Day", notice_hours=2)
    for number in range(5):
        make(kind, f"guest{number}", phone=f"+7916123450{number}")

    def work(_number: int) -> None:
        try:
            notice.give_notice()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert Message.objects.count() == 5


class TestTheLink:
    def test_it_extends_the_stay_once(self, kind: GuestType) -> None:
        guest = make(kind)
        token = notice.token_of(guest)
        assert notice.guest_of(token) == guest
        assert notice.extend(token).valid_until == guest.valid_until + timedelta(days=1)
        with pytest.raises(LinkOver) as over:
            notice.extend(token)
        assert over.value.guest == guest

    def test_after_the_end_it_says_that_it_has_expired(self, kind: GuestType) -> None:
        with pytest.raises(LinkOver) as over:
            notice.extend(notice.token_of(make(kind, left=-timedelta(minutes=1))))
        assert "expired" in over.value.sentence

    @pytest.mark.parametrize("token", ["", "-", "a-b", "a-b-c", "1-1-" + "0" * 24, "é-\x00-x", "1" * 5000])
    def test_a_forged_one_opens_nothing(self, kind: GuestType, token: str) -> None:
        make(kind)
        with pytest.raises(LinkOver) as over:
            notice.extend(token)
        assert over.value.guest is None

    def test_a_changed_one_opens_nothing(self, kind: GuestType) -> None:
        key, end, signature = notice.token_of(make(kind)).split("-")
        other = make(kind, "eve", phone="+79161234599")
        with pytest.raises(LinkOver):
            notice.extend(f"{notice.token_of(other).split('-')[0]}-{end}-{signature}")
        assert key

    def test_who_is_gone_or_kept_out_cannot_use_it(self, kind: GuestType) -> None:
        guest = make(kind)
        token = notice.token_of(guest)
        stays.ban(guest, why="noise")
        with pytest.raises(LinkOver):
            notice.guest_of(token)
