"""The one door by which messages are accepted, one or many, sent again, sent elsewhere and taken back.

What happens later is delivery's.
"""

from messaging.sending.accepting import (
    LATEST,
    check_schedule,
    measured,
    note_stored,
    prepare,
    send,
    send_test,
    wanted_gateway,
)
from messaging.sending.again import Done, cancel, resend, risk_of_resending, send_elsewhere
from messaging.sending.deeds import Deed, Outlook, do_all, outlook
from messaging.sending.many import MOST, cancel_batch, failed_of, go_on, open_batch, resend_failed, send_many
from messaging.sending.preparing import Faulty, Item, Known, look_at
from messaging.sending.repeats import sent_as

__all__ = [
    "LATEST",
    "MOST",
    "Deed",
    "Done",
    "Faulty",
    "Item",
    "Known",
    "Outlook",
    "cancel",
    "cancel_batch",
    "check_schedule",
    "do_all",
    "failed_of",
    "go_on",
    "look_at",
    "measured",
    "note_stored",
    "open_batch",
    "outlook",
    "prepare",
    "resend",
    "resend_failed",
    "risk_of_resending",
    "send",
    "send_elsewhere",
    "send_many",
    "send_test",
    "sent_as",
    "wanted_gateway",
]
