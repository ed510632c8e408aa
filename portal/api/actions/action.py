"""Action: what one action of an object needs, takes and does. Objects are mappings of them, in `registry.ACTIONS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from portal import registry
from portal.api.inputs import Input
from portal.api.views import ApiView, Example
from portal.permissions import Right


@dataclass(frozen=True)
class Action:
    """`do` is given the view and the validated `params`; the data of its answer is the envelope's `body`.

    `about` is one sentence for the OpenAPI document, `body` the shape of the answer, and `example` one of `params`
    with its `body`. One that only `reads` leaves nothing in the audit trail.
    """

    about: str
    do: Callable[[ApiView, dict[str, Any]], Response]
    params: type[Input]
    body: Callable[[], Serializer[Any]]
    example: Example
    rights: tuple[Right, ...] = ()
    public: bool = False
    reads: bool = False


def objects() -> dict[str, Mapping[str, Action]]:
    """All objects with their actions, by their names on the wire."""
    return {name: import_string(path) for name, path in registry.ACTIONS.items()}
