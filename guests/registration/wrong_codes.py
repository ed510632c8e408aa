"""What is said of a code that is not taken: it is none, wrong, over, or one too many. Knows no HTTP."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guests.models import CODE_TRIES, Registration
from messaging import phones
from portal.errors import Refusal, Why


class WrongCode(Refusal):
    """Not this one; `left` more may be tried."""

    def __init__(self, left: int) -> None:
        sentence = ngettext(
            "This code is wrong. You can try %(left)d more time.",
            "This code is wrong. You can try %(left)d more times.",
            left,
        )
        super().__init__(sentence % {"left": left}, field="code")
        self.left = left


class CodeOver(Refusal):
    """No code of this phone is good any more: another one may be asked for."""


class Ended(Refusal):
    """This registration goes no further; a new one may be started."""


def digits(typed: str) -> str:
    """What was typed, in any digits there are. Raises Refusal: that costs no try."""
    bare = phones.bare(typed)
    found = "".join(str(int(character)) for character in bare if character.isdecimal())
    if not bare or len(found) != len(bare) or not 4 <= len(found) <= 10:
        raise Refusal(_("Type the digits of the code from the SMS."), field="code")
    return found


def over(registration: Registration) -> CodeOver:
    """Expired is told apart from used and from used up."""
    code = registration.code
    if code is not None and code.entered_at:
        sentence = _("This code was used already. Ask for a new one.")
    elif code is not None and code.tries >= CODE_TRIES:
        sentence = _("This code was guessed at too often and is good no more. Ask for a new one.")
    else:
        sentence = _("This code has expired. Ask for a new one.")
    return CodeOver(sentence, field="code", why=Why.CONFLICT)


def link_over() -> CodeOver:
    """The code of a link is good no more."""
    return CodeOver(_("This link is good no more. Please type your number again."))


def too_many() -> Ended:
    """The last one was wrong, too."""
    return Ended(_("There were too many wrong codes. Please type your number again."), field="code", why=Why.CONFLICT)


def ended() -> Ended:
    """No other code is sent for this registration."""
    return Ended(_("This registration is over. Please type your number again."), why=Why.CONFLICT)
