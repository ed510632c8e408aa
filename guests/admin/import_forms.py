"""The forms of an import: the file with what is to be done, and its columns."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from guests import guest_types
from guests.admin.deeds import GatewayForm
from guests.importing import columns
from guests.models import Existing, GuestImport, GuestType
from portal.models import User
from portal.permissions import SENDING, Right, may

#: What changing guests by an import needs: nobody changes whom he cannot see.
CHANGING = (Right.USERS_READ_SPONSORED, Right.USERS_UPDATE)
#: Characters of a column's first cell that are shown in its choice.
SHOWN = 30


class ImportForm(GatewayForm):
    """The file, and what is to be done with it."""

    file = forms.FileField(
        label=_("CSV file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=_("UTF-8 or Windows-1251; 2,000 rows and 2 MiB at most. The first row has the headings."),
    )
    guest_type = forms.ModelChoiceField(
        GuestType.objects.none(),
        label=_("Guest type"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("For new guests whose row names none."),
    )
    existing = forms.ChoiceField(
        label=_("Where a user name exists already"), initial=Existing.REFUSE, widget=UnfoldAdminRadioSelectWidget()
    )
    sends = forms.BooleanField(
        label=_("Send credentials on import"),
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text=_("Every guest who is imported gets a new password by SMS."),
    )
    field_order = ("file", "guest_type", "existing", "sends", "gateway")

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [choice for choice in Existing.choices if choice[0] != Existing.UPDATE or may(by, *CHANGING)]
        self.fields["existing"].choices = offered  # type: ignore[attr-defined]
        self.fields["guest_type"].queryset = guest_types.usable_by(by)  # type: ignore[attr-defined]
        if not may(by, *SENDING):
            del self.fields["sends"], self.fields["gateway"]


class ColumnsForm(forms.Form):
    """For each detail of a guest the column that has it."""

    def __init__(self, found: GuestImport, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = found.rows.order_by("number").exclude(done=True).first()
        cells = first.cells if first else []
        choices = [("", gettext("— not in the file —"))]
        choices += [(str(index), _column(index, heading, cells)) for index, heading in enumerate(found.header)]
        for field in columns.FIELDS:
            self.fields[field] = forms.ChoiceField(
                choices=choices,
                label=columns.label(field),
                required=False,
                initial=str(found.mapping.get(field, "")),
                widget=UnfoldAdminSelectWidget(),
            )
        self.fields["username"].help_text = gettext(
            "Without one the digits of the phone are the user name, and without a phone one is made up."
        )

    @property
    def mapping(self) -> Mapping[str, int]:
        """The columns that were chosen."""
        return {field: int(index) for field, index in self.cleaned_data.items() if index}


def _column(index: int, heading: str, cells: list[str]) -> str:
    example = cells[index][:SHOWN] if index < len(cells) else ""
    name = heading or gettext("column %(number)s") % {"number": index + 1}
    return f"{name} — {example}" if example else name
