"""Refusal: what was asked cannot be done, in one sentence a person may read."""

from datetime import datetime
from enum import Enum

from django.utils.functional import Promise

#: The documented sentence for a name that is taken.
DUPLICATE = (
    "An attempt to add a duplicate entry was stopped. Entry already exists and should be modified instead of created."
)


class Why(Enum):
    """The kinds of refusal that the doors (API, forms, admin) show differently."""

    INVALID = "invalid"
    NOT_FOUND = "not found"
    CONFLICT = "conflict"
    #: Not now; `Refusal.until` may say when.
    TOO_MANY = "too many"
    UNAVAILABLE = "unavailable"


class Refusal(Exception):
    """Raised by domain functions. `field` names the argument at fault in our own words, where there is one.

    `until` is when it may be tried again, where that is known.
    """

    def __init__(
        self,
        sentence: str | Promise,
        *,
        field: str = "",
        why: Why = Why.INVALID,
        until: datetime | None = None,
    ) -> None:
        super().__init__(sentence)
        self._sentence = sentence
        self.field = field
        self.why = why
        self.until = until

    @property
    def sentence(self) -> str:
        """In the language of whoever reads it."""
        return str(self._sentence)
