"""The pages on which deeds are asked for and done, for one guest or many."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.views.decorators.cache import never_cache

from guests import credentials
from guests.admin.deeds import DEEDS, Asked, Deed, Done
from guests.credentials import Outcome
from guests.models import Guest
from messaging.models import Batch
from portal.admin.rights import RightsAdmin, caller, demand
from portal.errors import Refusal, Why
from portal.permissions import Right, may
from portal.sign_in import confirming

#: What the page that asks sends along once somebody has answered.
CONFIRMED = "confirmed"
#: So many names are listed on the page that asks about many.
NAMES_SHOWN = 20


class DeedPages(RightsAdmin):
    """Adds the deeds to a model's pages."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(never_cache(self.deed_page))
        own = path("<int:pk>/do/<slug:name>/", page, name="guests_guest_deed")
        return [own, *super().get_urls()]

    def deeds_for(self, request: HttpRequest, guest: Guest) -> list[tuple[Deed, str]]:
        """What this user may do to the guest and has a point, each with the address of its page."""
        return [
            (deed, reverse("admin:guests_guest_deed", args=(guest.pk, deed.name)))
            for deed in DEEDS.values()
            if deed.fits(guest) and may(request.user, *deed.needs)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        bulk = [deed for deed in DEEDS.values() if deed.in_bulk and may(request.user, *deed.needs)]
        return {deed.name: (_in_bulk, deed.name, deed.label) for deed in bulk} | found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """As Django's; a deed for which a right is lacking is forbidden by name rather than not known."""
        if deed := DEEDS.get(request.POST.get("action", "")):
            demand(request, *deed.needs)
        return super().changelist_view(request, extra_context)

    def deed_page(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Asks, and does it to one guest."""
        deed = DEEDS.get(name)
        guest = self.get_queryset(request).filter(pk=pk).first() if self.has_view_permission(request) else None
        demand(request, Right.USERS_READ_SPONSORED, *(deed.needs if deed else ()))
        if deed is None or guest is None:
            raise Http404
        form = deed.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            done = self.do_to(request, deed, guest, form)
            if done is not None:
                return self._answer(request, deed, guest, done)
        return self.ask(request, deed, [guest], form)

    def do_to(self, request: HttpRequest, deed: Deed, guest: Guest, form: Any) -> Done | None:
        """Does it and writes it down; what is refused is shown in the form."""
        try:
            done = deed.act(guest, form.cleaned_data, caller(request))
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
            self.note_refused(request, deed, guest, refusal)
            return None
        self.note(request, deed.name, 200, guest, details(form, done.message.pk if done.message else None))
        return done

    def note_refused(self, request: HttpRequest, deed: Deed, guest: Guest, refusal: Refusal) -> None:
        """Writes down what could not be done."""
        with translation.override("en"):
            status = 409 if refusal.why is Why.CONFLICT else 422
            self.note(request, deed.name, status, guest, {"refused": refusal.sentence})

    def _answer(self, request: HttpRequest, deed: Deed, guest: Guest, done: Done) -> HttpResponse:
        address = reverse("admin:guests_guest_change", args=(guest.pk,))
        if not done.password:
            messages.success(request, done.sentence)
            return HttpResponseRedirect(address)
        context = {
            "guest": guest,
            "done": done,
            "back": address,
            "sees_messages": may(request.user, Right.MESSAGES_READ),
        }
        # The pages of deeds are stored nowhere on the way: `never_cache` says so in `get_urls`.
        return TemplateResponse(request, "guests/password.html", self._context(request, deed.label) | context)

    def ask(
        self, request: HttpRequest, deed: Asked, guests: list[Guest], form: Any, *, many: bool = False
    ) -> HttpResponse:
        """The page that says what will happen and asks what must be known for it.

        Of many it carries the guests it counted: who comes into the list until somebody has answered was not meant.
        """
        carries_all = many and len(guests) <= credentials.MOST_AT_ONCE
        context = {
            "deed": deed,
            "form": form,
            "guests": guests[:NAMES_SHOWN],
            "more": len(guests) - NAMES_SHOWN,
            "count": len(guests),
            "many": many,
            "checkbox": ACTION_CHECKBOX_NAME,
            "chosen": [one.pk for one in guests] if carries_all else request.POST.getlist(ACTION_CHECKBOX_NAME),
            "across": "0" if carries_all else request.POST.get("select_across", "0"),
            "confirmed": CONFIRMED,
            "back": reverse("admin:guests_guest_changelist") if many else _page_of(guests[0]),
        }
        return TemplateResponse(request, "guests/deed.html", self._context(request, deed.label) | context)

    def do_to_many(self, request: HttpRequest, deed: Deed, guests: list[Guest], form: Any) -> HttpResponse | None:
        """Does it to each, and tells what became of each that was refused."""
        try:
            batch, outcomes = self._outcomes(request, deed, guests, form)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
            return self.ask(request, deed, guests, form, many=True)
        refused = [outcome for outcome in outcomes if outcome.refused]
        watch = _page_of_batch(batch) if batch and may(request.user, Right.MESSAGES_READ) else ""
        if watch and not refused:
            return HttpResponseRedirect(watch)
        context = {
            "deed": deed,
            "refused": refused,
            "done": len(outcomes) - len(refused),
            "back": reverse("admin:guests_guest_changelist"),
            "sends": deed.many is not None,
            "watch": watch,
        }
        return TemplateResponse(request, "guests/report.html", self._context(request, deed.label) | context)

    def _outcomes(
        self, request: HttpRequest, deed: Deed, guests: list[Guest], form: Any
    ) -> tuple[Batch | None, list[Outcome]]:
        credentials.check_count(guests)
        if deed.many is None:
            return None, [self._one_of_many(request, deed, guest, form) for guest in guests]
        done = deed.many(
            guests, form.cleaned_data, caller(request), lambda outcome: self._note(request, deed, outcome, form)
        )
        return done.batch, done.outcomes

    def _note(self, request: HttpRequest, deed: Deed, outcome: Outcome, form: Any) -> None:
        if outcome.refused:
            self.note(request, deed.name, 422, outcome.guest, {"refused": outcome.refused})
        else:
            message = outcome.message.pk if outcome.message else None
            self.note(request, deed.name, 200, outcome.guest, details(form, message))

    def _one_of_many(self, request: HttpRequest, deed: Deed, guest: Guest, form: Any) -> Outcome:
        try:
            deed.act(guest, form.cleaned_data, caller(request))
        except Refusal as refusal:
            self.note_refused(request, deed, guest, refusal)
            return Outcome(guest, refused=refusal.sentence)
        self.note(request, deed.name, 200, guest, details(form))
        return Outcome(guest)

    def _context(self, request: HttpRequest, title: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}


def _in_bulk(pages: DeedPages, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """The action of every deed: the first request asks, the second one does."""
    deed = DEEDS[request.POST["action"]]
    guests = list(queryset)
    confirmed = CONFIRMED in request.POST
    form = deed.form(request.POST if confirmed else None)
    if confirmed and deed.many and (question := confirming.ask_first(request)):
        return question
    if confirmed and form.is_valid():
        return pages.do_to_many(request, deed, guests, form)
    return pages.ask(request, deed, guests, form, many=True)


def details(form: Any, message: int | None = None) -> dict[str, Any]:
    """What the audit trail keeps of a form: no form here asks for a secret."""
    given = {name: str(value) for name, value in form.cleaned_data.items() if value not in {None, ""}}
    given.pop("seen", None)
    return given | ({"message_id": message} if message else {})


def _page_of_batch(batch: Batch) -> str:
    return reverse("admin:messaging_batch_change", args=(batch.pk,))


def _page_of(guest: Guest) -> str:
    return reverse("admin:guests_guest_change", args=(guest.pk,))
