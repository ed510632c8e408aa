"""Coming into *My access* with a user name, or a phone, and the password. Knows no HTTP.

Wrong ones are counted against the guest at an address, the guest and the address; right ones are not. Whether there is
such a guest shows neither in words nor in the time it takes.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guests import admitting, limits, passwords
from guests.limits import Limit
from guests.limits.counting import DAY, QUARTER
from guests.limits.of_messages import host_of, is_of_venue
from guests.models import Guest, Scope
from messaging import phones
from portal import strangers
from portal.errors import Refusal

#: So many wrong passwords are taken in a quarter of an hour, and of a guest in a day.
MOST_HERE, MOST_OF_ADDRESS, MOST_A_DAY = 5, 50, 100
WRONG = gettext_lazy("The user name or the password is wrong.")
#: No stored name is longer.
LONGEST_NAME = 255


def enter(username: str, password: str, address: str | None) -> Guest:
    """The guest whose name, or phone in any spelling, and password these are.

    Raises Refusal (field `password`; too many, with `until`). Call it outside of transactions: it hashes.
    """
    typed = username.strip()
    phone = _phone(typed)
    guest = _meant(typed, phone)
    # A stranger's phone is one name in every spelling, as a guest's is: else the count would tell them apart.
    name = guest.username if guest else strangers.mark(phone or typed)
    # Before the password is looked at, so that of many at once no more are judged than may be wrong.
    taken = limits.charge_ahead(_limits(name, address))
    if not _is_password(guest, password.strip()) or guest is None:
        raise Refusal(WRONG, field="password")
    limits.give_back(taken)
    if guest.banned:
        raise Refusal(_("Your access is blocked. Please ask at the reception."), field="password")
    return guest


def _phone(typed: str) -> str:
    """In E.164; empty for what is none."""
    try:
        return phones.normalise(typed)
    except Refusal:
        return ""


def _meant(typed: str, phone: str) -> Guest | None:
    """Both ways are looked at for every name."""
    named = None
    if typed.isprintable() and len(typed) <= LONGEST_NAME:
        named = Guest.objects.select_related("guest_type").filter(username=typed, anonymised_at=None).first()
    by_phone = admitting.account_of(phone) if phone else None
    return named or by_phone


def _limits(name: str, address: str | None) -> list[Limit]:
    host = host_of(address) if address else ""
    found = [
        Limit(Scope.GUESSES, QUARTER, f"{name} {host}", MOST_HERE),
        Limit(Scope.GUESSES_NAME, DAY, name, MOST_A_DAY),
    ]
    if address and not is_of_venue(address):
        found.append(Limit(Scope.GUESSES_ADDRESS, QUARTER, host, MOST_OF_ADDRESS))
    return found


def _is_password(guest: Guest | None, typed: str) -> bool:
    if guest is None or not guest.has_password:
        passwords.hash_password(typed or "-")
        return False
    return guest.check_password(typed)
