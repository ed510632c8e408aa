"""`client_id_sms` of POST /xml/: the caller's own number for an SMS, which sends once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from messaging import sending
from messaging.dropin.targetsms.times import local
from messaging.models import Door, Message, OptOut
from messaging.retries import Kind
from portal.models import User
from tests.gateways.conftest import at_once
from tests.messaging.targetsms import (
    PHONE,
    PLUS_PHONE,
    SEND,
    Element,
    as_attributes,
    attributes,
    message,
    message_of,
    post,
    read,
    send,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox", "operator")]


def numbered(number: int | str, text: str = "Hi", phone: str = PHONE) -> Element:
    (item,) = send(f'phone="{phone}" number_sms="1" client_id_sms="{number}"', text=text)
    return item


def test_a_number_that_was_used_sends_nothing_and_gives_the_earlier_id() -> None:
    first = numbered(101)
    again = numbered(101, text="another text", phone="79161234568")
    assert attributes(again) == attributes(first)
    assert again.text == "send"
    assert Message.objects.get().text == "Hi"
    assert Message.objects.get().caller_reference == "101"


def test_leading_zeros_make_no_other_number() -> None:
    assert numbered("007").get("id_sms") == numbered("7").get("id_sms")


@pytest.mark.parametrize("none", ["0", "00", ""])
def test_nought_is_no_number(none: str) -> None:
    """Programs have it where a message has no number yet: all of them but the first would be lost."""
    assert numbered(none).get("id_sms") != numbered(none, text="another text").get("id_sms")
    assert set(Message.objects.values_list("text", "caller_reference")) == {("Hi", None), ("another text", None)}


def test_a_number_that_is_twice_in_one_document_is_sent_once() -> None:
    one = f'phone="{PHONE}" client_id_sms="5"'
    items = send(one, one, f'phone="{PHONE}" client_id_sms="6"', one)
    first, again, other, once_more = (item.get("id_sms") for item in items)
    assert first == again == once_more != other
    assert Message.objects.count() == 2


def test_as_the_vendors_plugin_numbers_anew_in_each_message() -> None:
    """Of one form it tells the shop and who filled it in, in one document, and both are its phone number 1."""

    def submit() -> list[Element]:
        shop = message(f'phone="{PHONE}" number_sms="1" client_id_sms="17959755111"', text="An order")
        guest = message('phone="79161234568" number_sms="1" client_id_sms="17959755111"', text="Thank you")
        return list(read(post(SEND, shop + guest)))

    first, again = ([item.get("id_sms") for item in submit()] for _ in range(2))
    assert len(set(first)) == 2
    assert again == first
    assert {(one.phone, one.text) for one in Message.objects.all()} == {
        (PLUS_PHONE, "An order"), ("+79161234568", "Thank you"),
    }  # fmt: skip


def test_new_numbers_are_sent_beside_used_ones() -> None:
    used = numbered(1).get("id_sms")
    items = send(*(f'phone="{PHONE}" client_id_sms="{number}"' for number in (1, 2, 3)))
    assert [item.text for item in items] == ["send"] * 3
    assert items[0].get("id_sms") == used
    assert Message.objects.count() == 3


def test_a_number_of_what_was_refused_may_be_used_again() -> None:
    assert numbered(101, phone="12").text == "Укажите номер телефона."
    assert numbered(101).text == "send"


def test_it_is_told_as_sent_even_when_it_would_be_too_late_to_send_it() -> None:
    """A program that got no answer repeats its document as it was, which may be past the time it named in it."""
    at = timezone.now()
    one = f'phone="{PHONE}" client_id_sms="101" validity_period="{local(at + timedelta(minutes=5))}"'
    (first,), later = send(one), f'phone="{PHONE}" client_id_sms="102" validity_period="{local(at)}"'
    with time_machine.travel(at + timedelta(minutes=10)):
        again, other = send(one, later)
    assert attributes(again) == attributes(first)
    assert (again.text, other.text) == ("send", "Срок доставки сообщения закончился бы до отправки.")
    assert Message.objects.count() == 1


def test_what_the_stop_list_held_back_stays_so_under_its_number() -> None:
    OptOut.objects.create(phone=PLUS_PHONE)
    assert numbered(101).text == numbered(101).text == "Номер телефона присутствует в стоп-листе."
    assert Message.objects.count() == 1


def test_the_numbers_of_another_user_are_other_numbers(admin: User) -> None:
    numbered(101)
    (item,) = read(post(SEND, message(f'phone="{PHONE}" client_id_sms="101"'), as_attributes("admin")))
    assert message_of(item).requested_by == admin
    assert Message.objects.count() == 2


def test_a_name_given_by_another_door_is_another_name(operator: User) -> None:
    wish: dict[str, Any] = {"phone": PHONE, "text": "Hi", "kind": Kind.INFORMATION, "gateway_name": ""}
    sending.send(**wish, requested_by=operator, door=Door.API, caller_reference="101")
    numbered(101)
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_concurrent_repeats_one_is_sent() -> None:
    numbered(1)
    ids = at_once(lambda: numbered(101).get("id_sms"), 6)
    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert Message.objects.filter(caller_reference="101").count() == 1
