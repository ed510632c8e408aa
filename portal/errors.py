"""Refusal: what was asked cannot be done, in one sentence a person may read."""

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
    UNAVAILABLE = "unavailable"


class Refusal(Exception):
    """Raised by domain functions. `field` names the argument at fault in our own words, where there is one."""

    def __init__(self, sentence: str | Promise, *, field: str = "", why: Why = Why.INVALID) -> None:
        super().__init__(sentence)
        self._sentence = sentence
        self.field = field
        self.why = why

    @property
    def sentence(self) -> str:
        """In the language of whoever reads it."""
        return str(self._sentence)
