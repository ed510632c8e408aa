"""`manage.py unblock`: the way back in for whoever locked everybody out."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from portal.models import AuditEvent, User, WatchedHost
from tests.portal.strangers import ELSEWHERE, STRANGER, Caller


@pytest.fixture(autouse=True)
def _blocked(admin: User) -> None:
    Caller(STRANGER).guess(5)
    Caller(ELSEWHERE).guess(5)


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("unblock", *arguments, stdout=out)
    return out.getvalue()


def test_it_frees_one_host_and_its_users() -> None:
    assert told(STRANGER) == f"{STRANGER} is free\nadmin @ {STRANGER} is free\n"
    assert Caller(STRANGER).by_api().status_code == 200
    assert Caller(ELSEWHERE).by_api().status_code == 429


def test_it_frees_all_and_writes_it_down() -> None:
    told("--all")
    assert not WatchedHost.objects.exists()
    freed = AuditEvent.objects.filter(action="defender:unblock", user_name="manage.py")
    assert freed.filter(object_id__in=[STRANGER, ELSEWHERE]).count() == 2


def test_without_arguments_it_lists_who_is_blocked() -> None:
    assert {line.split(" until ")[0] for line in told().splitlines()} == {STRANGER, ELSEWHERE}
    assert WatchedHost.objects.blocked().count() == 2


def test_it_says_so_where_nothing_is_blocked() -> None:
    assert told("10.9.8.7") == "Nothing is blocked or counted there.\n"


@pytest.mark.parametrize("arguments", [("office",), (STRANGER, "--all")])
def test_it_refuses_what_it_cannot_understand(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        told(*arguments)
    assert WatchedHost.objects.blocked().count() == 2
