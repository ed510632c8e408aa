"""Guest: a person who may come in. What is done to guests is in accounts.py and its neighbours."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guests.models.guest_type import GuestType
from messaging.models import Message

#: How long a guest may come in where nobody says otherwise.
USUAL_STAY = timedelta(days=31)

LONGEST_NOTES = 10_000

username_is_plain = RegexValidator(
    r"\A[a-zA-Z0-9\-_.@/\\]+\Z", _("Use Latin letters, digits and the characters - _ . @ / \\ only.")
)
#: What `user/{pid}/…` is called with beside the guest itself; no user name ends in one of these.
CALLS = ("password", "extend", "suspend", "reinstate", "ban", "unban", "anonymise", "reset_password")
# `user/{pid}` must lead to the guest: a last slash may be left out, and clients resolve the dots of a relative path
# before they send it.
username_has_an_address = RegexValidator(
    rf"(\A|/)\.{{1,2}}(/|\Z)|/\Z|/({'|'.join(CALLS)})\Z",
    _("A user name cannot end in / or in /password and other calls of the API, nor have . or .. between slashes."),
    inverse_match=True,
)


def usual_end() -> datetime:
    """When a stay that begins now usually ends."""
    return timezone.now() + USUAL_STAY


class Guest(models.Model):
    """A person with network credentials. `pid` on the wire is `username`, `telephone` is `phone`.

    Its state is worked out by `guests.states`. A ban is apart from all else: to prove a phone or to be reinstated does
    not end it.
    """

    username = models.CharField(
        _("user name"), max_length=255, unique=True, validators=[username_is_plain, username_has_an_address]
    )
    phone = models.CharField(_("phone"), max_length=20, blank=True, db_index=True)
    first_name = models.CharField(_("first name"), max_length=255, blank=True)
    last_name = models.CharField(_("last name"), max_length=255, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    company = models.CharField(_("company"), max_length=255, blank=True)
    notes = models.TextField(
        _("notes"), blank=True, max_length=LONGEST_NOTES, validators=[MaxLengthValidator(LONGEST_NOTES)]
    )
    language = models.CharField(
        _("language"), max_length=5, choices=settings.LANGUAGES, blank=True, help_text=_("Empty: the portal's.")
    )
    sponsor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("sponsor"), null=True, blank=True
    )
    guest_type = models.ForeignKey(
        GuestType, models.PROTECT, verbose_name=_("guest type"), null=True, blank=True, related_name="guests"
    )
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    valid_until = models.DateTimeField(_("valid until"), default=usual_end, db_index=True)
    first_sign_in = models.DateTimeField(_("first sign-in"), null=True, blank=True, editable=False)
    verified_at = models.DateTimeField(
        _("phone proven"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the guest proved to have the phone."),
    )
    #: The end of the stay of which notice was given.
    noticed_end = models.DateTimeField(_("notice given of the end at"), null=True, blank=True, editable=False)
    #: The end of the stay of which webhooks were told.
    told_end = models.DateTimeField(_("end that was told"), null=True, blank=True, editable=False)
    suspended = models.BooleanField(_("suspended"), default=False)
    suspended_why = models.CharField(_("suspended because"), max_length=255, blank=True)
    banned = models.BooleanField(_("banned"), default=False, editable=False)
    banned_why = models.CharField(_("banned because"), max_length=255, blank=True, editable=False)
    anonymised_at = models.DateTimeField(_("anonymised"), null=True, blank=True, editable=False)
    password = models.CharField(_("password hash"), max_length=255, blank=True, editable=False)
    last_credentials = models.ForeignKey(
        Message,
        models.SET_NULL,
        verbose_name=_("last credentials"),
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        default_permissions = ()
        ordering = ("username",)
        constraints = [
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="guest_stay_ends_after_it_begins")
        ]
        indexes = [
            models.Index(fields=["valid_until"], name="guest_to_anonymise", condition=Q(anonymised_at__isnull=True)),
            models.Index(
                fields=["valid_until"],
                name="guest_end_to_tell",
                condition=Q(told_end=None) | ~Q(told_end=F("valid_until")),
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def has_password(self) -> bool:
        """Whether a hash is kept; the password itself never is."""
        return bool(self.password)

    def set_password(self, raw: str) -> None:
        """Hashes it, which costs tens of milliseconds; nothing is saved."""
        self.password = make_password(raw)

    def check_password(self, raw: str) -> bool:
        """Whether this is the password; false where none is set."""
        return check_password(raw, self.password)
