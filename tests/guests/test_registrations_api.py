"""`registrations` and its neighbours: the same steps for a network's own page."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.models import Gateway
from guests import terms
from guests.models import Guest, LimitCount, Origin, Registration, RegistrationRules
from messaging.models import Message
from portal.models import AuditEvent, User
from tests.conftest import Api, with_role
from tests.guests.test_registration import PHONE, last_code, let_time_pass

pytestmark = pytest.mark.usefixtures("sandbox")
SAID = {"telephone": "8 (916) 123-45-67", "lang": "en", "ip": "192.0.2.7", "mac": "02-00-5E-10-00-01", "ssid": "Lobby"}


@pytest.fixture
def network(db: None) -> User:
    """The program of a network's own page."""
    return with_role("network", "Reception")


Call = Any


@pytest.fixture
def call(api: Api, network: User) -> Call:
    client = api(network)

    def post(path: str, body: Any, status: int = 200) -> dict[str, Any]:
        raw = body if isinstance(body, str) else json.dumps(body)
        answer: Any = client.post(f"/api/v1/registrations{path}", raw, content_type="application/json")
        assert answer.status_code == status, answer.content.decode()
        found: dict[str, Any] = answer.json()
        return found | {"retry_after": answer.headers.get("Retry-After")}

    return post


class TestTheSteps:
    def test_a_guest_comes_in_by_start_and_confirm(self, call: Call) -> None:
        item = call("", SAID, 201)["item"]
        assert (item["stage"], item["telephone"], item["tries_left"]) == ("code", PHONE, 5)
        assert item["sms"]["where"] == "under_way"
        done = call("/confirm", {"token": item["token"], "code": last_code()})["item"]
        guest = Guest.objects.get()
        assert (done["stage"], done["pid"]) == ("done", "79161234567")
        assert guest.check_password(done["password"])
        row = Registration.objects.get()
        assert (row.origin, row.address, row.mac) == (Origin.API, "192.0.2.7", "02:00:5e:10:00:01")
        assert row.arrival["ssid"] == "Lobby"

    def test_the_password_is_answered_once_and_a_minute_longer(self, call: Call) -> None:
        token, digits = call("", SAID, 201)["item"]["token"], last_code()
        first = call("/confirm", {"token": token, "code": digits})["item"]["password"]
        assert call("/confirm", {"token": token, "code": digits})["item"]["password"] == first
        Registration.objects.update(password_shown_at=timezone.now() - timedelta(minutes=2))
        assert call("/confirm", {"token": token, "code": digits})["item"]["password"] is None

    def test_state_tells_where_it_stands_and_changes_nothing(self, call: Call) -> None:
        token = call("", SAID, 201)["item"]["token"]
        before = AuditEvent.objects.count()
        item = call("/state", {"token": token})["item"]
        assert item["stage"] == "code"
        assert "token" not in item
        assert AuditEvent.objects.count() == before

    def test_the_code_is_sent_again_once_it_is_time(self, call: Call) -> None:
        token, digits = call("", SAID, 201)["item"]["token"], last_code()
        answer = call("/resend", {"token": token}, 429)
        assert 50 <= int(answer["retry_after"]) <= 60
        let_time_pass(seconds=61)
        call("/resend", {"token": token})
        assert Message.objects.count() == 2
        assert last_code() == digits

    def test_the_limits_are_the_same(self, call: Call) -> None:
        for number in range(5):
            call("", SAID | {"telephone": f"+7916123450{number}"}, 201)
        answer = call("", SAID | {"telephone": "+79161234509"}, 429)
        assert int(answer["retry_after"]) > 3000
        assert LimitCount.objects.get(scope="device", minutes=60).refused == 1


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"telephone": "12"}, "telephone"),
            ({"telephone": "+74951234567"}, "telephone"),
            ({"telephone": None}, "telephone"),
            ({"lang": "xx"}, "lang"),
            ({"ip": "nowhere"}, "ip"),
            ({"mac": "nothing"}, "mac"),
            ({"guest_type": "Visitor?"}, "guest_type"),
            ({"accepted_terms": "one"}, "accepted_terms"),
            ({"phone": PHONE}, "phone"),
        ],
    )
    def test_it_names_the_field_and_keeps_nothing(self, call: Call, change: dict[str, Any], field: str) -> None:
        answer = call("", SAID | change, 422)
        assert [error["field"] for error in answer["errors"]] == [field]
        assert not Registration.objects.exists()
        assert not LimitCount.objects.exists()

    def test_an_e_mail_address_that_is_none_is_refused_while_it_can_be_put_right(self, call: Call) -> None:
        RegistrationRules.objects.create(pk=1, ask_email="optional")
        answer = call("", SAID | {"email": "nowhere"}, 422)
        assert [error["field"] for error in answer["errors"]] == ["email"]
        assert not Registration.objects.exists()

    def test_an_address_is_counted_the_same_in_every_spelling(self, call: Call) -> None:
        call("", SAID | {"ip": "::ffff:192.0.2.7"}, 201)
        assert set(LimitCount.objects.filter(scope="address").values_list("key", flat=True)) == {"192.0.2.7"}

    def test_broken_json_is_said_to_be(self, call: Call) -> None:
        assert "JSON" in call("", "{", 400)["message"]

    @pytest.mark.parametrize("path", ["/state", "/resend", "/confirm"])
    @pytest.mark.parametrize("token", ["unknown", "ы", "' OR 1=1"])
    def test_a_token_that_nobody_was_given_is_not_found(self, call: Call, path: str, token: str) -> None:
        call(path, {"token": token, **({"code": "123456"} if path == "/confirm" else {})}, 404)

    def test_wrong_codes_are_counted_and_the_fifth_ends_it(self, call: Call) -> None:
        token = call("", SAID, 201)["item"]["token"]
        wrong = f"{(int(last_code()) + 1) % 1_000_000:06d}"
        for left in (4, 3, 2, 1):
            answer = call("/confirm", {"token": token, "code": wrong}, 422)
            assert str(left) in answer["errors"][0]["message"]
        call("/confirm", {"token": token, "code": wrong}, 409)
        call("/confirm", {"token": token, "code": last_code()}, 409)

    def test_where_no_gateway_can_send_it_says_so(self, call: Call, sandbox: Gateway) -> None:
        Gateway.objects.filter(pk=sandbox.pk).update(enabled=False)
        assert "cannot be sent" in call("", SAID, 503)["message"]


