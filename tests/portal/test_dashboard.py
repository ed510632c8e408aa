"""The front page: who sees which panel, that each figure is the number of the list behind it, and what goes wrong."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from gateways.models import Gateway, GatewayHealth
from guests import terms
from guests.look import looks
from guests.models import Code, Guest, Purpose, Registration, Stage
from messaging.models import FINAL, Message, State
from messaging.retries import Kind
from messaging.tallies import keep_tallies
from portal import registry
from portal.admin import dashboard
from portal.admin.dashboard import Board, Cell, Concern, Figure, Panel
from portal.models import User, WorkerHeartbeat
from portal.permissions import Right
from tests.portal import admin_pages
from tests.portal.admin_pages import a_message, questions, staff_with
from tests.statements import statements

#: A worker that is not seen for seconds is taken for dead.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_time_passes")]

FRONT = "/admin/"
#: Every panel there is, and the right that opens it.
NEEDED = {
    "day": Right.MESSAGES_READ,
    "queues": Right.MESSAGES_READ,
    "month": Right.MESSAGES_READ,
    "costs": Right.MESSAGES_READ,
    "gateways": Right.SMS_GATEWAY_READ,
    "guests": Right.USERS_READ,
    "funnel": Right.USERS_READ,
    "defender": Right.SYSTEM_READ,
}


@pytest.fixture(autouse=True)
def _embedded(settings: Settings) -> None:
    """The sandbox may be the default gateway, whatever the database of this run."""
    settings.PRODUCTION = False


@pytest.fixture
def worker(db: None) -> None:
    """One that is alive."""
    WorkerHeartbeat.objects.create(worker="w", at=timezone.now())


@pytest.fixture
def busy(sandbox: Gateway, worker: None) -> Gateway:
    """A portal with every state of message at two gateways, of now and of earlier, and guests of every kind."""
    reserve = Gateway.objects.create(name="reserve", provider="sandbox", segment_price="2.5")
    now = timezone.now()
    for number, state in enumerate(State):
        for hours in (0, 1, 5, 23, 26, 24 * 10, 24 * 29, 24 * 40)[: 3 + number % 6]:
            for gateway in (sandbox, reserve)[: 1 + number % 2]:
                _message(gateway, state, now - timedelta(hours=hours))
    for number, (start, end, suspended) in enumerate([(-9, 9, 0), (-9, 9, 1), (-9, -2, 0), (2, 9, 0), (-8, 9, 0)]):
        stay = {"valid_from": now + timedelta(days=start), "valid_until": now + timedelta(days=end)}
        Guest.objects.create(username=f"g{number}", suspended=bool(suspended), **stay)
    for stage in Stage:
        for days in (0, 3, 30):
            _registration(stage, now - timedelta(days=days))
    keep_tallies()
    # What no tally knows yet.
    _message(sandbox, State.DELIVERED, timezone.now())
    return reserve


def signed_in(user: User) -> Client:
    """A browser that asks for English."""
    client = admin_pages.signed_in(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def _message(gateway: Gateway, state: State, created: Any) -> Message:
    waits = created + timedelta(seconds=1) if state in {State.QUEUED, State.HELD} else None
    ended = created + timedelta(seconds=9) if state in FINAL else None
    return a_message(gateway, state=state, created=created, due_at=waits, finished_at=ended, submitted_at=created)


def _registration(stage: Stage, created: Any) -> None:
    """For a code that was sent, and for one that never was; and by somebody who came back to see the own access."""
    for sends, purpose in ((1, Purpose.REGISTER), (0, Purpose.REGISTER), (1, Purpose.ACCESS)):
        code = Code.objects.create(phone="+79161234567", created=created, ended_at=created, sends=sends)
        proven = created if stage in {Stage.APPROVAL, Stage.DONE, Stage.DENIED} else None
        Registration.objects.create(
            token_digest=f"{stage} {created} {sends} {purpose}",
            stage=stage,
            purpose=purpose,
            code=code,
            created=created,
            verified_at=proven,
            phone=code.phone,
            language="en",
        )


def board_of(client: Client) -> Board:
    """What the front page shows this user."""
    board: Board = client.get(FRONT).context["board"]
    return board


def shown(client: Client) -> set[str]:
    """The panels by name."""
    return {panel.key for panel in board_of(client).panels}


def counts(board: Board) -> Iterator[tuple[str, int, str]]:
    """Every whole number with its name and link."""
    for panel in board.panels:
        grids = [*panel.grids, *(chart.grid for chart in panel.charts)]
        named: list[tuple[str, Figure | Cell]] = [(str(figure.label), figure) for figure in panel.figures]
        rows = [(grid.headers, row) for grid in grids for row in grid.rows]
        cells = [(str(head), cell) for heads, row in rows for head, cell in zip(heads, row, strict=True)]
        for label, one in [*named, *cells]:
            if isinstance(one.value, int) and label != "Segments":
                yield f"{panel.key}: {label}", one.value, one.link


def listed(client: Client, link: str) -> int:
    """How many rows the list behind a link has."""
    response = client.get(link)
    assert response.status_code == 200, link
    # A question that the list does not understand is answered by sending on to the whole list.
    asked, understood = parse_qs(urlsplit(link).query), response.context["cl"].get_filters_params()
    assert set(asked) == set(understood), link
    count: int = response.context["cl"].result_count
    return count


def test_each_figure_is_the_number_of_the_list_behind_it(admin: User, busy: Gateway) -> None:
    client = signed_in(admin)
    seen = 0
    for name, value, link in counts(board_of(client)):
        if value or link:
            assert link, name
            assert listed(client, link) == value, (name, link)
            seen += value > 0
    assert seen > 60


def test_figures_without_a_number_lead_to_the_messages_they_are_reckoned_from(admin: User, busy: Gateway) -> None:
    client = signed_in(admin)
    [day] = [panel for panel in board_of(client).panels if panel.key == "day"]
    by_label = {str(figure.label): figure for figure in day.figures}
    delivered = by_label["Delivered"]
    for label in ("Share delivered", "Median time to delivery", "Time within which 95 of 100 are delivered"):
        assert by_label[label].link == delivered.link
    # All of them took nine seconds, and a bucket is 15 % wide.
    assert str(by_label["Median time to delivery"].value) in {f"{tenths / 10} s" for tenths in range(84, 97)}


def test_segments_and_costs_are_of_what_was_taken_this_month(admin: User, busy: Gateway) -> None:
    client = signed_in(admin)
    [costs] = [panel for panel in board_of(client).panels if panel.key == "costs"]
    for row in costs.grids[0].rows:
        name, messages, segments, cost = row
        # Every message of the cast has one segment.
        assert segments.value == messages.value
        assert listed(client, segments.link) == messages.value
        if name.value == "reserve":
            assert isinstance(messages.value, int)
            assert cost.value == f"{messages.value * 2.5:,.2f} RUB"


@pytest.mark.parametrize("needed", sorted(set(NEEDED.values())))
def test_each_right_opens_its_own_panels(busy: Gateway, needed: Right) -> None:
    clerk = staff_with("clerk", needed)
    assert shown(signed_in(clerk)) == {name for name, right in NEEDED.items() if right == needed}


def test_an_administrator_sees_every_panel(admin: User, busy: Gateway) -> None:
    assert shown(signed_in(admin)) == set(NEEDED)


def test_somebody_without_rights_finds_a_friendly_page(nobody: User, busy: Gateway) -> None:
    GatewayHealth.objects.create(gateway=busy, refused_at=timezone.now(), last_error="no such login")
    response = signed_in(nobody).get(FRONT)
    board: Board = response.context["board"]
    assert (board.panels, board.concerns, board.steps) == ([], [], [])
    assert "Ask an administrator for the role that you need." in response.content.decode()
    assert "All is well" not in response.content.decode()


def test_a_panel_that_fails_is_shown_as_failed_and_takes_no_other_along(
    admin: User, busy: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dashboard, "PANELS", ["tests.portal.test_dashboard.broken", *registry.PANELS])
    monkeypatch.setattr(dashboard, "CONCERNS", ["tests.portal.test_dashboard.broken_concerns", *registry.CONCERNS])
    response = signed_in(admin).get(FRONT)
    board: Board = response.context["board"]
    assert {panel.key for panel in board.panels if not panel.failed} == set(NEEDED)
    assert "This panel failed" in response.content.decode()
    assert SECRET_OF_THE_ERROR not in response.content.decode()
    assert sum("could not be made" in str(concern.sentence) for concern in board.concerns) == 2
    assert "a part of the front page failed: tests.portal.test_dashboard.broken" in caplog.text


SECRET_OF_THE_ERROR = "it says too much"


def broken(_request: HttpRequest) -> Panel:
    raise RuntimeError(SECRET_OF_THE_ERROR)


def broken_concerns(_request: HttpRequest) -> Iterator[Concern]:
    yield Concern("seen before it broke")
    raise RuntimeError(SECRET_OF_THE_ERROR)


def test_another_app_adds_a_panel_by_one_line(admin: User, busy: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "PANELS", [*registry.PANELS, "tests.portal.test_dashboard.added"])
    html = signed_in(admin).get(FRONT).content.decode()
    assert re.search(r'<a href="/admin/somewhere/"[^>]*>1,234</a>', html)


def added(_request: HttpRequest) -> Panel:
    return Panel("added", "Added", figures=[Figure("seen", 1234, "/admin/somewhere/")])


def test_the_number_of_queries_does_not_grow_with_the_rows(admin: User, busy: Gateway) -> None:
    client = signed_in(admin)

    few = len(questions(client, FRONT))
    for number in range(8):
        gateway = Gateway.objects.create(name=f"more {number}", provider="sandbox", segment_price="1")
        GatewayHealth.objects.create(gateway=gateway, last_error="busy")
        for state in State:
            _message(gateway, state, timezone.now() - timedelta(hours=number))
        Guest.objects.create(username=f"more{number}")
    keep_tallies()
    assert len(questions(client, FRONT)) == few


def test_looking_writes_nothing(admin: User, busy: Gateway) -> None:
    client = signed_in(admin)
    made = statements(lambda: client.get(FRONT))
    assert made
    assert [one for one in made if not one.startswith("SELECT")] == []


def test_all_is_well_where_nothing_needs_anybody(admin: User, sandbox: Gateway, worker: None) -> None:
    html = signed_in(admin).get(FRONT).content.decode()
    assert "All is well." in html


def concerns(user: User) -> dict[str, str]:
    """What the page says is wrong, each with its link."""
    return {str(concern.sentence): concern.link for concern in board_of(signed_in(user)).concerns}


def page_of(gateway: Gateway) -> str:
    return reverse("admin:gateways_gateway_change", args=(gateway.pk,))


def test_refused_credentials_are_led_to_where_they_are_corrected(admin: User, sandbox: Gateway, worker: None) -> None:
    GatewayHealth.objects.create(gateway=sandbox, refused_at=timezone.now(), last_error="no such login")
    assert concerns(admin) == {
        "The provider refuses the credentials of gateway “sandbox”: no such login": page_of(sandbox)
    }


def test_a_pause_is_said_but_needs_nobody(admin: User, sandbox: Gateway, worker: None) -> None:
    until = timezone.now() + timedelta(minutes=5)
    GatewayHealth.objects.create(gateway=sandbox, faults=1, open_until=until, last_error="busy")
    board = board_of(signed_in(admin))
    assert [concern.grave for concern in board.concerns] == [False]
    assert board.verdict == "Nothing needs you now; something is worth a look."


def test_a_low_balance_is_said(admin: User, sandbox: Gateway, worker: None) -> None:
    GatewayHealth.objects.create(gateway=sandbox, balance="12.50", currency="RUB", balance_warned=2)
    said = "The balance of gateway “sandbox” is 12.50 RUB: below half of the threshold."
    assert concerns(admin) == {said: page_of(sandbox)}


def test_unclear_messages_are_led_to_until_they_were_sent_again(admin: User, sandbox: Gateway, worker: None) -> None:
    now = timezone.now()
    first, second = (_message(sandbox, State.UNRESOLVED, now - timedelta(hours=1)) for _ in range(2))
    _message(sandbox, State.UNRESOLVED, now - timedelta(days=3))
    [(said, link)] = concerns(admin).items()
    assert said == "2 messages may or may not have been sent: a person decides."
    assert listed(signed_in(admin), link) == 2
    for one in (first, second):
        a_message(sandbox, state=State.DELIVERED, finished_at=now).link_to(one)
    assert concerns(admin) == {}


def test_a_queue_that_stands_still_is_led_to(admin: User, sandbox: Gateway, worker: None) -> None:
    _message(sandbox, State.QUEUED, timezone.now() - timedelta(minutes=30))
    [(said, link)] = concerns(admin).items()
    assert said == "Messages at gateway “sandbox” have been due for 30 min and do not leave."
    assert listed(signed_in(admin), link) == 1


def test_a_dead_worker_is_said(admin: User, sandbox: Gateway) -> None:
    [(said, link)] = concerns(admin).items()
    assert "No worker is alive" in said
    assert link == reverse("admin:portal_workerheartbeat_changelist")


def test_a_sandbox_as_default_gateway_is_said_in_production(
    admin: User, sandbox: Gateway, worker: None, settings: Settings
) -> None:
    settings.PRODUCTION = True
    assert [*concerns(admin)] == ["The default gateway “sandbox” is a sandbox: its messages reach nobody."]


def test_without_a_default_gateway_somebody_is_needed(admin: User, sandbox: Gateway, worker: None) -> None:
    Gateway.objects.update(enabled=False)
    assert [*concerns(admin)] == ["No default gateway is switched on: messages that name no gateway are refused."]


def test_an_operator_is_told_only_what_he_may_see(operator: User, sandbox: Gateway, worker: None) -> None:
    _message(sandbox, State.UNRESOLVED, timezone.now())
    GatewayHealth.objects.create(gateway=sandbox, refused_at=timezone.now(), last_error="no such login")
    assert [*concerns(operator)] == ["The provider refuses the credentials of gateway “sandbox”: no such login"]
    assert shown(signed_in(operator)) == {"gateways"}


def test_a_fresh_portal_shows_the_next_steps_until_the_last_is_done(
    admin: User, sandbox: Gateway, worker: None
) -> None:
    client = signed_in(admin)
    assert {str(step.label): step.done for step in board_of(client).steps} == {
        "Add a gateway": False, "Send a test": False, "Create a guest": False,
        "Publish terms of use": False, "Set the look of the guest pages": False,
    }  # fmt: skip
    for step in board_of(client).steps:
        assert client.get(step.link).status_code == 200
    Gateway.objects.create(name="real", provider="kannel")
    a_message(sandbox, kind=Kind.INFORMATION, state=State.DELIVERED, finished_at=timezone.now())
    assert "Next steps" in client.get(FRONT).content.decode()
    Guest.objects.create(username="bob")
    terms.publish(terms.draft("en", "Be kind."))
    looks.change(name="Hotel Aurora")
    assert "Next steps" not in client.get(FRONT).content.decode()


def test_steps_are_shown_to_whoever_may_take_them(auditor: User, sandbox: Gateway) -> None:
    assert board_of(signed_in(auditor)).steps == []


class _Parts(HTMLParser):
    """Collects what the script relies on."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.parts += [str(found["data-part"])] if "data-part" in found else []
        self.ids += [str(found["id"])] if found.get("id") else []
        self.scripts += tag == "script"
        assert not [name for name in found if name.startswith("on")], (tag, attrs)


