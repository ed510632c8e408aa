"""Cards to be handed to guests: the user name, a new password if one is wanted, and a QR code. Knows no HTTP.

A password that is made here is in the cards and nowhere else.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import segno
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from guests import accounts, passwords
from guests.credentials import CHUNK, HASHERS
from guests.models import Guest
from portal.errors import Refusal

MOST_CARDS = 200
#: Eight fit on a page.
PER_PAGE = 8
#: What an SSID may be long, in bytes.
LONGEST_SSID = 32


@dataclass(frozen=True)
class Card:
    """What stands on one card."""

    guest: Guest
    qr: str = field(repr=False)
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return f"{self.guest.first_name} {self.guest.last_name}".strip()

    @property
    def language(self) -> str:
        """The guest's, or the portal's."""
        return self.guest.language or settings.LANGUAGE_CODE


@dataclass(frozen=True)
class Deck:
    """Cards, and why some guests get none."""

    cards: list[Card]
    left_out: list[tuple[Guest, str]]
    has_passwords: bool

    @property
    def pages(self) -> list[list[Card]]:
        """As many cards on each as fit."""
        return [self.cards[start : start + PER_PAGE] for start in range(0, len(self.cards), PER_PAGE)]


def make(guests: Sequence[Guest], *, new_passwords: bool, ssid: str = "", address: str = "") -> Deck:
    """Cards for those who may come in. With new passwords these hold from now on.

    The QR code joins the network, or leads to the address, or is the user name. Raises Refusal. Call it outside of
    transactions: passwords are hashed.
    """
    if len(guests) > MOST_CARDS:
        sentence = _("Choose %(most)s guests at most; these are %(many)s.")
        raise Refusal(sentence % {"most": MOST_CARDS, "many": len(guests)}, field="guest")
    shared = wifi(ssid) if ssid else address
    left_out = [(guest, why) for guest in guests if (why := kept_out(guest))]
    welcome = [guest for guest in guests if not kept_out(guest)]
    made = _renewed(welcome) if new_passwords else dict.fromkeys((guest.pk for guest in welcome), "")
    left_out += [(guest, _gone(guest)) for guest in welcome if guest.pk not in made]
    cards = [Card(guest, qr_svg(shared or guest.username), made[guest.pk]) for guest in welcome if guest.pk in made]
    return Deck(cards, left_out, new_passwords)


def wifi(ssid: str) -> str:
    """What a phone reads as an open network to join. Raises Refusal (field `ssid`)."""
    if len(ssid.encode()) > LONGEST_SSID:
        sentence = _("The name of a network has %(most)s bytes at most; a Cyrillic letter takes two.")
        raise Refusal(sentence % {"most": LONGEST_SSID}, field="ssid")
    escaped = "".join(f"\\{character}" if character in '\\;,":' else character for character in ssid)
    return f"WIFI:T:nopass;S:{escaped};;"


def qr_svg(text: str) -> str:
    """The code as an SVG element, without any style."""
    code = segno.make(text, micro=False, error="m")
    drawn = io.BytesIO()
    code.save(
        drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, svgclass="card-code", lineclass=None, nl=False
    )
    return drawn.getvalue().decode()


def _renewed(guests: Sequence[Guest]) -> dict[int, str]:
    """New passwords, set and hashed, for each guest who is still there and may come in."""
    made: dict[int, str] = {}
    with ThreadPoolExecutor(HASHERS) as hashers:
        for start in range(0, len(guests), CHUNK):
            chunk = guests[start : start + CHUNK]
            new = [passwords.generate(guest.guest_type) for guest in chunk]
            hashes = list(hashers.map(passwords.hash_password, new))
            made |= _put(chunk, new, hashes)
    return made


@transaction.atomic
def _put(guests: Sequence[Guest], new: Sequence[str], hashes: Sequence[str]) -> dict[int, str]:
    done = {}
    for guest, password, password_hash in zip(guests, new, hashes, strict=True):
        try:
            current = accounts.locked(guest)
        except Refusal:
            continue
        if not kept_out(current):
            passwords.put(current, password_hash)
            done[guest.pk] = password
    return done


def kept_out(guest: Guest) -> str:
    """Why this guest gets no card, or nothing."""
    sentence = ""
    if guest.anonymised_at is not None:
        sentence = _("%(name)s is anonymous.")
    elif guest.banned:
        sentence = _("%(name)s is banned.")
    elif guest.suspended:
        sentence = _("%(name)s is suspended.")
    return sentence % {"name": guest.username}


def _gone(guest: Guest) -> str:
    return _("%(name)s was removed or kept out in the meantime.") % {"name": guest.username}
