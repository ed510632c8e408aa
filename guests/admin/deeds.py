"""What can be done to guests from their pages: each a button, a page of its own that asks, and mostly a bulk action."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from gateways.models import Gateway
from guests import credentials, durations, own_access, passwords, states, stays
from guests.models import Guest
from guests.states import State
from messaging.models import Message
from portal.models import User
from portal.permissions import SENDING, Right

Given = Mapping[str, Any]
Tell = Callable[[credentials.Outcome], None]


@dataclass(frozen=True)
class Done:
    """What was done to one guest. A password in it is shown once, on the page that answers, and kept nowhere."""

    sentence: str
    password: str = field(default="", repr=False)
    message: Message | None = None


@dataclass(frozen=True)
class Asked:
    """What the page that asks says: `says` is what happens."""

    name: str
    label: str | Promise
    icon: str
    says: str | Promise


@dataclass(frozen=True)
class Deed(Asked):
    """`fits` is whether there is a point in it, `many` does it to many guests in its own way."""

    act: Callable[[Guest, Given, User], Done]
    form: type[forms.Form] = forms.Form
    needs: tuple[Right, ...] = (Right.USERS_UPDATE,)
    fits: Callable[[Guest], bool] = lambda guest: guest.anonymised_at is None
    is_dangerous: bool = False
    in_bulk: bool = True
    many: Callable[[Sequence[Guest], Given, User, Tell], credentials.Renewals] | None = None


class GatewayForm(forms.Form):
    """Through whom it is sent."""

    gateway = forms.ChoiceField(
        label=_("Gateway"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("The one to try first; another one steps in where it cannot."),
    )
    # A form that is sent twice sends once.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Gateway.objects.filter(enabled=True).order_by("-is_default", "name").values_list("name", flat=True)
        self.fields["gateway"].choices = [("", gettext("The default one")), *((name, name) for name in names)]  # type: ignore[attr-defined]
        self.fields["seen"].initial = credentials.latest


class ReasonForm(forms.Form):
    """Why; it is asked for always."""

    reason = forms.CharField(
        label=_("Reason"), max_length=stays.LONGEST_REASON, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True})
    )


class ExtendForm(forms.Form):
    """By how much, or until when."""

    duration = forms.ChoiceField(label=_("Extend by"), required=False, initial="1D", widget=UnfoldAdminSelectWidget())
    valid_until = forms.DateTimeField(
        label=_("Or until"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=_("A date takes precedence. A stay that has ended begins anew now."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(text, durations.in_words(durations.read(text))) for text in durations.OFFERED]
        self.fields["duration"].choices = [*offered, ("", gettext("the date below"))]  # type: ignore[attr-defined]


class SureForm(forms.Form):
    """For what cannot be taken back."""

    sure = forms.BooleanField(label=_("I know that this cannot be undone"), widget=UnfoldBooleanWidget())


def _named(guest: Guest, sentence: str) -> Done:
    return Done(sentence % {"name": guest.username})


def _send(guest: Guest, given: Given, by: User) -> Done:
    made = credentials.renew(guest, gateway_name=given["gateway"], by=by, seen=given["seen"])
    sentence = gettext("A new password was set and sent to %(phone)s.") % {"phone": guest.phone}
    return Done(sentence, made.password, made.message)


def _send_many(guests: Sequence[Guest], given: Given, by: User, tell: Tell) -> credentials.Renewals:
    return credentials.renew_many(guests, gateway_name=given["gateway"], by=by, seen=given["seen"], tell=tell)


def _reset(guest: Guest, _given: Given, _by: User) -> Done:
    return Done(gettext("A new password was set and not sent."), passwords.reset(guest))


def _extend(guest: Guest, given: Given, by: User) -> Done:
    until: datetime | None = given["valid_until"]
    duration: timedelta | None = durations.read(given["duration"]) if given["duration"] and not until else None
    stays.extend(guest, by=by, duration=duration, until=until)
    return _named(guest, gettext("The stay of %(name)s was extended."))


def _unexpire(guest: Guest, _given: Given, by: User) -> Done:
    stays.unexpire(guest, by=by)
    return _named(guest, gettext("A new stay of %(name)s begins now."))


def _suspend(guest: Guest, given: Given, _by: User) -> Done:
    stays.suspend(guest, why=given["reason"])
    return _named(guest, gettext("%(name)s is suspended."))


def _reinstate(guest: Guest, _given: Given, _by: User) -> Done:
    stays.reinstate(guest)
    return _named(guest, gettext("%(name)s is reinstated."))


def _ban(guest: Guest, given: Given, _by: User) -> Done:
    stays.ban(guest, why=given["reason"])
    return _named(guest, gettext("%(name)s is banned."))


def _unban(guest: Guest, _given: Given, _by: User) -> Done:
    stays.unban(guest)
    return _named(guest, gettext("The ban of %(name)s is lifted."))


def _anonymise(guest: Guest, _given: Given, _by: User) -> Done:
    return _named(stays.anonymise(guest), gettext("The guest is anonymous now, as %(name)s."))


def _erase(guest: Guest, _given: Given, by: User) -> Done:
    return _named(
        own_access.erase(guest, by=by), gettext("The data of the guest were erased; what is left is %(name)s.")
    )


def _is(*found: State) -> Callable[[Guest], bool]:
    return lambda guest: states.of(guest) in found


DEEDS: dict[str, Deed] = {
    deed.name: deed
    for deed in (
        Deed(
            "send_credentials",
            _("Send credentials"),
            "send",
            _("A new password is made, set and sent to the guest's phone. The old one opens nothing any more."),
            _send,
            form=GatewayForm,
            needs=(*SENDING, Right.USERS_UPDATE),
            fits=lambda guest: guest.anonymised_at is None and not (guest.banned or guest.suspended),
            many=_send_many,
        ),
        Deed(
            "reset_password",
            _("Reset the password"),
            "lock_reset",
            _("A new password is made and shown to you once; nothing is sent. The old one opens nothing any more."),
            _reset,
            in_bulk=False,
        ),
        Deed(
            "extend",
            _("Extend"),
            "more_time",
            _("The stay ends later. One that has ended begins anew now."),
            _extend,
            form=ExtendForm,
        ),
        Deed(
            "unexpire",
            _("Un-expire"),
            "restart_alt",
            _("The stay has ended. A new one begins now, as long as is usual for the guest's type."),
            _unexpire,
            fits=_is(State.EXPIRED),
        ),
        Deed(
            "suspend",
            _("Suspend"),
            "pause_circle",
            _("The guest may not come in until somebody reinstates the account. The end of the stay does not move."),
            _suspend,
            form=ReasonForm,
            fits=lambda guest: guest.anonymised_at is None and not guest.suspended,
        ),
        Deed(
            "reinstate",
            _("Reinstate"),
            "play_circle",
            _("The suspension ends; the guest may come in again while the stay lasts."),
            _reinstate,
            fits=lambda guest: guest.suspended,
        ),
        Deed(
            "ban",
            _("Ban"),
            "block",
            _("The guest may not come in, and nothing but a member of staff ends that: not even a proof of the phone."),
            _ban,
            form=ReasonForm,
            fits=lambda guest: guest.anonymised_at is None and not guest.banned,
            is_dangerous=True,
        ),
        Deed(
            "unban",
            _("Lift the ban"),
            "lock_open",
            _("The ban ends. A suspension or the end of the stay still count."),
            _unban,
            fits=lambda guest: guest.banned,
        ),
        Deed(
            "anonymise",
            _("Make anonymous"),
            "person_off",
            _(
                "Name, phone, e-mail, notes and password are wiped, the user name is replaced, and messages no longer "
                "name the guest. That somebody stayed, and when, remains. This cannot be undone."
            ),
            _anonymise,
            form=SureForm,
            is_dangerous=True,
        ),
        Deed(
            "erase",
            _("Erase data"),
            "delete_forever",
            _(
                "For guests who ask for it. The guest is made anonymous, and every code and request to a sponsor that "
                "is still open for the phone ends. That the phone registered, when, from where, with which device and "
                "under which terms is kept until the days of the journal are over. This cannot be undone."
            ),
            _erase,
            form=SureForm,
            needs=(Right.USERS_DELETE,),
            is_dangerous=True,
            in_bulk=False,
        ),
    )
}
