"""Second factors of the ground's own: authenticator apps and recovery codes. Passkeys are django-otp-webauthn's."""

import base64
import hashlib
import time
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import hotp

from portal.encryption import EncryptedTextField, unlocked

#: Seconds for which an app shows a code.
STEP = 30
DIGITS = 6
#: A clock may be wrong by one code, either way.
TOLERANCE = 1


class TotpDevice(TimestampMixin, ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app. Each code is good once, and its key is encrypted."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="totp_devices", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=64)
    confirmed = models.BooleanField(_("confirmed"), default=True)
    key = EncryptedTextField(_("key"))
    #: The time step of the last code that was accepted: neither it nor an older one is accepted again.
    last_step = models.BigIntegerField(_("last time step used"), default=-1)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    throttling_failure_timestamp = models.DateTimeField(_("last wrong code"), null=True, blank=True)
    throttling_failure_count = models.PositiveIntegerField(_("wrong codes in a row"), default=0)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.name)

    def get_throttle_factor(self) -> int:
        """After wrong codes the next is looked at in 1, 2, 4, 8… seconds."""
        return 1

    def locked_until(self) -> datetime | None:
        """Until when no code is looked at; None where one is."""
        allowed, why = self.verify_is_allowed()
        return None if allowed else why["locked_until"]

    def verify_token(self, token: str) -> bool:
        """As `accept`; a wrong code is counted. Raises KeyMissing."""
        if self.locked_until():
            return False
        accepted = self.accept(token)
        if not accepted:
            self.count_wrong_code()
        return accepted

    def accept(self, token: str) -> bool:
        """Uses the code up. Of two who come with one code, one is let in. Raises KeyMissing."""
        key = unlocked(self.key)
        step = matching_step(key, token)
        if step is None:
            return False
        accepted: int = TotpDevice.objects.filter(pk=self.pk, last_step__lt=step).update(
            # Written with each use, so that it moves to the first of ENCRYPTION_KEYS.
            key=key,
            last_step=step,
            last_used_at=timezone.now(),
            throttling_failure_count=0,
            throttling_failure_timestamp=None,
        )
        return accepted == 1

    def count_wrong_code(self) -> None:
        """Makes the next one wait longer."""
        TotpDevice.objects.filter(pk=self.pk).update(
            throttling_failure_count=F("throttling_failure_count") + 1, throttling_failure_timestamp=timezone.now()
        )


def matching_step(key: str, token: str) -> int | None:
    """The time step at which an app with this base32 key shows the code, among those that are tolerated now."""
    if len(token) != DIGITS or not token.isascii() or not token.isdigit():
        return None
    secret, now = base64.b32decode(key), int(time.time()) // STEP
    steps = range(now - TOLERANCE, now + TOLERANCE + 1)
    return next((step for step in steps if hotp(secret, step, DIGITS) == int(token)), None)


class RecoveryCodes(TimestampMixin, Device):  # type: ignore[misc]
    """The recovery codes that somebody has left. Only their digests are kept; each code has 79 random bits."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=64, blank=True)
    confirmed = models.BooleanField(_("confirmed"), default=True)
    digests = models.JSONField(_("digests"), default=list)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("recovery codes")
        verbose_name_plural = _("recovery codes")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)

    @property
    def left(self) -> int:
        """How many are unused."""
        return len(self.digests)

    def verify_token(self, token: str) -> bool:
        """Uses the code up. The row is locked meanwhile: two requests cannot use one code."""
        digest = digest_of(token)
        with transaction.atomic():
            row = RecoveryCodes.objects.select_for_update().filter(pk=self.pk).first()
            if row is None or digest not in row.digests:
                return False
            row.digests = [kept for kept in row.digests if kept != digest]
            row.last_used_at = timezone.now()
            row.save(update_fields=["digests", "last_used_at"])
        return True


def digest_of(code: str) -> str:
    """What is kept of a recovery code, however it was typed."""
    bare = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(bare.encode()).hexdigest()


def digests_of(codes: Iterable[str]) -> list[str]:
    """The same for many."""
    return [digest_of(code) for code in codes]
