"""`/api/v1/held_back` and `/api/v1/brake`: who is held back, and letting them go on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from guests import limits
from guests.limits import brake
from guests.models import Brake, LimitCount, Scope
from portal.models import AuditEvent, User
from tests.conftest import Api

pytestmark = pytest.mark.django_db

LIST, ONE, BRAKE = "/api/v1/held_back", "/api/v1/held_back_count", "/api/v1/brake"
PHONE = "+79161234567"


@pytest.fixture
def held() -> LimitCount:
    """A phone that had its messages; another one has room."""
    now = timezone.now()
    LimitCount.objects.create(scope=Scope.PHONE, minutes=60, key="+79161234500", since=now, count=2, most=3)
    return LimitCount.objects.create(scope=Scope.PHONE, minutes=60, key=PHONE, since=now, count=3, most=3, refused=2)


def test_it_lists_whoever_is_held_back_now(api: Api, auditor: User, held: LimitCount) -> None:
    (item,) = api(auditor).get(LIST).json()["items"]
    told = (item["id"], item["counted"], item["of"], item["count"], item["most"], item["turned_away"])
    assert told == (held.pk, "phone", PHONE, 3, 3, 2)
    assert api(auditor).get(f"{ONE}/{held.pk}").json()["item"] == item


@pytest.mark.parametrize(("phone", "found"), [(PHONE, 1), ("+79161234500", 0)])
def test_it_searches(api: Api, auditor: User, held: LimitCount, phone: str, found: int) -> None:
    query = {"query": {"op": "equals", "field": "of", "value": phone}}
    assert len(api(auditor).post(f"{LIST}/search", query, format="json").json()["items"]) == found


def test_it_releases_and_writes_that_down_without_the_phone(api: Api, receptionist: User, held: LimitCount) -> None:
    answer = api(receptionist).delete(f"{ONE}/{held.pk}")
    assert answer.json() == {"message": f"Deleted {held.pk} successfully", "status": 200}
    assert not limits.held_back().exists()
    event = AuditEvent.objects.get(action="held_back_count")
    assert (event.user, event.object_id) == (receptionist, "phone +7916•••••67")
    assert api(receptionist).delete(f"{ONE}/{held.pk}").status_code == 404


def test_the_brake_is_told_and_released(api: Api, receptionist: User) -> None:
    now = timezone.now()
    assert api(receptionist).get(BRAKE).json()["stopped"] is False
    Brake.objects.create(pk=brake.ROW, pulled_at=now, until=now + timedelta(hours=1), sent=57, entered=9)
    told = api(receptionist).get(BRAKE).json()
    assert (told["stopped"], told["codes_sent"], told["codes_entered"]) == (True, 57, 9)
    assert api(receptionist).delete(BRAKE).json() == {"message": "Registration goes on", "status": 200}
    assert api(receptionist).get(BRAKE).json() == {
        "stopped": False, "until": None, "codes_sent": 57, "codes_entered": 9, "status": 200
    }  # fmt: skip
    assert brake.current().released_by == receptionist
    assert AuditEvent.objects.get(action="brake").user == receptionist


def test_who_only_reads_releases_nothing(api: Api, auditor: User, held: LimitCount) -> None:
    for address in (f"{ONE}/{held.pk}", BRAKE):
        answer = api(auditor).delete(address)
        assert answer.status_code == 403
        assert "USERS_UPDATE" in answer.json()["message"]


def test_who_sees_own_guests_only_sees_no_phones_of_others(api: Api, sponsor: User, held: LimitCount) -> None:
    for address in (LIST, f"{ONE}/{held.pk}", BRAKE):
        assert api(sponsor).get(address).status_code == 403
