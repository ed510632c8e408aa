"""What lists of messages are narrowed by, and how far they are counted."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from messaging.models import Batch, Message
from messaging.panels import AGAIN, NO

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


class AgainFilter(admin.SimpleListFilter):
    """Those that nobody has sent again. By the relation itself it would be a join; see `Message.not_sent_again`."""

    title = _("sent again")
    parameter_name = AGAIN

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(NO, pgettext_lazy("sent again", "no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(Message.not_sent_again()) if self.value() == NO else queryset
