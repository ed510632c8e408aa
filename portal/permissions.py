"""Who may do what: the catalogue of rights under their wire names, the roles, and the one check API and admin use."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from django.contrib.auth.models import AbstractUser, AnonymousUser, Permission
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal import expiry

#: Where the rights that were read are kept on the user object; a fresh object reads anew.
KEPT = "_held_rights"
#: Where the scope is kept that narrows what this user object may do; see `narrow`.
NARROWED = "_scope"
Caller = AbstractUser | AnonymousUser


class Right(StrEnum):
    """A right under its wire name, which is also the codename of its Django permission."""

    SMS_GATEWAY_READ = "SMS_GATEWAY_READ"
    SMS_GATEWAY_CREATE = "SMS_GATEWAY_CREATE"
    SMS_GATEWAY_UPDATE = "SMS_GATEWAY_UPDATE"
    SMS_GATEWAY_DELETE = "SMS_GATEWAY_DELETE"
    SMS_SEND_METHOD_AVAILABLE = "SMS_SEND_METHOD_AVAILABLE"
    USERS_READ = "USERS_READ"
    USERS_READ_SPONSORED = "USERS_READ_SPONSORED"
    USERS_CREATE = "USERS_CREATE"
    USERS_UPDATE = "USERS_UPDATE"
    USERS_DELETE = "USERS_DELETE"
    MESSAGES_READ = "MESSAGES_READ"
    SYSTEM_READ = "SYSTEM_READ"
    SYSTEM_CREATE = "SYSTEM_CREATE"
    SYSTEM_UPDATE = "SYSTEM_UPDATE"
    SYSTEM_DELETE = "SYSTEM_DELETE"
    AUDITING_READ = "AUDITING_READ"

    @property
    def group(self) -> str:
        """What it is about, a key of GROUPS."""
        return next(group for group in GROUPS if self.value.startswith(f"{group}_"))

    @property
    def verb(self) -> str:
        """What it allows there, a key of VERBS."""
        return self.value.removeprefix(f"{self.group}_")

    @property
    def label(self) -> str:
        """As the documents spell it, in its reader's language: `System - Create`."""
        return f"{GROUPS[self.group]} - {VERBS[self.verb]}"

    @property
    def documented(self) -> str:
        """As the documents spell it in English; stored as the name of its Django permission."""
        return f"{self.group.replace('_', ' ').title()} - {self.verb.replace('_', ' ').title()}"


GROUPS: dict[str, str | Promise] = {
    "SMS_GATEWAY": _("SMS Gateway"),
    "SMS_SEND_METHOD": _("SMS Send Method"),
    "MESSAGES": pgettext_lazy("right", "Messages"),
    "USERS": pgettext_lazy("right", "Users"),
    "SYSTEM": pgettext_lazy("right", "System"),
    "AUDITING": pgettext_lazy("right", "Auditing"),
}
VERBS: dict[str, str | Promise] = {
    "READ": pgettext_lazy("right", "Read"),
    "READ_SPONSORED": pgettext_lazy("right", "Read Sponsored"),
    "CREATE": pgettext_lazy("right", "Create"),
    "UPDATE": pgettext_lazy("right", "Update"),
    "DELETE": pgettext_lazy("right", "Delete"),
    "AVAILABLE": pgettext_lazy("right", "Available"),
}

#: A narrow right, and the wide one that includes it. A call names the narrow one where it is enough.
INCLUDED: dict[Right, Right] = {Right.USERS_READ_SPONSORED: Right.USERS_READ}


#: What a send needs, all together; the first one missing is named in the answer.
SENDING = (Right.SYSTEM_CREATE, Right.SMS_GATEWAY_READ, Right.SMS_SEND_METHOD_AVAILABLE)

