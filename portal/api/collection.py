"""The documented collection (plural) and item (singular): list, search, create, read, update, delete.

class Gateways(CollectionView):
    resource = GATEWAYS
    rights = {"GET": (Right.SMS_GATEWAY_READ,), "POST": (Right.SMS_GATEWAY_CREATE,)}
    inputs = {"POST": GatewayInput}

    def create(self, fields: dict[str, Any]) -> Gateway:
        return accounts.create(**fields)            # one domain function; raises Refusal

class GatewayView(ItemView):
    resource = GATEWAYS
    rights = {"GET": ..., "PATCH": ..., "PUT": ..., "DELETE": ...}
    inputs = {"PATCH": GatewayInput, "PUT": GatewayInput}

    def update(self, found: Gateway, fields: dict[str, Any]) -> Gateway: ...
    def remove(self, found: Gateway) -> None: ...

api_urlpatterns = [
    route("sms_gateways", Gateways, "sms_gateways"),
    route("sms_gateways/search", GatewaySearch, "sms_gateways.search"),
    route("sms_gateway/(?P<name>[^/]+)", GatewayView, "sms_gateway"),   # the group is named as `resource.key`
]
"""

import re
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import IntegerField

from portal import audit
from portal.api import parameters
from portal.api.commit import Done, commit
from portal.api.envelope import UNKNOWN_ITEM
from portal.api.inputs import Input
from portal.api.resources import Resource
from portal.api.search import SearchInput, from_body, from_url, page
from portal.api.views import ApiView, Example, Ref

_DIGITS = re.compile("[0-9]+")

#: Of a page: there where there is another one, and where it was asked for.
AT_TIMES = ("nextCursor", "total_count")


class ResourceView(ApiView):
    """What all views of a resource share."""

    resource: ClassVar[Resource]

    def rows(self) -> QuerySet[Any]:
        """The rows this caller may see."""
        return self.resource.rows_for(self.request.user)

    def item(self, row: Any) -> dict[str, Any]:
        """The row as the item's own view answers it; a list answers the columns only."""
        return self.resource.item(row)

    def id_shape(self) -> dict[str, Any]:
        """What `id` is in an answer."""
        is_number = isinstance(self.resource.columns[self.resource.key].field, IntegerField)
        return {"type": "integer" if is_number else "string"}

    def _body_example(self, method: str) -> dict[str, Any]:
        fields = self.inputs[method]().fields
        return {name: value for name, value in self.resource.example.items() if name in fields}

    def _page_example(self) -> Example:
        items = [dict(self.resource.example)]
        return Example({"items": items, "prevCursor": 0, "nextCursor": 25, "total_count": 31, "status": 200})

    def _page_shape(self, ref: Ref) -> dict[str, Any]:
        items = {"type": "array", "items": ref(self.resource.row_shape())}
        cursors = {name: {"type": "integer"} for name in ("prevCursor", *AT_TIMES)}
        return {"items": items} | cursors


class ListView(ResourceView):
    """One page of the collection."""

    parameters: ClassVar = {"GET": parameters.LIST}
    sometimes: ClassVar = frozenset(AT_TIMES)

    def get(self, request: Request) -> Response:
        return Response(page(self.resource, self.rows(), from_url(request.query_params)))

    def example(self, method: str) -> Example | None:
        return self.examples.get(method) or (self._page_example() if method == "GET" else None)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return self._page_shape(ref) if method == "GET" else super().answer_shape(method, ref)


class SearchView(ResourceView):
    """One page of what a query finds in the collection."""

    audited = False
    inputs: ClassVar[dict[str, type[Input]]] = {"POST": SearchInput}
    sometimes: ClassVar = frozenset(AT_TIMES)

    def post(self, request: Request) -> Response:
        return Response(page(self.resource, self.rows(), from_body(self.body)))

    def example(self, method: str) -> Example | None:
        key = self.resource.key
        query = {"op": "and", "values": [{"op": "equals", "field": key, "value": self.resource.example.get(key)}]}
        asked = {"limit": 25, "cursor": 0, "sort": [f"{key} DESC"], "with_total_count": True, "query": query}
        return self.examples.get(method) or Example(self._page_example().answer, asked)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return self._page_shape(ref)


