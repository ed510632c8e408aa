"""Regular expressions that somebody else wrote: neither they nor what they search may take our time or our memory."""

import re
from math import prod

import regex
from django.utils.translation import gettext as _

from gateways.outcomes import Unreadable

#: Seconds a pattern may take, and characters it may search.
PATIENCE = 0.1
SEARCHED = 20_000
LONGEST = 300
#: Repeats within repeats are written out when a pattern is compiled, and fill the memory.
MOST_REPEATS = 10_000
REPEAT = re.compile(r"\{(?:\d*,)?(\d+)(?:,)?\}")
#: A pattern that calls itself.
RECURSION = re.compile(r"\(\?(?:R|&|P>|[+-]?\d)")


class BadPattern(ValueError):
    """A pattern that is not used; its text tells the administrator what to write instead."""


def compiled(pattern: str) -> "regex.Pattern[str]":
    """The pattern, ready for use. Raises BadPattern."""
    repeats = prod(max(1, int(count)) for count in REPEAT.findall(pattern))
    if len(pattern) > LONGEST or repeats > MOST_REPEATS or RECURSION.search(pattern):
        raise BadPattern(_("The pattern is too long, repeats too often or calls itself; write a simpler one."))
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        sentence = _("“%(pattern)s” is no regular expression: %(reason)s.")
        raise BadPattern(sentence % {"pattern": pattern[:40], "reason": error}) from None


def search(pattern: "regex.Pattern[str]", text: str) -> "regex.Match[str] | None":
    """Where the pattern is found first. Raises Unreadable where that takes too long."""
    try:
        return pattern.search(text[:SEARCHED], timeout=PATIENCE)
    except (TimeoutError, MemoryError):
        raise Unreadable("a pattern in the gateway's settings takes too long") from None
