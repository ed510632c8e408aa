"""What the pages of API keys and of OAuth2 clients share: the fields that narrow one, and how lists tell of them.

@admin.register(ApiKey)
class ApiKeyAdmin(NarrowedAdmin):
    form = KeyForm
    list_display = ("name", "for_rights", "for_gateways", "for_networks", "ends")
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from portal import narrowing
from portal.admin import matrix
from portal.admin.display import moment
from portal.admin.made_once import MadeOnceAdmin
from portal.admin.rights import DomainForm
from portal.models import User
from portal.models.narrowed import Narrowed
from portal.narrowing import State
from portal.permissions import Right, rights_of

WORDS = {
    State.VALID: _("valid"),
    State.ENDED: _("ended"),
    State.REVOKED: _("revoked"),
    State.ASLEEP: _("its user may not sign in"),
}
COLOURS = {State.VALID: "success", State.ENDED: "danger", State.REVOKED: "danger", State.ASLEEP: "warning"}


class NetworksField(forms.Field):
    """A list, written with commas or blanks between. Which one is wrong, `narrowing.checked` says."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> list[str]:
        return [one for one in re.split(r"[\s,;]+", value or "") if one]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class NarrowingForm(DomainForm):
    """What a key or a client is for. Whoever fills it in is offered what they may give, and what was given before."""

    maker: ClassVar[User]

    rights = forms.MultipleChoiceField(
        label=_("Rights"),
        required=False,
        widget=matrix.RightsMatrix,
        help_text=_("None: all rights of the user. A right that the user lacks is not given by this."),
    )
    gateways = forms.TypedMultipleChoiceField(
        label=_("Gateways"),
        required=False,
        coerce=int,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: all gateways. For a program that is let in for some of them the others do not exist."),
    )
    networks = NetworksField(
        label=_("Networks"),
        required=False,
        help_text=_("Where it may be used from, such as 192.168.10.0/24, 10.0.0.5; empty: from everywhere."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        given: Narrowed = self.instance
        # What is not offered would be taken away unseen, and without the last of them it were for all there is.
        offered = rights_of(self.maker) | set(given.rights)
        fields["rights"].choices = [(right.value, right.label) for right in Right if right in offered]
        names = narrowing.gateway_names()
        # Said in its reader's language here, and in the trail's there.
        deleted = [(number, _("a deleted one")) for number in given.gateways if number not in names]
        fields["gateways"].choices = [*names.items(), *deleted]
        # Nor does one that opens nothing by now open everything because no more was said.
        fields["rights"].required = bool(given.rights) and set(Right).isdisjoint(given.rights)
        fields["gateways"].required = bool(given.gateways) and names.keys().isdisjoint(given.gateways)


class NarrowedAdmin(MadeOnceAdmin):
    """Pages of keys or clients."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """As declared; the names of gateways are asked for once, however many rows there are."""
        names = cache(narrowing.gateway_names)

        @admin.display(description=_("gateways"))
        def gateways(row: Narrowed) -> str:
            return ", ".join(_gateways(row, names))

        return [gateways if column == "for_gateways" else column for column in self.list_display]

    def state_of(self, row: Any) -> State:
        """Its state at this moment."""
        raise NotImplementedError

    @admin.display(description=_("state"))
    def state(self, row: Any) -> str:
        return str(WORDS[self.state_of(row)])

    @display(description=_("state"), label=COLOURS)  # type: ignore[untyped-decorator]
    def coloured_state(self, row: Any) -> tuple[str, str]:
        found = self.state_of(row)
        return found.value, str(WORDS[found])

    @admin.display(description=_("rights"))
    def for_rights(self, row: Narrowed) -> str:
        if not row.rights:
            return gettext("all of the user's")
        return matrix.in_words(Right(name) for name in row.rights if name in Right.__members__)

    @admin.display(description=_("gateways"))
    def for_gateways(self, row: Narrowed) -> str:
        return ", ".join(_gateways(row, narrowing.gateway_names))

    @admin.display(description=_("networks"))
    def for_networks(self, row: Narrowed) -> str:
        return ", ".join(row.networks) or gettext("everywhere")

    @admin.display(description=_("ends"), ordering="expires_at")
    def ends(self, row: Narrowed) -> str:
        return moment(row.expires_at) if row.expires_at else gettext("does not end")


def _gateways(row: Narrowed, names: Callable[[], dict[int, str]]) -> Iterator[str]:
    if not row.gateways:
        yield gettext("all")
    for number in row.gateways:
        yield names().get(number) or gettext("a deleted one")
