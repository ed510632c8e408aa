"""Finding messages by whatever a person has in hand, and only through indexes."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateways.models import Gateway
from messaging import finding
from messaging.models import Attempt, Batch, Message
from portal.models import User
from tests.portal.admin_pages import a_message, page, signed_in


def found(typed: str) -> set[str]:
    """The pids of what is found."""
    return set(finding.find(Message.objects.all(), typed).values_list("recipient_label", flat=True))


@pytest.fixture
def stock(sandbox: Gateway) -> dict[str, Message]:
    """A few messages that are like each other."""
    rows = {"anna": "+79161234567", "annabel": "+79161234568", "boris": "+79260004567", "vera": "+78161234567"}
    # Digits find a message by its number too, and PostgreSQL counts on from what other tests made.
    made = {
        pid: a_message(sandbox, pk=9_000_001 + place, phone=phone, recipient_label=pid)
        for place, (pid, phone) in enumerate(rows.items())
    }
    Attempt.objects.create(
        message=made["boris"], gateway=sandbox, epoch=1, key="k", reference="00AB-77", reference_key="ab-77"
    )
    Message.objects.filter(pk=made["vera"].pk).update(reference="xyz-1", caller_reference="booking 17")
    return made


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("8 (916) 123-45-67", {"anna"}),
        ("+79161234567", {"anna"}),
        ("9161234567", {"anna"}),
        (" +7 916 123 45 67 ", {"anna"}),
        ("4567", {"anna", "boris", "vera"}),
        ("1234567", {"anna", "vera"}),
        ("45-68", {"annabel"}),
        ("567", set()),
        ("+7 916", {"anna", "annabel"}),
        ("+79161234568 ", {"annabel"}),
        ("anna", {"anna", "annabel"}),
        ("annab", {"annabel"}),
        ("nna", set()),
        ("00ab-77", {"boris"}),
        ("AB-77", {"boris"}),
        ("xyz-1", {"vera"}),
        ("booking 17", {"vera"}),
        ("%", set()),
        ("anna%", set()),
        ("9" * 40, set()),
        ("\x00", set()),
    ],
)
def test_what_is_typed_finds_what_was_meant(stock: dict[str, Message], typed: str, expected: set[str]) -> None:
    assert found(typed) == expected


def test_a_text_is_found_by_each_of_its_ids(stock: dict[str, Message]) -> None:
    message = stock["vera"]
    for typed in (str(message.pk), str(message.number), message.key):
        assert "vera" in found(typed)


@pytest.mark.parametrize("typed", ["+79161234567", "+7916", "4567", "annab", "ab-77", "portal-20260101000000-5", "17"])
def test_a_search_reads_no_whole_table(stock: dict[str, Message], typed: str) -> None:
    rows = finding.find(Message.objects.defer("text"), typed).order_by("-id")[:50]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of a table so small the planner would walk any part; left to it are the indexes that the search names.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    plan = rows.explain()
    assert "Seq Scan on messaging_message" not in plan
    assert "SCAN messaging_message" not in plan
    # Walking all of it by its key would be a whole table too.
    assert "messaging_message_pkey on messaging_message" not in plan.replace("Bitmap Index Scan", "")


def test_the_list_searches_and_narrows(admin: User, stock: dict[str, Message], sandbox: Gateway) -> None:
    client = signed_in(admin)
    batch = Batch.objects.create(name="pool", total=1)
    Message.objects.filter(pk=stock["anna"].pk).update(batch=batch, requested_by=admin)

    def listed(query: str) -> set[str]:
        response = client.get(f"{page(Message, 'changelist')}?{query}")
        assert response.status_code == 200
        return {message.recipient_label for message in response.context["cl"].result_list}

    assert listed("q=8+(916)+123-45-67") == {"anna"}
    assert listed(f"batch={batch.pk}") == {"anna"}
    assert listed("batch=nonsense") == set()
    assert listed(f"batch={'9' * 30}") == set()
    assert listed(f"requested_by__id__exact={admin.pk}") == {"anna"}
    assert listed("state__in=failed,expired&kind__exact=credentials") == set(stock)
    assert listed(f"gateway__id__exact={sandbox.pk}") == set(stock)
    assert listed("created_from_0=2100-01-01&created_from_1=00:00:00") == set()


def test_the_list_asks_as_many_questions_for_many_as_for_one(admin: User, sandbox: Gateway) -> None:
    client: Client = signed_in(admin)
    a_message(sandbox)
    client.get(page(Message, "changelist"))

    def questions() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(page(Message, "changelist"))
        return len(queries)

    one = questions()
    for _ in range(20):
        a_message(sandbox, requested_by=admin)
    assert questions() == one


def test_a_list_counts_no_further_than_people_leaf(sandbox: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.admin.filters.COUNTED", 3)
    for _ in range(5):
        a_message(sandbox)
    admin = User.objects.create_superuser("root")
    response = signed_in(admin).get(page(Message, "changelist"))
    assert response.context["cl"].result_count == 3
