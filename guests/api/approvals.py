"""The collection `approvals`: the questions to sponsors, and the calls by which the staff answer in their place."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from guests import admitting, approvals, durations
from guests.approvals import standing
from guests.models import Approval
from messaging.api.fields import PhoneText
from portal.api import parameters
from portal.api.collection import ListView, OneView, ReadView, ResourceView, SearchView
from portal.api.commit import Done, commit
from portal.api.inputs import Input
from portal.api.resources import Column, Resource, moment, number, shown, text
from portal.api.views import Example, Ref
from portal.permissions import Right


def _rows() -> QuerySet[Approval]:
    rows = Approval.objects.select_related("registration__guest_type", "sponsor", "decided_by")
    return rows.defer("link", "registration__password")


APPROVALS = Resource(
    singular="approval",
    key="id",
    rows=_rows,
    ordering=("-id",),
    columns={
        "id": number("id"),
        "state": shown(lambda approval: standing.of(approval).value, serializers.ChoiceField(standing.Standing.values)),
        "telephone": Column("registration__phone", PhoneText(allow_blank=True)),
        "name": text("registration__name"),
        "company": text("registration__company"),
        "guest_type": text("registration__guest_type__name", nullable=True),
        "sponsor": text("sponsor__name", nullable=True),
        "sponsor_email": text("email"),
        "asked": moment("asked_at", nullable=True),
        "reminded": moment("reminded_at", nullable=True),
        "answer_by": moment("expires_at", nullable=True),
        "mailed": moment("mailed_at", nullable=True),
        "mail_fault": text("mail_fault"),
        "decided": moment("decided_at", nullable=True),
        "decided_by": text("decided_by__username", nullable=True),
        "access_duration": shown(
            lambda approval: durations.written(approval.stay) if approval.stay else None,
            serializers.CharField(allow_null=True),
        ),
        "reason": text("registration__reason"),
    },
    example={
        "id": 7,
        "state": "waiting",
        "telephone": "+79161234567",
        "name": "Grace Hopper",
        "company": "Navy",
        "guest_type": "Visitor",
        "sponsor": "Ada Lovelace",
        "sponsor_email": "ada@example.org",
        "asked": "2026-11-22T12:00:00Z",
        "reminded": None,
        "answer_by": "2026-11-22T20:00:00Z",
        "mailed": "2026-11-22T12:00:01Z",
        "mail_fault": "",
        "decided": None,
        "decided_by": None,
        "access_duration": None,
        "reason": "",
    },
)


class ApprovalRows(ResourceView):
    """For those who see own guests only, the questions to them."""

    def rows(self) -> QuerySet[Approval]:
        return approvals.visible_to(self.caller, super().rows())


class Approvals(ApprovalRows, ListView):
    """Questions to sponsors, the newest first."""

    resource = APPROVALS
    tag = "users"
    rights: ClassVar = {"GET": (Right.USERS_READ_SPONSORED,)}


class ApprovalSearch(ApprovalRows, SearchView):
    """Questions that a query finds."""

    resource = APPROVALS
    tag = "users"
    rights: ClassVar = {"POST": (Right.USERS_READ_SPONSORED,)}


class ApprovalItem(ApprovalRows, ReadView):
    """One question to a sponsor."""

    resource = APPROVALS
    tag = "users"
    rights: ClassVar = {"GET": (Right.USERS_READ_SPONSORED,)}


class ApprovalCall(ApprovalRows, OneView):
    """A call that answers one question, and itself the question as it is afterwards."""

    resource = APPROVALS
    tag = "users"
    rights: ClassVar = {"POST": (Right.USERS_UPDATE,)}
    of_all_gateways = True
    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    wire_names: ClassVar = {"duration": "access_duration"}
    #: It may be answered already.
    refusals: ClassVar = {"POST": (409,)}
    said: ClassVar[str]
    asked: ClassVar[dict[str, str]]
    changed: ClassVar[dict[str, Any]]

    def done(self, act: Callable[[Approval], object]) -> Response:
        """Answers the question that the URL names."""

        def work() -> Done:
            found = self.find()
            act(found)
            body = {"id": found.pk, "message": f"'{found.pk}' {self.said}", "item": self.item(self.find())}
            return Done(body, object_id=str(found.pk))

        return commit(self, work)

    def example(self, method: str) -> Example | None:
        key = APPROVALS.example["id"]
        item = {**APPROVALS.example, "decided": "2026-11-22T12:05:00Z", "decided_by": "admin", **self.changed}
        return Example({"id": key, "message": f"'{key}' {self.said}", "status": 200, "item": item}, self.asked)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        return super().answer_shape(method, ref) | {"id": {"type": "integer"}, "item": ref(APPROVALS.shape())}


class ApproveInput(Input):
    """For how long."""

    access_duration = serializers.CharField(
        help_text="From now: a number and m, h, D or W, such as 12h or 5D", style={"placeholder": "1D"}
    )


class Approve(ApprovalCall):
    """Let a guest in who waits for a sponsor."""

    inputs: ClassVar = {"POST": ApproveInput}
    said = "approved"
    asked: ClassVar = {"access_duration": "1D"}
    changed: ClassVar = {"state": "approved", "access_duration": "1D"}

    def post(self, request: Request, **named: str) -> Response:
        """Let the guest in for so long; user name and password go out by SMS."""
        stay = durations.read(self.validated(ApproveInput)["access_duration"])
        # Hashed before anything is locked.
        key = admitting.new_key(self.find().registration)
        return self.done(lambda found: approvals.approve(found, stay=stay, by=self.caller, key=key))


class DenyInput(Input):
    """Why not."""

    reason = serializers.CharField(max_length=approvals.LONGEST_REASON, help_text="The guest reads it")


class Deny(ApprovalCall):
    """Turn a guest away who waits for a sponsor."""

    inputs: ClassVar = {"POST": DenyInput}
    said = "denied"
    asked: ClassVar = {"reason": "not expected"}
    changed: ClassVar = {"state": "denied", "reason": "not expected"}

    def post(self, request: Request, **named: str) -> Response:
        """Do not let the guest in, who is told so by SMS."""
        why = self.validated(DenyInput)["reason"]
        return self.done(lambda found: approvals.deny(found, why=why, by=self.caller))
