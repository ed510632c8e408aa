"""Calls that a provider makes to us: its fields are in the query, a form or JSON, under names that are settings."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from gateways.generic.paths import at, json_path, words_of
from gateways.http import Callback, json_of, text_of
from gateways.outcomes import Unreadable

#: Reports in one call, and fields in one report; more of them is nobody's honest call.
MOST = 1000


def reports(callback: Callback, names: Mapping[str, str], encoding: str) -> Iterator[dict[str, str]]:
    """What each report says under these names, empty where nothing; JSON may hold a list of reports."""
    query = _fields(callback.url.partition("?")[2], encoding)
    for report in islice(_sent(callback, encoding), MOST):
        said = {**query, **report}
        found = {ours: _value(said, theirs) for ours, theirs in names.items()}
        # Blanks around a guest's words are the guest's.
        yield {ours: value if ours == "text" else value.strip() for ours, value in found.items()}


def _sent(callback: Callback, encoding: str) -> Iterator[Mapping[str, Any]]:
    if text_of(callback).lstrip()[:1] not in {"{", "["}:
        yield _fields(text_of(callback), encoding)
        return
    try:
        sent = json_of(callback)
    except Unreadable:
        return
    yield from (one for one in (sent if isinstance(sent, list) else [sent]) if isinstance(one, dict))


def _fields(written: str, encoding: str) -> dict[str, str]:
    try:
        return dict(
            parse_qsl(written, keep_blank_values=True, encoding=encoding, errors="replace", max_num_fields=MOST)
        )
    except ValueError:
        return {}


def _value(report: Mapping[str, Any], name: str) -> str:
    found = at(report, json_path(name)) if name.startswith("$") else report.get(name)
    return words_of(found) or ""
