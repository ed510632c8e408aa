"""`/metrics`: who may read it, and that Prometheus understands it."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from portal import counting, metrics, registry
from portal.models import WorkerHeartbeat

TOKEN = "a-token-of-prometheus-" + "t" * 20
URL = "/metrics"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    counting.take()
    yield
    counting.take()


@pytest.fixture
def guarded(settings: Settings, db: None) -> Settings:
    """A token, and no network that needs none."""
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = TOKEN, []
    return settings


def samples(answer: object) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels, as Prometheus' own parser reads them."""
    text = answer.content.decode()  # type: ignore[attr-defined]
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def test_the_token_lets_in(guarded: Settings) -> None:
    answer = Client().get(URL, headers=bearer(TOKEN))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("headers", [{}, bearer("guess"), bearer(""), {"authorization": f"Basic {TOKEN}"}])
def test_nobody_else_is_let_in(guarded: Settings, headers: dict[str, str]) -> None:
    answer = Client().get(URL, headers=headers)
    assert answer.status_code == 403
    assert b"portal_" not in answer.content


def test_an_empty_token_is_no_token(guarded: Settings) -> None:
    guarded.METRICS_TOKEN = ""
    assert Client().get(URL, headers=bearer("")).status_code == 403


def test_it_cannot_be_posted_to(guarded: Settings) -> None:
    assert Client(enforce_csrf_checks=True).post(URL, headers=bearer(TOKEN)).status_code == 405


@pytest.mark.parametrize(("address", "status"), [("10.1.2.3", 200), ("10.2.2.3", 403), ("::1", 403)])
def test_a_network_lets_in_without_a_token(guarded: Settings, address: str, status: int) -> None:
    guarded.METRICS_NETWORKS = [ip_network("10.1.0.0/16")]
    assert Client(REMOTE_ADDR=address).get(URL).status_code == status


def test_a_proxy_that_nobody_told_us_of_lets_nobody_in(guarded: Settings) -> None:
    guarded.METRICS_NETWORKS = [ip_network("127.0.0.0/8")]
    assert Client().get(URL).status_code == 200
    assert Client().get(URL, headers={"x-forwarded-for": "127.0.0.1"}).status_code == 403


def test_a_wrong_token_is_wrong_in_every_network(guarded: Settings) -> None:
    guarded.METRICS_NETWORKS = [ip_network("127.0.0.0/8")]
    assert Client().get(URL, headers=bearer("guess")).status_code == 403


@pytest.mark.usefixtures("no_time_passes")
def test_prometheus_reads_the_webs_own_and_ours(guarded: Settings) -> None:
    now = timezone.now()
    WorkerHeartbeat.objects.create(worker="one", at=now - timedelta(seconds=3))
    WorkerHeartbeat.objects.create(worker="two", at=now - timedelta(minutes=3))
    counting.add("audit_events", 4, door="api", result="refused")
    counting.flush()
    found = samples(Client().get(URL, headers=bearer(TOKEN)))
    assert found["portal_workers_alive", ()] == 1
    assert 3 <= found["portal_heartbeat_age_seconds", ()] < 60
    assert found["portal_audit_events_total", (("door", "api"), ("result", "refused"))] == 4
    assert found["django_http_requests_before_middlewares_total", ()] >= 1


def test_requests_are_told_by_view_and_not_by_address(guarded: Settings) -> None:
    Client().get("/callbacks/1/canary-key/")
    found = samples(Client().get(URL, headers=bearer(TOKEN)))
    assert any(("view", "callback") in labels for _name, labels in found)
    assert "canary" not in str(found)


def test_a_part_that_fails_is_named_and_the_rest_is_told(guarded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "tests.portal.test_metrics.nowhere"
    monkeypatch.setattr(metrics, "METRICS", [nowhere, *registry.METRICS])
    found = samples(Client().get(URL, headers=bearer(TOKEN)))
    assert found["portal_metrics_failed", (("part", nowhere),)] == 1
    assert found["portal_metrics_failed", (("part", "portal.metrics.of_the_ground"),)] == 0
    assert found["portal_workers_alive", ()] == 0
