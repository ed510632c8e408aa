"""Guests for the page *Write*, found as somebody types."""

from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils.text import Truncator

from guests import accounts
from guests.models import Guest
from messaging import phones
from messaging.recipients import SHOWN, Person
from portal.errors import Refusal
from portal.models import User
from portal.permissions import Right, may


def search(query: str, user: User) -> list[Person]:
    """The guests whose user name, name or phone begins so, of those that the user may see."""
    if not may(user, Right.USERS_READ_SPONSORED):
        return []
    guests = accounts.visible_to(user)
    exact = guests.filter(username=query)[:1]
    others = guests.filter(_beginning(query)).exclude(username=query)
    return [_person(guest) for rows in (exact, _plain(others)) for guest in rows]


def by_pid(pids: Collection[str], user: User) -> list[Person]:
    """Those with these user names; one query for all, and for nobody else than `search`."""
    if not may(user, Right.USERS_READ):
        return []
    return [_person(guest) for guest in Guest.objects.filter(username__in=pids)]


def _plain(rows: QuerySet[Guest]) -> QuerySet[Guest]:
    return rows.order_by("username")[:SHOWN]


def _beginning(query: str) -> Q:
    found = Q(username__istartswith=query) | Q(last_name__istartswith=query) | Q(first_name__istartswith=query)
    try:
        return found | Q(phone=phones.normalise(query))
    except Refusal:
        return found | Q(phone__startswith=query) if query.startswith("+") else found


def _person(guest: Guest) -> Person:
    name = " ".join(filter(None, (guest.first_name, guest.last_name)))
    return Person(Truncator(name).chars(60) or guest.username, guest.username, guest.phone)
