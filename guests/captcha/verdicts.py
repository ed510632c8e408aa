"""What may become of an answer."""

from enum import Enum


class Verdict(Enum):
    """One word for each."""

    RIGHT = "right"
    MISSING = "missing"
    #: Somebody misread the picture.
    WRONG = "wrong"
    #: Nothing that our pages send.
    FAILED = "failed"
    #: It came too late.
    OVER = "over"
    #: It was taken, or refused, before.
    USED = "used"
