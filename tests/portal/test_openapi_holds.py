"""What the OpenAPI document says is what the API does, whatever comes: schemathesis makes thousands of calls of it.

Each call finds the same rows and the same user, and is undone afterwards: it may log out, remove its own gateway or
block its own host. The seed is fixed, so that a run that fails does so again.
"""

import copy
import json
import os
import zlib
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client, override_settings
from django.utils import translation
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from messaging.api import sends
from portal import versions
from portal.api.schema import document
from portal.defender import recent
from portal.wsgi import application
from tests.engine import ENGINE
from tests.portal.rows_of_all_kinds import Rows
from tests.portal.ways_in import WAYS

pytestmark = pytest.mark.django_db

Case = schemathesis.Case[Any]

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FIRST, *OTHERS = WAYS
#: One in so many names is left as it was generated; the others name a row that is there.
LEFT = 4


def closed(shape: Any) -> Any:
    """The same shape, with every object that says what is in it holding nothing else."""
    if isinstance(shape, list):
        return [closed(part) for part in shape]
    if not isinstance(shape, dict):
        return shape
    parts = {name: closed(part) for name, part in shape.items()}
    return {"additionalProperties": False, **parts} if isinstance(shape.get("properties"), dict) else parts


def of_answers(found: dict[str, Any]) -> dict[str, Any]:
    """The document with its answers closed: what it does not name must not be in a body."""
    named = copy.deepcopy(found)
    asked = {
        name: shape for name, shape in named["components"]["schemas"].items() if name.endswith(("Input", "Change"))
    }
    named["components"]["schemas"] = closed(named["components"]["schemas"]) | asked
    for operations in named["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                for content in answer["content"].values():
                    content["schema"] = closed(content["schema"])
    return named


def calls(examples: int, **phases: Any) -> BaseSchema:
    """The document with so many random calls for each operation, half of them wrong on purpose."""
    generation = {"max-examples": examples, "database": "none"}
    config = SchemathesisConfig.from_dict({"seed": 7, "generation": generation, "phases": phases})
    return schemathesis.openapi.from_dict(of_answers(document()), config=config)


def lists_and_searches() -> list[str]:
    """One function reads what they are asked: those of messages are tried with everything, these with less."""
    return [
        f"{method.upper()} {path}"
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if "/messages" not in path and "nextCursor" in json.dumps(operation["responses"].get("200"))
    ]


NO_EDGES: dict[str, Any] = {"enabled": False}
#: The edges of all that a field may hold, which are most of the calls, are tried where the database is strict.
EDGES = NO_EDGES if os.environ[ENGINE] == "sqlite" else {"unexpected-methods": []}
ALL = calls(5, coverage=EDGES).exclude(name=lists_and_searches())
ALIKE = calls(5, coverage=NO_EDGES).include(name=lists_and_searches())
#: A list, a search, an item that is changed, a send, and the end of what one came in with.
SOME = ["sms_gateways", "messages/search", "user/{pid}", "sms_gateways/send_sms", "logout"]
FEW = calls(4, coverage=NO_EDGES).include(path=[f"/api/v1/{path}" for path in SOME])
#: Rows and patches of a test last for all its calls on purpose; how long one takes is no matter.
as_it_comes = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The portal leaves the test's connection open, as it does for Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if too many waited already: no worker runs that could end it."""
    nobody = BoundedSemaphore(1)
    nobody.acquire()
    monkeypatch.setattr(sends, "waiters", nobody)


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[Rows]:
    """One set for all calls, in a transaction around those of the tests."""
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        override_settings(PORTAL_URL="https://portal.example.org", API_SIGN_INS_PER_MINUTE=0),
        translation.override("en"),
    ):
        yield Rows()
        transaction.set_rollback(True)


def name_what_is_there(case: Case, rows: Rows) -> None:
    """Most of what the call names is there."""
    kind, call = case.path.removeprefix("/api/v1/").partition("/")[0], case.path.rpartition("/")[2]
    for name, given in case.path_parameters.items():
        case.path_parameters[name] = _most_often(rows.in_paths.get(call, rows.in_paths.get(kind)), given)
    if isinstance(case.body, dict):
        for name, there in (rows.in_bodies[""] | rows.in_bodies.get(call, {})).items():
            if name in case.body:
                case.body[name] = _most_often(there, case.body[name])


def _most_often(there: Any, given: Any) -> Any:
    return given if zlib.crc32(repr(given).encode()) % LEFT == 0 else there


@pytest.mark.parametrize("way", WAYS)
def test_each_way_leads_in(rows: Rows, way: str) -> None:
    signed = WAYS[way](rows.admin)
    answer = Client(headers=signed.headers).get("/api/v1/sms_gateways", signed.parameters)
    assert answer.status_code == 200


@ALL.parametrize()
@as_it_comes
def test_the_api_answers_as_documented(case: Case, rows: Rows) -> None:
    call(case, rows, FIRST)


@ALIKE.parametrize()
@as_it_comes
def test_so_do_lists_and_searches(case: Case, rows: Rows) -> None:
    call(case, rows, FIRST)


@FEW.parametrize()
@pytest.mark.parametrize("way", OTHERS)
@as_it_comes
def test_so_it_does_by_every_way_in(case: Case, rows: Rows, way: str) -> None:
    call(case, rows, way)


def call(case: Case, rows: Rows, way: str) -> None:
    """The answer is one that the document has; nothing of the call stays."""
    name_what_is_there(case, rows)
    before = transaction.savepoint()
    try:
        signed = WAYS[way](rows.admin)
        answer = case.call(app=application, headers=signed.headers, params=signed.parameters)
    finally:
        transaction.savepoint_rollback(before)
        versions.forget()
        recent.forget()
    case.validate_response(answer, checks=CHECKS)
