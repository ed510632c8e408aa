"""Everything people read is there in Russian and in English, and the compiled catalogue is the one that was written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.db.models import Model
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext

from gateways.outcomes import Outcome, ReceiptState
from messaging.models import State, Wait
from messaging.retries import Kind
from portal.models import User

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = Path("portal/locale/ru/LC_MESSAGES/django.po")
OUR_APPS = ("portal", "gateways", "messaging", "guests")
SOURCES = ("manage.py", "templates", *OUR_APPS)
REMEDY = (
    "Run `manage.py makemessages -l ru --add-location file --no-wrap`, translate, then `manage.py compilemessages`."
)

#: Names that are the same in both languages.
SAME = {"ID", "MAC", "SMS"}


@pytest.fixture(scope="module")
def written() -> polib.POFile:
    """The catalogue as people edit it."""
    return polib.pofile(str(ROOT / CATALOGUE))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    """What gettext finds in the sources now; the tree itself is left alone."""
    for tool in ("xgettext", "msgmerge"):
        assert shutil.which(tool), f"{tool} is missing: install gettext"
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        else:
            shutil.copy(source, copy / name)
    (copy / CATALOGUE).unlink()
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--locale=ru", "--verbosity=0"],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": ""},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return polib.pofile(str(copy / CATALOGUE))


def keys(catalogue: polib.POFile) -> set[tuple[str | None, str, str]]:
    """What can be looked up: context, singular, plural."""
    return {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in catalogue if not entry.obsolete}


def test_every_text_of_the_sources_is_in_the_catalogue_and_nothing_else(
    written: polib.POFile, extracted: polib.POFile
) -> None:
    assert len(extracted) > 100
    assert keys(extracted) - keys(written) == set(), REMEDY
    assert keys(written) - keys(extracted) == set(), REMEDY


def test_every_text_is_translated(written: polib.POFile) -> None:
    assert [entry.msgid for entry in written.untranslated_entries()] == []
    assert [entry.msgid for entry in written.fuzzy_entries()] == []
    assert [entry.msgid for entry in written.obsolete_entries()] == []
    assert [entry.msgid for entry in written if not all(entry.msgstr_plural.values())] == []


def test_placeholders_are_kept(written: polib.POFile) -> None:
    checked = subprocess.run(
        ["msgfmt", "--check-format", "--output-file=/dev/null", str(ROOT / CATALOGUE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_the_compiled_catalogue_is_the_written_one(written: polib.POFile) -> None:
    compiled = polib.mofile(str((ROOT / CATALOGUE).with_suffix(".mo")))
    assert {(entry.msgid, entry.msgstr, str(entry.msgstr_plural)) for entry in compiled} == {
        (entry.msgid, entry.msgstr, str(entry.msgstr_plural)) for entry in written
    }, REMEDY


def test_there_is_one_catalogue_and_it_names_no_machine() -> None:
    assert [path for app in OUR_APPS for path in (ROOT / app).rglob("*.po")] == [ROOT / CATALOGUE]
    text = (ROOT / CATALOGUE).read_text()
    assert str(ROOT) not in text
    assert "Last-Translator" not in text


def is_russian(text: str) -> bool:
    return text in SAME or any("а" <= letter <= "я" or letter == "ё" for letter in text.lower())


@pytest.mark.parametrize("choices", [State, Wait, Kind, Outcome, ReceiptState], ids=lambda choices: choices.__name__)
def test_every_choice_has_a_russian_name(choices: type[State]) -> None:
    with translation.override("ru"):
        labels = {choice.value: str(choice.label) for choice in choices}
    assert labels
    assert {value: label for value, label in labels.items() if not is_russian(label)} == {}


def test_every_app_and_model_has_a_russian_name() -> None:
    with translation.override("ru"):
        names = [str(apps.get_app_config(app).verbose_name) for app in OUR_APPS]
        for app in OUR_APPS:
            for model in apps.get_app_config(app).get_models():
                names += [str(model._meta.verbose_name), str(model._meta.verbose_name_plural)]
    assert len(names) > 20
    assert [name for name in names if not is_russian(name)] == []


def labels(model: type[Model], request: HttpRequest) -> Iterator[str]:
    """Every label that the pages of the model show to somebody who may do everything."""
    pages: Any = django_admin.site._registry[model]
    row = model()
    row.pk = 1
    form: Any = pages.get_form(request, row, change=True)(instance=row)
    shown = {*pages.list_display, *flatten_fieldsets(pages.get_fieldsets(request, row))}
    for name in shown:
        known = form.fields.get(name)
        yield str(known.label if known else label_for_field(str(name), model, pages))
    for fieldset, _options in pages.get_fieldsets(request, row):
        if fieldset:
            yield str(fieldset)
    for _action, _name, description in pages.get_actions(request).values():
        yield str(description)


@pytest.mark.parametrize("model", list(django_admin.site._registry), ids=lambda model: model.__name__)
def test_every_label_of_the_admin_is_russian(admin: User, model: type[Model]) -> None:
    request = HttpRequest()
    request.user = admin
    with translation.override("ru"):
        found = list(labels(model, request))
    assert found
    assert [label for label in found if not is_russian(label)] == []


def test_english_is_what_the_sources_say() -> None:
    with translation.override("en"):
        assert gettext("handed over, no receipt") == "handed over, no receipt"
        assert str(State.NO_RECEIPT.label) == "handed over, no receipt"
    with translation.override("ru"):
        assert str(State.NO_RECEIPT.label) == "передано, отчёта нет"
