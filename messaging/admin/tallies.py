"""What was counted for the front page; `messaging.tallies` writes it."""

from django.contrib import admin

from messaging.models import Tally, TallyProgress
from portal.admin.rights import HistoryAdmin


@admin.register(Tally)
class TallyAdmin(HistoryAdmin):
    """Messages counted by hour and day."""

    area = "MESSAGES"
    list_display = ("start", "span", "gateway", "kind", "state", "messages", "segments", "cost", "currency")
    fields = (*list_display, "price", "times")
    list_filter = ("span", "kind", "state", "gateway", "start")
    list_select_related = ("gateway",)


@admin.register(TallyProgress)
class TallyProgressAdmin(HistoryAdmin):
    """How far the counting has come."""

    area = "MESSAGES"
    fields = list_display = ("turn", "busy_until", "seen_until", "built_from", "zone")
