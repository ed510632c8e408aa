"""The documented arguments of lists and searches, turned into one page of a Resource."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from django.db.models import F, OrderBy, Q, QuerySet
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from portal.api.envelope import INVALID, InvalidArguments
from portal.api.inputs import Input
from portal.api.resources import Column, Field, Resource

INVALID_QUERY = "Invalid query"
INVALID_FIELDS = "Invalid field(s) defined"
INVALID_SORT = "Invalid field(s) in sort"

DEEPEST = 5
MOST_CONDITIONS = 100

_SORT = re.compile(r"\s*(\w+)(?:\s+(asc|desc))?\s*", re.IGNORECASE)

COMPARE = {
    "equals": "exact",
    "greater_than": "gt",
    "less_than": "lt",
    "greater_than_equals": "gte",
    "less_than_equals": "lte",
    "contains": "icontains",
    "starts_with": "istartswith",
    "ends_with": "iendswith",
}
OPS = (*COMPARE, "not_equals", "between", "not_between", "and", "or")
PARTS_OF_TEXT = frozenset({"contains", "starts_with", "ends_with"})
#: What stands in a part of a text, which need not be what the whole has to be.
PART = serializers.CharField(allow_blank=True, trim_whitespace=False)


class SearchInput(Input):
    """The arguments of a search, and of a list, which has no query."""

    limit = serializers.IntegerField(required=False, default=25, min_value=1, max_value=1000)
    cursor = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)
    sort = serializers.ListField(child=serializers.CharField(), required=False, default=list, max_length=10)
    fields = serializers.ListField(child=serializers.CharField(), required=False, default=list)  # type: ignore[assignment]
    with_total_count = serializers.BooleanField(required=False, default=False)
    query = serializers.JSONField(required=False, allow_null=True, default=None)


@dataclass(frozen=True)
class Search:
    """What was asked: a page of the rows that the query finds."""

    limit: int
    cursor: int
    sort: list[str]
    fields: list[str]
    with_total_count: bool
    query: Any = None


def from_url(parameters: QueryDict) -> Search:
    """The search of a list. Raises InvalidArguments."""
    given: dict[str, Any] = {
        name: parameters[name] for name in ("limit", "cursor", "with_total_count") if name in parameters
    }
    for name in ("sort", "fields"):
        if listed := parameters.get(name):
            given[name] = [part.strip() for part in str(listed).split(",")]
    return from_body(given)


def from_body(body: Mapping[str, Any]) -> Search:
    """The search in a body. Raises InvalidArguments."""
    arguments = SearchInput(data=body)
    try:
        arguments.is_valid(raise_exception=True)
    except ValidationError as error:
        errors = [
            _error(str(scope), body.get(str(scope)), _first_text(found)) for scope, found in _by_name(error).items()
        ]
        raise InvalidArguments(INVALID, errors) from None
    return Search(**arguments.validated_data)


def page(resource: Resource, rows: QuerySet[Any], search: Search) -> dict[str, Any]:
    """The page as it is answered; `nextCursor` is absent on the last one. Raises InvalidArguments."""
    names = _columns_shown(resource, search.fields)
    found = rows.filter(condition(resource, search.query)).order_by(*_ordering(resource, search.sort))
    window = list(found[search.cursor : search.cursor + search.limit + 1])
    answer: dict[str, Any] = {
        "items": [resource.item(row, names) for row in window[: search.limit]],
        "prevCursor": max(0, search.cursor - search.limit),
    }
    if len(window) > search.limit:
        answer["nextCursor"] = search.cursor + search.limit
    if search.with_total_count:
        answer["total_count"] = found.count()
    return answer


def _columns_shown(resource: Resource, names: list[str]) -> list[str]:
    errors = [
        _error("fields", name, f"Unknown field. Known: {', '.join(resource.columns)}")
        for name in names
        if name not in resource.columns
    ]
    if errors:
        raise InvalidArguments(INVALID_FIELDS, errors)
    return list(dict.fromkeys(names))


def _ordering(resource: Resource, sort: list[str]) -> list[str | OrderBy]:
    """What was asked for, then the usual order, so that a page never repeats what the one before it showed."""
    orders = [_order(resource, term) for term in sort]
    errors = [
        _error("sort", term, "Not a field to sort by")
        for term, order in zip(sort, orders, strict=True)
        if order is None
    ]
    if errors:
        raise InvalidArguments(INVALID_SORT, errors)
    return [*(order for order in orders if order is not None), *resource.ordering, "pk"]


def _order(resource: Resource, term: str) -> OrderBy | None:
    found = _SORT.fullmatch(term)
    column = resource.columns.get(found[1]) if found else None
    if not found or not column or not column.path:
        return None
    # Rows without a value come first going up, on every database.
    if (found[2] or "").lower() == "desc":
        return F(column.path).desc(nulls_last=True)
    return F(column.path).asc(nulls_first=True)


def condition(resource: Resource, query: Any) -> Q:
    """The query as the ORM takes it; none finds all. Raises InvalidArguments."""
    return _Query(resource).read(query, 0) if query else Q()


class _Query:
    """Reads one query and counts its conditions, so that no call can ask for endless work."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.conditions = 0

    def read(self, node: Any, depth: int) -> Q:
        self.conditions += 1
        if depth > DEEPEST or self.conditions > MOST_CONDITIONS:
            _refuse(None, f"A query holds at most {MOST_CONDITIONS} conditions, {DEEPEST} deep")
        if not isinstance(node, dict):
            _refuse(node, "A query is an object with `op`")
        op = node.get("op")
        if op == "and" or op == "or":  # noqa: PLR1714 — anything may stand here, lists too
            return self._join(op, node.get("values"), depth)
        return self._compare(op, node)

    def _join(self, op: str, nodes: Any, depth: int) -> Q:
        if not isinstance(nodes, list) or not nodes:
            _refuse(nodes, f"`{op}` needs a list `values`")
        joined = Q()
        for node in nodes:
            joined = joined & self.read(node, depth + 1) if op == "and" else joined | self.read(node, depth + 1)
        return joined

    def _compare(self, op: Any, node: dict[str, Any]) -> Q:
        column = self._column(node.get("field"))
        if op == "not_equals":
            return ~self._equals(column, node)
        if op == "equals":
            return self._equals(column, node)
        if op in {"between", "not_between"}:
            inside = self._between(column, node.get("values"))
            return inside if op == "between" else ~inside
        if not isinstance(op, str) or op not in COMPARE:
            _refuse(op, f"Unknown op. Known: {', '.join(OPS)}")
        if op in PARTS_OF_TEXT and not column.is_text:
            _refuse(op, f"`{op}` is for texts only")
        field = PART if op in PARTS_OF_TEXT else column.field
        return Q(**{f"{column.path}__{COMPARE[op]}": self._value(field, node)})

    def _equals(self, column: Column, node: dict[str, Any]) -> Q:
        if "value" in node and node["value"] is None:
            return Q(**{f"{column.path}__isnull": True})
        return Q(**{column.path: self._value(column.field, node)})

    def _between(self, column: Column, values: Any) -> Q:
        if not isinstance(values, list) or len(values) != 2:
            _refuse(values, "`values` must hold the lower and the upper bound")
        lower, upper = (_valid(column.field, value) for value in values)
        return Q(**{f"{column.path}__gte": lower, f"{column.path}__lte": upper})

    def _value(self, field: Field, node: dict[str, Any]) -> Any:
        if "value" not in node:
            _refuse(None, "`value` is missing")
        return _valid(field, node["value"])

    def _column(self, name: Any) -> Column:
        column = self.resource.columns.get(name) if isinstance(name, str) else None
        if column is None or not column.path:
            searchable = ", ".join(known for known, found in self.resource.columns.items() if found.path)
            _refuse(name, f"Not a field to search. Known: {searchable}")
        return column


def _valid(field: Field, value: Any) -> Any:
    if value is None:
        _refuse(None, "Only `equals` and `not_equals` compare with null")
    try:
        return field.run_validation(value)
    except ValidationError as error:
        _refuse(value, _first_text(error.detail))


def _by_name(error: ValidationError) -> dict[str, Any]:
    return {str(name): found for name, found in error.detail.items()} if isinstance(error.detail, dict) else {}


def _first_text(detail: Any) -> str:
    while isinstance(detail, dict | list) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)


def _refuse(value: Any, message: str) -> NoReturn:
    raise InvalidArguments(INVALID_QUERY, [_error("query", value, message)])


def _error(scope: str, value: Any, message: str) -> dict[str, Any]:
    shown = value if value is None or isinstance(value, bool | int | float) else str(value)[:200]
    return {"scope": scope, "value": shown, "message": message}
