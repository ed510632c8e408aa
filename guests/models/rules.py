"""RegistrationRules: how guests register themselves. One row, for the administrator; `guests.rules` reads it."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Asked(models.TextChoices):
    """Whether guests are asked for something."""

    NO = "no", _("not asked")
    OPTIONAL = "optional", _("asked, may stay empty")
    REQUIRED = "required", _("required")


class RegistrationRules(models.Model):
    """What is asked of guests, whom codes are sent to, and how many. A limit of 0 is none."""

    is_open = models.BooleanField(_("guests may register themselves"), default=True)
    ask_name = models.CharField(pgettext_lazy("person", "name"), max_length=10, choices=Asked.choices, default=Asked.NO)
    ask_email = models.CharField(_("e-mail"), max_length=10, choices=Asked.choices, default=Asked.NO)
    ask_company = models.CharField(_("company"), max_length=10, choices=Asked.choices, default=Asked.NO)
    captcha = models.BooleanField(
        _("captcha"), default=True, help_text=_("Without it robots spend the money for messages.")
    )
    sends_credentials = models.BooleanField(
        _("send user name and password by SMS"), default=True, help_text=_("Once the code was entered.")
    )
    resume_links = models.BooleanField(
        _("link back to the page in the SMS"),
        default=False,
        help_text=_("For phones that close the page while the SMS is read. The SMS gets longer."),
    )
    redirect_hosts = models.JSONField(
        _("hosts of the network"),
        default=list,
        blank=True,
        help_text=_("Guests are sent on to these alone: wifi.example.org, *.example.org, 10.0.0.1:8443"),
    )

    countries = models.JSONField(
        _("countries"), default=list, blank=True, help_text=_("Two letters each; none: the portal's own country.")
    )
    mobile_only = models.BooleanField(_("mobile numbers only"), default=True)

    phone_hour = models.PositiveIntegerField(_("messages to a phone in an hour"), default=3)
    phone_day = models.PositiveIntegerField(_("messages to a phone in a day"), default=6)
    address_hour = models.PositiveIntegerField(_("messages for an address in an hour"), default=10)
    address_day = models.PositiveIntegerField(_("messages for an address in a day"), default=30)
    network_hour = models.PositiveIntegerField(_("messages for a network in an hour"), default=60)
    network_day = models.PositiveIntegerField(_("messages for a network in a day"), default=200)
    device_hour = models.PositiveIntegerField(_("messages for a device in an hour"), default=5)
    device_day = models.PositiveIntegerField(_("messages for a device in a day"), default=10)
    prefix_hour = models.PositiveIntegerField(_("messages to a number range in an hour"), default=100)
    foreign_hour = models.PositiveIntegerField(_("messages to another country in an hour"), default=50)
    portal_hour = models.PositiveIntegerField(_("messages in an hour"), default=600)
    portal_day = models.PositiveIntegerField(_("messages in a day"), default=5000)
    resend_seconds = models.PositiveIntegerField(
        _("seconds until a code may be sent again"), default=60, help_text=_("Each further time takes twice as long.")
    )

    brake_percent = models.PositiveSmallIntegerField(
        _("percent of codes never entered that stop registration"),
        default=60,
        help_text=_("That many show that a robot has messages sent. 0: registration is never stopped."),
    )
    brake_least = models.PositiveIntegerField(_("at this many codes in an hour, or more"), default=40)
    brake_minutes = models.PositiveIntegerField(_("minutes that it stays stopped"), default=60)

    sponsor_domains = models.JSONField(
        _("e-mail domains of sponsors"),
        default=list,
        blank=True,
        help_text=_("Guests may name anybody there; none: only sponsors of the list."),
    )
    sponsors_need_account = models.BooleanField(
        _("sponsors sign in before they decide"),
        default=False,
        help_text=_("Off: the link they are sent is enough."),
    )
    approval_hours = models.PositiveSmallIntegerField(_("hours a sponsor has"), default=8)
    reminder_minutes = models.PositiveIntegerField(_("minutes until a sponsor is reminded"), default=60)

    journal_days = models.PositiveIntegerField(
        _("days that is kept who registered when"),
        default=183,
        help_text=_("Afterwards guests and registrations are made anonymous."),
    )

    class Meta:
        verbose_name = _("rules of registration")
        verbose_name_plural = _("rules of registration")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
