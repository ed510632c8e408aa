"""POST /api/v1/sms_gateways/send_sms_batch, and `batch/{id}` with its `cancel`."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateways.models import Gateway
from messaging import opt_outs, phones, sending
from messaging.api import batches
from messaging.models import Batch, Door, Message, State
from messaging.models.row import LONGEST_CALLER_REFERENCE
from messaging.sending import Faulty
from portal import faults
from portal.api.schema import document
from portal.faults import Point
from portal.models import AuditEvent, IdempotencyRecord, User
from portal.permissions import SENDING
from tests.conftest import Api, with_role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]

PATH = "/api/v1/sms_gateways/send_sms_batch"
UNKNOWN = ["0", "1_0", "x", "-1", "9" * 30, "9" * 5000]
Bells = list[tuple[str, tuple[object, ...]]]


def one(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A good message."""
    return {"phone_number": f"+7916{number:07}", "message": "The pool is open", **changes}


def some(count: int) -> list[dict[str, Any]]:
    return [one(number) for number in range(count)]


def post(api: Api, user: User, messages: Any, key: str = "", **changes: Any) -> Any:
    """The answer to a call with these messages."""
    body = {"sms_gateway": "sandbox", "messages": messages, **changes}
    return api(user).post(PATH, body, format="json", headers={"Idempotency-Key": key} if key else {})


def test_it_accepts_all_and_tells_the_batch(api: Api, operator: User) -> None:
    answer = post(api, operator, [one(1, reference="booking 17"), one(2, phone_number="8 916 000-00-02")])
    assert answer.status_code == 200
    body, batch = answer.json(), Batch.objects.get()
    assert body["message"] == f"Batch {batch.pk}: 2 of 2 messages accepted"
    assert (body["status"], body["errors"], body["item"]["id"], body["item"]["total"]) == (200, [], batch.pk, 2)
    assert body["item"]["progress"]["states"] == {"queued": 2}
    stored = batch.messages.order_by("pk").values_list("phone", "caller_reference", "door", "kind")
    assert list(stored) == [
        ("+79160000001", "booking 17", Door.API, "information"), ("+79160000002", None, Door.API, "information"),
    ]  # fmt: skip
    assert {message.text for message in batch.messages.all()} == {"The pool is open"}
    assert batch.requested_by == operator


def test_the_batch_keeps_no_text_beyond_its_messages(api: Api, operator: User) -> None:
    post(api, operator, [one(message="canary for room 7"), one(message="canary", phone_number="12")])
    assert "canary" not in str(Batch.objects.values().get())


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"phone_number": "12", "message": "x"}, "phone_number"),
        ({"phone_number": "", "message": "x"}, "phone_number"),
        ({"phone_number": None, "message": "x"}, "phone_number"),
        ({"phone_number": 79161234567.5, "message": "x"}, "phone_number"),
        ({"phone_number": ["+79161234567"], "message": "x"}, "phone_number"),
        ({"phone_number": "+" + "7" * 50, "message": "x"}, "phone_number"),
        ({"message": "x"}, "phone_number"),
        ({"phone_number": "+79161234567"}, "message"),
        ({"phone_number": "+79161234567", "message": " "}, "message"),
        ({"phone_number": "+79161234567", "message": {}}, "message"),
        ({"phone_number": "+79161234567", "message": True}, "message"),
        ({"phone_number": "+79161234567", "message": "ы" * 3000}, "message"),
        ({"phone_number": "+79161234567", "message": "ы" * 20_001}, "message"),
        ({"phone_number": "+79161234567", "message": "x", "reference": None}, "reference"),
        ({"phone_number": "+79161234567", "message": "x", "reference": "r" * 101}, "reference"),
        ({"phone_number": "+79161234567", "message": "x", "mesage": "x"}, "mesage"),
        ({"phone_number": "+79161234567", "message": "x", "refrence": ""}, "refrence"),
        ("+79161234567", "messages"),
        (["+79161234567", "x"], "messages"),
        (None, "messages"),
        (7, "messages"),
        ({}, "phone_number"),
    ],
)
def test_what_is_wrong_with_one_is_told_by_its_index_and_stops_no_other(
    api: Api, operator: User, bad: Any, field: str
) -> None:
    answer = post(api, operator, [one(1), bad, one(2)])
    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, field)
    assert error["message"]
    assert sorted(Message.objects.values_list("phone", flat=True)) == ["+79160000001", "+79160000002"]
    progress = answer.json()["item"]["progress"]
    assert (progress["accepted"], progress["refused"]) == (2, 1)


