"""The Postman collection: made of the OpenAPI document, up to date in docs/examples, and such that Postman takes it."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from portal.api.postman import collection
from portal.api.schema import document
from tests.engine import REPOSITORY

KEPT = REPOSITORY / "docs/examples/portal.postman_collection.json"
VARIABLE = re.compile(r"{{(\w+)}}")

FOUND = collection(document())


def requests_of(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those in folders too."""
    for item in items:
        yield from requests_of(item["item"]) if "item" in item else iter([item])


ITEMS = list(requests_of(FOUND["item"]))
BY_NAME = {item["name"]: item for item in ITEMS}


def test_the_one_in_the_documents_is_what_the_command_prints() -> None:
    out = StringIO()
    call_command("postman_collection", stdout=out)
    assert KEPT.read_text() == out.getvalue(), f"manage.py postman_collection > {KEPT.relative_to(REPOSITORY)}"


def test_it_has_every_operation_once() -> None:
    operations = [
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document()["paths"].items()
        for method in methods
    ]
    assert sorted(item["name"] for item in ITEMS) == sorted(operations)


def test_it_says_which_format_it_has() -> None:
    assert FOUND["info"]["schema"] == "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    assert FOUND["info"]["name"]


def test_its_variables_are_all_there_are() -> None:
    known = {variable["key"] for variable in FOUND["variable"]}
    assert {"baseUrl", "token"} <= known
    # A gateway's template has these places, and Postman leaves alone what it does not know.
    assert set(VARIABLE.findall(json.dumps(FOUND))) <= known | {"to", "text"}


def test_its_token_is_sent_unless_a_request_needs_none() -> None:
    assert FOUND["auth"] == {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]}
    assert BY_NAME["POST /login"]["request"]["auth"] == {"type": "noauth"}
    assert "auth" not in BY_NAME["POST /sms_gateways/send_sms"]["request"]


def test_signing_in_stores_the_token() -> None:
    login = BY_NAME["POST /login"]
    assert json.loads(login["request"]["body"]["raw"]) == {"username": "{{username}}", "password": "{{password}}"}
    (event,) = login["event"]
    assert event["listen"] == "test"
    assert 'pm.collectionVariables.set("token", pm.response.json().token);' in event["script"]["exec"]


@pytest.mark.parametrize("item", ITEMS, ids=BY_NAME)
class TestRequests:
    def test_its_address_is_told_whole_and_in_parts(self, item: dict[str, Any]) -> None:
        url = item["request"]["url"]
        sent = [one for one in url.get("query", ()) if not one.get("disabled")]
        query = "&".join(f"{one['key']}={one['value']}" for one in sent)
        assert url["raw"] == "/".join([*url["host"], *url["path"]]) + (f"?{query}" if query else "")

    def test_what_is_named_in_its_path_has_a_value(self, item: dict[str, Any]) -> None:
        url = item["request"]["url"]
        named = [part[1:] for part in url["path"] if part.startswith(":")]
        assert [variable["key"] for variable in url.get("variable", ())] == named
        assert all(variable["value"] for variable in url.get("variable", ()))

    def test_its_body_is_of_the_kind_that_it_says(self, item: dict[str, Any]) -> None:
        request = item["request"]
        body = request.get("body")
        kinds = [header["value"] for header in request["header"] if header["key"] == "Content-Type"]
        assert bool(kinds) is bool(body)
        if body and body["mode"] == "raw" and kinds == ["application/json"]:
            assert isinstance(json.loads(body["raw"]), dict)
        elif body and body["mode"] == "urlencoded":
            assert all(isinstance(field["value"], str) for field in body["urlencoded"])

    def test_it_shows_an_answer(self, item: dict[str, Any]) -> None:
        assert item["response"]
        assert all(200 <= answer["code"] < 300 and isinstance(answer["body"], str) for answer in item["response"])
