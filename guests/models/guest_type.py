"""GuestType: how long guests of a kind stay, when they may come in, and what their passwords look like."""

from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

DAYS = (1, 2, 3, 4, 5, 6, 7)
SHORTEST_STAY = timedelta(minutes=1)


class CountsFrom(models.TextChoices):
    """When a stay begins to run."""

    BEGINNING = "beginning", _("the beginning of the stay")
    FIRST_SIGN_IN = "first_sign_in", _("the first sign-in")


class PasswordStyle(models.TextChoices):
    """What a password that the portal makes looks like. What each must be long is said in `guests.passwords`."""

    WORDS = "words", _("words that can be read aloud")
    DIGITS = "digits", _("digits")
    MIXED = "mixed", _("letters and digits")


class GuestType(models.Model):
    """A kind of guests. Where the stay counts from the first sign-in, `longest_stay` is also how long that may take."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Off: nobody is given this type any more."))
    roles = models.ManyToManyField(
        Group, verbose_name=_("roles that may give it"), blank=True, help_text=_("None: everybody who makes guests.")
    )
    default_stay = models.DurationField(
        _("usual stay"), default=timedelta(days=1), validators=[MinValueValidator(SHORTEST_STAY)]
    )
    longest_stay = models.DurationField(
        _("longest stay"), default=timedelta(days=31), validators=[MinValueValidator(SHORTEST_STAY)]
    )
    counts_from = models.CharField(
        _("stay counts from"), max_length=20, choices=CountsFrom.choices, default=CountsFrom.BEGINNING
    )
    days = models.JSONField(_("days"), default=list, blank=True, help_text=_("None: every day."))
    hours_from = models.TimeField(_("from"), null=True, blank=True)
    hours_until = models.TimeField(
        _("until"), null=True, blank=True, help_text=_("Earlier than the beginning: on the next day.")
    )
    devices = models.PositiveSmallIntegerField(
        _("devices at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: any number."),
    )
    password_style = models.CharField(
        _("passwords made of"), max_length=10, choices=PasswordStyle.choices, default=PasswordStyle.WORDS
    )
    password_length = models.PositiveSmallIntegerField(_("how many of them"), default=3)
    notice_hours = models.PositiveSmallIntegerField(_("hours of notice before the end"), null=True, blank=True)
    needs_approval = models.BooleanField(_("a sponsor must approve"), default=False)
    self_service = models.BooleanField(
        _("guests may choose it themselves"),
        default=False,
        help_text=_("Where several are, the page asks which."),
    )
    may_extend = models.BooleanField(_("guests may extend their stay"), default=False)

    class Meta:
        verbose_name = _("guest type")
        verbose_name_plural = _("guest types")
        default_permissions = ()
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=Q(longest_stay__gte=F("default_stay")), name="guest_type_longest_is_not_shorter"
            ),
            models.CheckConstraint(
                condition=Q(hours_from__isnull=True, hours_until__isnull=True)
                | Q(hours_from__isnull=False, hours_until__isnull=False),
                name="guest_type_has_both_hours_or_none",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def end_of(self, beginning: datetime) -> datetime:
        """When a stay that begins then ends, as long as nobody has signed in."""
        waits = self.counts_from == CountsFrom.FIRST_SIGN_IN
        return beginning + (self.longest_stay if waits else self.default_stay)

    def latest_end(self, beginning: datetime) -> datetime:
        """Beyond this a stay that begins then cannot be extended."""
        return beginning + self.longest_stay