def test_a_number_is_read_as_its_digits_as_everywhere(api: Api, operator: User) -> None:
    answer = post(api, operator, [one(phone_number=79161234567, reference=17)])
    assert answer.json()["errors"] == []
    assert Message.objects.values_list("phone", "caller_reference").get() == ("+79161234567", "17")


@pytest.mark.parametrize("bad", [{"phone_number": "12"}, {"message": None}, {"unheard": "of"}])
def test_a_refused_one_is_told_by_its_reference_too(api: Api, operator: User, bad: dict[str, Any]) -> None:
    answer = post(api, operator, [one(1), one(reference="row 7", **bad)])
    assert answer.json()["errors"][0]["reference"] == "row 7"
    assert Batch.objects.get().refused[0]["reference"] == "row 7"


@pytest.mark.parametrize("name", ["phone", "text", "gateway", "items", "non_field_errors", "__all__", "n" * 50])
def test_an_unknown_field_is_told_as_its_caller_wrote_it(api: Api, operator: User, name: str) -> None:
    (error,) = post(api, operator, [one(1), one() | {name: "x"}]).json()["errors"]
    assert error["field"] == name
    assert error["message"] == "Unknown field. Known: phone_number, message, reference"


def test_an_item_of_our_words_is_told_the_callers(api: Api, operator: User) -> None:
    (error,) = post(api, operator, [one(1), {"phone": "+79161234567", "text": "x"}]).json()["errors"]
    assert (error["field"], error["message"].partition(".")[0]) == ("phone", "Unknown field")


@pytest.mark.parametrize(
    "name", ["+79161234567", "79161234567", "to_79161234567", "Your room is ready", "n" * 51, "имя", "a.b", "a\n", ""]
)
def test_what_is_no_name_of_a_field_is_neither_kept_nor_told(api: Api, operator: User, name: str) -> None:
    answer = post(api, operator, [one(1), {name: "canary", "reference": "row 7"}])
    assert answer.json()["errors"] == [
        {
            "index": 1, "field": "(name not shown)", "reference": "row 7",
            "message": "Unknown field. Known: phone_number, message, reference",
        }
    ]  # fmt: skip
    assert answer.json()["item"]["progress"]["refused"] == 1
    kept = json.dumps(Batch.objects.get().refused, ensure_ascii=False)
    assert "canary" not in kept
    assert not name or name not in kept


def test_neither_batch_nor_audit_event_keeps_a_phone_or_a_text_of_the_call(api: Api, operator: User) -> None:
    canary, phone = "The canary sings", "+79261112233"
    named = [{phone: canary}, {canary: phone}, {phone: {canary: phone}}, one(reference={phone: canary})]
    texts = [one(message=canary, phone_number="12"), one(message={canary: phone}), one(message=canary) | {phone: "x"}]
    phones_ = [one(phone_number={phone: canary}), one(message=canary, phone_number=phone * 9)]
    post(api, operator, [one(1), *named, *texts, *phones_, canary, [phone, canary]])
    batch = Batch.objects.get()
    assert len(batch.refused) == 11
    event = AuditEvent.objects.get(action="sms_gateways.send_sms_batch")
    for kept in (json.dumps(batch.refused), json.dumps(event.request["messages"][:10])):
        assert phone[1:] not in kept
        assert canary not in kept


def test_where_all_are_bad_nothing_is_kept(api: Api, operator: User, bells: Bells) -> None:
    answer = post(api, operator, [one(phone_number="12"), {}], key="k1")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (422, 422)
    assert [(error["index"], error["field"]) for error in body["errors"]] == [(0, "phone_number"), (1, "phone_number")]
    assert not Batch.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert bells == []


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"messages": []}, 422, "messages"),
        ({"messages": None}, 422, "messages"),
        ({"messages": {"0": one()}}, 422, "messages"),
        ({"messages": "all"}, 422, "messages"),
        ({"sms_gateway": ""}, 422, "sms_gateway"),
        ({"sms_gateway": "unheard of"}, 404, "sms_gateway"),
        ({"wait": 1}, 422, "wait"),
    ],
)
def test_a_call_that_is_wrong_itself_is_refused(
    api: Api, operator: User, change: dict[str, Any], status: int, field: str
) -> None:
    answer = api(operator).post(PATH, {"sms_gateway": "sandbox", "messages": some(1)} | change, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert not Batch.objects.exists()


@pytest.mark.parametrize("field", ["sms_gateway", "messages"])
def test_a_missing_field_is_named(api: Api, operator: User, field: str) -> None:
    body = {"sms_gateway": "sandbox", "messages": some(1)}
    del body[field]
    answer = api(operator).post(PATH, body, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "message": "Required field missing"}]


