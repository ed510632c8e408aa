"""Input, the base of what a request's body may hold, and its description for OPTIONS."""

from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], str], ...] = (
    (serializers.BooleanField, "boolean"),
    (serializers.IntegerField, "integer"),
    (serializers.FloatField, "number"),
    (serializers.DecimalField, "number"),
    (serializers.ListField, "array"),
    (serializers.ListSerializer, "array"),
    (serializers.DictField, "object"),
    (serializers.BaseSerializer, "object"),
)


class Input(serializers.Serializer[Any]):
    """A serializer that refuses what it does not know: a misspelt field must not be lost in silence."""

    #: Whether what it says of a body depends on the body alone: then one of it serves all requests.
    asks_nobody: ClassVar[bool] = False

    def to_internal_value(self, data: Any) -> Any:
        """The validated fields. Raises ValidationError naming every field at fault."""
        errors: dict[str, Any] = {}
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            passed_over = self._read_only_columns()
            errors = {str(name): [self.unknown_field] for name in unknown if name not in passed_over}
        try:
            fields = super().to_internal_value(data)
        except ValidationError as found:
            raise ValidationError({**errors, **dict(found.detail)}) from None  # type: ignore[arg-type]
        if errors:
            raise ValidationError(errors)
        return fields

    @property
    def unknown_field(self) -> str:
        """What is said of a field that it does not know."""
        return f"Unknown field. Known: {', '.join(self.fields)}"

    def _read_only_columns(self) -> frozenset[str]:
        """What an item shows and no body sets: whoever puts back what GET answered must not pick these out first."""
        view = self.context.get("view")
        if view is None or self.root is not self or view.request.method not in {"PUT", "PATCH"}:
            return frozenset()
        resource = getattr(view, "resource", None)
        return frozenset(resource.columns if resource else ())


@cache
def shared(serializer: type[Input]) -> Input:
    """The one of this class that serves all requests; to be used with `run_validation` alone."""
    return serializer()


class Moment(serializers.DateTimeField):
    """A point in time, ISO 8601; one without an offset is meant in the portal's time zone."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value)
        except OverflowError:
            # The framework itself stumbles over the first and the last day of the calendar.
            self.fail("invalid", format="ISO 8601")


def describe(serializer: serializers.Serializer[Any]) -> dict[str, dict[str, Any]]:
    """`{field: {type, required, default, placeholder}}` of every field that may be written."""
    return {name: _describe(field) for name, field in serializer.fields.items() if not field.read_only}


def _describe(field: Any) -> dict[str, Any]:
    known = field.default
    return {
        "type": next((name for kind, name in _TYPES if isinstance(field, kind)), "string"),
        "required": field.required,
        "default": None if known is serializers.empty or callable(known) else known,
        "placeholder": str(field.style["placeholder"]) if "placeholder" in field.style else None,
    }
