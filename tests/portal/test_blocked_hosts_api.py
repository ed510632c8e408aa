"""The collections blocked_hosts and allowed_networks."""

import pytest

from portal.models import AllowedNetwork, AuditEvent, User, WatchedHost
from tests.conftest import Api
from tests.portal.strangers import ELSEWHERE, STRANGER, Caller

HOSTS, NETWORKS = "/api/v1/blocked_hosts", "/api/v1/allowed_networks"


@pytest.fixture
def blocked(admin: User) -> WatchedHost:
    Caller(STRANGER).guess(5)
    Caller(ELSEWHERE).guess(1)
    return WatchedHost.objects.get(host=STRANGER, username="")


def test_it_lists_whoever_is_blocked_now(api: Api, auditor: User, blocked: WatchedHost) -> None:
    (item,) = api(auditor).get(HOSTS).json()["items"]
    assert (item["id"], item["host"], item["username"], item["refused"]) == (blocked.pk, STRANGER, "", 5)
    assert item["until"]
    assert api(auditor).get(f"/api/v1/blocked_host/{blocked.pk}").json()["item"] == item


@pytest.mark.parametrize(("host", "found"), [(STRANGER, 1), (ELSEWHERE, 0)])
def test_it_searches(api: Api, auditor: User, blocked: WatchedHost, host: str, found: int) -> None:
    query = {"query": {"op": "equals", "field": "host", "value": host}}
    assert len(api(auditor).post(f"{HOSTS}/search", query, format="json").json()["items"]) == found


def test_it_unblocks(api: Api, admin: User, blocked: WatchedHost) -> None:
    answer = api(admin).delete(f"/api/v1/blocked_host/{blocked.pk}")
    assert answer.json() == {"message": f"Deleted {blocked.pk} successfully", "status": 200}
    assert Caller(STRANGER).by_api().status_code == 200
    event = AuditEvent.objects.get(action="blocked_host")
    assert (event.user, event.method, event.object_id) == (admin, "DELETE", STRANGER)


def test_who_is_not_blocked_is_not_there(api: Api, admin: User, blocked: WatchedHost) -> None:
    watched = WatchedHost.objects.get(host=ELSEWHERE, username="")
    assert api(admin).delete(f"/api/v1/blocked_host/{watched.pk}").status_code == 404


def test_it_blocks_by_hand(api: Api, admin: User) -> None:
    given = {"host": "2001:db8:1:2::7", "minutes": 600, "reason": "guesses"}
    answer = api(admin).post(HOSTS, given, format="json")
    assert answer.status_code == 201
    row = WatchedHost.objects.get()
    assert (row.host, row.reason, row.blocked_by) == ("2001:db8:1:2::/64", "guesses", admin)
    assert Caller("2001:db8:1:2::99").by_api().status_code == 429


def test_it_names_the_field_that_is_wrong(api: Api, admin: User) -> None:
    answer = api(admin).post(HOSTS, {"host": "127.0.0.1", "reason": "why not"}, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "host"


def test_networks_are_put_on_the_list_and_taken_off(api: Api, admin: User, blocked: WatchedHost) -> None:
    made = api(admin).post(NETWORKS, {"network": "198.51.100.0/24", "note": "the office"}, format="json")
    assert made.status_code == 201
    assert Caller(STRANGER).by_api().status_code == 200
    (item,) = api(admin).get(NETWORKS).json()["items"]
    assert (item["network"], item["added_by"]) == ("198.51.100.0/24", "admin")
    assert api(admin).post(NETWORKS, {"network": "198.51.100.0/24"}, format="json").status_code == 409
    assert api(admin).post(NETWORKS, {"network": "nowhere"}, format="json").status_code == 422
    assert api(admin).delete(f"/api/v1/allowed_network/{item['id']}").status_code == 200
    assert not AllowedNetwork.objects.exists()


@pytest.mark.parametrize("url", [HOSTS, NETWORKS])
def test_reading_needs_one_right_and_changing_another(api: Api, auditor: User, operator: User, url: str) -> None:
    assert api(operator).get(url).status_code == 403
    assert "SYSTEM_READ" in api(operator).get(url).json()["message"]
    assert api(auditor).get(url).status_code == 200
    assert "SYSTEM_UPDATE" in api(auditor).post(url, {}, format="json").json()["message"]
