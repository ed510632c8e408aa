"""What stands in a call's envelope, and the envelope of its answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rest_framework import serializers

from portal.api.inputs import Input
from portal.api.lenient_json import BadBody

#: Characters of a name or an `action_id` that is echoed.
LONGEST = 200


@dataclass(frozen=True)
class Asked:
    """What of a call's envelope could be read; None stands for what could not."""

    action: str | None = None
    obj: str | None = None
    action_id: str | float | bool | None = None
    params: Any = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Asked":
        """Reads the envelope. What else stands in it is passed over, as `domain_id` of operators is."""
        scalar = _short(body.get("action_id"), str | int | float | bool)
        params = body.get("params")
        action, obj = _short(body.get("action"), str), _short(body.get("obj"), str)
        return cls(action, obj, scalar, {} if params is None else params)

    def check(self, body: Mapping[str, Any]) -> None:
        """Raises BadBody for an envelope that is none."""
        for name in ("action", "obj"):
            if getattr(self, name) is None:
                raise BadBody(f"“{name}” must be a text of at most {LONGEST} characters.")
        if self.action_id is None and body.get("action_id") is not None:
            raise BadBody(f"“action_id” must be a text or a number of at most {LONGEST} characters.")
        if not isinstance(self.params, dict):
            raise BadBody("“params” must be an object.")


def _short(value: Any, kind: Any) -> Any:
    return value if isinstance(value, kind) and len(json.dumps(value, ensure_ascii=False)) <= LONGEST + 2 else None


def answered(asked: Asked, code: int, body: Any) -> dict[str, Any]:
    """The envelope of an answer; `body` is what the action says, or an error as the API has it."""
    good = code < 400
    return {
        "action": asked.action,
        "action_id": asked.action_id,
        "obj": asked.obj,
        "code": code,
        "notifies": [] if good else list(_notifies(body)),
        "body": body if good else None,
    }


def _notifies(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = error.get("errors") or [{"message": error.get("message", "")}]
    return [{"type": "error", "text": one["message"], "field": one.get("field")} for one in found]


class EnvelopeInput(Input):
    """The envelope of a call."""

    action = serializers.CharField(max_length=LONGEST)
    obj = serializers.CharField(max_length=LONGEST)
    action_id = serializers.CharField(required=False, help_text="Comes back in the answer; a number will do as well")
    params = serializers.DictField(required=False)


class OtherFields(Input):
    """`params` in which others may stand as well: clients send what another system asks for."""

    def to_internal_value(self, data: Any) -> Any:
        return serializers.Serializer.to_internal_value(self, data)


class NoParams(OtherFields):
    """`params` that say nothing."""

    asks_nobody: ClassVar = True
