"""Gateway: a configured account at a provider; its health and pace; and the sandbox phone's inbox."""

import logging
import math
import re
import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateways import providers
from gateways.outcomes import LONGEST_REASON, ReceiptState
from gateways.provider import BaseProvider
from portal import clock
from portal.encryption import EncryptedJSONField, EncryptedTextField, KeyMissing, Locked

logger = logging.getLogger(__name__)

name_is_plain = RegexValidator(
    r"\A[A-Za-z0-9А-Яа-яЁё][A-Za-z0-9А-Яа-яЁё ._-]*\Z",
    _("Use letters, digits, spaces, dots, dashes and underscores; begin with a letter or a digit."),
)

is_phone = RegexValidator(r"\A\+[1-9][0-9]{6,14}\Z", _("Give a phone such as +79161234567."))

PREFIX = re.compile(r"\+[1-9][0-9]{0,14}", re.ASCII)


def are_prefixes(value: Any) -> None:
    """Raises ValidationError for anything but a list of prefixes such as `+7` and `+7916`, and names the wrong one."""
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of prefixes such as +7 or +7916."))
    for one in value:
        if not isinstance(one, str) or not PREFIX.fullmatch(one):
            sentence = _("“%(prefix)s” is no prefix: write the plus and the country code first, such as +7 or +7916.")
            raise ValidationError(sentence, params={"prefix": str(one)[:30]})


def is_finite(value: float) -> None:
    """Raises ValidationError for infinity and for what is no number; neither lies outside any limit."""
    if not math.isfinite(value):
        raise ValidationError(_("Give a number."))


def new_callback_key() -> str:
    """What makes the address of a gateway's callbacks unguessable."""
    return secrets.token_urlsafe(24)


