"""`GET /api/v1/system`: how the portal is, for programs."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.views import ApiView, Example, Ref
from portal.permissions import Right
from portal.system.lines import Line
from portal.system.report import Part, parts, worst

LINE = {"part": "Database", "about": "Migrations", "value": "all applied", "state": "ok", "remedy": ""}


class SystemState(ApiView):
    """How the portal is."""

    rights: ClassVar = {"GET": (Right.SYSTEM_READ,)}
    of_all_gateways = True
    examples: ClassVar = {"GET": Example({"state": "ok", "items": [LINE], "status": 200})}

    def get(self, request: Request) -> Response:
        """How the portal is: versions, processes, broker, database, configuration; with a remedy for what is not well.

        `state` is that of the worst line: `ok`, `warning` or `error`.
        """
        found = list(parts())
        items = [_item(part, line) for part in found for line in part.lines]
        return Response({"state": worst(part.state for part in found), "items": items})

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        text = {"type": "string"}
        line = {"type": "object", "properties": dict.fromkeys(LINE, text), "required": list(LINE)}
        return {"state": text, "items": {"type": "array", "items": line}}


def _item(part: Part, line: Line) -> dict[str, str]:
    return {"part": str(part.title)} | {name: str(value) for name, value in line._asdict().items()}
