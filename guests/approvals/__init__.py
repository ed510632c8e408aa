"""Approval by a sponsor: whom a guest names, the question, and the answer. Knows no HTTP.

`naming` says who may be named, `asking` puts the question and repeats it once, `mailing` hands it to the mail server,
`deciding` has the answer, `lapsing` what happens without one. The database is the queue; Celery only rings.
"""

from guests.approvals.asking import ask
from guests.approvals.deciding import LONGEST_REASON, approve, choices, deny, may_decide, usual, visible_to
from guests.approvals.links import of_link
from guests.approvals.naming import copy, keep, named, needed, offered
from guests.approvals.standing import Standing, Waiting, waiting

__all__ = [
    "LONGEST_REASON",
    "Standing",
    "Waiting",
    "approve",
    "ask",
    "choices",
    "copy",
    "deny",
    "keep",
    "may_decide",
    "named",
    "needed",
    "of_link",
    "offered",
    "usual",
    "visible_to",
    "waiting",
]
