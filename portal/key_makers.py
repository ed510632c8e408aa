"""Who may make an API key for whom: a key is as good as its user's password, and nobody gains a right by making one.

One's own key needs the right to make it. One of somebody else takes, as to set their password does, the right to
change accounts as well, and every right that they hold; and where one right is lacking, the key's rights are named,
because that user may come to hold it. A key makes no key that goes beyond itself.
"""

from collections.abc import Collection
from datetime import datetime
from ipaddress import ip_network

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from portal import keys
from portal.errors import Refusal
from portal.models import ApiKey, User
from portal.permissions import Right, Scope, holds_more, may, rights_of, scope_of

OWN = (Right.SYSTEM_READ, Right.SYSTEM_CREATE)
OF_OTHERS = (*OWN, Right.SYSTEM_UPDATE)


def users_for(by: User) -> QuerySet[User]:
    """For whom this one may make keys: active users who hold no right that is lacking here."""
    active = User.objects.filter(is_active=True).order_by("username")
    if not may(by, *OF_OTHERS):
        return active.filter(pk=by.pk)
    lacking = set(Right) - rights_of(by)
    above = Q(is_superuser=True) | _granted_one_of(lacking) if lacking else Q(pk__in=())
    return active.filter(Q(pk=by.pk) | ~Q(pk__in=User.objects.filter(above).values("pk")))


def users_for_all(by: User) -> QuerySet[User]:
    """For whom this one may make what is for all rights, as `may_make_all_for` says."""
    found = users_for(by)
    return found if rights_of(by) == frozenset(Right) else found.filter(pk=by.pk)


def make(
    by: User,
    user: User,
    name: str,
    *,
    rights: Collection[str] = (),
    gateways: Collection[int] = (),
    networks: Collection[str] = (),
    expires_at: datetime | None = None,
    within: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """As `keys.issue`, by somebody who must not gain by it; `within` is the key that the call came by.

    Raises Refusal as `keys.issue` does, also with the field `user`.
    """
    _check_user(by, user)
    _check_rights(by, user, rights)
    _check_gateways(scope_of(by), gateways)
    if within is not None:
        _check_within(within, networks, expires_at)
    return keys.issue(user, name, rights=rights, gateways=gateways, networks=networks, expires_at=expires_at, by=by)


def may_make_for(by: User, user: User) -> bool:
    """Whether nobody would gain by what opens the API as this user, as long as it is for rights that are named."""
    return user.pk == by.pk or (may(by, *OF_OTHERS) and not holds_more(user, by))


def may_make_all_for(by: User, user: User) -> bool:
    """The same of what is for all rights of this user, those included that the user is given later."""
    return user.pk == by.pk or (rights_of(by) == frozenset(Right) and may_make_for(by, user))


def _check_user(by: User, user: User) -> None:
    if not may_make_for(by, user):
        sentence = _("You may make keys for yourself, and for users who hold no right that you lack.")
        raise Refusal(sentence if may(by, *OF_OTHERS) else _("You may make keys for yourself only."), field="user")


def _check_rights(by: User, user: User, rights: Collection[str]) -> None:
    scope = scope_of(by)
    if not rights and scope is not None and scope.rights is not None:
        raise Refusal(_("Name rights that your own key is for."), field="rights")
    if not rights and not may_make_all_for(by, user):
        # What this user may be given later would be the key's too, and its maker has seen the key.
        raise Refusal(_("Name rights: only who holds every right makes a key of another user for all."), field="rights")
    if beyond := sorted((set(rights) & set(Right)) - rights_of(by)):
        raise Refusal(_("You lack the right “%(name)s” yourself.") % {"name": beyond[0]}, field="rights")


def _check_gateways(scope: Scope | None, gateways: Collection[int]) -> None:
    if scope is not None and scope.gateways is not None and not (gateways and set(gateways) <= scope.gateways):
        raise Refusal(_("Name gateways that your own key is for."), field="gateways")


def _check_within(key: ApiKey, networks: Collection[str], expires_at: datetime | None) -> None:
    if key.networks and not (networks and all(_is_inside(one, key.networks) for one in networks)):
        raise Refusal(_("Name networks that your own key is good in."), field="networks")
    if key.expires_at and (expires_at is None or expires_at > key.expires_at):
        raise Refusal(_("It cannot outlive your own key."), field="expires_at")


def _is_inside(network: str, wider: Collection[str]) -> bool:
    try:
        inner = ip_network(network, strict=False)
    except ValueError:
        return True  # `keys.issue` says what is wrong with it
    found = [ip_network(one) for one in wider]
    return any(one.version == inner.version and inner.subnet_of(one) for one in found)  # type: ignore[arg-type]


def _granted_one_of(rights: Collection[Right]) -> Q:
    """Users who were given one of these, by role or directly."""
    found = {"content_type__app_label": "portal", "codename__in": rights}
    by_role = {f"groups__permissions__{name}": value for name, value in found.items()}
    return Q(**by_role) | Q(**{f"user_permissions__{name}": value for name, value in found.items()})
