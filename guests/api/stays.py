"""`user/{pid}/extend` and its neighbours: what staff do to a guest's stay, a call for each."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from guests import durations, passwords, stays
from guests.api.users import USERS, WIRE_NAMES, GuestRows
from guests.models import Guest
from portal.api import parameters
from portal.api.collection import OneView
from portal.api.commit import Done, commit, commit_once
from portal.api.inputs import Input, Moment
from portal.api.views import Example, Ref
from portal.permissions import Right


class GuestCall(GuestRows, OneView):
    """A call that does one thing to one guest and answers the guest as it is afterwards."""

    resource = USERS
    tag = "users"
    rights: ClassVar = {"POST": (Right.USERS_UPDATE,)}
    parameters: ClassVar = {"POST": (parameters.IDEMPOTENCY_KEY,)}
    wire_names: ClassVar = WIRE_NAMES | {"guest": "pid"}
    #: The guest may be like that already.
    refusals: ClassVar = {"POST": (409,)}
    said: ClassVar[str] = "updated"

    def done(self, act: Callable[[Guest], object]) -> Response:
        """Does it to the guest that the URL names."""

        def work() -> Done:
            guest = self.find()
            act(guest)
            now = self.rows().get(pk=guest.pk)
            body = {"id": now.username, "message": f"'{guest.username}' {self.said}", "item": self.item(now)}
            return Done(body, object_id=guest.username)

        return commit(self, work)

    def example(self, method: str) -> Example | None:
        pid = USERS.example["pid"]
        item = {"item": dict(USERS.example)}
        return Example({"id": pid, "message": f"'{pid}' {self.said}", "status": 200} | item, self.asked_example())

    def asked_example(self) -> dict[str, Any] | None:
        """A body as the documents show it."""
        return None

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        named = {"id": {"type": "string"}, "item": ref(USERS.shape())}
        return super().answer_shape(method, ref) | named


class ExtendInput(Input):
    """By how much, or until when; one of the two."""

    duration = serializers.CharField(
        required=False, help_text="A number and m, h, D or W, such as 12h or 5D", style={"placeholder": "1D"}
    )
    valid_until = Moment(required=False, help_text="Takes precedence over `duration`")


class Extend(GuestCall):
    """Extend a guest's stay."""

    inputs: ClassVar = {"POST": ExtendInput}
    said = "extended"

    def post(self, request: Request, **named: str) -> Response:
        """Move the end of the stay; one that has ended begins anew now."""
        asked = self.validated(ExtendInput)
        duration = durations.read(asked["duration"]) if "duration" in asked else None
        until = asked.get("valid_until")
        return self.done(lambda guest: stays.extend(guest, by=self.caller, duration=duration, until=until))

    def asked_example(self) -> dict[str, Any]:
        return {"duration": "1D"}


class ReasonInput(Input):
    """Why."""

    reason = serializers.CharField(max_length=stays.LONGEST_REASON)


class ForAReason(GuestCall):
    """A call that must be told why."""

    inputs: ClassVar = {"POST": ReasonInput}

    def asked_example(self) -> dict[str, Any]:
        return {"reason": "lost the badge"}


class Suspend(ForAReason):
    """Suspend a guest."""

    said = "suspended"

    def post(self, request: Request, **named: str) -> Response:
        """Keep a guest out until somebody ends that with `reinstate`."""
        why = self.validated(ReasonInput)["reason"]
        return self.done(lambda guest: stays.suspend(guest, why=why))


class Reinstate(GuestCall):
    """End a suspension."""

    said = "reinstated"

    def post(self, request: Request, **named: str) -> Response:
        """End a guest's suspension; a ban and the end of the stay still count."""
        return self.done(stays.reinstate)


class Ban(ForAReason):
    """Ban a guest."""

    said = "banned"

    def post(self, request: Request, **named: str) -> Response:
        """Keep a guest out; nothing but `unban` ends that."""
        why = self.validated(ReasonInput)["reason"]
        return self.done(lambda guest: stays.ban(guest, why=why))


class Unban(GuestCall):
    """Lift a ban."""

    said = "unbanned"

    def post(self, request: Request, **named: str) -> Response:
        """Lift a guest's ban; a suspension and the end of the stay still count."""
        return self.done(stays.unban)


class Anonymise(GuestCall):
    """Take the person out of the record."""

    said = "anonymised"

    def post(self, request: Request, **named: str) -> Response:
        """Wipe what tells who a guest was, for good; the answer holds the new pid."""
        return self.done(stays.anonymise)

    def example(self, method: str) -> Example | None:
        pid = "anonymous-5e8c39d79a2b"
        gone = {"telephone": "", "firstname": "", "email": "", "lang": "", "state": "anonymised"}
        item = {**USERS.example, **gone, "pid": pid, "anonymised": "2026-11-28T09:00:00Z"}
        return Example({"id": pid, "message": "'bob' anonymised", "status": 200, "item": item})


class ResetPassword(GuestRows, OneView):
    """Give a guest a new password that the portal makes."""

    resource = USERS
    tag = "users"
    rights: ClassVar = {"POST": (Right.USERS_UPDATE,)}
    no_store: ClassVar = True
    wire_names: ClassVar = WIRE_NAMES | {"guest": "pid"}
    refusals: ClassVar = {"POST": (409,)}
    examples: ClassVar = {
        "POST": Example({"id": "bob", "message": "'bob' updated", "password": "river-stone-maple", "status": 200})
    }

    def post(self, request: Request, **named: str) -> Response:
        """Make, set and answer a password, this once. It is kept for no repeat, so there is no `Idempotency-Key`."""
        guest = self.find()
        password, password_hash = passwords.make(guest)

        def work() -> Done:
            passwords.put(guest, password_hash)
            pid = guest.username
            return Done({"id": pid, "message": f"'{pid}' updated", "password": password}, object_id=pid)

        answer = commit_once(self, work)
        return Response(dict(answer.body), status=answer.status)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        text = {"type": "string"}
        return super().answer_shape(method, ref) | {"id": text, "password": text}
