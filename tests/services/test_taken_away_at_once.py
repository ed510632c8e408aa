"""Both processes of the web know a token and its rights; what another process takes away is gone with the next call."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.services.stack import Portal
from tests.waiting import PATIENCE

pytestmark = pytest.mark.both_engines

#: More than the web has threads, so that both of its processes have their share.
CALLS = 24

MAKE = """[
    (u := User.objects.create_user("desk")).groups.add(r := Role.objects.create(name="desk")),
    r.permissions.set(Role.objects.get(name="SMS operator").permissions.all()),
    ApiToken.objects.create(user=u)[1],
][2]"""


@pytest.fixture
def token(portal: Portal) -> Iterator[str]:
    """Of somebody who may send; gone at the end."""
    yield str(portal.look(MAKE))
    portal.look("User.objects.filter(username='desk').delete()[0] + Role.objects.filter(name='desk').delete()[0]")


def statuses(portal: Portal, token: str) -> set[int]:
    """What many calls at once are answered with."""

    def call(_number: int) -> int:
        return requests.post(
            f"{portal.address}/api/v1/sms_gateways/send_sms",
            json={"sms_gateway": "sandbox", "phone_number": "+79161234567", "message": "Wi-Fi is back"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
        ).status_code

    with ThreadPoolExecutor(CALLS) as pool:
        return set(pool.map(call, range(CALLS)))


@pytest.mark.parametrize(
    ("deed", "status"),
    [
        # Ended and not deleted: of what was never given out the Defender would take so many calls for guesses.
        ("ApiToken.objects.filter(user__username='desk').update(expiry=ApiToken.objects.last().created)", 401),
        ("User.objects.filter(username='desk').update(is_active=False)", 401),
        ("User.objects.get(username='desk').groups.clear()", 403),
        ("Role.objects.get(name='desk').permissions.clear()", 403),
        ("Gateway.objects.filter(name='sandbox').update(enabled=False)", 422),
    ],
)
def test_what_another_process_takes_away_is_gone(portal: Portal, token: str, deed: str, status: int) -> None:
    assert statuses(portal, token) == {200}
    portal.look(deed)
    assert statuses(portal, token) == {status}
