"""Printing cards: the page that asks, and the cards. New passwords are in that one answer and kept nowhere."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldAdminURLInputWidget, UnfoldBooleanWidget

from guests import cards
from guests.admin.deeds import Asked
from guests.admin.doing import CONFIRMED, DeedPages
from guests.models import Guest
from portal import admin_trail
from portal.admin.rights import demand
from portal.errors import Refusal
from portal.permissions import Right, may
from portal.sign_in import confirming

SAYS = _(
    "A card has the guest's name, user name and end of stay, in the guest's language, and a QR code; eight a page."
)
PRINT = Asked("print_cards", _("Print cards"), "print", SAYS)


class CardsForm(forms.Form):
    """What the cards have."""

    new_passwords = forms.BooleanField(
        label=_("Make new passwords and print them"),
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text=_("They are shown this once: print the page. The old passwords open nothing any more."),
    )
    ssid = forms.CharField(
        label=_("Wi-Fi network"),
        required=False,
        strip=False,
        validators=[MaxLengthValidator(cards.LONGEST_SSID)],
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("The QR code then joins this open network."),
    )
    address = forms.URLField(
        label=_("Sign-in address"),
        required=False,
        max_length=300,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget(),
        help_text=_("The QR code leads there where no network is named. Without both it is the user name."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may(user, Right.USERS_UPDATE):
            del self.fields["new_passwords"]


class CardPages(DeedPages):
    """Adds the cards to the pages of guests."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(never_cache(self.card_page))
        return [path("<int:pk>/card/", page, name="guests_guest_card"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_actions(request)
        return found | {PRINT.name: (_print_cards, PRINT.name, PRINT.label)}

    def card_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks, and prints the card of one guest."""
        demand(request, Right.USERS_READ_SPONSORED)
        guest = self.get_queryset(request).filter(pk=pk).first()
        if guest is None:
            raise Http404
        if confirming.SEALED in request.POST and (question := confirming.ask_first(request)):
            return question
        return self.cards_of(request, [guest], many=False, answered=request.method == "POST")

    def cards_of(self, request: HttpRequest, guests: list[Guest], *, many: bool, answered: bool) -> HttpResponse:
        """The page that asks, or when that was answered the cards."""
        form = CardsForm(request.user, request.POST if answered else None)
        if answered and form.is_valid():
            if form.cleaned_data.get("new_passwords") and (question := confirming.ask_first(request)):
                return question
            try:
                deck = self._deck(request, guests, form)
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
            else:
                return _page(request, deck)
        return self.ask(request, PRINT, guests, form, many=many)

    def _deck(self, request: HttpRequest, guests: list[Guest], form: CardsForm) -> cards.Deck:
        """The cards; that they were made is written down, and of each guest who has a new password, that it is new."""
        given = form.cleaned_data
        renews = given.get("new_passwords", False)
        deck = cards.make(guests, new_passwords=renews, ssid=given["ssid"], address=given["address"])
        for card in deck.cards if renews else ():
            self.note(request, "print_password", 200, card.guest, {})
        counts = {"cards": len(deck.cards), "left_out": len(deck.left_out), "renewed": renews}
        admin_trail.note(request, "guests_guest_print_cards", 200, details=counts)
        return deck


def _page(request: HttpRequest, deck: cards.Deck) -> HttpResponse:
    context = {"deck": deck, "portal": settings.PORTAL_NAME, "back": reverse("admin:guests_guest_changelist")}
    return TemplateResponse(request, "guests/cards.html", context, headers={"Cache-Control": "no-store"})


def _print_cards(pages: CardPages, request: HttpRequest, queryset: Any) -> HttpResponse:
    """The action: the first request asks, the second one prints."""
    return pages.cards_of(request, list(queryset), many=True, answered=CONFIRMED in request.POST)
