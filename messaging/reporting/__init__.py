"""Delivery reports: a program of Kannel is told by a call of its own address what became of its message.

Kannel's user guide, chapter "Delivery Reports". At least once, and never in the way of a message: workers look at the
messages of which a report is wanted, soon at first and ever more seldom.
"""

from messaging.reporting.asking import WANTED, ask
from messaging.reporting.telling import is_due, tell_due

__all__ = ["WANTED", "ask", "is_due", "tell_due"]
