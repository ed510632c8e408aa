"""What lists of messages are narrowed by, and how far they are counted."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.utils import parse_datetime_str

from messaging.models import Batch, Message

#: Nobody leafs further than this, and to count millions takes seconds.
COUNTED = 100_000
#: How many batches the filter offers.
LATEST = 20


class CountedSoFar(Paginator):  # type: ignore[type-arg]
    """Counts no further than COUNTED."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED].count())


class TimeRange(RangeDateTimeFilter):  # type: ignore[misc]
    """From one time to another, in the time zone of whoever looks; a time that is left out is midnight."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup in (("from", "gte"), ("to", "lte")):
            if at := self._moment(end):
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": at})
        return queryset

    def _moment(self, end: str) -> datetime | None:
        day, hour = (self.used_parameters.get(f"{self.parameter_name}_{end}_{part}") or "" for part in (0, 1))
        found = parse_datetime_str(f"{day} {hour or '00:00'}")
        return timezone.make_aware(found) if found else None


class BatchFilter(admin.SimpleListFilter):
    """By batch: the latest ones, and the one whose page led here."""

    title = _("batch")
    parameter_name = "batch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = list(Batch.objects.only("name")[:LATEST])
        chosen = self.value()
        if chosen and chosen.isdecimal() and int(chosen) not in {batch.pk for batch in found}:
            found += Batch.objects.only("name").filter(pk=int(chosen) % 2**63)
        return [(str(batch.pk), str(batch)) for batch in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(batch=int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else queryset.none()
