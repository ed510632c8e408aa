"""The form of *Write*: to whom, what, through which gateway and when."""

import re
import uuid
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from gateways.models import Gateway
from messaging import number_lists, phones, recipients, sending
from messaging.models import MessageTemplate
from messaging.number_lists import Found
from messaging.recipients import Person
from messaging.retries import Kind
from portal.errors import Refusal
from portal.models import User

#: How many faulty lines are named in one go.
NAMED = 20
TOO_MANY = gettext_lazy("These are %(count)s recipients and at most %(most)s are allowed; send it in parts.")


class WriteForm(forms.Form):
    """Everything that is asked. What a CSV held is carried on as numbers, because no page can hand a file back."""

    guests: Any = forms.CharField(
        label=gettext_lazy("Guests"),
        required=False,
        help_text=gettext_lazy("User names, one per line. Type above to search."),
        widget=UnfoldAdminTextareaWidget({"rows": 2, "data-guests": ""}),
    )
    numbers: Any = forms.CharField(
        label=gettext_lazy("Numbers"),
        required=False,
        help_text=gettext_lazy("One per line or with commas between them, in any usual spelling."),
        widget=UnfoldAdminTextareaWidget({"rows": 4, "inputmode": "tel"}),
    )
    file: Any = forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        help_text=gettext_lazy("The column with phones is found by itself; at most 10,000 rows."),
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.txt,text/csv"}),
    )
    template: Any = forms.ModelChoiceField(
        MessageTemplate.objects.filter(kind=Kind.INFORMATION),
        label=gettext_lazy("Template"),
        required=False,
        widget=UnfoldAdminSelectWidget({"data-template": ""}),
    )
    text: Any = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=20_000,
        strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6, "data-meter-text": ""}),
    )
    gateway: Any = forms.ModelChoiceField(
        Gateway.objects.filter(enabled=True), label=gettext_lazy("Gateway"), widget=UnfoldAdminSelectWidget
    )
    schedule: Any = forms.DateTimeField(
        label=gettext_lazy("Send at"),
        required=False,
        help_text=gettext_lazy("Empty: at once. At most 30 days from now."),
        widget=forms.DateTimeInput(
            {"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%dT%H:%M"
        ),
    )
    token: Any = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["token"].initial = uuid.uuid4().hex
        self.fields["gateway"].initial = Gateway.objects.filter(is_default=True, enabled=True).first()
        if not recipients.DIRECTORIES:
            del self.fields["guests"]

    def clean_guests(self) -> list[Person]:
        found, wrong = [], []
        pids = list(filter(None, map(str.strip, re.split("[,;\n]", self.cleaned_data["guests"]))))
        if len(pids) > sending.MOST:
            raise forms.ValidationError(TOO_MANY % {"count": len(pids), "most": sending.MOST})
        known = recipients.named(pids, self.user)
        for pid in pids:
            person = known.get(pid)
            if person is None:
                wrong.append(_("There is no guest “%(name)s” whom you may write to.") % {"name": pid})
            elif not person.phone:
                wrong.append(_("Guest “%(name)s” has no phone.") % {"name": pid})
            else:
                found.append(person)
        if wrong:
            raise forms.ValidationError(wrong[:NAMED])
        return found

    def clean_numbers(self) -> Found:
        found: Found = _or_invalid(number_lists.typed, self.cleaned_data["numbers"])
        if found.errors:
            sentence = _("Line %(line)s: %(why)s")
            lines = list(found.errors.items())[:NAMED]
            raise forms.ValidationError([sentence % {"line": line, "why": why} for line, why in lines])
        return found

    def clean_file(self) -> Found:
        given = self.cleaned_data["file"]
        if not given:
            return Found()
        if given.size > number_lists.LARGEST_FILE:
            raise forms.ValidationError(_("This file is larger than 4 MB; send it in parts."))
        return cast("Found", _or_invalid(number_lists.uploaded, given.read()))

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        _or_invalid(sending.measured, text)
        return text

    def clean_schedule(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["schedule"]
        _or_invalid(sending.check_schedule, at)
        return at

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        whole = {"numbers", "file"} <= self.cleaned_data.keys() and not self.has_error("guests")
        if whole and not self.people:
            self.add_error(None, _("Name somebody: a guest, a number or a file with numbers."))
        elif whole and len(self.people) > sending.MOST:
            self.add_error(None, TOO_MANY % {"count": len(self.people), "most": sending.MOST})
        return cleaned

    @cached_property
    def _heard(self) -> tuple[Found, dict[str, str]]:
        """All phones once, those that were named again, and the pid of each that is a guest's."""
        given, found = self.cleaned_data, Found()
        pids: dict[str, str] = {}
        for person in given.get("guests", ()):
            pids.setdefault(phones.normalise(person.phone), person.pid)
            found.add(phones.normalise(person.phone))
        for phone in (*given["numbers"].phones, *given["file"].phones):
            found.add(phone)
        for phone in (*given["numbers"].duplicates, *given["file"].duplicates):
            found.add(phone)
        return found, pids

    @property
    def people(self) -> list[str]:
        """The phones it goes to, each once."""
        return self._heard[0].phones

    @property
    def duplicates(self) -> list[str]:
        """The phones that were named more than once."""
        return self._heard[0].duplicates

    def items(self) -> list[sending.Item]:
        """What is to be sent."""
        found, pids = self._heard
        text = self.cleaned_data["text"]
        return [sending.Item(phone, text, recipient_label=pids.get(phone, "")) for phone in found.phones]

    def carried(self) -> dict[str, str]:
        """The fields of the next page, that give the same form again."""
        given = self.cleaned_data
        numbers = dict.fromkeys((*given["numbers"].phones, *given["file"].phones))
        return {
            "guests": ",".join(person.pid for person in given.get("guests", ())),
            "numbers": ",".join(numbers),
            "text": given["text"],
            "gateway": str(given["gateway"].pk),
            "schedule": self.data.get("schedule", ""),
            "token": given["token"],
        }


def _or_invalid(domain: Any, given: Any) -> Any:
    """What the domain function says; its refusal as the form's."""
    try:
        return domain(given)
    except Refusal as refusal:
        raise forms.ValidationError(refusal.sentence) from None
