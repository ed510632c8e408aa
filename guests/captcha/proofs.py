"""Work as a proof (ALTCHA, https://altcha.org): a browser looks for a number, which costs it a moment.

Challenges and their judgement are the library's. Its widget is left out, for it writes a `<style>` into the page, which
our policy forbids, and is 24 KB compressed (39 with its translations) of the 50 that a whole page may have.
`static/guests/captcha.js` says as much in 2 KB. A challenge is signed and nowhere kept, so that asking for one writes
nothing.
"""

import base64
import binascii
import json
import re
from datetime import timedelta
from typing import Any

import altcha
from django.forms import ValidationError
from django.utils import timezone
from django_altcha import AltchaField, get_hmac_key

from guests.captcha.verdicts import Verdict
from guests.models import SpentChallenge

LIFETIME = timedelta(minutes=20)
#: The largest number to look for; half of it is tried on average. An old phone tries some 10,000 in a second.
MOST = 20_000
#: Characters of a payload; ours have some 350.
LONGEST = 1000
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def challenge() -> dict[str, Any]:
    """A new one, in the words of the protocol."""
    # Not by django-altcha's own function: it reckons with local time, and an hour is missing or doubled once a year.
    options = altcha.ChallengeOptions(
        hmac_key=get_hmac_key(), max_number=MOST, expires=timezone.now() + LIFETIME, salt_length=16
    )
    return altcha.create_challenge(options).to_dict()


def judge(payload: str) -> Verdict:
    """What a solution is worth. A right one is spent by this."""
    try:
        _Proof().clean(payload)
    except ValidationError as error:
        return _VERDICTS.get(error.code, Verdict.FAILED)
    return Verdict.RIGHT


_VERDICTS: dict[str | None, Verdict] = {"used": Verdict.USED, "over": Verdict.OVER}


class _Proof(AltchaField):  # type: ignore[misc]
    """The library's field, which would note in a cache what was taken: two posts at once would both pass."""

    def to_python(self, value: str) -> str:
        solution = _read(value)
        if solution is None or not isinstance(solution.get("challenge"), str):
            raise ValidationError("not a payload", code="invalid")
        if _is_over(solution.get("salt")):
            raise ValidationError("too late", code="over")
        return value

    def replay_attack_protection(self, payload: str) -> None:
        taken = _read(payload) or {}
        _, is_first = SpentChallenge.objects.get_or_create(
            # Clocks of machines differ: it is kept for longer than any of them would take it.
            digest=taken["challenge"],
            defaults={"expires_at": timezone.now() + 2 * LIFETIME},
        )
        if not is_first:
            raise ValidationError("taken before", code="used")


def _read(payload: str) -> dict[str, Any] | None:
    """What is in a payload, if it is one."""
    if len(payload) > LONGEST or not BASE64.fullmatch(payload):
        return None
    try:
        solution = json.loads(base64.b64decode(payload))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return solution if isinstance(solution, dict) else None


def _is_over(salt: Any) -> bool:
    """Whether the time in a salt has passed. That it is ours is for the library to say."""
    found = re.search(r"[?&]expires=(\d{1,12})&", salt) if isinstance(salt, str) else None
    return found is not None and int(found[1]) < timezone.now().timestamp()
