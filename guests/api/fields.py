"""Fields of the bodies that concern guests."""

from typing import Any

from rest_framework import serializers

#: A longer one is no password but an attempt to keep our processor busy with hashing.
LONGEST_PASSWORD = 128


class Text(serializers.CharField):
    """A detail that may be empty; null is empty too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, default="", **options)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values("" if data is None else data)


class PasswordField(serializers.CharField):
    """A password as it is: spaces at its ends belong to it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=LONGEST_PASSWORD, write_only=True, **options)
