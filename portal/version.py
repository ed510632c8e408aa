"""Which version of the portal this is."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """As `pyproject.toml` has it, which comes with the code; empty where it does not."""
    try:
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
        return str(project["version"])
    except (OSError, ValueError, KeyError):
        return ""
