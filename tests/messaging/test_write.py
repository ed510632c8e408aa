"""*Write*: a text to guests, typed numbers and a CSV."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateways.models import Gateway
from guests.models import Guest
from messaging import opt_outs
from messaging.models import Batch, Door, Message, MessageTemplate, State, Wait
from messaging.retries import Kind
from portal.models import AuditEvent
from portal.permissions import SENDING, Right
from tests.portal.admin_pages import page, signed_in, staff_with

WRITE = "/admin/messages/write/"


@pytest.fixture
def clerk(db: None) -> Client:
    """May send, read messages and guests; reads English."""
    client = signed_in(staff_with("clerk", Right.MESSAGES_READ, Right.USERS_READ, *SENDING))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def filled(through: Gateway, /, **changes: Any) -> dict[str, Any]:
    """The form with one number in it."""
    return {
        "numbers": "8 916 123-45-67", "text": "The pool is open", "gateway": str(through.pk), "token": "t" * 32,
    } | changes  # fmt: skip


def errors(response: Any) -> str:
    """What the form is told, in one text."""
    found = response.context["form"].errors
    return " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in found.items())


def test_the_form_offers_the_default_gateway(clerk: Client, sandbox: Gateway) -> None:
    html = clerk.get(WRITE).content.decode()
    assert f'<option value="{sandbox.pk}" selected>' in html


def test_it_is_sent_only_after_it_was_looked_at(clerk: Client, sandbox: Gateway) -> None:
    Gateway.objects.update(segment_price="2.50")
    asked = clerk.post(WRITE, filled(sandbox, numbers="+79161234567, 9161234568\n9161234567"))
    html = asked.content.decode()
    assert "Send 2 messages" in html
    assert "GSM-7 · 1 segment" in html
    assert "2 recipients · costs about 5.00 RUB" in html
    assert asked.context["duplicates"] == ["+79161234567"]
    assert not Message.objects.exists()
    sent = clerk.post(WRITE, asked.context["carried"] | {"confirmed": "yes"})
    batch = Batch.objects.get()
    assert sent.headers["Location"] == page(Batch, "change", batch.pk)
    assert (batch.name, batch.total, batch.requested_by and batch.requested_by.username) == (
        "The pool is open", 2, "clerk",
    )  # fmt: skip
    assert {(one.phone, one.door, one.kind) for one in batch.messages.all()} == {
        ("+79161234567", Door.WRITE, Kind.INFORMATION), ("+79161234568", Door.WRITE, Kind.INFORMATION),
    }  # fmt: skip
    event = AuditEvent.objects.get(action="admin:messaging_batch_send")
    assert (event.object_id, event.request["recipients"]) == (str(batch.pk), 2)


def test_a_form_that_is_sent_twice_sends_once(clerk: Client, sandbox: Gateway) -> None:
    form = filled(sandbox, confirmed="yes")
    first, second = clerk.post(WRITE, form), clerk.post(WRITE, form)
    assert first.headers["Location"] == second.headers["Location"]
    assert Message.objects.count() == 1
    changed = clerk.post(WRITE, form | {"text": "Something else"})
    assert "was already sent" in errors(changed)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"numbers": "+79161234567\nabc\n12"}, "numbers: Line 2: This is not a phone number"),
        ({"numbers": ""}, "Name somebody"),
        ({"text": ""}, "text: "),
        ({"text": "a" * 5000}, "text: The text needs"),
        ({"gateway": "999999"}, "gateway: "),
        ({"schedule": "2020-01-01T12:00"}, "schedule: This time is over"),
        ({"schedule": "2099-01-01T12:00"}, "schedule: Name a time within the next 30 days"),
        ({"schedule": "soon"}, "schedule: "),
        ({"guests": "nobody.here"}, "guests: There is no guest “nobody.here”"),
        ({"token": ""}, "token: "),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_lost(
    clerk: Client, sandbox: Gateway, changes: dict[str, str], sentence: str
) -> None:
    response = clerk.post(WRITE, filled(sandbox, **changes) | {"confirmed": "yes"})
    assert sentence in errors(response)
    assert not Message.objects.exists()
    if "text" not in changes:
        assert "The pool is open" in response.content.decode()


def test_a_csv_is_read_and_its_faulty_rows_are_left_out_and_named(clerk: Client, sandbox: Gateway) -> None:
    rows = "Имя;Телефон\nАнна;8 916 123-45-67\nБорис;нет\nВера;89161234568\nВера;89161234568\n"
    file = SimpleUploadedFile("guests.csv", rows.encode("cp1251"))
    asked = clerk.post(WRITE, filled(sandbox, numbers="+79161234567", file=file))
    html = asked.content.decode()
    assert "1 row of the file is left out" in html
    assert "Line 3:" in html
    assert "Send 2 messages" in html
    assert set(asked.context["duplicates"]) == {"+79161234567", "+79161234568"}
    clerk.post(WRITE, asked.context["carried"] | {"confirmed": "yes"})
    assert set(Message.objects.values_list("phone", flat=True)) == {"+79161234567", "+79161234568"}


def test_ten_of_a_long_list_are_shown_and_thousands_are_sent(clerk: Client, sandbox: Gateway) -> None:
    rows = "\n".join(f"+7916{number:07}" for number in range(3000))
    asked = clerk.post(WRITE, filled(sandbox, numbers="", file=SimpleUploadedFile("a.csv", rows.encode())))
    assert asked.content.decode().count("<li>+7916") == 10
    assert "and 2990 more" in asked.content.decode()
    clerk.post(WRITE, asked.context["carried"] | {"confirmed": "yes"})
    assert Batch.objects.get().messages.count() == 3000


def test_more_than_a_batch_holds_are_refused(clerk: Client, sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.sending.MOST", 2)
    response = clerk.post(WRITE, filled(sandbox, numbers="+79161234567,+79161234568,+79161234569"))
    assert "at most 2 are allowed" in errors(response)


def test_guests_are_written_to_under_their_pid(clerk: Client, sandbox: Gateway) -> None:
    Guest.objects.create(username="anna", phone="+79161234567", first_name="Anna")
    asked = clerk.post(WRITE, filled(sandbox, numbers="", guests="anna"))
    clerk.post(WRITE, asked.context["carried"] | {"confirmed": "yes"})
    assert Message.objects.get().recipient_label == "anna"
    Guest.objects.create(username="boris")
    assert "has no phone" in errors(clerk.post(WRITE, filled(sandbox, guests="boris")))


def test_however_many_guests_are_named_one_question_finds_them(clerk: Client, sandbox: Gateway) -> None:
    asked = []
    clerk.get(WRITE)
    for count in (1, 40):
        pids = [f"g{count}-{n}" for n in range(count)]
        Guest.objects.bulk_create(Guest(username=pid, phone=f"+7916123{n:04}") for n, pid in enumerate(pids))
        with CaptureQueriesContext(connection) as queries:
            response = clerk.post(WRITE, filled(sandbox, numbers="", guests="\n".join(pids)))
        assert response.context["count"] == count
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_guests_are_found_as_one_types(clerk: Client, sandbox: Gateway) -> None:
    Guest.objects.create(username="anna", phone="+79161234567", first_name="Anna", last_name="Orlova")
    Guest.objects.create(username="boris", phone="+79161234568")
    for typed in ("orl", "ann", "8 916 123-45-67", "+791612345"):
        found = clerk.get("/admin/messages/people/", {"q": typed}).json()["people"]
        assert {"label": "Anna Orlova", "pid": "anna", "phone": "+79161234567"} in found
    assert clerk.get("/admin/messages/people/", {"q": " "}).json()["people"] == []
    blind = signed_in(staff_with("blind", *SENDING))
    assert blind.get("/admin/messages/people/", {"q": "anna"}).json()["people"] == []


def test_who_opted_out_is_counted_before_and_suppressed_after(clerk: Client, sandbox: Gateway) -> None:
    opt_outs.opt_out("+79161234567")
    asked = clerk.post(WRITE, filled(sandbox))
    assert asked.context["suppressed"] == 1
    clerk.post(WRITE, asked.context["carried"] | {"confirmed": "yes"})
    assert Message.objects.get().state == State.SUPPRESSED


def test_a_time_is_that_of_the_readers_clock(clerk: Client, sandbox: Gateway) -> None:
    at = timezone.localtime(timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    asked = clerk.post(WRITE, filled(sandbox, schedule=f"{at:%Y-%m-%dT%H:%M}"))
    clerk.post(WRITE, asked.context["carried"] | {"confirmed": "yes"})
    message = Message.objects.get()
    assert (message.due_at, message.waits_for) == (at, Wait.SCHEDULE)
    assert Batch.objects.get().scheduled_for == at


def test_one_may_go_back_and_change_something(clerk: Client, sandbox: Gateway) -> None:
    file = SimpleUploadedFile("a.csv", b"+79161234568\n")
    asked = clerk.post(WRITE, filled(sandbox, file=file))
    again = clerk.post(WRITE, asked.context["carried"] | {"edit": "1"}).content.decode()
    assert "+79161234567,+79161234568" in again
    assert "The pool is open" in again
    assert not Message.objects.exists()


def test_a_template_fills_the_text_without_javascript(clerk: Client, sandbox: Gateway) -> None:
    template = MessageTemplate.objects.create(
        kind=Kind.INFORMATION, language="en", name="Pool", text="$portal: pool open"
    )
    html = clerk.post(WRITE, {"template": template.pk, "fill": "1", "numbers": "+79161234567"}).content.decode()
    assert "Guest Wi-Fi: pool open</textarea>" in html
    assert "+79161234567</textarea>" in html


def test_the_meter_counts_and_prices_what_is_there(clerk: Client, sandbox: Gateway) -> None:
    Gateway.objects.update(segment_price="1.20", currency="RUB")
    form = {"text": "Бассейн" * 11, "gateway": sandbox.pk, "numbers": "9161234567\nabc\n9161234567", "guests": "anna"}
    found = clerk.post("/admin/messages/measure/", form).json()
    assert found["says"].startswith("UCS-2 · 2 segments · 77 characters")
    assert found["cost"] == "2 recipients · costs about 4.80 RUB"
    assert "wrong" in clerk.post("/admin/messages/measure/", {"text": " "}).json()


def test_a_faulty_form_is_in_the_audit_trail_without_its_numbers(clerk: Client, sandbox: Gateway) -> None:
    clerk.post(WRITE, filled(sandbox, numbers="+79161234567\nabc"))
    event = AuditEvent.objects.get()
    assert event.status == 422
    assert "79161234567" not in str(event.request)
    assert "pool" not in str(event.request)


@pytest.mark.parametrize("lacking", SENDING)
def test_who_lacks_a_right_is_told_which(sandbox: Gateway, lacking: Right) -> None:
    client = signed_in(staff_with("reader", *({Right.MESSAGES_READ, *SENDING} - {lacking})))
    for response in (
        client.get(WRITE),
        client.post(WRITE, filled(sandbox, confirmed="yes")),
        client.post("/admin/messages/measure/", {"text": "x"}),
        client.get("/admin/messages/people/", {"q": "a"}),
    ):
        assert response.status_code == 403
        assert lacking.value in response.content.decode()
    assert not Message.objects.exists()
    assert WRITE not in client.get(page(Message, "changelist")).content.decode()


def test_the_navigation_leads_there(clerk: Client, sandbox: Gateway) -> None:
    assert WRITE in clerk.get(page(Message, "changelist")).content.decode()


def test_a_stranger_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get(WRITE).status_code == 302
