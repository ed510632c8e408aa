"""Whose second factors there are, whether they were asked for, and whether a code is right."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from portal.encryption import KeyMissing
from portal.models import RecoveryCodes, TotpDevice, User
from portal.sign_in import policy

logger = logging.getLogger(__name__)

#: Where what was read is kept on the user object; a fresh object reads anew.
KEPT = "_has_second_factor"


class TooSoon(Exception):
    """After wrong codes no other is looked at until then."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def apps_of(user: User) -> list[TotpDevice]:
    """Authenticator apps, the oldest first."""
    return list(TotpDevice.objects.filter(user=user, confirmed=True).order_by("pk"))


def passkeys_of(user: User) -> list[Any]:
    """Passkeys, the oldest first."""
    return list(WebAuthnCredential.objects.filter(user=user, confirmed=True).order_by("pk"))


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    codes = RecoveryCodes.objects.filter(user=user).first()
    return codes.left if codes else 0


def has_second_factor(user: User) -> bool:
    """Whether the user has an app or a passkey, so that the password is not enough any more."""
    if KEPT not in user.__dict__:
        user.__dict__[KEPT] = (
            TotpDevice.objects.filter(user=user, confirmed=True).exists()
            or WebAuthnCredential.objects.filter(user=user, confirmed=True).exists()
        )
    return bool(user.__dict__[KEPT])


def is_satisfied(user: User | AnonymousUser) -> bool:
    """Whether the signed-in user gave what is asked for: a second factor where the policy or a device asks for it."""
    if not isinstance(user, User):
        return False
    if getattr(user, "otp_device", None) is not None:
        return True
    return not policy.is_required() and not has_second_factor(user)


def use_code(user: User, code: str) -> Device | None:
    """The device whose code this is, a recovery code included; it is used up. Raises TooSoon."""
    bare = code.replace(" ", "")
    return _use_recovery_code(user, bare) if any(map(str.isalpha, bare)) else _use_app_code(user, bare)


def _use_recovery_code(user: User, code: str) -> Device | None:
    codes = RecoveryCodes.objects.filter(user=user).first()
    return codes if codes and codes.verify_token(code) else None


def _use_app_code(user: User, code: str) -> Device | None:
    # The rows are locked, so that many guesses at once are looked at one by one.
    with transaction.atomic():
        found = list(TotpDevice.objects.select_for_update().filter(user=user, confirmed=True).order_by("pk"))
        ready = [device for device in found if not device.locked_until()]
        if found and not ready:
            raise TooSoon(min(filter(None, (device.locked_until() for device in found))))
        accepted = next((device for device in ready if _accepts(device, code)), None)
        if accepted is None:
            _count_wrong_code(ready)
        return accepted


def _accepts(device: TotpDevice, code: str) -> bool:
    try:
        return device.accept(code)
    except KeyMissing as missing:
        logger.error("The authenticator app %s of a user cannot be used: %s", device.pk, missing)  # noqa: TRY400
        return False


def _count_wrong_code(devices: Iterable[TotpDevice]) -> None:
    for device in devices:
        device.count_wrong_code()
