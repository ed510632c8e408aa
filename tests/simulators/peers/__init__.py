"""One file per simulated provider, named as the provider's own file; a new file here is a new peer."""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulators.server import Peer


def names() -> tuple[str, ...]:
    """Every peer's name, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def load(name: str) -> "type[Peer]":
    """The peer's class."""
    peer: type[Peer] = import_module(f"{__name__}.{name}").Peer
    return peer
