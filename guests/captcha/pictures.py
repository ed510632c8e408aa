"""Digits in a picture (django-simple-captcha), for browsers that cannot or may not reckon.

A key is signed when the page is made; the row that has the digits is made when the picture is asked for. So a page
writes nothing, nor does a browser that shows no picture; and however often one picture is asked for, it has one row.
"""

import secrets
import unicodedata

from captcha.models import CaptchaStore
from captcha.views import captcha_image
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from guests.captcha.proofs import LIFETIME
from guests.captcha.verdicts import Verdict

#: Digits that every phone's number pad has, whatever alphabet its owner writes; 0 and 1 would be read as letters.
DIGITS = "23456789"
LENGTH = 5
#: The picture is drawn at twice its size, for the screens that phones have.
SCALE = 2
#: Characters of an answer that are looked at.
LONGEST = 40

_signer = signing.TimestampSigner(salt="guests.captcha.pictures")


def new_key() -> str:
    """The key of a picture that nobody has asked for yet."""
    return _signer.sign(secrets.token_urlsafe(12))


def is_ours(key: str) -> bool:
    """Whether we gave it out, and not too long ago."""
    return _of_key(key) is Verdict.RIGHT


def draw(request: HttpRequest, key: str) -> HttpResponseBase:
    """The picture of a key that is ours."""
    digits = "".join(secrets.choice(DIGITS) for _ in range(LENGTH))
    CaptchaStore.objects.get_or_create(hashkey=_place(key), defaults={"challenge": digits, "response": digits})
    picture: HttpResponseBase = captcha_image(request, _place(key), scale=SCALE)
    return picture


def judge(key: str, typed: str) -> Verdict:
    """What an answer is worth. The picture is spent by this, and a new one has to be read."""
    of_key = _of_key(key)
    if of_key is not Verdict.RIGHT:
        return of_key
    store = CaptchaStore.objects.filter(hashkey=_place(key), expiration__gt=timezone.now()).first()
    # Of several posts at once, the one that removes the row has the answer.
    if store is None or not CaptchaStore.objects.filter(pk=store.pk).delete()[0]:
        return Verdict.USED
    return Verdict.RIGHT if constant_time_compare(store.response, _digits(typed)) else Verdict.WRONG


def _of_key(key: str) -> Verdict:
    try:
        _signer.unsign(key, max_age=LIFETIME)
    except signing.SignatureExpired:
        return Verdict.OVER
    except signing.BadSignature:
        return Verdict.FAILED
    return Verdict.RIGHT


def _place(key: str) -> str:
    """Where the row is. The library draws by it, so that it must tell nobody who has the key how a picture is bent."""
    return salted_hmac("guests.captcha.place", key).hexdigest()


def _digits(typed: str) -> str:
    """What was typed, in digits as we write them, without anything between them."""
    return "".join(str(unicodedata.digit(sign)) for sign in typed[:LONGEST] if sign.isdigit())
