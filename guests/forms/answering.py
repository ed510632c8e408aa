"""What is asked of who answers a question, whether behind a link or in the admin."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from guests import approvals, durations
from guests.models import Approval

APPROVE, DENY = "approve", "deny"


class StayForm(forms.Form):
    """For how long. What is offered follows from the guest's type."""

    duration = forms.ChoiceField(label=_("For how long"))

    def __init__(self, approval: Approval, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = approval.registration.guest_type
        field = cast("forms.ChoiceField", self.fields["duration"])
        field.choices, field.initial = approvals.choices(kind), durations.written(approvals.usual(kind))


class ReasonForm(forms.Form):
    """Why not; the guest reads it."""

    reason = forms.CharField(
        label=_("Why not"),
        max_length=approvals.LONGEST_REASON,
        help_text=_("The guest will read it."),
        error_messages={"required": _("Say why not: the guest will read it.")},
    )
