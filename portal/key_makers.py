"""Who may make an API key or an OAuth2 client for whom: either is as good as its user's password, and nobody gains a
right by making one.

One's own key needs the right to make it. One of somebody else takes, as to set their password does, the right to
change accounts as well, and every right that they hold; and where one right is lacking, the key's rights are named,
because that user may come to hold it. A key makes no key that goes beyond itself. All of it is true of clients, too.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Unpack

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from portal import keys
from portal.errors import Refusal
from portal.models import ApiKey, User
from portal.models.narrowed import Narrowed
from portal.narrowing import Narrowing, is_network, network_of
from portal.permissions import Right, Scope, holds_more, may, rights_of, scope_of

OWN = (Right.SYSTEM_READ, Right.SYSTEM_CREATE)
OF_OTHERS = (*OWN, Right.SYSTEM_UPDATE)


def users_for(by: User) -> QuerySet[User]:
    """For whom this one may make keys and clients: active users who hold no right that is lacking here."""
    active = User.objects.filter(is_active=True).order_by("username")
    if not may(by, *OF_OTHERS):
        return active.filter(pk=by.pk)
    lacking = set(Right) - rights_of(by)
    above = Q(is_superuser=True) | _granted_one_of(lacking) if lacking else Q(pk__in=())
    return active.filter(Q(pk=by.pk) | ~Q(pk__in=User.objects.filter(above).values("pk")))


def make(
    by: User, user: User, name: str, *, within: Narrowed | None = None, **given: Unpack[Narrowing]
) -> tuple[ApiKey, str]:
    """As `keys.issue`, by somebody who must not gain by it; `within` is the key or client that the call came by.

    Raises Refusal as `keys.issue` and `check` do.
    """
    check(by, user, within=within, **given)
    return keys.issue(user, name, by=by, **given)


def check(by: User, user: User, *, within: Narrowed | None = None, **given: Unpack[Narrowing]) -> None:
    """Raises Refusal where somebody would gain by what opens the API as this user for so much.

    Its fields are `user`, `rights`, `gateways`, `networks` and `expires_at`.
    """
    _check_user(by, user)
    _check_rights(by, user, given.get("rights", ()))
    _check_gateways(scope_of(by), given.get("gateways", ()))
    if within is not None:
        _check_within(within, given.get("networks", ()), given.get("expires_at"))


def _check_user(by: User, user: User) -> None:
    if not _may_make_for(by, user):
        sentence = _("You may let programs in as yourself, and as users who hold no right that you lack.")
        raise Refusal(sentence if may(by, *OF_OTHERS) else _("You may let programs in as yourself only."), field="user")


def _check_rights(by: User, user: User, rights: Collection[str]) -> None:
    scope = scope_of(by)
    if not rights and scope is not None and scope.rights is not None:
        raise Refusal(_("Name rights that your own key or client is for."), field="rights")
    if not rights and not _may_make_all_for(by, user):
        # What this user may be given later would be the key's too, and its maker has seen the key.
        sentence = _("Name rights: only who holds every right lets a program in for all that another user may.")
        raise Refusal(sentence, field="rights")
    if beyond := sorted((set(rights) & set(Right)) - rights_of(by)):
        raise Refusal(_("You lack the right “%(name)s” yourself.") % {"name": beyond[0]}, field="rights")


def _may_make_for(by: User, user: User) -> bool:
    """Whether nobody would gain by what opens the API as this user, as long as it is for rights that are named."""
    return user.pk == by.pk or (may(by, *OF_OTHERS) and not holds_more(user, by))


def _may_make_all_for(by: User, user: User) -> bool:
    """The same of what is for all rights of this user, those included that the user is given later."""
    return user.pk == by.pk or (rights_of(by) == frozenset(Right) and _may_make_for(by, user))


def _check_gateways(scope: Scope | None, gateways: Collection[int]) -> None:
    if scope is not None and scope.gateways is not None and not (gateways and set(gateways) <= scope.gateways):
        raise Refusal(_("Name gateways that your own key or client is for."), field="gateways")


def _check_within(own: Narrowed, networks: Collection[str], expires_at: datetime | None) -> None:
    if own.networks and not (networks and all(_is_inside(one, own.networks) for one in networks)):
        raise Refusal(_("Name networks that your own key or client is good in."), field="networks")
    if own.expires_at and (expires_at is None or expires_at > own.expires_at):
        raise Refusal(_("It cannot outlive your own key or client."), field="expires_at")


def _is_inside(network: str, wider: Collection[str]) -> bool:
    if not is_network(network):
        return True  # what is wrong with it is said later
    inner = network_of(network)
    found = [network_of(one) for one in wider]
    return any(one.version == inner.version and inner.subnet_of(one) for one in found)  # type: ignore[arg-type]


def _granted_one_of(rights: Collection[Right]) -> Q:
    """Users who were given one of these, by role or directly."""
    found = {"content_type__app_label": "portal", "codename__in": rights}
    by_role = {f"groups__permissions__{name}": value for name, value in found.items()}
    return Q(**by_role) | Q(**{f"user_permissions__{name}": value for name, value in found.items()})
