"""The states of a message, which may follow which, why a message waits, and by which door it came."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where a message is on its journey. `docs/architecture.md` draws it."""

    QUEUED = "queued", _("queued")
    HELD = "held", _("held")
    CLAIMED = "claimed", _("claimed")
    SUBMITTING = "submitting", _("being handed over")
    UNKNOWN = "unknown", _("unclear, being cleared up")
    SUBMITTED = "submitted", _("handed over")
    DELIVERED = "delivered", _("delivered")
    UNDELIVERED = "undelivered", _("not delivered")
    EXPIRED = "expired", _("expired at the operator")
    NO_RECEIPT = "no_receipt", _("handed over, no receipt")
    FAILED = "failed", _("failed")
    UNRESOLVED = "unresolved", _("unclear, for a person")
    CANCELLED = "cancelled", _("cancelled")
    LAPSED = "lapsed", _("too late to send")
    SUPPRESSED = "suppressed", _("suppressed")


#: A worker may take these once they are due.
WAITING = (State.QUEUED, State.HELD, State.UNKNOWN)
#: A worker has these under a lease.
LEASED = (State.CLAIMED, State.SUBMITTING)
#: Nothing more will happen by itself, though a late receipt may still improve SUBMITTED's heirs.
FINAL = (
    State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.NO_RECEIPT, State.FAILED, State.UNRESOLVED,
    State.CANCELLED, State.LAPSED, State.SUPPRESSED,
)  # fmt: skip
#: A person may send these again while their text is kept.
RESENDABLE = (State.FAILED, State.UNDELIVERED, State.EXPIRED, State.UNRESOLVED)
#: A person may take these back, for no worker has them and nothing of them is unclear.
CANCELLABLE = (State.QUEUED, State.HELD)
#: Attempts and receipts tell of these by themselves; every other change leaves a Step.
TOLD_BY_THEMSELVES = (State.SUBMITTED, State.DELIVERED, State.UNDELIVERED, State.EXPIRED, State.NO_RECEIPT)

#: Which states each state may follow: the one place that says so.
MAY_FOLLOW: dict[State, tuple[State, ...]] = {
    State.CLAIMED: WAITING,
    State.QUEUED: (*LEASED, State.UNKNOWN),
    State.HELD: LEASED,
    State.SUBMITTING: (State.CLAIMED,),
    State.UNKNOWN: LEASED,
    State.SUBMITTED: (State.SUBMITTING, State.UNKNOWN),
    State.DELIVERED: (
        State.SUBMITTED, State.NO_RECEIPT, State.UNDELIVERED, State.EXPIRED, State.UNKNOWN, State.UNRESOLVED,
    ),
    # "Could not" says more than "gave up": whichever receipt comes first, the same is known in the end.
    State.UNDELIVERED: (State.SUBMITTED, State.NO_RECEIPT, State.EXPIRED, State.UNKNOWN, State.UNRESOLVED),
    State.EXPIRED: (State.SUBMITTED, State.NO_RECEIPT, State.UNKNOWN, State.UNRESOLVED),
    State.NO_RECEIPT: (State.SUBMITTING, State.UNKNOWN, State.SUBMITTED, State.UNRESOLVED),
    State.FAILED: LEASED,
    State.UNRESOLVED: (*LEASED, State.UNKNOWN),
    State.CANCELLED: CANCELLABLE,
    State.LAPSED: (State.QUEUED, State.HELD),
    State.SUPPRESSED: (State.QUEUED, State.HELD),
}  # fmt: skip


class Wait(models.TextChoices):
    """Why a message that is not final has not been handed over yet."""

    NONE = "", _("nothing")
    RETRY = "retry", _("it will be tried again")
    GATEWAY = "gateway", _("the gateway is paused")
    CLEARING = "clearing", _("an unclear attempt is being cleared up")
    SCHEDULE = "schedule", _("it is to be sent at a later time")


class Door(models.TextChoices):
    """By which door a message was accepted."""

    UNSAID = "", _("not on record")
    API = "api", _("the API")
    PAGES = "pages", _("the admin")
    WRITE = "write", _("the page “Write”")
    TEST = "test", _("a test of its gateway")
    GUESTS = "guests", _("self-registration")
    SMSMOBILEAPI = "smsmobile", _("calls of SMSmobileAPI")
    TARGETSMS = "targetsms", _("calls of TargetSMS")
    KANNEL = "kannel", _("calls of Kannel")
    SMSC = "smsc", _("calls of SMSC.ru")