class CollectionView(ListView):
    """A collection that can be added to."""

    parameters: ClassVar = {"GET": parameters.LIST, "POST": (parameters.IDEMPOTENCY_KEY,)}

    def create(self, fields: dict[str, Any]) -> Any:
        """The row that was made of the validated fields. Raises Refusal."""
        raise NotImplementedError

    def post(self, request: Request) -> Response:
        """Add one to the collection."""
        fields = self.validated(self.inputs["POST"])
        return commit(self, lambda: self._created(fields))

    def _created(self, fields: dict[str, Any]) -> Done:
        row = self.create(fields)
        key = self.resource.id_of(row)
        headers = {"Location": self.resource.location(row)}
        return Done({"id": key, "message": f"'{key}' created"}, 201, object_id=str(key), headers=headers)

    def example(self, method: str) -> Example | None:
        if method != "POST" or method in self.examples:
            return super().example(method)
        key = self.resource.example.get(self.resource.key)
        return Example({"id": key, "message": f"'{key}' created", "status": 201}, self._body_example(method), 201)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        shape = super().answer_shape(method, ref)
        return {"id": self.id_shape()} | shape if method == "POST" else shape


class OneView(ResourceView):
    """A call about one row. Its URL names the row in a group called as the resource's key."""

    def find(self) -> Any:
        """The row that the URL names. Raises NotFound."""
        column, given = self.resource.columns[self.resource.key], self.kwargs[self.resource.key]
        # The framework would read `5_0` as 50 and `5.0` as 5.
        if isinstance(column.field, IntegerField) and not _DIGITS.fullmatch(given):
            raise NotFound(UNKNOWN_ITEM)
        try:
            key = column.field.run_validation(given)
        except ValidationError:
            raise NotFound(UNKNOWN_ITEM) from None
        row = self.rows().filter(**{column.path: key}).first()
        if row is None:
            raise NotFound(UNKNOWN_ITEM)
        return row


class ReadView(OneView):
    """One item."""

    def get(self, request: Request, **named: str) -> Response:
        """One item of the collection."""
        return Response({"item": self.item(self.find())})

    def example(self, method: str) -> Example | None:
        return self.examples.get(method) or Example({"item": dict(self.resource.example), "status": 200})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        if method != "GET":
            return super().answer_shape(method, ref)
        return {"item": ref(self.resource.shape())}


class ItemView(ReadView):
    """One item that can be changed and removed."""

    def update(self, found: Any, fields: dict[str, Any]) -> Any:
        """The row with these fields changed; its key may be another now. Raises Refusal."""
        raise NotImplementedError

    def remove(self, found: Any) -> None:
        """The row is gone. Raises Refusal."""
        raise NotImplementedError

    def patch(self, request: Request, **named: str) -> Response:
        """Change the fields that are given."""
        return self._change(self.validated(self.inputs["PATCH"], partial=True))

    def put(self, request: Request, **named: str) -> Response:
        """Change all fields; those left out get their defaults."""
        return self._change(self.validated(self.inputs["PUT"]))

    def delete(self, request: Request, **named: str) -> Response:
        """Remove the item."""
        return commit(self, self._removed)

    def _change(self, fields: dict[str, Any]) -> Response:
        def work() -> Done:
            found = self.find()
            before = self._writable(found)
            changed = self.update(found, fields)
            self.audit_changes = audit.difference(before, self._writable(changed))
            key = self.resource.id_of(changed)
            return Done({"id": key, "message": f"'{key}' updated"}, object_id=str(key))

        return commit(self, work)

    def _writable(self, row: Any) -> dict[str, Any]:
        """What a body may change, as it is now."""
        names = self.inputs["PATCH"]().fields
        return {name: value for name, value in self.item(row).items() if name in names}

    def _removed(self) -> Done:
        found = self.find()
        key = self.resource.id_of(found)
        self.remove(found)
        return Done({"message": f"Deleted {key} successfully"}, object_id=str(key))

    def example(self, method: str) -> Example | None:
        key = self.resource.example.get(self.resource.key)
        if method in self.examples or method == "GET":
            return super().example(method)
        if method == "DELETE":
            return Example({"message": f"Deleted {key} successfully", "status": 200})
        return Example({"id": key, "message": f"'{key}' updated", "status": 200}, self._body_example(method))

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        shape = super().answer_shape(method, ref)
        return {"id": self.id_shape()} | shape if method in {"PATCH", "PUT"} else shape
