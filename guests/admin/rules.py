"""The page of the rules of self-registration."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guests import rules as domain
from guests.admin.lists import ListField
from guests.admin.one_row import OneRowAdmin
from guests.models import RegistrationRules
from portal.admin.rights import DomainForm


class RulesForm(DomainForm):
    """What the rules must fulfil is said by `guests.rules`."""

    redirect_hosts = ListField(
        label=capfirst(_("hosts of the network")),
        help_text=_(
            "Guests are sent on to these alone, one a line: wifi.example.org, *.example.org, 10.0.0.1:8443. "
            "None: there is no button to log in at the network."
        ),
    )
    countries = ListField(
        label=capfirst(_("countries")),
        help_text=_("Codes go to numbers of these, two letters each: RU, KZ. None: the portal's own country."),
    )
    sponsor_domains = ListField(
        label=capfirst(_("e-mail domains of sponsors")),
        help_text=_("Guests may name anybody there: example.org. None: only sponsors of the list."),
    )
    left_to_domain = frozenset({"redirect_hosts", "countries", "sponsor_domains"})


@admin.register(RegistrationRules)
class RulesAdmin(OneRowAdmin):
    """How guests register themselves."""

    form = RulesForm
    fieldsets = (
        (
            _("Who, and what is asked"),
            {
                "fields": (
                    *("is_open", "ask_name", "ask_email", "ask_company", "captcha", "countries", "mobile_only"),
                    *("sends_credentials", "resume_links"),
                )
            },
        ),
        (
            _("Messages and limits"),
            {
                "description": _(
                    "So many messages with a code are sent, and no more; who asks for another one is told when to try "
                    "again. 0 is no limit. The venue's own networks (GUEST_NETWORKS) are not counted by address and "
                    "network."
                ),
                "fields": (
                    ("phone_hour", "phone_day"),
                    ("device_hour", "device_day"),
                    ("address_hour", "address_day"),
                    ("network_hour", "network_day"),
                    ("prefix_hour", "foreign_hour"),
                    ("portal_hour", "portal_day"),
                    "resend_seconds",
                ),
            },
        ),
        (
            _("Brake"),
            {
                "description": _(
                    "A robot that has messages sent never enters their codes. When too few are entered, registration "
                    "stops by itself; the page “Held back” shows that and lets it go on."
                ),
                "fields": ("brake_percent", "brake_least", "brake_minutes"),
            },
        ),
        (_("Network"), {"fields": ("redirect_hosts",)}),
        (
            _("Sponsors"),
            {
                "description": _("For guests of types that a sponsor must approve."),
                "fields": ("sponsor_domains", "sponsors_need_account", "approval_hours", "reminder_minutes"),
            },
        ),
        (_("Retention"), {"fields": ("journal_days",)}),
    )

    def current(self) -> RegistrationRules:
        return domain.current()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "title": gettext("Self-registration")}
        )

    def save_model(self, request: HttpRequest, obj: RegistrationRules, form: Any, change: bool) -> None:
        domain.change(**{name: form.cleaned_data[name] for name in form.changed_data})
