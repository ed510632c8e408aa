"""Batches in the admin: how far each has come, taking back what has not gone, sending what failed again."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from unfold.views import ChangeList

from messaging import progress, sending
from messaging.admin.consent import has_confirmed, who_is_it
from messaging.models import Batch, State
from messaging.progress import Group
from portal.admin.rights import HistoryAdmin, caller, demand
from portal.errors import Refusal
from portal.permissions import SENDING, may


class WithCounts(ChangeList):  # type: ignore[misc]
    """The list; the messages of the batches on its page are counted in one question."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        counts = progress.counts_of(batch.pk for batch in rows)
        for batch in rows:
            batch.progress = progress.of(batch, counts.get(batch.pk, {}))
        self.result_list = rows


@admin.register(Batch)
class BatchAdmin(HistoryAdmin):
    """What was sent to many at once. Who sent one may look at it, also without the right to read messages."""

    area = "MESSAGES"
    hidden = frozenset({"token", "fingerprint", "refused"})
    change_form_template = "admin/messaging/batch/change_form.html"
    list_display = ("called", "created", "requested_by", "scheduled_for", "total", "delivered", "failed", "waiting")
    fields = ("called", "created", "requested_by", "wanted", "scheduled_for", "again_of", "total")
    list_filter = ("requested_by", "created")
    list_select_related = ("requested_by",)
    search_fields = ("name",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithCounts

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        own = obj is not None and obj.requested_by_id == caller(request).pk and may(caller(request), *SENDING)
        return own or super().has_view_permission(request, obj)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def called(self, batch: Batch) -> str:
        return batch.shown_name

    def audited_as(self, obj: Batch) -> str:
        return str(obj.pk)

    @admin.display(description=gettext_lazy("delivered"))
    def delivered(self, batch: Any) -> int:
        return int(batch.progress.groups[Group.DELIVERED])

    @admin.display(description=gettext_lazy("failed"))
    def failed(self, batch: Any) -> int:
        return int(batch.progress.groups[Group.FAILED] + batch.progress.refused)

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, batch: Any) -> int:
        return int(batch.progress.groups[Group.WAITING])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/progress/", view(never_cache(self.progress)), name="messaging_batch_progress"),
            path("<int:pk>/cancel/", view(self.cancel), name="messaging_batch_cancel"),
            path("<int:pk>/again/", view(self.again), name="messaging_batch_again"),
        ]
        found: list[URLPattern] = super().get_urls()
        return own + found

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        batch = self.get_object(request, object_id)
        context = self._shown(request, batch) if batch and self.has_view_permission(request, batch) else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _shown(self, request: HttpRequest, batch: Batch) -> dict[str, Any]:
        found = progress.now(batch)
        listed = reverse("admin:messaging_message_changelist")
        reads = super().has_view_permission(request)
        return {
            "progress": found,
            "groups": [
                (group, progress.LABELS[group], count, _listed(listed, batch, group) if reads else "")
                for group, count in found.groups.items()
            ],
            "refused": batch.refused[:100],
            "may_send": may(caller(request), *SENDING),
            "may_resend": sending.failed_of(batch).exists(),
        }

    def _found(self, request: HttpRequest, pk: int) -> Batch:
        batch = get_object_or_404(Batch, pk=pk)
        if not self.has_view_permission(request, batch):
            # Whether there is such a batch is nobody's business who may not see it.
            raise Http404
        return batch

    def progress(self, request: HttpRequest, pk: int) -> JsonResponse:
        """How far it has come, for the page that asks every two seconds."""
        batch = self._found(request, pk)
        found = progress.now(batch)
        return JsonResponse(
            {
                "says": found.sentence,
                "gone": found.gone,
                "total": found.total,
                "over": found.over,
                "may_resend": sending.failed_of(batch).exists(),
                "groups": found.groups,
            }
        )

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Takes back what has not gone."""
        demand(request, *SENDING)
        batch = self._found(request, pk)
        if has_confirmed(request):
            done = sending.cancel_batch(batch, by=caller(request))
            self.note(request, "cancel", 200, batch, {"cancelled": done})
            sentence = ngettext("%d message was cancelled.", "%d messages were cancelled.", done)
            messages.success(request, sentence % done)
        return _to(batch)

    def again(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Sends what failed again: first the page that names the risk, then the deed."""
        demand(request, *SENDING)
        batch = self._found(request, pk)
        if question := who_is_it(request):
            return question
        if not has_confirmed(request):
            failed = sending.failed_of(batch)
            unclear = failed.filter(state=State.UNRESOLVED).count()
            context = {
                **self.admin_site.each_context(request),
                "title": _("Send what failed again"),
                "opts": self.opts,
                "batch": batch,
                "certain": failed.count() - unclear,
                "unclear": unclear,
            }
            return TemplateResponse(request, "admin/messaging/batch/again.html", context)
        try:
            new = sending.resend_failed(batch, by=caller(request), without_risk=not request.POST.get("with_risk"))
        except Refusal as refusal:
            self.note(request, "again", 409, batch, {"refused": refusal.sentence})
            messages.error(request, refusal.sentence)
            return _to(batch)
        self.note(request, "again", 201, batch, {"batch": new.pk, "messages": new.total})
        return _to(new)


def _listed(address: str, batch: Batch, group: Group) -> str:
    return f"{address}?batch={batch.pk}&state__in={','.join(progress.STATES[group])}"


def _to(batch: Batch) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:messaging_batch_change", args=(batch.pk,)))
