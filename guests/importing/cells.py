"""What a cell means: a moment, a language, a type, a sponsor. What it cannot mean is a ValueError with a sentence."""

from datetime import datetime, time
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.widgets import Widget

from guests import guest_types
from guests.models import GuestType
from portal.models import User

DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y")
MOMENTS = tuple(f"{day}{between}{clock}" for day in DAYS for between in (" ", "T") for clock in ("%H:%M", "%H:%M:%S"))


class Moment(Widget):  # type: ignore[misc]
    """A day, with or without a time, in the reader's zone. A day alone is its beginning, or its end."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.clock = time(23, 59, 59) if ends else time()

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> datetime | None:
        if not value:
            return None
        found = next((moment for form in (*MOMENTS, *DAYS) if (moment := _read(value, form))), None)
        if found is None:
            raise ValueError(_("Write a day as 2026-12-31 or 31.12.2026, and a time after it as 18:00."))
        if len(value) <= len("31.12.2026"):
            found = datetime.combine(found, self.clock)
        return timezone.make_aware(found)


def _read(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the reader's zone is added by who asks
    except ValueError:
        return None


class Language(Widget):  # type: ignore[misc]
    """A language by its code or its own name, or by its name in English or Russian."""

    NAMES = {"русский": "ru", "russian": "ru", "рус": "ru", "английский": "en", "english": "en", "англ": "en"}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        codes = dict(settings.LANGUAGES)
        code = self.NAMES.get(value.casefold(), value.casefold())
        if value and code not in codes:
            raise ValueError(_("Write one of these: %(languages)s.") % {"languages": ", ".join(codes)})
        return code


class Kind(Widget):  # type: ignore[misc]
    """A guest type by its name, one of those that the user may give."""

    def __init__(self, by: User) -> None:
        super().__init__()
        self.by = by

    @cached_property
    def _known(self) -> dict[str, GuestType]:
        return {kind.name.casefold(): kind for kind in guest_types.usable_by(self.by)}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> GuestType | None:
        if value and value.casefold() not in self._known:
            raise ValueError(_("There is no guest type “%(name)s” that you may give.") % {"name": value})
        return self._known.get(value.casefold())


class Sponsor(Widget):  # type: ignore[misc]
    """A member of staff by the user name."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> User | None:
        found = User.objects.filter(username=value).first() if value else None
        if value and found is None:
            raise ValueError(_("There is no user “%(name)s”.") % {"name": value})
        return found
