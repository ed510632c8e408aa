"""The body of `send_sms_batch`: each of its messages as the domain knows it, or what is wrong with its shape."""

import re
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from messaging import sending
from messaging.api.sends import TextInput
from messaging.models.row import LONGEST_CALLER_REFERENCE
from messaging.sending import Faulty, Item
from portal import audit
from portal.api.envelope import faults
from portal.api.inputs import Input
from portal.api.lenient_json import is_storable

#: What a field of an item is called in the domain.
OUR_NAMES = {"phone_number": "phone", "message": "text", "": "items"}

# A caller's name for a field is kept and repeated, thousands of times: only a short one is.
_SHORT = re.compile(r"\w{1,50}", re.ASCII)


class BatchItemInput(TextInput):
    """One message of a batch."""

    reference = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=LONGEST_CALLER_REFERENCE,
        help_text="Your own name for the message: `caller_reference` of `messages`",
    )


class Items(serializers.ListField):
    """A list whose items are looked at by `read`: what is wrong with one of them stops no other."""

    child = BatchItemInput()

    def run_child_validation(self, data: Any) -> Any:
        return data


class BatchInput(Input):
    """The body of `send_sms_batch`."""

    sms_gateway = serializers.CharField(max_length=100)
    messages = Items(min_length=1, max_length=sending.MOST)


def read(messages: Sequence[Any]) -> list[Item | Faulty]:
    """Each message as the domain knows it, or what is wrong with its shape."""
    given = BatchItemInput()
    longest = {
        name: field.max_length for name, field in given.fields.items() if isinstance(field, serializers.CharField)
    }
    return [_plain(one, longest) or _second_look(one, given) for one in messages]


def _plain(one: Any, longest: dict[str, int | None]) -> Item | None:
    """An item of the usual shape, at a fraction of what the framework costs; None where that has to look."""
    if type(one) is not dict:
        return None
    for name, value in one.items():
        if type(value) is not str or name not in longest or len(value) > (longest[name] or 0):
            return None
    phone, message = one.get("phone_number"), one.get("message")
    return Item(phone, message, one.get("reference", "").strip()) if phone and message else None


def _second_look(one: Any, given: BatchItemInput) -> Item | Faulty:
    if unknown := _unknown(one, given):
        return Faulty("items", given.unknown_field, _reference(one), unknown)
    try:
        fields = given.run_validation(one)
    except ValidationError as error:
        field, sentence = faults(error.get_full_details())[0]
        return Faulty(OUR_NAMES.get(field, field), sentence, _reference(one))
    return Item(fields["phone_number"], fields["message"], fields["reference"])


def _unknown(one: Any, given: BatchItemInput) -> str:
    """The first field that nobody knows, by its name where that may be kept."""
    unknown = next((name for name in one if name not in given.fields), None) if isinstance(one, dict) else None
    if unknown is None:
        return ""
    return audit.shown_name(unknown) if _SHORT.fullmatch(unknown) else audit.UNNAMED


def _reference(one: Any) -> str:
    """By what its caller may know a faulty item."""
    found = one.get("reference") if isinstance(one, dict) else ""
    return found.strip()[:LONGEST_CALLER_REFERENCE] if isinstance(found, str) and is_storable(found) else ""
