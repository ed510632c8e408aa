"""Setting up and taking away second factors: what a key looks like, what follows from the first one and the last."""

import base64
import secrets
from urllib.parse import quote, urlencode

import segno
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from portal.errors import Refusal
from portal.models import RecoveryCodes, TotpDevice, User
from portal.models.devices import DIGITS, STEP, digests_of, matching_step
from portal.passwords import readable_password
from portal.sign_in import devices

HOW_MANY_CODES = 10


def new_key() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def in_groups(key: str) -> str:
    """The key as people type it."""
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def address_for_apps(user: User, key: str) -> str:
    """What the QR code says."""
    issuer = _("Guest SMS Portal")
    label = quote(f"{issuer}:{user.get_username()}")
    return f"otpauth://totp/{label}?" + urlencode(
        {"secret": key, "issuer": issuer, "digits": DIGITS, "period": STEP}, quote_via=quote
    )


def qr_code(address: str) -> str:
    """An SVG element."""
    return segno.make(address, micro=False).svg_inline(border=2, dark="#000", light="#fff", omitsize=True)


def add_app(user: User, key: str, code: str, name: str) -> TotpDevice:
    """Sets up an app that shows the code of this key now. Raises Refusal."""
    step = matching_step(key, code.replace(" ", ""))
    if step is None:
        raise Refusal(
            _("This is not the code of this key. See that the clock of the phone is right, and type the next code."),
            field="code",
        )
    with transaction.atomic():
        prepare_first(user)
        # The code has been used: it does not open a session once more.
        device = TotpDevice(user=user, key=key, name=name, last_step=step, last_used_at=timezone.now())
        device.save(force_insert=True)
    return device


def prepare_first(user: User) -> None:
    """A second factor is about to be added. With the first one the password alone opens the API no more."""
    if not devices.has_second_factor(user):
        User.objects.filter(pk=user.pk).update(password_opens_api=False)
    user.__dict__.pop(devices.KEPT, None)


def make_codes(user: User) -> list[str]:
    """New recovery codes; the former ones are good for nothing any more. Only their digests are kept."""
    codes = [readable_password() for _ in range(HOW_MANY_CODES)]
    RecoveryCodes.objects.update_or_create(
        user=user, defaults={"digests": digests_of(codes), "created_at": timezone.now(), "last_used_at": None}
    )
    return codes


def remove(user: User, device: Device) -> None:
    """Takes one of the user's away; recovery codes go with the last."""
    with transaction.atomic():
        device.delete()
        user.__dict__.pop(devices.KEPT, None)
        if not devices.has_second_factor(user):
            RecoveryCodes.objects.filter(user=user).delete()


def remove_all(user: User) -> int:
    """Takes all of them away, because a phone is lost: the password is enough again. How many there were."""
    with transaction.atomic():
        found = [*devices.apps_of(user), *devices.passkeys_of(user)]
        TotpDevice.objects.filter(user=user).delete()
        WebAuthnCredential.objects.filter(user=user).delete()
        RecoveryCodes.objects.filter(user=user).delete()
    user.__dict__.pop(devices.KEPT, None)
    return len(found)
