"""What people read of gateways is there in Russian too, and the compiled catalogue is the one that was written."""

import re
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "gateways/locale/ru/LC_MESSAGES/django.po"

IN_PYTHON = re.compile(r'\b_\(\s*"((?:[^"\\]|\\.)+)"\s*\)')
IN_TEMPLATES = re.compile(r"""{% translate (?:"([^"]+)"|'([^']+)') %}""")


def words_shown() -> set[str]:
    python = [path.read_text() for path in (ROOT / "gateways").rglob("*.py") if "migrations" not in path.parts]
    templates = [path.read_text() for path in (ROOT / "templates/gateways").glob("*.html")]
    found = {match[1] for text in python for match in IN_PYTHON.finditer(text)}
    return found | {match[1] or match[2] for text in templates for match in IN_TEMPLATES.finditer(text)}


def test_every_text_is_translated() -> None:
    translated = {entry.msgid for entry in polib.pofile(str(CATALOGUE)).translated_entries()}
    assert words_shown() >= {"delivered", "No message yet.", "Magic numbers"}
    assert words_shown() - translated == set()


def test_the_compiled_catalogue_is_the_written_one() -> None:
    written = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in polib.pofile(str(CATALOGUE))}
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    assert {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in compiled} == written
