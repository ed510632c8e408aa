"""The collection `api_keys`: made, shown in one answer, listed, and revoked by API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from gateways.models import Gateway
from portal import key_makers, keys
from portal.models import ApiKey, AuditEvent, IdempotencyRecord, User
from portal.permissions import Right
from tests.conftest import Api
from tests.portal.admin_pages import staff_with

URL = "/api/v1/api_keys"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def by_key(key: str) -> APIClient:
    return APIClient(headers={"X-API-Key": key})


def made(client: APIClient, **fields: Any) -> Any:
    return client.post(URL, {"name": "the till"} | fields, format="json")


def refused(client: APIClient, **fields: Any) -> str:
    """The field at fault; nothing was made."""
    answer = made(client, **fields)
    assert answer.status_code == 422, answer.json()
    assert not ApiKey.objects.filter(name="the till").exists()
    return str(answer.json()["errors"][0]["field"])


def test_a_key_is_in_the_answer_that_made_it_and_works(api: Api, admin: User, sandbox: Gateway) -> None:
    answer = made(api(admin))
    row = ApiKey.objects.get()
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/api_key/{row.pk}"
    assert (body["id"], body["message"], body["status"]) == (row.pk, f"'{row.pk}' created", 201)
    assert (row.user, row.made_by) == (admin, admin)
    assert by_key(body["key"]).get("/api/v1/sms_gateways").status_code == 200


def test_it_is_nowhere_else(api: Api, admin: User) -> None:
    client = api(admin)
    key = client.post(URL, {"name": "the till"}, format="json", headers={"Idempotency-Key": "once"}).json()["key"]
    assert not IdempotencyRecord.objects.exists()
    assert key not in str([vars(event) for event in AuditEvent.objects.all()])
    row = ApiKey.objects.get()
    for url in (URL, f"/api/v1/api_key/{row.pk}"):
        text = client.get(url).content.decode()
        assert row.beginning in text
        assert key not in text
        assert row.digest not in text
    again = client.post(URL, {"name": "the till"}, format="json", headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "name")


def test_it_is_made_as_it_was_asked_for(api: Api, admin: User, operator: User, sandbox: Gateway) -> None:
    asked = {
        "user": "operator",
        "rights": ["SMS_GATEWAY_READ"],
        "sms_gateways": ["sandbox", "sandbox"],
        "networks": ["192.0.2.1/24"],
        "expires_at": "2999-11-22T12:00:00Z",
    }
    client = api(admin)
    pk = made(client, **asked).json()["id"]
    item = client.get(f"/api/v1/api_key/{pk}").json()["item"]
    assert item | {"created": None, "beginning": None} == {
        **asked, "id": pk, "name": "the till", "beginning": None, "state": "valid", "sms_gateways": ["sandbox"],
        "networks": ["192.0.2.0/24"], "revoked_at": None, "created": None, "made_by": "admin", "last_used": None,
        "last_address": None,
    }  # fmt: skip
    event = AuditEvent.objects.get()
    assert (event.action, event.status, event.object_id) == ("api_keys", 201, str(ApiKey.objects.get()))
    assert event.request["rights"] == ["SMS_GATEWAY_READ"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"user": "stranger"}, "user"),
        ({"user": "gone"}, "user"),
        ({"rights": ["FAX_READ"]}, "rights.0"),
        ({"sms_gateways": ["nowhere"]}, "sms_gateways"),
        ({"networks": ["somewhere"]}, "networks"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"gateways": ["sandbox"]}, "gateways"),
        ({"beginning": "gsp_"}, "beginning"),
    ],
    ids=str,
)
def test_what_cannot_be_is_named(api: Api, admin: User, sandbox: Gateway, fields: dict[str, Any], field: str) -> None:
    User.objects.create_user("gone", is_active=False)
    assert refused(api(admin), **fields) == field


@pytest.mark.parametrize(
    ("rights", "codes"),
    [
        ((), (403, 403, 403, 403)),
        ((Right.SYSTEM_READ,), (200, 200, 403, 403)),
        ((Right.SYSTEM_CREATE,), (403, 403, 403, 403)),
        (key_makers.OWN, (200, 200, 201, 403)),
        ((Right.SYSTEM_READ, Right.SYSTEM_DELETE), (200, 200, 403, 200)),
    ],
    ids=str,
)
def test_each_call_asks_for_its_rights(api: Api, admin: User, rights: tuple[Right, ...], codes: Any) -> None:
    pk = keys.issue(admin, "monitoring")[0].pk
    client = api(staff_with("somebody", *rights))
    found = (
        client.get(URL).status_code,
        client.post(f"{URL}/search", {}, format="json").status_code,
        made(client).status_code,
        client.delete(f"/api/v1/api_key/{pk}").status_code,
    )
    assert found == codes


def test_nobody_gains_a_right_by_making_a_key(api: Api, admin: User, operator: User) -> None:
    clerk = api(staff_with("clerk", *key_makers.OF_OTHERS))
    for user in ("admin", "operator"):
        assert refused(clerk, user=user) == "user"
    assert refused(clerk, rights=["MESSAGES_READ"]) == "rights"
    maker = api(staff_with("maker", *key_makers.OWN))
    assert refused(maker, user="nobody-less" if User.objects.create_user("nobody-less") else "") == "user"
    assert refused(clerk, user="nobody-less") == "rights"
    assert made(clerk, user="nobody-less", rights=["SYSTEM_READ"]).status_code == 201


def test_a_key_makes_none_beyond_itself(admin: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    with time_machine.travel(NOW, tick=False):
        own = keys.issue(
            admin,
            "own",
            rights=key_makers.OWN,
            gateways=[other.pk],
            networks=["127.0.0.0/8"],
            expires_at=NOW + timedelta(days=1),
        )[1]
        client = by_key(own)
        within = {
            "rights": ["SYSTEM_READ"],
            "sms_gateways": ["other"],
            "networks": ["127.0.0.1/32"],
            "expires_at": (NOW + timedelta(days=1)).isoformat(),
        }
        assert refused(client, **within | {"rights": []}) == "rights"
        assert refused(client, **within | {"rights": ["MESSAGES_READ"]}) == "rights"
        assert refused(client, **within | {"sms_gateways": []}) == "sms_gateways"
        assert refused(client, **within | {"sms_gateways": ["sandbox"]}) == "sms_gateways"
        assert refused(client, **within | {"networks": []}) == "networks"
        assert refused(client, **within | {"expires_at": None}) == "expires_at"
        assert made(client, **within).status_code == 201


def test_a_list_shows_the_newest_first_and_is_searched(api: Api, admin: User, operator: User) -> None:
    first, second = keys.issue(admin, "first")[0], keys.issue(operator, "second")[0]
    ApiKey.objects.filter(pk=first.pk).update(created=timezone.now() - timedelta(days=1))
    client = api(admin)
    assert [item["id"] for item in client.get(URL).json()["items"]] == [second.pk, first.pk]
    query = {"op": "and", "values": [{"op": "equals", "field": "user", "value": "operator"}]}
    found = client.post(f"{URL}/search", {"query": query}, format="json").json()["items"]
    assert [item["name"] for item in found] == ["second"]


@pytest.mark.parametrize(
    ("op", "value", "names"),
    [
        ("equals", "192.0.2.7", ["till"]),
        ("equals", "2001:DB8:0::1", ["desk"]),
        ("not_equals", "192.0.2.7", ["desk"]),
        ("starts_with", "192.0.2.", ["till"]),
        ("contains", "192.0.2.0/24", []),
        ("equals", "192.0.2.", None),
        ("greater_than", "anywhere", None),
    ],
)
def test_a_search_by_address_takes_addresses_and_parts_of_them(
    api: Api, admin: User, op: str, value: str, names: list[str] | None
) -> None:
    for name, address in (("till", "192.0.2.7"), ("desk", "2001:db8::1")):
        ApiKey.objects.filter(pk=keys.issue(admin, name)[0].pk).update(last_address=address)
    query = {"op": op, "field": "last_address", "value": value}
    answer = api(admin).post(f"{URL}/search", {"query": query}, format="json")
    if names is None:
        assert (answer.status_code, answer.json()["errors"][0]["value"]) == (422, value)
    else:
        assert [item["name"] for item in answer.json()["items"]] == names


def test_a_list_asks_no_more_for_many_than_for_one(api: Api, admin: User, sandbox: Gateway) -> None:
    client = api(admin)
    counts = []
    for number in range(4):
        keys.issue(admin, f"key {number}", gateways=[sandbox.pk])
        with CaptureQueriesContext(connection) as asked:
            assert len(client.get(URL).json()["items"]) == number + 1
        counts.append(len(asked))
    assert counts[-1] <= counts[1]


def test_a_deleted_gateway_has_no_name_any_more(api: Api, admin: User, sandbox: Gateway) -> None:
    pk = keys.issue(admin, "old", gateways=[sandbox.pk])[0].pk
    sandbox.delete()
    assert api(admin).get(f"/api/v1/api_key/{pk}").json()["item"]["sms_gateways"] == [None]


def test_a_key_of_some_gateways_knows_no_keys_of_others(admin: User, sandbox: Gateway) -> None:
    other = Gateway.objects.create(name="other", provider="sandbox")
    own, presented = keys.issue(admin, "own", gateways=[other.pk])
    wide = keys.issue(admin, "wide")[0]
    both = keys.issue(admin, "both", gateways=[other.pk, sandbox.pk])[0]
    client = by_key(presented)
    assert [item["id"] for item in client.get(URL).json()["items"]] == [own.pk]
    for key in (wide, both):
        assert client.get(f"/api/v1/api_key/{key.pk}").status_code == 404
        assert client.delete(f"/api/v1/api_key/{key.pk}").status_code == 404


def test_a_revoked_key_opens_nothing_and_stays_on_the_list(api: Api, admin: User) -> None:
    key, presented = keys.issue(admin, "lost")
    client = api(admin)
    answer = client.delete(f"/api/v1/api_key/{key.pk}")
    assert answer.json() == {"message": f"Revoked {key.pk}", "status": 200}
    assert by_key(presented).get(URL).status_code == 401
    assert client.get(f"/api/v1/api_key/{key.pk}").json()["item"]["state"] == "revoked"
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.changes) == ("api_key", str(key), {"state": ["valid", "revoked"]})
    first = ApiKey.objects.get().revoked_at
    assert client.delete(f"/api/v1/api_key/{key.pk}").status_code == 200
    assert ApiKey.objects.get().revoked_at == first


def test_a_key_can_end_itself(admin: User) -> None:
    key, presented = keys.issue(admin, "over")
    assert by_key(presented).delete(f"/api/v1/api_key/{key.pk}").status_code == 200
    assert by_key(presented).get(URL).status_code == 401
