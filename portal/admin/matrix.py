"""Rights as people read them: by what they are about, for choosing and for looking at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.db.models import Prefetch, QuerySet
from django.utils.functional import Promise

from portal.models import User
from portal.permissions import GROUPS, VERBS, Right, granted_to, rights_of


def portal_rights() -> QuerySet[Permission]:
    """The permissions that are rights of the portal; Django's own are given to nobody."""
    return Permission.objects.filter(
        content_type__app_label="portal", content_type__model="user", codename__in=list(Right)
    ).order_by("codename")


def in_words(rights: Iterable[Right]) -> str:
    """Rights as the documents spell them, in the order of the catalogue."""
    held = set(rights)
    return ", ".join(right.label for right in Right if right in held) or "—"


def by_group(rights: Iterable[Right]) -> Iterator[tuple[str | Promise, list[Right]]]:
    """The given rights under what they are about, in the order of GROUPS."""
    given = list(rights)
    for group, label in GROUPS.items():
        if found := [right for right in given if right.group == group]:
            yield label, found


class RightsMatrix(forms.CheckboxSelectMultiple):
    """A choice of rights: a line for what they are about, a box for each thing that can be done there."""

    template_name = "portal/rights_matrix.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        boxes = [option for _name, options, _index in context["widget"]["optgroups"] for option in options]
        box_of = {_name_of(box["value"]): box for box in boxes}
        rights = {right: box_of[right] for right in Right if right in box_of}
        context["lines"] = [
            (label, [(VERBS[right.verb], rights[right]) for right in found]) for label, found in by_group(rights)
        ]
        return context


def _name_of(value: Any) -> str:
    """Of the right that a box stands for, be it a row or the name itself."""
    row = getattr(value, "instance", None)
    return str(row.codename if row else value)


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice of rights under their labels."""

    widget = RightsMatrix

    def label_from_instance(self, obj: Any) -> str:
        return Right(obj.codename).label


@dataclass(frozen=True)
class RoleColumn:
    """A role in the overview."""

    name: str
    pk: int
    holds: frozenset[Right]


def roles() -> list[RoleColumn]:
    """Every role with its rights, in two queries."""
    ours = Prefetch("permissions", queryset=portal_rights(), to_attr="ours")
    found = Group.objects.order_by("name").prefetch_related(ours)
    return [RoleColumn(role.name, role.pk, _rights(role)) for role in found]


def _rights(role: Any) -> frozenset[Right]:
    return frozenset(Right(permission.codename) for permission in role.ours)


def overview() -> dict[str, Any]:
    """Which role holds which right: a line for each right, and for each role whether it does."""
    columns = roles()
    lines = [
        (label, [(right, [right in role.holds for role in columns]) for right in found])
        for label, found in by_group(Right)
    ]
    return {"roles": columns, "groups": lines}


@dataclass(frozen=True)
class Allowed:
    """A right of a user, and what gives it: roles by name, or `own` where it was given to the user alone."""

    right: Right
    held: bool
    roles: list[str]
    own: bool


def may_do(user: User) -> list[tuple[str | Promise, list[Allowed]]]:
    """What this person may do and why; every right of the catalogue stands there, held or not."""
    granted = granted_to(user)
    given = [role for role in roles() if role.pk in set(user.groups.values_list("pk", flat=True))]
    own = own_rights(user)
    return [(label, [_allowed(right, granted, given, own) for right in found]) for label, found in by_group(Right)]


def own_rights(user: User) -> set[Right]:
    """What was given to the user alone, and by no role."""
    return {
        Right(name) for name in user.user_permissions.filter(pk__in=portal_rights()).values_list("codename", flat=True)
    }


def _allowed(right: Right, granted: frozenset[Right], given: list[RoleColumn], own: set[Right]) -> Allowed:
    return Allowed(right, right in granted, [role.name for role in given if right in role.holds], right in own)


def is_asleep(user: User) -> bool:
    """Whether rights were given that cannot be used now: the account is switched off or over."""
    return bool(granted_to(user)) and not rights_of(user)
