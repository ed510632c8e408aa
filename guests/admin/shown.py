"""How a guest's state and the fate of the credentials are shown in lists and on pages."""

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext

from guests import states
from guests.models import Guest, Registration, Stage
from guests.states import State
from messaging.models import Message
from messaging.models import State as Fate
from portal.admin.display import moment

COLOURS = {
    State.CREATED: "info",
    State.ACTIVE: "success",
    State.NOT_YET: "primary",
    State.SUSPENDED: "warning",
    State.EXPIRED: "",
    State.BANNED: "danger",
    State.ANONYMISED: "",
}
STAGE_COLOURS = {
    Stage.CODE: "info",
    Stage.APPROVAL: "primary",
    Stage.DONE: "success",
    Stage.DENIED: "danger",
    Stage.ENDED: "warning",
    Stage.LAPSED: "",
}
#: So many registrations of a guest are listed on the page.
REGISTRATIONS_SHOWN = 10
#: What became of credentials, in the five answers that matter to who sent them.
UNDER_WAY = (Fate.QUEUED, Fate.HELD, Fate.CLAIMED, Fate.SUBMITTING, Fate.UNKNOWN, Fate.SUBMITTED)
ARRIVED = (Fate.DELIVERED,)
NOBODY_KNOWS = (Fate.NO_RECEIPT,)
DID_NOT = tuple(fate for fate in Fate if fate not in {*UNDER_WAY, *ARRIVED, *NOBODY_KNOWS})


def label(text: object, colour: str) -> str:
    """A coloured label."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": colour})


def state(guest: Guest) -> str:
    """The guest's state as a coloured label."""
    found = states.of(guest)
    return label(found.label, COLOURS[found])


def stage(registration: Registration) -> str:
    """How far a registration has come, as a coloured label."""
    found = Stage(registration.stage)
    return label(found.label, STAGE_COLOURS[found])


def registrations(guest: Guest) -> list[tuple[Registration, str]]:
    """The guest's last ones, each with its stage."""
    rows = guest.registrations.defer("password")[:REGISTRATIONS_SHOWN]
    return [(row, stage(row)) for row in rows]


def fate(message: Message) -> str:
    """What became of a message, as a coloured label."""
    found = Fate(message.state)
    colours = {"success": ARRIVED, "warning": NOBODY_KNOWS, "danger": DID_NOT}
    return label(found.label, next((colour for colour, fates in colours.items() if found in fates), "info"))


def credentials(guest: Guest) -> str:
    """Whether credentials were sent, what became of them, when and to whom."""
    message = guest.last_credentials
    if message is None:
        return label(gettext("not sent"), "")
    return format_html(
        '{}<span class="guest-sent">{} · <span class="guest-phone">{}</span></span>',
        *(fate(message), moment(message.created), message.phone),
    )
