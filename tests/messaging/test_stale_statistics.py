"""Hundreds of messages are dealt with as well where PostgreSQL takes their table to be empty.

It does between two looks of autovacuum. On SQLite, which knows no better, the same is held all the more.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.db import connection
from django.utils import timezone

from gateways.models import Gateway
from gateways.providers.sandbox import Provider
from messaging import failover, panels, sending
from messaging.figures import Figures
from messaging.models import CANCELLABLE, Batch, Message, State
from messaging.sending import Deed
from portal.models import User
from tests.messaging.test_deeds import many
from tests.messaging.test_growth import watched, without_what_others_left
from tests.portal.admin_pages import signed_in

pytestmark = pytest.mark.django_db

#: A statement may read all of them once, and not anew for each.
SOME = 200


class Scene(NamedTuple):
    """Messages of a batch at one gateway, another gateway, and who does something about it."""

    batch: Batch
    other: Gateway
    by: User


@pytest.fixture
def scene(sandbox: Gateway, admin: User, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The statistics are those of the moment when as many rows had just gone; the sandbox takes part in failover."""
    monkeypatch.setattr(Provider, "alone", False)
    without_what_others_left()
    many(sandbox, SOME)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_message")
        cursor.execute("ANALYZE")
    return Scene(
        Batch.objects.create(name="all", total=SOME), Gateway.objects.create(name="other", provider="sandbox"), admin
    )


RUNS: dict[str, tuple[State, Callable[[Scene], object]]] = {
    "what sending again would do": (State.FAILED, lambda _: sending.outlook(Deed.RESEND, Message.objects.all())),
    "what sending elsewhere would do": (State.FAILED, lambda _: sending.outlook(Deed.ELSEWHERE, Message.objects.all())),
    "what cancelling would do": (State.HELD, lambda _: sending.outlook(Deed.CANCEL, Message.objects.all())),
    "sending again": (
        State.FAILED,
        lambda scene: sending.do_all(Deed.RESEND, Message.objects.all(), by=scene.by),
    ),
    "sending elsewhere what failed": (
        State.FAILED,
        lambda scene: sending.do_all(Deed.ELSEWHERE, Message.objects.all(), by=scene.by, gateway=scene.other),
    ),
    "sending elsewhere what waits": (
        State.HELD,
        lambda scene: sending.do_all(Deed.ELSEWHERE, Message.objects.all(), by=scene.by, gateway=scene.other),
    ),
    "cancelling": (State.HELD, lambda scene: sending.do_all(Deed.CANCEL, Message.objects.all(), by=scene.by)),
    "cancelling a batch": (State.HELD, lambda scene: sending.cancel_batch(scene.batch, by=scene.by)),
    "sending a batch again": (
        State.FAILED,
        lambda scene: sending.resend_failed(scene.batch, by=scene.by, without_risk=False),
    ),
    "moving away": (State.QUEUED, lambda _: failover.move_away()),
    "what is unclear": (State.UNRESOLVED, lambda _: Figures().undecided),
    "the list of it": (State.UNRESOLVED, lambda scene: signed_in(scene.by).get(panels.undecided(Figures()))),
}


@pytest.mark.parametrize("name", RUNS)
def test_no_row_is_read_anew_for_each_other(scene: Scene, sandbox: Gateway, name: str) -> None:
    state, run = RUNS[name]
    due_at = timezone.now() if state in CANCELLABLE else None
    many(sandbox, SOME, state=state, batch=scene.batch, due_at=due_at)
    Gateway.objects.filter(pk=sandbox.pk).update(enabled=False)
    with watched(written=SOME):
        run(scene)
