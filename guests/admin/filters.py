"""What the list of guests can be filtered by."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guests import states
from guests.admin import shown
from guests.models import Guest, Stage
from guests.states import State
from portal.admin.filters import ConditionFilter


class StateFilter(admin.SimpleListFilter):
    """By the state that `guests.states` works out."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return State.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Guest]) -> QuerySet[Guest]:
        found: Any = states.annotated(queryset)
        return found.filter(state=self.value()) if self.value() in State.values else queryset


class ValidityFilter(admin.SimpleListFilter):
    """By when the stay begins and ends, in the reader's days."""

    title = _("validity")
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (
            ("today", _("ends today")),
            ("soon", _("ends within 3 days")),
            ("lately", _("ended in the last 7 days")),
            ("later", _("begins later")),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Guest]) -> QuerySet[Guest]:
        found = _stays(timezone.now()).get(str(self.value()))
        return queryset.filter(found) if found else queryset


def _stays(now: datetime) -> dict[str, Q]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return {
        "today": Q(valid_until__gt=now, valid_until__lte=midnight),
        "soon": Q(valid_until__gt=now, valid_until__lte=now + timedelta(days=3)),
        "lately": Q(valid_until__gt=now - timedelta(days=7), valid_until__lte=now),
        "later": Q(valid_from__gt=now),
    }


class CredentialsFilter(admin.SimpleListFilter):
    """By what became of the credentials that were sent last."""

    title = _("credentials")
    parameter_name = "credentials"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (
            ("none", _("not sent")),
            ("under_way", _("under way")),
            ("arrived", _("delivered")),
            ("unknown", _("handed over, no receipt")),
            ("failed", _("did not arrive")),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Guest]) -> QuerySet[Guest]:
        fates = {
            "under_way": shown.UNDER_WAY,
            "arrived": shown.ARRIVED,
            "unknown": shown.NOBODY_KNOWS,
            "failed": shown.DID_NOT,
        }
        if self.value() == "none":
            return queryset.filter(last_credentials=None)
        chosen = fates.get(str(self.value()))
        return queryset.filter(last_credentials__state__in=chosen) if chosen else queryset


class ProgressFilter(ConditionFilter):
    """By what a registration has reached, wherever it is now."""

    title = _("reached")
    parameter_name = "reached"
    conditions = {
        "code": (_("a code was sent"), Q(code__sends__gt=0)),
        "phone": (_("phone proven"), Q(verified_at__isnull=False)),
        "online": (_("on line"), Q(stage=Stage.DONE)),
    }
