"""How the portal is, in lines that a person reads; apps hand in theirs by `registry.SYSTEM`."""

from portal.system.lines import Line, State, ago, seconds

__all__ = ["Line", "State", "ago", "seconds"]
