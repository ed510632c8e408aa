"""A fresh portal has a sandbox; a production one may not send through it."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.core.checks.registry import registry
from django.db import DatabaseError
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from gateways import accounts, first_run
from gateways.checks import refuse_sandbox_in_production
from gateways.models import Gateway
from portal import registry as portal_registry

pytestmark = pytest.mark.django_db


def test_the_first_run_makes_the_sandbox_and_says_so_once() -> None:
    line = first_run.make_sandbox()
    assert line
    assert "/sandbox/" in line
    made = Gateway.objects.get()
    assert (made.name, made.provider, made.is_default) == ("sandbox", "sandbox", True)
    assert made.open().dedupe_key
    assert first_run.make_sandbox() is None
    assert Gateway.objects.count() == 1


def test_a_portal_with_a_gateway_gets_no_sandbox() -> None:
    accounts.create(name="other", provider="sandbox")
    assert first_run.make_sandbox() is None
    assert Gateway.objects.get().name == "other"


def test_its_steps_are_known_to_the_ground() -> None:
    assert "gateways.first_run.make_sandbox" in portal_registry.FIRST_RUN
    assert "gateways.sandbox.forget_old_sandbox_messages" in portal_registry.HOUSEKEEPING


class TestDeployCheck:
    def test_it_refuses_the_sandbox_as_default_in_production(self, sandbox: Gateway, settings: Settings) -> None:
        settings.PRODUCTION = True
        (problem,) = refuse_sandbox_in_production()
        assert problem.id == "gateways.E001"
        assert problem.hint

    def test_it_is_content_elsewhere(self, sandbox: Gateway, settings: Settings) -> None:
        settings.PRODUCTION = False
        assert refuse_sandbox_in_production() == []

    def test_a_sandbox_that_is_not_the_default_is_fine(self, settings: Settings) -> None:
        settings.PRODUCTION = True
        accounts.create(name="sandbox", provider="sandbox")
        assert refuse_sandbox_in_production() == []

    def test_a_database_without_tables_is_no_problem(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_such_table(rows: QuerySet[Any]) -> bool:
            raise DatabaseError("no such table")

        settings.PRODUCTION = True
        monkeypatch.setattr(QuerySet, "exists", no_such_table)
        assert refuse_sandbox_in_production() == []

    def test_it_is_a_deploy_check(self) -> None:
        assert "refuse_sandbox_in_production" in _names(registry.get_checks(include_deployment_checks=True))
        assert "refuse_sandbox_in_production" not in _names(registry.get_checks())


def _names(checks: Iterable[Any]) -> set[str]:
    return {check.__name__ for check in checks}
