"""The envelope in the OpenAPI document: one operation, whose bodies are those of every action."""

from collections.abc import Iterator
from typing import Any

from portal.api.actions.action import Action, objects
from portal.api.schema import ERRORS, PortalSchema

_TEXT = {"type": "string"}
_NAME = {"type": "string", "nullable": True}
_NOTIFY = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["error"]}, "text": _TEXT, "field": _NAME},
    "required": ["type", "text", "field"],
}
_ECHOED = {"description": "A text, a number, true, false or null; comes back in the answer"}
#: Where an error says nothing more, and `logout` has nothing to say.
_NOTHING = {"type": "object", "nullable": True, "additionalProperties": False}
ACTION_ID = "123"


class EnvelopeSchema(PortalSchema):
    """Describes the envelope from what its objects declare."""

    def get_description(self) -> str:  # type: ignore[override]
        lines = [f"- `{action}` of `{obj}`: {found.about} {_needs(found)}" for obj, action, found in _every_action()]
        return "\n".join([self._sentences(), "", *lines])

    def get_operation_id(self) -> str:
        return "envelope"

    def get_auth(self) -> list[dict[str, list[Any]]]:
        """Nothing will do too, for an action that needs nothing."""
        return [*super().get_auth(), {}]

    def get_tags(self) -> list[str]:
        return ["action envelope"]

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        shapes = [self._call(obj, action, found) for obj, action, found in _every_action()]
        examples = {
            f"{obj}.{action}": {
                "summary": found.about,
                "value": _envelope(obj, action, params=found.example.request or {}),
            }
            for obj, action, found in _every_action()
        }
        return {"required": True, "content": {"application/json": {"schema": {"oneOf": shapes}, "examples": examples}}}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        examples = {
            f"{obj}.{action}": {
                "value": _envelope(obj, action, code=200, notifies=[], body=found.example.answer),
            }
            for obj, action, found in _every_action()
        }
        wrong = {"type": "error", "text": "Wasn't able to authenticate those credentials", "field": None}
        examples["error"] = {"value": _envelope("User", "auth", code=401, notifies=[wrong], body=None)}
        done = {
            "description": "Done, or refused: `code` says which.",
            "content": {"application/json": {"schema": self._answered(), "examples": examples}},
        }
        away = {"description": ERRORS[429], "content": {"application/json": {"schema": self._answered()}}}
        return {"200": done, "429": away}

    def _call(self, obj: str, action: str, found: Action) -> dict[str, Any]:
        properties = {
            "action": {"type": "string", "enum": [action]},
            "obj": {"type": "string", "enum": [obj]},
            "action_id": _ECHOED,
            "params": self._ref(found.params()),
        }
        needed = ["action", "obj"] + ["params"] * any(field.required for field in found.params().fields.values())
        return {"type": "object", "properties": properties, "required": needed}

    def _answered(self) -> dict[str, Any]:
        bodies = [self._ref(found.body()) for _obj, _action, found in _every_action() if found.body().fields]
        unlike = [body for place, body in enumerate(bodies) if body not in bodies[:place]]
        properties = {
            "action": _NAME,
            "action_id": _ECHOED,
            "obj": _NAME,
            "code": {"type": "integer"},
            "notifies": {"type": "array", "items": _NOTIFY},
            "body": {"anyOf": [*unlike, _NOTHING]},
        }
        return {"type": "object", "properties": properties, "required": list(properties)}


def _every_action() -> Iterator[tuple[str, str, Action]]:
    for obj, actions in objects().items():
        for action, found in actions.items():
            yield obj, action, found


def _envelope(obj: str, action: str, **rest: Any) -> dict[str, Any]:
    return {"action": action, "obj": obj, "action_id": ACTION_ID, **rest}


def _needs(found: Action) -> str:
    if found.public:
        return "Needs no token."
    return f"Needs the rights {', '.join(found.rights)}." if found.rights else "Needs a token and no right."
