"""The collection: GET and POST /api/v1/sms_gateways, and POST /api/v1/sms_gateways/search."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from gateways import accounts, health, providers
from gateways.configuration import MASK
from gateways.models import Gateway
from gateways.outcomes import GatewayFault
from gateways.provider import BaseProvider
from portal.models import AuditEvent, User
from portal.permissions import Right
from tests.conftest import Api
from tests.gateways import recorded

URL = "/api/v1/sms_gateways"
TELEGRAPH = {
    "id": "Телеграф 1",
    "provider": "telegraph",
    "settings": {"url": "https://provider.example/send", "password": "canary"},
    "sender": "Portal",
    "rate_per_second": 5,
    "prefixes": ["+7"],
}


@pytest.fixture(autouse=True)
def _provider(telegraph: type[BaseProvider]) -> None:
    """Every test here has it."""


class TestList:
    def test_it_lists_gateways_in_the_order_they_are_tried(self, api: Api, auditor: User) -> None:
        for name, priority in (("second", 2), ("b first", 1), ("a first", 1)):
            accounts.create(name=name, provider="sandbox", priority=priority)
        answer = api(auditor).get(URL).json()
        assert [item["id"] for item in answer["items"]] == ["a first", "b first", "second"]
        assert answer["status"] == 200

    def test_it_says_how_a_gateway_fares_and_hides_its_secrets(self, api: Api, auditor: User) -> None:
        gateway = accounts.create(
            name="wire", provider="telegraph", settings={"url": "https://a.example", "password": "canary"}
        )
        health.record_fault(gateway.pk, GatewayFault("no funds"))
        until = health.paused_until(gateway.pk)
        assert until
        (item,) = api(auditor).get(URL).json()["items"]
        assert item["settings"] == {
            "url": "https://a.example",
            "password": MASK,
            "second_password": "",
            "tries": 3,
            "flash": False,
        }
        assert (item["state"], item["last_error"]) == ("paused", "no funds")
        assert item["paused_until"][:19] == until.isoformat()[:19]
        assert item["last_error_at"]

    def test_it_asks_the_database_the_same_number_of_questions_for_any_number(self, api: Api, admin: User) -> None:
        client = api(admin)
        accounts.create(name="0", provider="sandbox")
        client.get(URL)
        with CaptureQueriesContext(connection) as one:
            client.get(URL)
        for number in range(1, 9):
            accounts.create(name=str(number), provider="sandbox")
        # Gateways have changed: what was kept of who may see them is read once more.
        client.get(URL)
        with CaptureQueriesContext(connection) as nine:
            assert len(client.get(URL).json()["items"]) == 9
        assert len(nine) == len(one)

    def test_it_tells_nobody_where_providers_call(self, api: Api, admin: User, settings: Settings) -> None:
        settings.PORTAL_URL = "https://portal.example.org"
        gateway = accounts.create(name="wire", provider="sandbox")
        client = api(admin)
        for answer in (client.get(URL), client.post(f"{URL}/search", {}, format="json")):
            assert [item["id"] for item in answer.json()["items"]] == ["wire"]
            assert gateway.callback_key not in answer.content.decode()
            assert "callback_url" not in answer.json()["items"][0]

    def test_a_gateway_made_without_a_health_row_is_well(self, api: Api, admin: User, sandbox: Gateway) -> None:
        (item,) = api(admin).get(URL).json()["items"]
        assert (item["state"], item["paused_until"], item["last_error"]) == ("ok", None, "")

    @pytest.mark.parametrize("fields", ["settings,password", "health"])
    def test_a_field_that_is_none_is_refused(self, api: Api, admin: User, fields: str) -> None:
        assert api(admin).get(URL, {"fields": fields}).status_code == 422

    def test_without_the_right_it_is_forbidden(self, api: Api, nobody: User) -> None:
        answer = api(nobody).get(URL)
        assert answer.status_code == 403
        assert Right.SMS_GATEWAY_READ in answer.json()["message"]

    def test_a_stranger_is_asked_to_log_in(self, api: Api) -> None:
        assert api(None).get(URL).status_code == 401


class TestCreate:
    def test_it_makes_a_gateway(self, api: Api, admin: User) -> None:
        answer = api(admin).post(URL, TELEGRAPH, format="json")
        assert answer.status_code == 201
        assert answer.json() == {"id": "Телеграф 1", "message": "'Телеграф 1' created", "status": 201}
        made = Gateway.objects.get()
        assert (made.name, made.sender, made.rate_per_second, made.prefixes) == ("Телеграф 1", "Portal", 5, ["+7"])
        assert (made.settings["password"], made.settings["tries"]) == ("canary", 3)
        assert (made.enabled, made.is_default) == (True, False)

    def test_it_takes_what_a_segment_costs(self, api: Api, admin: User) -> None:
        client = api(admin)
        answer = client.post(URL, TELEGRAPH | {"segment_price": "3.50", "currency": "EUR"}, format="json")
        item = client.get(answer["Location"]).json()["item"]
        assert (item["segment_price"], item["currency"]) == ("3.5000", "EUR")
        client.patch(answer["Location"], {"segment_price": None}, format="json")
        assert client.get(answer["Location"]).json()["item"]["segment_price"] is None

    def test_its_location_is_the_gateway(self, api: Api, admin: User) -> None:
        client = api(admin)
        answer = client.post(URL, TELEGRAPH, format="json")
        assert client.get(answer["Location"]).json()["item"]["id"] == "Телеграф 1"

    def test_the_audit_trail_has_no_secret(self, api: Api, admin: User) -> None:
        api(admin).post(URL, TELEGRAPH, format="json")
        event = AuditEvent.objects.get()
        assert (event.action, event.object_id, event.status) == ("sms_gateways", "Телеграф 1", 201)
        assert "canary" not in str(event.request)

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"settings": {"url": "https://a.example"}}, "settings.password"),
            ({"settings": {"url": "none", "password": "p"}}, "settings.url"),
            ({"settings": {**TELEGRAPH["settings"], "more": 1}}, "settings.more"),  # type: ignore[dict-item]
            ({"settings": "https://a.example"}, "settings"),
            ({"provider": "nobody"}, "provider"),
            ({"id": "a/b"}, "id"),
            ({"id": ""}, "id"),
            ({"prefixes": ["7"]}, "prefixes"),
            ({"rate_per_second": "NaN"}, "rate_per_second"),
            ({"timeout": 0}, "timeout"),
            ({"priority": 10**10}, "priority"),
            ({"daily_limit": 0}, "daily_limit"),
            ({"daily_limit": 10**9}, "daily_limit"),
            ({"daily_limit": "many"}, "daily_limit"),
            ({"segment_price": "-1"}, "segment_price"),
            ({"segment_price": "3.12345"}, "segment_price"),
            ({"currency": "x" * 11}, "currency"),
            ({"strict": "perhaps"}, "strict"),
            ({"strict": None}, "strict"),
            ({"test_number": "8 916 123-45-67"}, "test_number"),
            ({"test_number": "+7916123456712345"}, "test_number"),
            ({"balance_warning": -1}, "balance_warning"),
            ({"balance_warning": "0.001"}, "balance_warning"),
            ({"balance_warning": 10**13}, "balance_warning"),
            ({"balance_warning": "NaN"}, "balance_warning"),
            ({"sender": "x" * 21}, "sender"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_a_wrong_field_is_named(self, api: Api, admin: User, changed: dict[str, object], field: str) -> None:
        answer = api(admin).post(URL, {**TELEGRAPH, **changed}, format="json")
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert not Gateway.objects.exists()

    def test_all_faults_of_the_settings_are_named_at_once(self, api: Api, admin: User) -> None:
        settings = {"url": "none", "tries": 0, "flash": "yes", "more": 1}
        answer = api(admin).post(URL, {**TELEGRAPH, "settings": settings}, format="json")
        named = {error["field"] for error in answer.json()["errors"]}
        assert named == {f"settings.{key}" for key in ("url", "password", "tries", "flash", "more")}

    def test_an_unknown_provider_is_told_those_that_are_known(self, api: Api, admin: User) -> None:
        answer = api(admin).post(URL, {**TELEGRAPH, "provider": "nobody"}, format="json").json()
        assert answer["errors"] == [
            {"field": "provider", "message": "there is no provider 'nobody'; known: sandbox, telegraph"}
        ]

    def test_a_test_number_is_told_how_a_phone_is_written(self, api: Api, admin: User) -> None:
        answer = api(admin).post(URL, {**TELEGRAPH, "test_number": "911"}, format="json").json()
        assert answer["errors"] == [{"field": "test_number", "message": "Give a phone such as +79161234567."}]

    def test_what_it_is_told_beside_the_account_is_shown_again(self, api: Api, admin: User) -> None:
        told = {"daily_limit": 500, "strict": True, "test_number": "+79161234567", "balance_warning": "99.50"}
        client = api(admin)
        assert client.post(URL, {**TELEGRAPH, **told}, format="json").status_code == 201
        (item,) = client.get(URL).json()["items"]
        assert {name: item[name] for name in told} == told
        assert (item["sent_today"], item["balance"], item["breaker"], item["last_remedy"]) == (0, None, "closed", "")

    def test_missing_fields_are_named(self, api: Api, admin: User) -> None:
        answer = api(admin).post(URL, {}, format="json").json()
        assert answer["message"] == "Missing required fields"
        assert {error["field"] for error in answer["errors"]} == {"id", "provider"}

    def test_a_name_that_is_taken_is_a_conflict(self, api: Api, admin: User, sandbox: Gateway) -> None:
        answer = api(admin).post(URL, {"id": "sandbox", "provider": "sandbox"}, format="json")
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["field"] == "id"

    def test_errors_are_in_english_whatever_the_browser_speaks(self, api: Api, admin: User) -> None:
        answer = api(admin).post(URL, {**TELEGRAPH, "settings": {}}, format="json", HTTP_ACCEPT_LANGUAGE="ru")
        assert answer.content.isascii()

    def test_a_new_default_takes_it_from_the_old_one(self, api: Api, admin: User, sandbox: Gateway) -> None:
        api(admin).post(URL, {"id": "new", "provider": "sandbox", "is_default": True}, format="json")
        assert [gateway.name for gateway in Gateway.objects.filter(is_default=True)] == ["new"]

    def test_without_the_right_it_is_forbidden(self, api: Api, operator: User) -> None:
        answer = api(operator).post(URL, TELEGRAPH, format="json")
        assert answer.status_code == 403
        assert Right.SMS_GATEWAY_CREATE in answer.json()["message"]
        assert not Gateway.objects.exists()


class TestSearch:
    def test_it_finds_by_part_of_the_name(self, api: Api, auditor: User) -> None:
        for name in ("Телеграф 1", "телеграф 2", "sandbox"):
            accounts.create(name=name, provider="sandbox")
        query = {"op": "contains", "field": "id", "value": "елеграф"}
        answer = api(auditor).post(f"{URL}/search", {"query": query, "with_total_count": True}, format="json").json()
        assert {item["id"] for item in answer["items"]} == {"Телеграф 1", "телеграф 2"}
        assert answer["total_count"] == 2

    def test_it_finds_those_with_an_error(self, api: Api, auditor: User, sandbox: Gateway) -> None:
        troubled = accounts.create(name="troubled", provider="sandbox")
        health.record_error(troubled.pk, "no answer")
        query = {"op": "greater_than", "field": "last_error_at", "value": "2020-01-01T00:00:00Z"}
        answer = api(auditor).post(f"{URL}/search", {"query": query}, format="json").json()
        assert [item["id"] for item in answer["items"]] == ["troubled"]

    @pytest.mark.parametrize("field", ["settings", "state", "settings__password"])
    def test_settings_cannot_be_searched(self, api: Api, auditor: User, field: str) -> None:
        query = {"op": "contains", "field": field, "value": "c"}
        assert api(auditor).post(f"{URL}/search", {"query": query}, format="json").status_code == 422

    def test_it_needs_the_reading_right(self, api: Api, nobody: User, auditor: User) -> None:
        assert api(nobody).post(f"{URL}/search", {}, format="json").status_code == 403
        assert api(auditor).post(f"{URL}/search", {}, format="json").status_code == 200


class TestProviders:
    """Not the two of the other tests: all there are."""

    @pytest.fixture
    def _provider(self) -> None:
        """The real ones."""

    @pytest.mark.parametrize(("name", "variant"), recorded.variants())
    def test_each_is_made_of_its_example_and_shown_without_secrets(
        self, api: Api, admin: User, name: str, variant: recorded.Variant
    ) -> None:
        client = api(admin)
        body = {"id": "main", "provider": name, "settings": variant.settings, "sender": variant.sender}
        assert client.post(URL, body, format="json").status_code == 201
        item = client.get("/api/v1/sms_gateway/main").json()["item"]
        secrets = set(providers.load(name).secrets)
        given = {key: value for key, value in variant.settings.items() if key not in secrets}
        assert {key: item["settings"][key] for key in given} == given
        assert {item["settings"][key] for key in secrets} <= {MASK, ""}
        assert (item["provider"], item["state"]) == (name, "ok")

    @pytest.mark.parametrize(("name", "variant"), recorded.variants())
    def test_what_each_shows_can_be_put_back_and_changes_nothing(
        self, api: Api, admin: User, name: str, variant: recorded.Variant
    ) -> None:
        accounts.create(name="main", provider=name, settings=variant.settings, sender=variant.sender)
        before = Gateway.objects.values().get()
        client = api(admin)
        item = client.get("/api/v1/sms_gateway/main").json()["item"]
        assert client.put("/api/v1/sms_gateway/main", item, format="json").status_code == 200
        assert Gateway.objects.values().get() == before

    @pytest.mark.parametrize("name", providers.names())
    def test_a_setting_that_none_knows_is_named(self, api: Api, admin: User, name: str) -> None:
        answer = api(admin).post(URL, {"id": "main", "provider": name, "settings": {"colour": "red"}}, format="json")
        assert answer.status_code == 422
        assert "settings.colour" in [error["field"] for error in answer.json()["errors"]]
