"""Where in an answer a rule looks: a few steps in JSON or XML, written as JSONPath and XPath are.

A small part of both, on purpose: a step down costs little whatever the answer is; a search within a search does not.
"""

import re
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree

from gateways import xml

LONGEST_PATH = 200
#: Text that is compared, or kept as a reference or an error, is never longer.
LONGEST_FOUND = 300

JSON_STEP = re.compile(r"\.([\w-]+)|\[(\d{1,5})\]|\['([^'\]]+)'\]")
JSON_PATH = re.compile(rf"\$(?:{JSON_STEP.pattern})*")

_NAME = r"[^\W\d][\w.-]*"
_CONDITION = rf"\[(?:\d{{1,5}}|(?:@?{_NAME}|local-name\(\))\s*=\s*(?:'[^'\[\]]*'|\"[^\"\[\]]*\"))\]"
_STEP = rf"//?(?:{_NAME}(?![\w.(-])|\*)(?:{_CONDITION})*"
XML_PATH = re.compile(rf"(?:{_STEP})+(?:/@{_NAME}|/text\(\))?")


class BadPath(ValueError):
    """A path that is not of the kind that is read here; its text tells the administrator what to write instead."""


def json_path(path: str) -> list[str | int]:
    """The steps of a path such as `$.result.items[0].id`. Raises BadPath."""
    if len(path) > LONGEST_PATH or not JSON_PATH.fullmatch(path):
        raise BadPath(_("Write a JSON path such as $.result[0].id, or $['message-id']."))
    return [int(index) if index else name or quoted for name, index, quoted in JSON_STEP.findall(path)]


def at(found: Any, steps: list[str | int]) -> Any:
    """What is at the end of the steps; None where they lead nowhere."""
    for step in steps:
        if isinstance(step, str):
            found = found.get(step) if isinstance(found, dict) else None
        else:
            found = found[step] if isinstance(found, list) and step < len(found) else None
    return found


def words_of(found: Any) -> str | None:
    """A single value of JSON as text; None for null and for what is no single value."""
    if found is None or isinstance(found, dict | list):
        return None
    return str(found).lower() if isinstance(found, bool) else str(found)


def xml_path(path: str) -> etree.XPath:
    """A path such as `//sms/@id`. Raises BadPath."""
    try:
        if len(path) <= LONGEST_PATH and path.count("//") <= 2 and XML_PATH.fullmatch(path):
            return etree.XPath(path, regexp=False, smart_strings=False)
    except etree.XPathError:
        pass
    raise BadPath(_("Write an XML path such as /response/sms[1]/@id, or //error; // may stand twice at most."))


def words_at(root: xml.Element, path: etree.XPath) -> str | None:
    """The text of the first thing at the path, or None."""
    found = path(root)
    first = found[0] if isinstance(found, list) and found else None
    if first is None:
        return None
    return xml.words(first) if isinstance(first, etree._Element) else " ".join(str(first).split())
