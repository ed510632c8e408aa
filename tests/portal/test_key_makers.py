"""Who may make an API key for whom: nobody gains a right by making one, and a key makes none beyond itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from portal import key_makers, keys, permissions
from portal.errors import Refusal
from portal.models import ApiKey, User
from portal.permissions import Right, Scope
from tests.conftest import with_role
from tests.portal.admin_pages import staff_with

SYSTEM = (Right.SYSTEM_READ, Right.SYSTEM_CREATE, Right.SYSTEM_UPDATE)


@pytest.fixture
def clerk(db: None) -> User:
    """May keep accounts and keys, and holds no other right."""
    return staff_with("clerk", *SYSTEM)


def refused(by: User, user: User, **given: Any) -> str:
    """The field at fault; nothing was made."""
    with pytest.raises(Refusal) as found:
        key_makers.make(by, user, "new", **given)
    assert not ApiKey.objects.filter(name="new").exists()
    return found.value.field


def narrowed(user: User, **scope: Any) -> User:
    """The same user, come in by a key that is for less."""
    found = User.objects.get(pk=user.pk)
    permissions.narrow(found, Scope(**scope))
    return found


def test_an_administrator_makes_one_for_anybody(admin: User, operator: User) -> None:
    key, presented = key_makers.make(admin, operator, "the booking system")
    assert (key.user, key.made_by) == (operator, admin)
    assert keys.digest_of(presented) == key.digest


@pytest.mark.parametrize("more", ["superuser", "role", "right", "switched off"])
def test_a_clerk_makes_none_for_who_holds_more(clerk: User, more: str) -> None:
    boss = with_role("boss", "Auditor") if more == "role" else User.objects.create_user("boss")
    if more == "right":
        boss = staff_with("head", Right.AUDITING_READ)
    if more in {"superuser", "switched off"}:
        User.objects.filter(pk=boss.pk).update(is_superuser=True, is_active=more == "superuser")
    boss = User.objects.get(pk=boss.pk)

    assert refused(clerk, boss, rights=["SYSTEM_READ"]) == "user"
    assert boss not in key_makers.users_for(clerk)


def test_a_clerk_makes_one_for_who_holds_less(clerk: User) -> None:
    reader = staff_with("reader", Right.SYSTEM_READ)
    assert set(key_makers.users_for(clerk)) == {clerk, reader}
    assert key_makers.make(clerk, reader, "monitoring", rights=["SYSTEM_READ"])[0].user == reader


def test_a_clerk_names_the_rights_because_that_user_may_be_given_more(clerk: User, admin: User) -> None:
    reader = staff_with("reader", Right.SYSTEM_READ)
    assert refused(clerk, reader) == "rights"
    assert key_makers.make(clerk, clerk, "mine")[0].rights == []
    assert key_makers.make(staff_with("chief", *Right), reader, "all")[0].rights == []


def test_a_wide_right_is_more_than_the_narrow_one_it_includes(db: None) -> None:
    sponsor = staff_with("sponsor", *SYSTEM, Right.USERS_READ_SPONSORED)
    reception = staff_with("reception", Right.USERS_READ)
    assert refused(sponsor, reception) == "user"
    assert reception not in key_makers.users_for(sponsor)
    assert sponsor in key_makers.users_for(staff_with("chief", *SYSTEM, Right.USERS_READ))


def test_who_may_not_change_accounts_makes_keys_for_themselves_only(nobody: User) -> None:
    maker = staff_with("maker", *key_makers.OWN)
    assert refused(maker, nobody) == "user"
    assert list(key_makers.users_for(maker)) == [maker]
    assert key_makers.make(maker, maker, "mine")[0].user == maker


def test_nobody_names_a_right_that_is_lacking(clerk: User) -> None:
    assert refused(clerk, clerk, rights=["SYSTEM_READ", "AUDITING_READ"]) == "rights"


@pytest.mark.parametrize("given", [(), ("MESSAGES_READ", "SYSTEM_READ")], ids=["all", "another"])
def test_a_key_for_some_rights_makes_none_for_more(admin: User, given: tuple[str, ...]) -> None:
    by = narrowed(admin, rights=frozenset(SYSTEM))
    assert refused(by, admin, rights=given) == "rights"
    assert key_makers.make(by, admin, "less", rights=["SYSTEM_READ"])[0].rights == ["SYSTEM_READ"]


def test_nor_for_a_user_who_may_come_to_hold_more(admin: User) -> None:
    reader = staff_with("reader", Right.SYSTEM_READ)
    assert refused(narrowed(admin, rights=frozenset(SYSTEM)), reader) == "rights"


def test_a_key_for_some_gateways_makes_none_for_others(admin: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    by = narrowed(admin, gateways=frozenset({other.pk}))
    assert [refused(by, admin, gateways=given) for given in ([], [sandbox.pk], [sandbox.pk, other.pk])] == [
        "gateways"
    ] * 3
    assert key_makers.make(by, admin, "there", gateways=[other.pk])[0].gateways == [other.pk]


@pytest.mark.parametrize(
    ("networks", "field"),
    [([], "networks"), (["10.0.0.0/8"], "networks"), (["10.1.0.0/16", "::1"], "networks"), (["10.1.2.0/24"], "")],
)
def test_a_key_of_one_network_makes_none_for_others(admin: User, networks: list[str], field: str) -> None:
    own = keys.issue(admin, "own", networks=["10.1.0.0/16"])[0]
    if field:
        assert refused(admin, admin, networks=networks, within=own) == field
    else:
        assert key_makers.make(admin, admin, "there", networks=networks, within=own)[0].networks == networks


def test_a_key_outlives_not_the_one_that_made_it(admin: User) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    own = keys.issue(admin, "own", expires_at=tomorrow)[0]
    for later in (None, tomorrow + timedelta(seconds=1)):
        assert refused(admin, admin, expires_at=later, within=own) == "expires_at"
    assert key_makers.make(admin, admin, "shorter", expires_at=tomorrow, within=own)[0].expires_at == tomorrow


def test_a_gateway_that_does_not_exist_is_refused(admin: User) -> None:
    assert refused(admin, admin, gateways=[4711]) == "gateways"
