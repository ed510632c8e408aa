"""Fields of the searches that concern messages, and those who get them."""

from typing import Any

from rest_framework import serializers

from messaging import phones
from portal.errors import Refusal


class PhoneText(serializers.CharField):
    """A phone to search for: a whole number is found in whatever way it is written, a part of one as it stands."""

    def to_internal_value(self, data: Any) -> str:
        written: str = super().to_internal_value(data)
        try:
            return phones.normalise(written)
        except Refusal:
            return written
