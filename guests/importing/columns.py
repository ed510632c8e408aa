"""Which column of a file is which detail of a guest; guessed from its heading in Russian or English."""

import re
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from guests.models import Guest
from portal.errors import Refusal

FIELDS = (
    *("username", "phone", "first_name", "last_name", "email", "company", "notes", "language"),
    *("valid_from", "valid_until", "guest_type", "sponsor"),
)
#: What people write over such columns, beside the fields' own names.
HEADINGS: dict[str, tuple[str, ...]] = {
    "username": ("username", "login", "pid", "account", "логин", "пользователь", "имя пользователя", "учётная запись"),
    "phone": (
        *("phone", "phone number", "telephone", "mobile", "cell", "tel", "msisdn"),
        *("телефон", "номер телефона", "мобильный", "мобильный телефон", "сотовый", "тел"),
    ),
    "first_name": ("first name", "firstname", "given name", "name", "имя"),
    "last_name": ("last name", "lastname", "surname", "family name", "фамилия"),
    "email": ("email", "e-mail", "mail", "email address", "почта", "электронная почта", "эл. почта", "емейл"),
    "company": ("company", "organisation", "organization", "employer", "компания", "организация", "фирма"),
    "notes": ("notes", "note", "comment", "remark", "заметки", "заметка", "примечание", "примечания", "комментарий"),
    "language": ("language", "lang", "locale", "язык"),
    "valid_from": ("valid from", "from", "start", "arrival", "begins", "с", "начало", "действует с", "заезд"),
    "valid_until": (
        *("valid until", "valid to", "until", "to", "end", "expires", "departure"),
        *("по", "до", "окончание", "действует до", "действителен до", "выезд"),
    ),
    "guest_type": ("guest type", "type", "category", "тип", "тип гостя", "категория"),
    "sponsor": ("sponsor", "host", "responsible", "спонсор", "принимающий", "ответственный"),
}


def label(field: str) -> str:
    """The field's name in the reader's language."""
    return str(capfirst(str(Guest._meta.get_field(field).verbose_name)))  # type: ignore[union-attr]


def guess(header: Sequence[str]) -> dict[str, int]:
    """For each field the first column whose heading says so."""
    known = {_plain(heading): field for field in FIELDS for heading in (field, *HEADINGS[field], *_own_names(field))}
    found: dict[str, int] = {}
    for index, heading in enumerate(header):
        field = known.get(_plain(heading))
        if field:
            found.setdefault(field, index)
    return found


def check(mapping: Mapping[str, int], header: Sequence[str]) -> None:
    """Raises Refusal; its field is the one that has the column wrongly."""
    if not mapping:
        raise Refusal(_("Say of one column at least what it holds."))
    for field, index in mapping.items():
        if field not in FIELDS or not 0 <= index < len(header):
            raise Refusal(_("There is no such column."), field=field)
        twice = next((other for other, column in mapping.items() if column == index and other != field), None)
        if twice:
            raise Refusal(_("One column cannot be two things; choose another one."), field=field)


def _own_names(field: str) -> list[str]:
    names = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names.append(label(field))
    return names


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", "", heading.casefold().replace("ё", "е"))
