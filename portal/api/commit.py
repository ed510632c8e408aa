"""One transaction for what a call does, its audit event, and the one answer kept for repeats with the same key.

    return commit(self, lambda: Done({"message": "Accepted", "item": ...}, object_id="17"))

`work` is called once, inside the transaction; whatever it raises undoes all of it and nothing is kept. A view that
knows more afterwards may change the answer it sends, except to a request with a key: there every answer is the one
that was kept.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast

from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from portal import audit, versions
from portal.api.authentication import credentials
from portal.api.views import ApiView
from portal.bulk import together
from portal.bulk.together import Hindered, KeyTaken, Unless
from portal.errors import Refusal
from portal.models import IdempotencyRecord, User
from portal.portions import drop, in_portions

HEADER = "Idempotency-Key"
#: The same as WSGI names it: to look among `request.headers` makes all of them first.
IN_META = "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=48)
#: How many of them one statement removes.
BATCH = 1000

#: How long a repeat waits for the first request before it is told to come back.
PATIENCE_MS = 250

#: What stands in for a key that is not known yet is one of so many numbers of 18 digits, which nobody can guess.
MARKS = 10**17

#: What a key looks like.
KEY_SHAPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


class BadKey(ParseError):
    """400: the header is there and is no key."""

    default_detail = f"Bad Request. {HEADER} must be 1 to 255 printable ASCII characters."


class StillOpen(APIException):
    """409 with Retry-After: the first request with this key has not ended."""

    status_code = 409
    default_detail = f"The first request with this {HEADER} is still open."
    wait = 1


@dataclass(frozen=True)
class Done:
    """The work is done, and this is its answer. `object_id` is on what, for the audit trail."""

    body: Mapping[str, Any]
    status: int = 200
    object_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Work = Callable[[], Done]


def commit(view: ApiView, work: Work, *, own_key: str | None = None) -> Response:
    """Does the work once and answers; a repeat with the same Idempotency-Key gets the answer that was kept.

    `own_key` stands for that header where the call itself says what it is; it says all that the call is about, too, and
    a repeat is one by whatever method and at whatever address of the same system (the view's `tag`) it comes.
    Raises BadKey, StillOpen, Refusal for a key used with another body, and what `work` raises.
    """
    key = own_key or key_of(view.request)
    if key is None:
        return _sent(commit_once(view, work))
    claim = _claim(view, key, {}, view.tag) if own_key else _claim(view, key, view.body)
    kept = _kept(claim)
    if kept is None:
        try:
            return _sent(_first(view, claim, work))
        except KeyTaken:
            return _replayed(claim)
    return _sent(kept, replayed=True)


def commit_once(view: ApiView, work: Work) -> Done:
    """The work and its audit event in one transaction, with nothing kept for repeats."""
    with transaction.atomic(durable=True):
        answer = work()
        _audit(view, answer)
    view.audit_done = True
    return answer


def commit_row(view: ApiView, row: Model, answer: Callable[[], Done], *, unless: Unless, work: Work) -> Response:
    """As `commit`, for work that is the INSERT of one row: with its audit event and its answer in one statement.

    `answer` is asked before the row has its key: a mark stands in for it, and must not be looked at. Where there is
    what `unless` says, or the row cannot be written, `work` does it all instead. Raises what `commit` raises.
    """
    key = key_of(view.request)
    if key is None:
        return _sent(commit_row_once(view, row, answer, unless=unless, work=work))
    claim = _claim(view, key, view.body)
    mark, done = _marked(row), answer()
    # What is kept is what is sent, to the byte, to the first request too.
    text = _rendered(done)
    claim.status, claim.answer = done.status, f'{{"body": {text}, "headers": {json.dumps(dict(done.headers))}}}'
    try:
        written = _write(view, row, done, claim, mark, unless)
    except KeyTaken:
        versions.confirm()
        return _replayed(claim)
    except OperationalError as error:
        if _is_busy(error):
            raise StillOpen from error
        raise
    if not written:
        return commit(view, work)
    return _sent(_with_key(done, text, mark, row))


def commit_row_once(
    view: ApiView,
    row: Model,
    answer: Callable[[], Done],
    *,
    unless: Unless,
    work: Work,
    first: IdempotencyRecord | None = None,
) -> Done:
    """As `commit_once`, for the same work as that of `commit_row`, with no answer kept for repeats.

    `first` is a record to write with the row; where there is that one already, `work` does it all instead.
    """
    mark, done = _marked(row), answer()
    text = _rendered(done)
    try:
        written = _write(view, row, done, first, mark, unless)
    except KeyTaken:
        versions.confirm()
        written = False
    # `answer` is not asked again: what is written is accepted, and a database that has gone must not deny it.
    return _with_key(done, text, mark, row) if written else commit_once(view, work)


def _marked(row: Model) -> str:
    """What stands in for the row's key from now on."""
    row.pk = secrets.randbelow(MARKS) + MARKS
    return str(row.pk)


def _rendered(done: Done) -> str:
    return JSONRenderer().render(dict(done.body)).decode()


def _with_key(done: Done, text: str, mark: str, row: Model) -> Done:
    """The answer, which was rendered as `text`, with the row's key instead of the mark."""
    return Done(json.loads(text.replace(mark, str(row.pk))), done.status, headers=done.headers)


def _write(view: ApiView, row: Model, done: Done, claim: IdempotencyRecord | None, mark: str, unless: Unless) -> bool:
    """The one statement, by which the row has its key; false where it does not write the row. Raises KeyTaken."""
    view.audit_object = done.object_id or view.audit_object
    event = view.audit_event(done.status)
    try:
        together.insert(row, audit.row_of(event), claim, mark, unless)
    except (Hindered, DataError, IntegrityError):
        versions.confirm()
        versions.look_again()
        return False
    transaction.on_commit(partial(audit.count, event))
    view.audit_done = True
    return True


def key_of(request: Request) -> str | None:
    """The caller's key, or None without the header. Raises BadKey."""
    key: str | None = request.META.get(IN_META)
    if key is not None and not KEY_SHAPE.fullmatch(key):
        raise BadKey
    return key


def drop_old_answers() -> int:
    """Housekeeping: forgets answers kept longer than KEPT. Returns how many."""
    return in_portions(_drop_some, BATCH)


def _drop_some(most: int) -> int:
    return drop(IdempotencyRecord.objects.filter(created__lt=timezone.now() - KEPT).order_by("created"), most)


def _claim(view: ApiView, key: str, body: Mapping[str, Any], endpoint: str = "") -> IdempotencyRecord:
    """The record as it would be written; the body's fingerprint is keyed because a body may hold a password."""
    request = view.request
    deed = {name: value for name, value in body.items() if name not in view.unfingerprinted}
    canonical = json.dumps(deed, sort_keys=True, separators=(",", ":"))
    return IdempotencyRecord(
        user=cast("User", request.user),
        program=credentials.program_of(request.auth),
        endpoint=endpoint or _endpoint(request),
        key=key,
        fingerprint=salted_hmac("portal.api.commit", canonical, algorithm="sha256").hexdigest(),
        status=0,
        answer="",
    )


def _endpoint(request: Request) -> str:
    endpoint = f"{request.method} {request.path.rstrip('/')}"
    return endpoint if len(endpoint) <= 100 else hashlib.sha256(endpoint.encode()).hexdigest()


def _kept(claim: IdempotencyRecord) -> Done | None:
    same = {name: getattr(claim, name) for name in ("user", "program", "endpoint", "key")}
    kept = IdempotencyRecord.objects.filter(**same).first()
    if kept is None:
        return None
    if kept.fingerprint != claim.fingerprint:
        raise Refusal(f"This {HEADER} was used with another body.", field=HEADER)
    answer = json.loads(kept.answer)
    return Done(answer["body"], kept.status, headers=answer["headers"])


def _replayed(claim: IdempotencyRecord | None) -> Response:
    """What the request left that was first; read once our own transaction is gone. Raises StillOpen."""
    kept = _kept(claim) if claim else None
    if kept is None:
        raise StillOpen
    return _sent(kept, replayed=True)


def _first(view: ApiView, claim: IdempotencyRecord, work: Work) -> Done:
    try:
        with transaction.atomic(durable=True):
            _take(claim)
            answer = work()
            # What is kept is what is sent, to the byte, to the first request too.
            body = json.loads(_rendered(answer))
            claim.status = answer.status
            claim.answer = json.dumps({"body": body, "headers": dict(answer.headers)})
            claim.save(update_fields=["status", "answer"])
            _audit(view, answer)
    except OperationalError as error:
        if _is_busy(error):
            raise StillOpen from error
        raise
    view.audit_done = True
    return Done(body, answer.status, answer.object_id, answer.headers)


def _is_busy(error: OperationalError) -> bool:
    """SQLite has one lock for all writers: whoever waited it out knows no more than that somebody writes."""
    return "locked" in str(error)


def _take(claim: IdempotencyRecord) -> None:
    """Inserts the record. PostgreSQL lets a second insert wait for the first one's end, and we not for long."""
    waits = connection.vendor == "postgresql"
    try:
        with connection.cursor() as cursor:
            if waits:
                cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE_MS:d}")
            claim.save(force_insert=True)
            if waits:
                cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except IntegrityError:
        raise KeyTaken from None
    except OperationalError as error:
        if waits and getattr(error.__cause__, "sqlstate", "") == "55P03":
            raise StillOpen from error
        raise


def _audit(view: ApiView, answer: Done) -> None:
    view.audit_object = answer.object_id or view.audit_object
    audit.record(view.audit_event(answer.status))


def _sent(answer: Done, *, replayed: bool = False) -> Response:
    headers = {**answer.headers, REPLAYED: "true"} if replayed else dict(answer.headers)
    return Response(dict(answer.body), status=answer.status, headers=headers)
