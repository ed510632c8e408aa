"""One file per provider; the file's name is the key kept in `Gateway.provider`. Found as Django finds commands."""

import pkgutil
from functools import cache
from importlib import import_module

from gateways.provider import BaseProvider


@cache
def names() -> tuple[str, ...]:
    """Every provider's key, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def choices() -> list[tuple[str, str]]:
    """For form fields: a new file in this folder is a new choice and no migration."""
    return [(name, load(name).label) for name in names()]


def find(name: str) -> type[BaseProvider] | None:
    """The provider's class, or None where its file is gone or fails in any way."""
    try:
        return load(name)
    except Exception:  # noqa: BLE001 — whatever is wrong with it
        return None


def load(name: str) -> type[BaseProvider]:
    """The provider's class. Raises KeyError for a key without a file."""
    if name not in names():
        raise KeyError(name)
    provider: type[BaseProvider] = import_module(f"{__name__}.{name}").Provider
    return provider
