"""Which version of the portal this is."""

import tomllib
from functools import cache

from django.conf import settings

#: It comes with the code.
SAYS = settings.BASE_DIR / "pyproject.toml"


@cache
def version() -> str:
    """As `pyproject.toml` has it; empty where it is missing."""
    try:
        project = tomllib.loads(SAYS.read_text())["project"]
        return str(project["version"])
    except (OSError, ValueError, KeyError):
        return ""


@cache
def installed_at() -> float:
    """When this version came here, in seconds since 1970; 0 where nobody knows."""
    try:
        return float(SAYS.stat().st_mtime)
    except OSError:
        return 0.0
