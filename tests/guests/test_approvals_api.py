"""`approvals` in the API: who waits, and the answer of the staff."""

from typing import Any

import pytest

from guests.models import Approval, Guest, Registration, Sponsor, Stage
from portal.models import AuditEvent, User
from tests.conftest import Api
from tests.guests.sponsoring import PHONE, PORTAL, ada, visitors, waits

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def approval(settings: Any, db: None) -> Approval:
    settings.PORTAL_URL = PORTAL
    visitors()
    return waits(ada())


def post(api: Api, user: User | None, approval: Approval, call: str, **body: Any) -> Any:
    return api(user).post(f"/api/v1/approval/{approval.pk}/{call}", body, format="json")


def test_it_lists_who_waits_and_no_secret(api: Api, receptionist: User, approval: Approval) -> None:
    answer = api(receptionist).get("/api/v1/approvals")
    item = answer.json()["items"][0]
    assert (item["id"], item["state"], item["telephone"], item["sponsor"]) == (
        approval.pk, "waiting", PHONE, "Ada Lovelace",
    )  # fmt: skip
    assert (approval.link or "-") not in answer.content.decode()
    assert api(receptionist).get(f"/api/v1/approval/{approval.pk}").json()["item"] == item


def test_it_finds_them(api: Api, receptionist: User, approval: Approval) -> None:
    query = {"query": {"op": "equals", "field": "telephone", "value": "8 916 123-45-67"}}
    found = api(receptionist).post("/api/v1/approvals/search", query, format="json").json()
    assert [item["id"] for item in found["items"]] == [approval.pk]


def test_approved(api: Api, receptionist: User, approval: Approval) -> None:
    answer = post(api, receptionist, approval, "approve", access_duration="1D")
    body = answer.json()
    assert (answer.status_code, body["message"]) == (200, f"'{approval.pk}' approved")
    assert (body["item"]["state"], body["item"]["decided_by"], body["item"]["access_duration"]) == (
        "approved", "receptionist", "1D",
    )  # fmt: skip
    assert Guest.objects.get().phone == PHONE
    again = post(api, receptionist, approval, "approve", access_duration="1D")
    assert again.status_code == 409
    assert "approved already by receptionist" in again.json()["message"]


def test_denied(api: Api, receptionist: User, approval: Approval) -> None:
    assert post(api, receptionist, approval, "deny", reason="not expected").json()["item"]["state"] == "denied"
    assert Registration.objects.get().stage == Stage.DENIED
    assert AuditEvent.objects.filter(action="approval.deny", object_id=str(approval.pk), status=200).exists()


@pytest.mark.parametrize(
    ("call", "body", "named"),
    [
        ("approve", {}, "access_duration"),
        ("approve", {"access_duration": "a while"}, "access_duration"),
        ("approve", {"access_duration": "5D"}, "access_duration"),
        ("deny", {"reason": " "}, "reason"),
    ],
)
def test_what_is_wrong_is_named(
    api: Api, receptionist: User, approval: Approval, call: str, body: dict[str, str], named: str
) -> None:
    answer = post(api, receptionist, approval, call, **body)
    assert answer.status_code in {400, 422}
    assert named in answer.content.decode()
    assert Registration.objects.get().stage == Stage.APPROVAL


def test_a_sponsor_with_an_account_sees_and_answers_the_own_ones(api: Api, sponsor: User, approval: Approval) -> None:
    assert api(sponsor).get("/api/v1/approvals").json()["items"] == []
    assert post(api, sponsor, approval, "deny", reason="no").status_code == 404
    Sponsor.objects.update(user=sponsor)
    assert len(api(sponsor).get("/api/v1/approvals").json()["items"]) == 1
    assert post(api, sponsor, approval, "deny", reason="no").status_code == 200


def test_who_may_not_is_told_which_right_is_lacking(api: Api, auditor: User, approval: Approval) -> None:
    answer = post(api, auditor, approval, "approve", access_duration="1D")
    assert answer.status_code == 403
    assert "USERS_UPDATE" in answer.json()["message"]
    assert Registration.objects.get().stage == Stage.APPROVAL