class Gateway(models.Model):
    """An account at a provider. `sms_gateway` on the wire is its name."""

    name = models.CharField(_("name"), max_length=100, unique=True, validators=[name_is_plain])
    provider = models.CharField(_("provider"), max_length=50, choices=providers.choices)
    settings = EncryptedJSONField(_("settings"), default=dict, blank=True)
    sender = models.CharField(_("sender"), max_length=20, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    is_default = models.BooleanField(_("default gateway"), default=False)
    priority = models.PositiveSmallIntegerField(
        _("priority"),
        default=100,
        validators=[MaxValueValidator(10_000)],
        help_text=_("The lower number is tried first."),
    )
    prefixes = models.JSONField(
        _("prefixes"),
        default=list,
        blank=True,
        validators=[are_prefixes],
        help_text=_("Phones it may send to, such as +7; empty means any."),
    )
    rate_per_second = models.FloatField(
        _("messages per second"), default=50, validators=[is_finite, MinValueValidator(0.01), MaxValueValidator(10_000)]
    )
    max_in_flight = models.PositiveSmallIntegerField(
        _("messages at once"), default=50, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    timeout = models.FloatField(
        _("time-out, seconds"), default=15, validators=[is_finite, MinValueValidator(1), MaxValueValidator(120)]
    )
    daily_limit = models.PositiveIntegerField(
        _("messages a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100_000_000)],
        help_text=_("Further ones go through another gateway or wait for tomorrow; empty means any number."),
    )
    strict = models.BooleanField(
        _("no failover"),
        default=False,
        help_text=_("A message for this gateway waits for it, instead of going through another one."),
    )
    test_number = models.CharField(
        _("test number"),
        max_length=20,
        blank=True,
        validators=[is_phone],
        help_text=_("A test goes to this phone unless another is given."),
    )
    balance_warning = models.DecimalField(
        _("warn when the balance is below"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("A second warning comes at half of it, a third at nothing."),
    )
    segment_price = models.DecimalField(
        _("price of a segment"),
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("What the provider takes for one SMS segment; the portal reckons costs with it."),
    )
    currency = models.CharField(_("currency"), max_length=10, default="RUB", blank=True)
    callback_key = EncryptedTextField(_("callback key"), default=new_callback_key, editable=False)
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        default_permissions = ()
        ordering = ("priority", "name")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_gateway")
        ]

    def __str__(self) -> str:
        return self.name

    def open(self) -> BaseProvider:
        """The provider with this account's settings.

        Raises KeyError when the provider's file is gone, KeyMissing when its settings cannot be decrypted.
        """
        if isinstance(self.settings, Locked):
            raise KeyMissing
        return providers.load(self.provider)(self.settings, self.sender, self.name, self.callback_url)

    @property
    def callback_url(self) -> str:
        """Where its provider calls us; empty where the portal does not know its own address, or the key is locked."""
        if not settings.PORTAL_URL or isinstance(self.callback_key, Locked):
            return ""
        return f"{settings.PORTAL_URL}/callbacks/{self.pk}/{self.callback_key}/"

    def abilities(self) -> BaseProvider:
        """The provider, or where it cannot be opened one that can do nothing: then all it did is unclear."""
        try:
            return self.open()
        except Exception as error:  # noqa: BLE001 — a provider's file may fail in any way
            logger.warning("gateway %s cannot be opened (%s)", self.pk, type(error).__name__)
            return BaseProvider({})


class GatewayHealth(models.Model):
    """How a gateway fares: its breaker, its last error, what it may still send today, what is left on the account.

    Written by `health.py`, `pace.py` and `balance.py` only.
    """

    gateway = models.OneToOneField(
        Gateway, models.CASCADE, verbose_name=_("gateway"), related_name="health", primary_key=True
    )
    open_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    faults = models.PositiveIntegerField(_("faults in a row"), default=0)
    troubles = models.PositiveIntegerField(_("messages in a row without an answer"), default=0)
    refused_at = models.DateTimeField(_("credentials refused at"), null=True, blank=True)
    proven = models.BooleanField(_("its settings have worked"), default=False)
    settings_at = models.DateTimeField(_("settings changed at"), default=timezone.now)
    last_error = models.CharField(_("last error"), max_length=LONGEST_REASON, blank=True)
    last_remedy = models.CharField(_("remedy"), max_length=LONGEST_REASON, blank=True)
    last_error_at = models.DateTimeField(_("last error at"), null=True, blank=True)
    pace_tokens = models.FloatField(_("pace: messages it may take now"), default=1)
    pace_at = models.DateTimeField(_("pace: counted at"), default=timezone.now)
    day = models.DateField(_("day of the count"), null=True, blank=True)
    day_count = models.PositiveIntegerField(_("messages that day"), default=0)
    balance = models.DecimalField(_("balance"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    balance_at = models.DateTimeField(_("balance asked at"), null=True, blank=True)
    balance_warned = models.PositiveSmallIntegerField(_("balance warnings given"), default=0)
    inbound_at = models.DateTimeField(_("asked for inbound messages at"), null=True, blank=True)
    inbound_heard_at = models.DateTimeField(_("told inbound messages at"), null=True, blank=True)

    class Meta:
        verbose_name = _("gateway health")
        verbose_name_plural = _("gateway health")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.gateway)


class GatewaySession(models.Model):
    """What a login at the provider gave, shared by all workers; `turn` is who may log in. Written by `sessions.py`."""

    gateway = models.OneToOneField(
        Gateway, models.CASCADE, verbose_name=_("gateway"), related_name="session", primary_key=True
    )
    token = EncryptedTextField(_("token"), null=True)
    refresh = EncryptedTextField(_("refresh token"), null=True)
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    idles = models.FloatField(_("seconds it may lie unused"), null=True, blank=True)
    turn = models.PositiveIntegerField(_("turn"), default=0)
    busy_until = models.DateTimeField(_("login under way until"), null=True, blank=True)
    refusals = models.PositiveSmallIntegerField(_("new tokens refused in a row"), default=0)

    class Meta:
        verbose_name = _("session at a provider")
        verbose_name_plural = _("sessions at providers")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.gateway)


class SandboxSms(models.Model):
    """A message in the sandbox phone's inbox; `key` is what makes a repeat no second message."""

    gateway = models.ForeignKey(Gateway, models.CASCADE, verbose_name=_("gateway"))
    key = models.CharField(_("key"), max_length=100)
    times_submitted = models.PositiveIntegerField(_("times submitted"), default=1)
    phone = models.CharField(_("phone"), max_length=20)
    sender = models.CharField(_("sender"), max_length=20, blank=True)
    text = EncryptedTextField(_("text"))
    state = models.CharField(_("state"), max_length=20, choices=ReceiptState.choices)
    settles_at = models.DateTimeField(_("receipt at"))
    received = models.DateTimeField(_("received"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("message in the sandbox")
        verbose_name_plural = _("messages in the sandbox")
        default_permissions = ()
        ordering = ("-received", "-id")
        indexes = [models.Index(fields=["gateway", "key"], name="sandbox_by_key")]

    def __str__(self) -> str:
        return f"{self.phone} {timezone.localtime(self.received):%Y-%m-%d %H:%M:%S}"

    def reported(self) -> ReceiptState:
        """The receipt as it is now: until it settles the message is on its way."""
        return ReceiptState(self.state) if self.settles_at <= clock.now() else ReceiptState.PENDING