class TestTerms:
    def test_they_are_told_and_must_be_accepted(self, call: Call, api: Api, network: User) -> None:
        draft = terms.draft("en", "Be kind.")
        terms.publish(draft)
        told = api(network).get("/api/v1/registrations/terms?lang=en").json()["item"]
        assert (told["id"], told["text"], told["digest"]) == (draft.pk, "Be kind.", draft.digest)
        assert call("", SAID, 422)["errors"][0]["field"] == "accepted_terms"
        call("", SAID | {"accepted_terms": told["id"]}, 201)
        row = Registration.objects.get()
        assert row.terms == draft
        assert row.terms_accepted_at

    def test_without_any_there_are_none(self, api: Api, network: User) -> None:
        assert api(network).get("/api/v1/registrations/terms").json()["item"] is None


class TestRights:
    def test_nobody_without_the_right_starts_one(self, api: Api, operator: User) -> None:
        answer = api(operator).post("/api/v1/registrations", SAID, format="json")
        assert answer.status_code == 403
        assert "USERS_CREATE" in answer.json()["message"]

    def test_neither_token_nor_code_nor_password_is_in_the_audit_trail(self, call: Call) -> None:
        token, digits = call("", SAID, 201)["item"]["token"], last_code()
        password = call("/confirm", {"token": token, "code": digits})["item"]["password"]
        told = json.dumps(list(AuditEvent.objects.values("request", "changes", "path", "object_id")))
        assert AuditEvent.objects.count() == 2
        for secret in (token, digits, password, "9161234567"):
            assert secret not in told
