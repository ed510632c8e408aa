"""What `check --deploy` refuses of gateways. Looked up late, because checks are registered before models are loaded."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import DatabaseError


def refuse_sandbox_in_production(**_: Any) -> list[checks.CheckMessage]:
    """In production the default gateway must reach real phones. A database without tables yet has nothing to refuse."""
    if not settings.PRODUCTION:
        return []
    try:
        is_sandbox = apps.get_model("gateways", "Gateway").objects.filter(is_default=True, provider="sandbox").exists()
    except DatabaseError:
        return []
    if not is_sandbox:
        return []
    return [
        checks.Error(
            "The default gateway is a sandbox: messages would reach nobody.",
            hint="Make a gateway of a real provider the default one.",
            id="gateways.E001",
        )
    ]
