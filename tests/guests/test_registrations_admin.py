"""Registrations in the admin: who sees which, how they are found, and what their page tells."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateways.models import Gateway
from guests import devices, registration, terms
from guests.applying import Application, Visitor
from guests.models import Approval, Code, CodeMessage, Device, Guest, GuestType, Registration, Sponsor, Stage
from messaging.models import Message
from messaging.retries import Kind
from portal.models import AuditEvent, User
from tests.portal.admin_pages import SECRET, a_message, page, questions, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/guests/registration/"
PHONE = "+79161234567"


@pytest.fixture
def browser(receptionist: User) -> Client:
    """The reception's."""
    return signed_in(receptionist)


def one(guest: Guest | None = None, **changes: Any) -> Registration:
    """Somebody tried to come in."""
    number = Registration.objects.count()
    values = {"token_digest": f"{SECRET} {number}", "phone": f"+791600000{number:02}", "language": "en"}
    return Registration.objects.create(guest=guest, **{**values, **changes})


def listed(browser: Client, **asks: str) -> set[int]:
    return {row.pk for row in browser.get(LIST, asks).context["cl"].result_list}


def test_a_registration_is_told_from_the_terms_to_the_devices(browser: Client, sandbox: Gateway, admin: User) -> None:
    agreed = terms.draft("en", "Be kind.")
    terms.publish(agreed)
    visitor = Visitor(address="192.0.2.7", mac="02:00:00:00:00:01", arrival={"ssid": "Lobby"})
    started = registration.start(Application(phone=PHONE, language="en", accepted=agreed.pk), visitor)
    code = Message.objects.get(kind=Kind.CODE)
    registration.confirm(started.registration, "".join(filter(str.isdigit, code.text or ""))[:6])
    row = Registration.objects.get()
    html = browser.get(page(Registration, "change", row.pk)).content.decode()
    for told in (agreed.digest, "192.0.2.7", "02:00:00:00:00:01", "Lobby", "registered", "1 of 5"):
        assert told in html
    assert page(Guest, "change", Guest.objects.get().pk) in html
    for secret in (started.token, row.token_digest, code.text, row.password):
        assert secret
        assert secret not in html
    assert page(Message, "change", code.pk) not in html, "who may not read messages is led to none"
    html = signed_in(admin).get(page(Registration, "change", row.pk)).content.decode()
    assert page(Message, "change", code.pk) in html


def test_the_page_tells_what_the_sponsor_said(browser: Client) -> None:
    row = one(stage=Stage.DONE)
    anna = Sponsor.objects.create(name="Anna Petrova", email="anna@example.org")
    Approval.objects.create(
        registration=row, sponsor=anna, approved=True, decided_at=timezone.now(), stay=timedelta(days=2)
    )
    html = browser.get(page(Registration, "change", row.pk)).content.decode()
    for told in ("Anna Petrova", "approved", "2 days"):
        assert told in html


def test_who_sees_own_guests_only_sees_their_registrations_only(sponsor: User, own: Guest, foreign: Guest) -> None:
    mine, theirs, nobodys = one(own), one(foreign), one()
    client = signed_in(sponsor)
    assert listed(client) == {mine.pk}
    assert listed(client, q=foreign.username) == set()
    assert client.get(page(Registration, "change", mine.pk)).status_code == 200
    for hidden in (theirs, nobodys):
        assert client.get(page(Registration, "change", hidden.pk), follow=True).context.get("original") is None


@pytest.mark.parametrize("typed", ["8 (916) 123-45-67", "bob", "02-00-00-00-00-0A"])
def test_it_is_found_by_phone_user_name_and_device(browser: Client, guest: Guest, typed: str) -> None:
    one()
    found = one(guest, phone=PHONE, mac="02:00:00:00:00:0a")
    assert listed(browser, q=typed) == {found.pk}


@pytest.mark.parametrize("typed", ["no such thing", "0"])
def test_what_nobody_has_finds_nobody(browser: Client, typed: str) -> None:
    one()
    assert listed(browser, q=typed) == set()


def test_it_is_filtered_by_what_it_has_reached(browser: Client) -> None:
    sent = Code.objects.create(phone=PHONE, sends=1)
    unsent = Code.objects.create(phone="+79160000000", sends=0)
    started, waits, done = one(code=unsent), one(code=sent, stage=Stage.APPROVAL), one(code=sent, stage=Stage.DONE)
    Registration.objects.filter(pk__in=[waits.pk, done.pk]).update(verified_at=timezone.now())
    assert listed(browser) == {started.pk, waits.pk, done.pk}
    assert listed(browser, reached="code") == listed(browser, reached="phone") == {waits.pk, done.pk}
    assert listed(browser, reached="online") == {done.pk}
    assert listed(browser, stage__exact="approval") == {waits.pk}


def test_the_page_of_one_asks_no_more_for_many_messages_and_devices(
    browser: Client, sandbox: Gateway, guest: Guest
) -> None:
    code = Code.objects.create(phone=PHONE)
    row = one(guest, code=code, stage=Stage.DONE)
    address = page(Registration, "change", row.pk)

    def more(number: int) -> None:
        CodeMessage.objects.create(code=code, registration=row, message=a_message(sandbox, kind=Kind.CODE))
        Device.objects.create(guest=guest, mac=f"02:00:00:00:00:0{number}")

    more(0)
    few = len(questions(browser, address))
    for number in range(1, 6):
        more(number)
    assert len(questions(browser, address)) == few


class TestThePageOfTheGuest:
    def test_it_shows_registrations_and_devices(self, browser: Client, guest: Guest) -> None:
        row = one(guest, stage=Stage.DONE)
        devices.note(guest, "02:00:00:00:00:01", "Lobby")
        html = browser.get(page(Guest, "change", guest.pk)).content.decode()
        for told in (page(Registration, "change", row.pk), "02:00:00:00:00:01", "Lobby"):
            assert told in html

    def test_a_device_is_forgotten_and_has_made_room(self, browser: Client, guest: Guest) -> None:
        Guest.objects.filter(pk=guest.pk).update(guest_type=GuestType.objects.create(name="One", devices=1))
        guest.refresh_from_db()
        old = devices.note(guest, "02:00:00:00:00:01")
        assert old
        address = reverse("admin:guests_guest_forget_device", args=(guest.pk,))
        for _click in range(2):
            assert browser.post(address, {"device": old.pk}).headers["Location"] == page(Guest, "change", guest.pk)
        assert devices.note(guest, "02:00:00:00:00:02")
        event = AuditEvent.objects.get(action="admin:guests_guest_forget_device")
        assert (event.object_id, event.request) == ("bob", {"device": "02:00:00:00:00:01"})

    def test_devices_of_others_are_let_be(
        self, sponsor: User, auditor: User, own: Guest, foreign: Guest, browser: Client
    ) -> None:
        theirs = devices.note(foreign, "02:00:00:00:00:01")
        assert theirs
        of_own, of_foreign = (reverse("admin:guests_guest_forget_device", args=(one.pk,)) for one in (own, foreign))
        assert signed_in(sponsor).post(of_foreign, {"device": theirs.pk}).status_code == 404
        signed_in(sponsor).post(of_own, {"device": theirs.pk})
        refused = signed_in(auditor).post(of_foreign, {"device": theirs.pk})
        assert refused.status_code == 403
        assert "USERS_UPDATE" in refused.content.decode()
        assert "Forget device" not in signed_in(auditor).get(page(Guest, "change", foreign.pk)).content.decode()
        assert Device.objects.get() == theirs
        assert browser.get(of_foreign).status_code == 405