def parts_of(html: str) -> _Parts:
    parser = _Parts()
    parser.feed(html)
    return parser


def test_the_page_fetches_its_own_panels_alone(admin: User, busy: Gateway) -> None:
    client = signed_in(admin)
    whole = client.get(FRONT).content.decode()
    [address] = re.findall(r'data-board="([^"]+)"', whole)
    response = client.get(address)
    alone = parts_of(response.content.decode())
    assert "no-store" in response.headers["Cache-Control"]
    assert alone.parts == parts_of(whole).parts
    assert {*NEEDED, "verdict"} <= set(alone.parts)
    assert alone.scripts == 0
    assert len(set(alone.ids)) == len(alone.ids)
    assert "<html" not in response.content.decode()


def test_the_panels_are_for_staff_only(nobody: User) -> None:
    client = Client()
    client.force_login(nobody)
    assert client.get(f"{FRONT}?panels=1").status_code == 302


def test_each_chart_has_its_table(admin: User, busy: Gateway) -> None:
    for panel in board_of(signed_in(admin)).panels:
        for chart in panel.charts:
            drawn = sum(sum(series.values) for series in chart.series)
            tabled = sum(cell.value for row in chart.grid.rows for cell in row[1:] if isinstance(cell.value, int))
            assert drawn == tabled > 0
            assert all(isinstance(cell, Cell) for row in chart.grid.rows for cell in row)
