"""Filters of lists that Unfold has not, or not in the reader's own language and time zone."""

from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter


class ConditionFilter(DropdownFilter):  # type: ignore[misc]
    """A choice between conditions that have names."""

    conditions: ClassVar[dict[str, tuple[str | Promise, Q]]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | Promise]]:
        return [(value, label) for value, (label, _condition) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.conditions.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class TimeRangeFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """From one time to another, as the reader writes dates and in the reader's zone. A date alone is the whole day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        begin, end = self._moment("from"), self._moment("to")
        if begin:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": begin[0]})
        if end:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end[1]})
        return queryset

    def _moment(self, side: str) -> tuple[datetime, datetime] | None:
        """The first moment that is meant, and the first that is meant no more; None where none is given."""
        date, clock = (self.used_parameters.get(f"{self.parameter_name}_{side}_{part}") or "" for part in (0, 1))
        try:
            day = forms.DateField(required=False).clean(date)
            at = forms.TimeField(required=False).clean(clock)
        except ValidationError:
            return None
        if day is None:
            return None
        first = timezone.make_aware(datetime.combine(day, at or time.min))
        return first, first + (timedelta(seconds=1) if at else timedelta(days=1))
