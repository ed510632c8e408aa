"""A Resource says how rows of a model look on the wire, and which of their columns may be searched and sorted.

    GATEWAYS = Resource(
        singular="sms_gateway",
        key="name",
        rows=lambda: Gateway.objects.all(),
        ordering=("priority", "name"),
        columns={"name": text("name"), "priority": number("priority"), "enabled": yes_no("enabled"),
                 "settings": shown(masked_settings, serializers.DictField()), "created": moment("created")},
        example={"name": "sandbox", "priority": 100, "enabled": True, ...},
    )

Paths lead through foreign keys only (`gateway__name`): a path to many rows would repeat what it finds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from rest_framework import serializers

from portal.api.inputs import Moment
from portal.permissions import is_for_some_gateways, of_its_gateways

Field = serializers.Field[Any, Any, Any, Any]


@dataclass(frozen=True)
class Column:
    """One name on the wire. `path` is the ORM's; an empty one can be neither searched nor sorted.

    A field that allows null says so in the OpenAPI document; a search names null with `equals` alone, on any column.
    """

    path: str
    field: Field
    read: Callable[[Any], Any] | None = None

    def value(self, row: Any) -> Any:
        """What is shown of the row."""
        if self.read:
            return self.read(row)
        if "__" not in self.path:
            return getattr(row, self.path, None)
        return reduce(lambda found, name: getattr(found, name, None), self.path.split("__"), row)

    @property
    def is_text(self) -> bool:
        """Whether parts of it can be searched."""
        return isinstance(self.field, serializers.CharField)


@dataclass(frozen=True)
class Resource:
    """`singular` is the item's path, `key` the column that identifies it, `ordering` the order unless asked.

    `gateways` are the paths to a row's gateways: for a key that is for other ones the row does not exist; nor does any
    where rows are `of_all_gateways`, for a key that is not for all.
    `told` makes of them what may be told to a caller, where that depends on who it is.
    `shape_name` tells two resources of one model apart in the OpenAPI document.
    """

    singular: str
    key: str
    rows: Callable[[], QuerySet[Any]]
    columns: Mapping[str, Column]
    ordering: Sequence[str] = ("pk",)
    example: Mapping[str, Any] = field(default_factory=dict)
    shape_name: str = ""
    gateways: Sequence[str] = ()
    of_all_gateways: bool = False
    told: Callable[[QuerySet[Any], object], QuerySet[Any]] | None = None

    def rows_for(self, caller: object) -> QuerySet[Any]:
        """The rows that exist for this caller."""
        if self.of_all_gateways and is_for_some_gateways(caller):
            return self.rows().none()
        rows = self.rows().filter(of_its_gateways(caller, *self.gateways)) if self.gateways else self.rows()
        return self.told(rows, caller) if self.told else rows

    def item(self, row: Any, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The row as it is answered, all of it or these columns only."""
        return {name: self.columns[name].value(row) for name in (names or self.columns)}

    def id_of(self, row: Any) -> Any:
        """What identifies the row on the wire."""
        return self.columns[self.key].value(row)

    def location(self, row: Any) -> str:
        """The path of the row's item."""
        return f"/api/v1/{self.singular}/{quote(str(self.id_of(row)), safe='')}"

    @cached_property
    def shape(self) -> type[serializers.Serializer[Any]]:
        """The item as a serializer, for the OpenAPI document."""
        return type(self._name(), (serializers.Serializer,), self._fields(always=True))

    @cached_property
    def row_shape(self) -> type[serializers.Serializer[Any]]:
        """The item of a list, which has the columns only that were asked for."""
        name = f"{self._name().removesuffix('Item')}Row"
        return type(name, (serializers.Serializer,), self._fields(always=False))

    def _name(self) -> str:
        return self.shape_name or f"{self.singular.title().replace('_', '')}Item"

    def _fields(self, *, always: bool) -> dict[str, Field]:
        return {column: _shown(found.field, always=always) for column, found in self.columns.items()}


def _shown(field_: Field, *, always: bool) -> Field:
    copied: Field = field_.__deepcopy__({})
    copied.read_only, copied.required = always, False
    return copied


def text(path: str, *, nullable: bool = False) -> Column:
    """A string column."""
    return Column(path, serializers.CharField(allow_blank=True, trim_whitespace=False, allow_null=nullable))


def address(path: str, *, nullable: bool = False) -> Column:
    """An IP address, of which parts can be searched as of a text."""
    return Column(path, serializers.IPAddressField(allow_null=nullable))


def number(path: str, *, nullable: bool = False) -> Column:
    """A whole number of at most 64 bits."""
    return Column(path, serializers.IntegerField(min_value=-(2**63), max_value=2**63 - 1, allow_null=nullable))


def fraction(path: str) -> Column:
    """A floating-point number."""
    return Column(path, serializers.FloatField())


def yes_no(path: str) -> Column:
    """A truth value."""
    return Column(path, serializers.BooleanField())


def moment(path: str, *, nullable: bool = False) -> Column:
    """A point in time, ISO 8601, answered in UTC; asked for without an offset it is meant in the portal's time zone."""
    return Column(path, Moment(allow_null=nullable))


def choice(path: str, choices: Iterable[Any]) -> Column:
    """One of the choices, which a search must name exactly."""
    return Column(path, serializers.ChoiceField(choices=list(choices)))


def shown(read: Callable[[Any], Any], shape: Field | None = None) -> Column:
    """Worked out from the row; it can be neither searched nor sorted."""
    return Column("", shape or serializers.CharField(), read)
