"""Registration: one browser's way to being on line. `guests.registration` takes it through its stages."""

from functools import partial

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from guests.models.code import Code
from guests.models.guest import Guest
from guests.models.guest_type import GuestType
from guests.models.terms import Terms
from messaging.models import Message
from portal import counting
from portal.encryption import EncryptedTextField


class Stage(models.TextChoices):
    """How far a registration has come."""

    CODE = "code", _("waiting for the code")
    APPROVAL = "approval", _("waiting for the sponsor")
    DONE = "done", _("registered")
    DENIED = "denied", _("denied")
    ENDED = "ended", _("too many wrong codes")
    LAPSED = "lapsed", _("never finished")


class Purpose(models.TextChoices):
    """What the guest wants of it."""

    REGISTER = "register", _("to register")
    ACCESS = "access", _("to see the own access")


class Origin(models.TextChoices):
    """By which door it came."""

    PAGES = "pages", _("the guest pages")
    API = "api", _("the API")
    LINK = "link", _("the link in the SMS")


class Registration(models.Model):
    """What a browser said and what it proved. The browser is told by a token of which the digest is kept."""

    token_digest = models.CharField(_("digest of the token"), max_length=64, unique=True, editable=False)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices, default=Purpose.REGISTER)
    origin = models.CharField(_("came by"), max_length=10, choices=Origin.choices, default=Origin.PAGES)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices, default=Stage.CODE)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    phone = models.CharField(_("phone"), max_length=20, blank=True, db_index=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=255, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    company = models.CharField(_("company"), max_length=255, blank=True)
    guest_type = models.ForeignKey(
        GuestType, models.SET_NULL, verbose_name=_("guest type"), null=True, blank=True, related_name="+"
    )

    terms = models.ForeignKey(
        Terms, models.PROTECT, verbose_name=_("terms accepted"), null=True, blank=True, related_name="+"
    )
    terms_accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True, unpack_ipv4=True)
    #: The digest of what tells browsers apart.
    device = models.CharField(_("browser"), max_length=64, blank=True)
    mac = models.CharField(_("device (MAC)"), max_length=17, blank=True, db_index=True)
    #: What the network passed: `guests.captive.Arrival` as JSON.
    arrival = models.JSONField(_("passed by the network"), default=dict, blank=True)

    code = models.ForeignKey(
        Code, models.SET_NULL, verbose_name=_("code"), null=True, blank=True, related_name="registrations"
    )
    tries = models.PositiveSmallIntegerField(_("codes tried"), default=0)
    created = models.DateTimeField(_("started"), default=timezone.now, db_index=True)
    verified_at = models.DateTimeField(_("phone proven"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    anonymised_at = models.DateTimeField(_("anonymised"), null=True, blank=True)

    guest = models.ForeignKey(
        Guest, models.SET_NULL, verbose_name=_("guest"), null=True, blank=True, related_name="registrations"
    )
    #: Shown once, then wiped.
    password = EncryptedTextField(_("password to show"), null=True, editable=False)
    password_shown_at = models.DateTimeField(_("password shown"), null=True, blank=True, editable=False)
    credentials = models.ForeignKey(
        Message,
        models.SET_NULL,
        verbose_name=_("message with the credentials"),
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        default_permissions = ()
        ordering = ("-id",)
        constraints = [models.CheckConstraint(condition=Q(stage__in=Stage.values), name="registration_stage_is_known")]
        indexes = [
            models.Index(fields=["stage", "created"], name="registration_by_stage"),
            models.Index(fields=["created"], name="registration_to_anonymise", condition=Q(anonymised_at__isnull=True)),
            models.Index(
                fields=["address", "-created"], name="registration_by_address", condition=Q(guest__isnull=False)
            ),
            models.Index(
                fields=["password_shown_at"], name="registration_password", condition=Q(password__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.phone} {self.get_stage_display()}"

    def move(self, to: Stage, *, since: Stage, **values: object) -> bool:
        """A compare-and-set: whoever loses it writes nothing. Terminal stages get their time."""
        if to not in {Stage.CODE, Stage.APPROVAL}:
            values.setdefault("finished_at", timezone.now())
        won = Registration.objects.filter(pk=self.pk, stage=since).update(stage=to, **values) == 1
        if won:
            transaction.on_commit(partial(counting.add, "guest_registrations", outcome=to.value))
            self.stage = to
            for name, value in values.items():
                setattr(self, name, value)
        return won
