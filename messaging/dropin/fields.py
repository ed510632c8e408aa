"""Fields that a call may leave out: of most of what the systems document, most programs send nothing."""

from typing import Any

from rest_framework import serializers

_MAY_BE_LEFT_OUT: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}


def text(**more: Any) -> serializers.CharField:
    """A text; empty where it is not there."""
    return serializers.CharField(**{**_MAY_BE_LEFT_OUT, **more})


def shaped(pattern: str, wrong: str, **more: Any) -> serializers.RegexField:
    """A text of this shape, empty where it is not there; `wrong` is told of one of another."""
    return serializers.RegexField(pattern, error_messages={"invalid": wrong}, **_MAY_BE_LEFT_OUT, **more)


def one_of(*choices: str, **more: Any) -> serializers.ChoiceField:
    """One of these, the first where it is not there; an error says which there are."""
    told: dict[str, Any] = {"invalid_choice": f"Choose one of {', '.join(choices)}."}
    usual = {**_MAY_BE_LEFT_OUT, "default": choices[0]}
    return serializers.ChoiceField(choices, error_messages=told, **usual, **more)
