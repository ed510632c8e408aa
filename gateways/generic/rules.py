"""Rules for answers: `contains:OK`, `regex:^0: (.+)`, `json:$.error = 0`, `xpath://sms/@id`, `status:202`.

A rule that cannot be tried on an answer, or takes too long, says so instead of saying no: the answer is then unclear.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

import regex
from django.utils.translation import gettext as _
from lxml import etree

from gateways import xml
from gateways.generic import patterns
from gateways.generic.paths import JSON_PATH, XML_PATH, at, json_path, words_at, words_of, xml_path
from gateways.generic.tables import statuses
from gateways.http import HttpResponse, json_of, text_of
from gateways.outcomes import Unreadable

#: How JSON says that there is nothing.
NOTHING = frozenset({"", "0", "false"})


class BadRule(ValueError):
    """A rule that is not understood; its text tells the administrator what to write instead."""


class Rule(ABC):
    """One line."""

    #: It can tell a reference, an error or a state, and not only whether it holds.
    tells: ClassVar[bool] = True

    @abstractmethod
    def holds(self, response: HttpResponse) -> bool:
        """Whether the answer is as the rule says. Raises Unreadable."""

    def find(self, response: HttpResponse) -> str | None:
        """What the rule finds in the answer. Raises Unreadable."""
        return None


@dataclass(frozen=True)
class Contains(Rule):
    tells = False
    words: str

    def holds(self, response: HttpResponse) -> bool:
        return self.words in text_of(response)


@dataclass(frozen=True)
class Status(Rule):
    tells = False
    statuses: Collection[int]

    def holds(self, response: HttpResponse) -> bool:
        return response.status in self.statuses


@dataclass(frozen=True)
class Regex(Rule):
    """What it finds is its first group, or all of the match where it has none."""

    pattern: "regex.Pattern[str]"

    def holds(self, response: HttpResponse) -> bool:
        return self._search(response) is not None

    def find(self, response: HttpResponse) -> str | None:
        match = self._search(response)
        return match and match[1 if self.pattern.groups else 0]

    def _search(self, response: HttpResponse) -> "regex.Match[str] | None":
        return patterns.search(self.pattern, text_of(response))


@dataclass(frozen=True)
class Json(Rule):
    """Without a value to compare with it holds unless what it finds is null, false, 0 or empty."""

    steps: list[str | int]
    expected: str | None

    def holds(self, response: HttpResponse) -> bool:
        found = at(json_of(response), self.steps)
        if self.expected is not None:
            return ("null" if found is None else words_of(found)) == self.expected
        return _says(found)

    def find(self, response: HttpResponse) -> str | None:
        return words_of(at(json_of(response), self.steps))


@dataclass(frozen=True)
class XPath(Rule):
    """Without a value to compare with it holds where something is at the path, even if that is empty."""

    path: etree.XPath
    expected: str | None

    def holds(self, response: HttpResponse) -> bool:
        found = self.find(response)
        return found is not None if self.expected is None else found == self.expected

    def find(self, response: HttpResponse) -> str | None:
        return words_at(xml.read(response), self.path)


def parse(lines: str) -> list[Rule]:
    """The rules of a setting. Raises BadRule, BadPath, BadPattern."""
    return [_rule(line) for line in filter(None, map(str.strip, lines.splitlines()))]


def all_hold(rules: Sequence[Rule], response: HttpResponse) -> bool:
    """Whether the answer is as every rule says. Raises Unreadable."""
    return all(rule.holds(response) for rule in rules)


def any_holds(rules: Sequence[Rule], response: HttpResponse) -> bool:
    """Whether the answer is as some rule says. Raises Unreadable where none does and one cannot be tried."""
    trouble: Unreadable | None = None
    for rule in rules:
        try:
            if rule.holds(response):
                return True
        except Unreadable as error:
            trouble = error
    # Who says nothing says nothing against it.
    if trouble and response.body.strip():
        raise trouble
    return False


def first_found(rules: Sequence[Rule], response: HttpResponse) -> str:
    """What the first rule that finds something finds, without blanks around it; empty where none does."""
    for rule in rules:
        try:
            found = rule.find(response)
        except Unreadable:
            continue
        if found and found.strip():
            return found.strip()
    return ""


def _says(found: object) -> bool:
    if isinstance(found, dict | list):
        return any(map(_says, found.values() if isinstance(found, dict) else found))
    return (words_of(found) or "") not in NOTHING


def _rule(line: str) -> Rule:
    kind, _colon, argument = line.partition(":")
    make = KINDS.get(kind.strip().lower())
    argument = argument.strip()
    if make is None or not argument:
        known = ", ".join(f"{name}:" for name in KINDS)
        raise BadRule(_("“%(line)s” is no rule: begin it with one of %(known)s.") % {"line": line[:40], "known": known})
    return make(argument)


def _json(written: str) -> Json:
    path, expected = _compared(JSON_PATH, written)
    return Json(json_path(path), expected)


def _xpath(written: str) -> XPath:
    path, expected = _compared(XML_PATH, written)
    return XPath(xml_path(path), expected)


def _compared(path: "re.Pattern[str]", written: str) -> tuple[str, str | None]:
    """The path, and the value after `=` where there is one."""
    found = path.match(written)
    rest = written[found.end() :].strip() if found else ""
    if not found or not rest.startswith("="):
        return written, None
    return found[0], rest[1:].strip()


KINDS: dict[str, Callable[[str], Rule]] = {
    "contains": Contains,
    "regex": lambda written: Regex(patterns.compiled(written)),
    "json": _json,
    "xpath": _xpath,
    "status": lambda written: Status(statuses(written)),
}