#: The roles made by migrations; later they are the administrator's to change.
ROLES: dict[str, tuple[Right, ...]] = {
    "Administrator": tuple(Right),
    "SMS operator": SENDING,
    "Auditor": tuple(right for right in Right if right.endswith("_READ")),
    "Reception": (Right.USERS_READ, Right.USERS_CREATE, Right.USERS_UPDATE, *SENDING),
    "Sponsor": (Right.USERS_READ_SPONSORED, Right.USERS_CREATE, Right.USERS_UPDATE, *SENDING),
}


def rights_of(user: Caller) -> frozenset[Right]:
    """Every right the user may use now: none where the account is switched off or over, or nobody is signed in."""
    if isinstance(user, AnonymousUser) or not expiry.may_act(user):
        return frozenset()
    return granted_to(user)


def granted_to(user: AbstractUser) -> frozenset[Right]:
    """Every right given to the user, by role or directly, of which its scope leaves those that are in it, too."""
    scope = scope_of(user)
    held = _granted_to(user)
    return held if scope is None or scope.rights is None else held & _with_included(set(scope.rights))


def _granted_to(user: AbstractUser) -> frozenset[Right]:
    """Read in one query and kept on this user object."""
    if user.is_superuser:
        return frozenset(Right)
    held: frozenset[Right] | None = user.__dict__.get(KEPT)
    if held is None:
        held = keep_granted(user, granted(Q(user=user) | Q(group__user=user)).values_list("codename", flat=True))
    return held


def granted(to: Q) -> QuerySet[Permission]:
    """The permissions that are rights of the catalogue; one that was given twice may be there twice."""
    return Permission.objects.filter(to, content_type__app_label="portal")


def keep_granted(user: AbstractUser, names: Iterable[str]) -> frozenset[Right]:
    """Keeps on the user object what is granted by these names; those that are no rights are passed over."""
    held = _with_included({Right(name) for name in names if name in Right.__members__})
    user.__dict__[KEPT] = held
    return held


def _with_included(held: set[Right]) -> frozenset[Right]:
    return frozenset(held | {narrow for narrow, wide in INCLUDED.items() if wide in held})


@dataclass(frozen=True)
class Scope:
    """What a key of a user may do of all that the user may; None leaves all of it."""

    rights: frozenset[Right] | None = None
    gateways: frozenset[int] | None = None


def narrow(user: AbstractUser, scope: Scope) -> None:
    """From now on this user object may do no more than the scope says; other objects of the same user are untouched."""
    user.__dict__[NARROWED] = scope


def scope_of(user: object) -> Scope | None:
    """What narrows this user object, or None."""
    scope: Scope | None = getattr(user, "__dict__", {}).get(NARROWED)
    return scope


def may_use_gateway(user: object, gateway_id: int) -> bool:
    """Whether a key's scope leaves this gateway to it; for whoever has no scope there is every gateway."""
    scope = scope_of(user)
    return scope is None or scope.gateways is None or gateway_id in scope.gateways


def is_for_some_gateways(user: object) -> bool:
    """Whether it came by a key that is not for every gateway."""
    scope = scope_of(user)
    return scope is not None and scope.gateways is not None


def of_its_gateways(user: object, *paths: str) -> Q:
    """The condition on rows that leads by one of these paths to a gateway that a key's scope leaves to it."""
    scope = scope_of(user)
    if scope is None or scope.gateways is None:
        return Q()
    return reduce(or_, (Q(**{f"{path}__in": scope.gateways}) for path in paths))


def missing_right(user: Caller, *needed: Right) -> Right | None:
    """The first of the needed rights that the user lacks, or None: the one check behind API and admin.

    Who lacks a narrow right and the wide one that includes it is told of the wide one.
    """
    held = rights_of(user)
    missing = next((right for right in needed if right not in held), None)
    return INCLUDED.get(missing, missing) if missing else None


def holds_more(target: AbstractUser, than: Caller) -> bool:
    """Whether the target holds a right that the other lacks; a switched-off account counts as if it were on."""
    return not granted_to(target) <= rights_of(than)


def may(user: Caller, *needed: Right) -> bool:
    """Whether the user holds all of the needed rights."""
    return missing_right(user, *needed) is None