def test_ten_thousand_fit_and_one_more_does_not(api: Api, operator: User) -> None:
    answer = post(api, operator, some(10_000))
    assert answer.json()["item"]["progress"]["accepted"] == 10_000
    answer = post(api, operator, some(10_001))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "messages"
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("missing", SENDING)
def test_all_three_rights_are_needed_and_the_missing_one_is_named(api: Api, nobody: User, missing: str) -> None:
    nobody.user_permissions.set(Permission.objects.filter(codename__in=set(SENDING) - {missing}))
    answer = post(api, nobody, some(1))
    assert answer.status_code == 403
    assert answer.json() == {"message": f"Unauthorized access, lacking the {missing} administrative role"}


def test_without_a_token_nobody_sends(api: Api) -> None:
    assert api(None).post(PATH, {"sms_gateway": "sandbox", "messages": some(1)}, format="json").status_code == 401


class TestBody:
    """A body may be larger than elsewhere, and not endless."""

    def padded(self, size: int) -> str:
        body = json.dumps({"sms_gateway": "sandbox", "messages": some(1)})
        return body + " " * (size - len(body))

    def test_twenty_mebibytes_are_read(self, api: Api, operator: User) -> None:
        answer = api(operator).generic("POST", PATH, self.padded(20 * 1024 * 1024))
        assert answer.status_code == 200

    def test_one_byte_more_is_413(self, api: Api, operator: User) -> None:
        answer = api(operator).generic("POST", PATH, self.padded(20 * 1024 * 1024 + 1))
        assert answer.status_code == 413
        assert not Message.objects.exists()

    def test_other_calls_take_no_more_than_before(self, api: Api, operator: User) -> None:
        answer = api(operator).generic("POST", "/api/v1/sms_gateways/send_sms", self.padded(1024 * 1024 + 1))
        assert answer.status_code == 413

    def test_a_trailing_comma_is_forgiven(self, api: Api, operator: User) -> None:
        body = '{"sms_gateway": "sandbox", "messages": [{"phone_number": "+79161234567", "message": "x",},],}'
        assert api(operator).generic("POST", PATH, body, content_type="text/plain").status_code == 200

    def escaped(self, api: Api, user: User, *messages: Any) -> Any:
        """The answer to a call with these messages, written in ASCII."""
        body = json.dumps({"sms_gateway": "sandbox", "messages": messages})
        return api(user).post(PATH, body, content_type="application/json", headers={"Idempotency-Key": "k1"})

    @pytest.mark.parametrize("bad", ["a\0", "\ud83d", "\udc00 b"])
    @pytest.mark.parametrize("field", ["phone_number", "message", "reference"])
    def test_what_cannot_be_stored_is_an_error_of_its_item(
        self, api: Api, operator: User, bad: str, field: str
    ) -> None:
        messages = [one(1), one(2, **{field: bad}), one(3, message="🙂", reference="row 9")]
        answer = self.escaped(api, operator, *messages)
        (error,) = answer.json()["errors"]
        assert (error["index"], error["field"]) == (1, field)
        assert "characters are not allowed" in error["message"]
        assert "reference" not in error
        assert [message.text for message in Message.objects.order_by("pk")] == ["The pool is open", "🙂"]
        assert self.escaped(api, operator, *messages).content == answer.content

    @pytest.mark.parametrize("bad", ["\0", ["\0"], one(2) | {"\0": "x"}, one(2, reference={"a": ["\ud800"]})])
    def test_wherever_in_the_item_it_stands(self, api: Api, operator: User, bad: Any) -> None:
        answer = self.escaped(api, operator, one(1), bad)
        assert [error["index"] for error in answer.json()["errors"]] == [1]

    @pytest.mark.parametrize(
        ("items", "said"),
        [
            ('{"message": "a", "message": "b"}', "The key 'message' appears twice."),
            ('{"message": 1e999}', "The body holds a number that is too large."),
            ('{"message": NaN}', "NaN is not JSON."),
            ('{"message": %s}' % ("9" * 5000), "The body holds a number that is too long."),
            ("[" * 40 + "]" * 40, "The body is nested too deeply."),
            ("1," * 200_000 + "1", "The body holds more than 200000 values."),
            ('{"message": "a', "Malformed JSON: "),
            ("{\"message\": 'a'}", "Malformed JSON: "),
            ('"\xff"', "The body is not UTF-8 (byte "),
        ],
    )
    def test_what_makes_it_unreadable_refuses_the_call(self, api: Api, operator: User, items: str, said: str) -> None:
        body = f'{{"sms_gateway": "sandbox", "messages": [{json.dumps(one(1))}, {items}]}}'.encode("latin-1")
        answer = api(operator).post(PATH, body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["message"].startswith(f"Bad Request. {said}")
        assert not Batch.objects.exists()

    def test_a_body_that_is_no_object_refuses_the_call(self, api: Api, operator: User) -> None:
        answer = api(operator).generic("POST", PATH, json.dumps([one(1)]), content_type="application/json")
        assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request. The body must be a JSON object.")

    def test_beside_the_items_what_cannot_be_stored_refuses_the_call(self, api: Api, operator: User) -> None:
        answer = post(api, operator, some(1), sms_gateway="sandbox\0")
        assert (answer.status_code, "NUL character" in answer.json()["message"]) == (400, True)

    def test_one_in_chunks_is_411_and_not_taken_for_an_empty_one(self, api: Api, operator: User) -> None:
        answer = api(operator).generic("POST", PATH, headers={"Transfer-Encoding": "chunked"})
        assert (answer.status_code, "Content-Length" in answer.json()["message"]) == (411, True)


def test_it_rings_once_and_after_the_commit(
    api: Api, operator: User, sandbox: Gateway, bells: Bells, django_capture_on_commit_callbacks: Any
) -> None:
    reached: list[Point] = []
    faults.listen(reached.append)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            post(api, operator, some(100))
            assert (bells, reached) == ([], [])
    finally:
        faults.listen(None)
    assert bells == [("messaging.tasks.drain", (sandbox.pk,))]
    assert reached == [Point.ACCEPTED]


def test_who_opted_out_is_accepted_and_gets_nothing(
    api: Api, operator: User, bells: Bells, django_capture_on_commit_callbacks: Any
) -> None:
    opt_outs.opt_out("+79160000000")
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(api, operator, some(1))
    assert answer.status_code == 200
    assert answer.json()["item"]["progress"]["states"] == {"suppressed": 1}
    assert bells == []


def test_nothing_is_locked_while_phones_and_texts_are_looked_at(
    api: Api, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []
    normalise = phones.normalise

    def look(raw: str) -> str:
        within.append(bool(connection.in_atomic_block and connection.savepoint_ids))
        return normalise(raw)

    monkeypatch.setattr(phones, "normalise", look)
    assert post(api, operator, some(2), "k1").status_code == 200
    # The test itself is a transaction; that of the call would be a savepoint in it.
    assert within == [False, False]


def test_a_hundred_times_the_messages_take_few_more_statements(api: Api, operator: User) -> None:
    client = api(operator)

    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            body = {"sms_gateway": "sandbox", "messages": some(count)}
            assert client.post(PATH, body, format="json").status_code == 200
        return len(queries)

    statements(1)
    assert statements(1000) - statements(10) < 60


class TestKey:
    """Idempotency-Key: one batch and one answer."""

    def test_a_repeat_gets_the_same_answer_and_makes_nothing(self, api: Api, operator: User) -> None:
        messages = [*some(3), one(phone_number="12")]
        first, again = post(api, operator, messages, "k1"), post(api, operator, messages, "k1")
        assert first.status_code == again.status_code == 200
        assert first.content == again.content
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (Batch.objects.count(), Message.objects.count()) == (1, 3)

    def test_another_body_with_it_is_422(self, api: Api, operator: User) -> None:
        post(api, operator, some(3), "k1")
        answer = post(api, operator, some(4), "k1")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
        assert Message.objects.count() == 3

    def test_what_fails_late_leaves_neither_record_nor_message(
        self, api: Api, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(batches, "_errors", lambda _: 1 / 0)
            assert post(api, operator, some(3), "k1").status_code == 500
        assert not IdempotencyRecord.objects.exists()
        assert not Message.objects.exists()
        assert post(api, operator, some(3), "k1").status_code == 200
        assert Message.objects.count() == 3

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_makes_it_and_all_get_its_answer(self, api: Api, operator: User) -> None:
        clients = [api(operator) for _ in range(4)]

        def sent(client: Any) -> Any:
            try:
                body = {"sms_gateway": "sandbox", "messages": some(50)}
                return client.post(PATH, body, format="json", headers={"Idempotency-Key": "k1"})
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(sent, clients * 3))
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
        assert (Batch.objects.count(), Message.objects.count()) == (1, 50)


def test_it_is_audited_under_its_batch_and_without_texts_and_phones(api: Api, operator: User) -> None:
    post(api, operator, [one(1, message="canary")])
    post(api, operator, [], sms_gateway="sandbox")
    events = list(AuditEvent.objects.filter(action="sms_gateways.send_sms_batch").order_by("id"))
    assert [(event.status, event.object_id) for event in events] == [
        (200, str(Batch.objects.get().pk)), (422, "sandbox"),
    ]  # fmt: skip
    written = str([event.request for event in events])
    assert "canary" not in written
    assert "+79160000001" not in written


def made(user: User, count: int = 3, *bad: Faulty) -> Batch:
    """A batch of this user."""
    items = [sending.Item(f"+7916{number:07}", "x", f"r{number}") for number in range(count)]
    return sending.send_many([*items, *bad], gateway_name="sandbox", requested_by=user, name="x", door=Door.API)


class TestReading:
    """GET /api/v1/batch/{id}."""

    def test_it_tells_how_many_are_where_and_what_was_refused(self, api: Api, auditor: User, operator: User) -> None:
        batch = made(operator, 3, Faulty("phone", "No phone.", "row 9"))
        first = batch.messages.order_by("pk")[0]
        Message.objects.filter(pk=first.pk).update(state=State.DELIVERED)
        answer = api(auditor).get(f"/api/v1/batch/{batch.pk}")
        assert answer.status_code == 200
        item = answer.json()["item"]
        assert (item["id"], item["sms_gateway"], item["requested_by"]) == (batch.pk, "sandbox", "operator")
        assert item["errors"] == [{"index": 3, "field": "phone_number", "message": "No phone.", "reference": "row 9"}]
        assert item["progress"] == {
            "accepted": 3, "refused": 1, "waiting": 2, "handed_over": 0, "delivered": 1, "unclear": 0, "failed": 0,
            "suppressed": 0, "cancelled": 0, "over": False, "states": {"queued": 2, "delivered": 1},
        }  # fmt: skip

    def test_it_knows_its_end(self, api: Api, auditor: User, operator: User) -> None:
        batch = made(operator)
        Message.objects.update(state=State.FAILED)
        progress = api(auditor).get(f"/api/v1/batch/{batch.pk}").json()["item"]["progress"]
        assert (progress["failed"], progress["over"]) == (3, True)

    def test_who_may_send_sees_their_own_and_no_other(self, api: Api, operator: User, admin: User) -> None:
        own, other = made(operator), made(admin)
        assert api(operator).get(f"/api/v1/batch/{own.pk}").status_code == 200
        assert api(operator).get(f"/api/v1/batch/{other.pk}").status_code == 404
        assert api(admin).get(f"/api/v1/batch/{own.pk}").status_code == 200

    def test_others_need_the_right_to_read_messages(self, api: Api, nobody: User) -> None:
        answer = api(nobody).get(f"/api/v1/batch/{made(nobody).pk}")
        assert answer.status_code == 403
        assert "MESSAGES_READ" in answer.json()["message"]

    @pytest.mark.parametrize("key", UNKNOWN)
    def test_an_unknown_one_is_not_found(self, api: Api, auditor: User, key: str) -> None:
        assert api(auditor).get(f"/api/v1/batch/{key}").status_code == 404

    def test_its_id_is_written_in_digits_alone(self, api: Api, auditor: User, operator: User) -> None:
        Batch.objects.create(pk=50, name="x", requested_by=operator)
        assert api(auditor).get("/api/v1/batch/50").status_code == 200
        for key in ("5_0", "50.0", "+50", "%2050", "٥٠"):
            assert api(auditor).get(f"/api/v1/batch/{key}").status_code == 404, key

    def test_its_messages_are_found_and_one_by_its_callers_name(self, api: Api, auditor: User, operator: User) -> None:
        batch = made(operator)
        made(operator)
        of_batch = {"op": "equals", "field": "batch", "value": batch.pk}
        by_name = {"op": "equals", "field": "caller_reference", "value": "r1"}
        both = {"op": "and", "values": [of_batch, by_name]}
        for query, count in ((of_batch, 3), (by_name, 2), (both, 1)):
            body = api(auditor).post("/api/v1/messages/search", {"query": query}, format="json").json()
            assert len(body["items"]) == count
        assert (body["items"][0]["batch"], body["items"][0]["caller_reference"]) == (batch.pk, "r1")
        whole = api(auditor).get(f"/api/v1/message/{body['items'][0]['id']}").json()["item"]
        assert whole["caller_reference"] == "r1"


class TestCancelling:
    """POST /api/v1/batch/{id}/cancel."""

    def test_what_has_not_gone_is_taken_back_and_counted(self, api: Api, operator: User) -> None:
        batch = made(operator, 4)
        gone = batch.messages.order_by("pk").values_list("pk", flat=True)[:2]
        Message.objects.filter(pk__in=list(gone)).update(state=State.SUBMITTED)
        answer = api(operator).post(f"/api/v1/batch/{batch.pk}/cancel")
        assert answer.status_code == 200
        body = answer.json()
        assert (body["message"], body["cancelled"]) == (f"2 messages of batch {batch.pk} are cancelled", 2)
        assert body["item"]["progress"]["states"] == {"submitted": 2, "cancelled": 2}
        assert api(operator).post(f"/api/v1/batch/{batch.pk}/cancel").json()["cancelled"] == 0
        event = AuditEvent.objects.filter(action="batch.cancel").earliest("id")
        assert (event.object_id, event.user_name) == (str(batch.pk), "operator")

    def test_a_repeat_with_its_key_gets_the_same_answer(self, api: Api, operator: User) -> None:
        path = f"/api/v1/batch/{made(operator).pk}/cancel"
        first, again = (api(operator).post(path, headers={"Idempotency-Key": "k1"}) for _ in range(2))
        assert (again.json()["cancelled"], again.content) == (3, first.content)

    def test_the_document_says_that_it_takes_a_key(self) -> None:
        parameters = document()["paths"]["/api/v1/batch/{id}/cancel"]["post"]["parameters"]
        assert {parameter["name"] for parameter in parameters} == {"id", "Idempotency-Key"}

    @pytest.mark.parametrize("key", UNKNOWN)
    def test_an_unknown_one_is_not_found(self, api: Api, operator: User, key: str) -> None:
        made(operator)
        assert api(operator).post(f"/api/v1/batch/{key}/cancel").status_code == 404
        assert not Message.objects.filter(state=State.CANCELLED).exists()

    def test_a_body_with_fields_is_refused(self, api: Api, operator: User) -> None:
        answer = api(operator).post(f"/api/v1/batch/{made(operator).pk}/cancel", {"all": True}, format="json")
        assert answer.status_code == 422
        assert not Message.objects.filter(state=State.CANCELLED).exists()

    def test_that_of_somebody_else_needs_the_right_to_read_messages(
        self, api: Api, operator: User, admin: User
    ) -> None:
        other = with_role("colleague", "SMS operator")
        batch = made(operator)
        assert api(other).post(f"/api/v1/batch/{batch.pk}/cancel").status_code == 404
        assert api(admin).post(f"/api/v1/batch/{batch.pk}/cancel").json()["cancelled"] == 3

    @pytest.mark.parametrize("missing", SENDING)
    def test_it_needs_the_rights_of_a_send(self, api: Api, nobody: User, missing: str) -> None:
        nobody.user_permissions.set(Permission.objects.filter(codename__in=set(SENDING) - {missing}))
        answer = api(nobody).post(f"/api/v1/batch/{made(nobody).pk}/cancel")
        assert answer.status_code == 403
        assert missing in answer.json()["message"]


def test_a_message_that_is_sent_again_keeps_its_callers_name(operator: User) -> None:
    batch = made(operator, 2)
    Message.objects.update(state=State.FAILED)
    first, second = batch.messages.order_by("pk")
    assert sending.resend(first, requested_by=operator).caller_reference == "r0"
    assert Message.objects.get(resend_of=first).caller_reference == "r0"
    sending.resend_failed(batch, by=operator, without_risk=True)
    assert Message.objects.get(resend_of=second).caller_reference == "r1"


def test_a_reference_of_the_greatest_length_is_kept_whole(api: Api, operator: User) -> None:
    reference = "ы" * LONGEST_CALLER_REFERENCE
    post(api, operator, [one(reference=reference)])
    assert Message.objects.get().caller_reference == reference
