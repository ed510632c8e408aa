"""The collections `inbound_messages`, what people wrote to us, and `opt_outs`, the phones that want no information."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import opt_outs
from messaging.api.fields import PhoneText
from messaging.models import InboundMessage, OptOut, Word
from portal.api.collection import CollectionView, ListView, ReadView, SearchView
from portal.api.commit import Done, commit
from portal.api.inputs import Input
from portal.api.resources import Column, Resource, choice, moment, number, shown, text
from portal.api.views import Example
from portal.permissions import Right

INBOUND_MESSAGES = Resource(
    singular="inbound_message",
    key="id",
    rows=lambda: InboundMessage.objects.select_related("gateway"),
    gateways=("gateway",),
    ordering=("-id",),
    columns={
        "id": number("id"),
        "sms_gateway": text("gateway__name"),
        "phone_number": Column("phone", PhoneText(allow_blank=True)),
        "message": shown(lambda inbound: inbound.text),
        "opted": choice("opted", Word.values),
        "reference": text("reference"),
        "at": moment("at"),
        "received_at": moment("received_at"),
    },
    example={
        "id": 5, "sms_gateway": "main", "phone_number": "+79161234567", "message": "STOP", "opted": "stop",
        "reference": "1234", "at": "2026-11-22T12:00:00Z", "received_at": "2026-11-22T12:00:01Z",
    },
)  # fmt: skip

OPT_OUTS = Resource(
    singular="opt_out",
    key="id",
    rows=lambda: OptOut.objects.select_related("added_by"),
    ordering=("-since", "-id"),
    columns={
        "id": number("id"),
        "telephone": Column("phone", PhoneText()),
        "since": moment("since"),
        "inbound_message": number("inbound_id", nullable=True),
        "added_by": text("added_by__username", nullable=True),
        "note": text("note"),
    },
    example={
        "id": 3, "telephone": "+79161234567", "since": "2026-11-22T12:00:00Z", "inbound_message": None,
        "added_by": "admin", "note": "asked at the reception",
    },
)  # fmt: skip


class InboundMessages(ListView):
    """What people wrote to us, the newest first."""

    resource = INBOUND_MESSAGES
    rights: ClassVar = {"GET": (Right.MESSAGES_READ,)}


class InboundSearch(SearchView):
    """Inbound messages that a query finds."""

    resource = INBOUND_MESSAGES
    rights: ClassVar = {"POST": (Right.MESSAGES_READ,)}


class InboundMessageView(ReadView):
    """One inbound message."""

    resource = INBOUND_MESSAGES
    rights: ClassVar = {"GET": (Right.MESSAGES_READ,)}


class OptOutInput(Input):
    """A phone that wants no more information."""

    telephone = serializers.CharField(source="phone", max_length=50, style={"placeholder": "+79161234567"})
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class OptOuts(CollectionView):
    """The phones that want no information; codes and credentials they get all the same."""

    resource = OPT_OUTS
    rights: ClassVar = {"GET": (Right.USERS_READ,), "POST": (Right.USERS_CREATE,)}
    inputs: ClassVar = {"POST": OptOutInput}
    wire_names: ClassVar = {"phone": "telephone"}

    def create(self, fields: dict[str, Any]) -> OptOut:
        return opt_outs.add(**fields, added_by=self.caller)


class OptOutSearch(SearchView):
    """Opt-outs that a query finds."""

    resource = OPT_OUTS
    rights: ClassVar = {"POST": (Right.USERS_READ,)}


class OptOutView(ReadView):
    """One phone that wants no information."""

    resource = OPT_OUTS
    rights: ClassVar = {"GET": (Right.USERS_READ,), "DELETE": (Right.USERS_DELETE,)}
    examples: ClassVar = {"DELETE": Example({"message": "Deleted 3 successfully", "status": 200})}

    def delete(self, request: Request, **named: str) -> Response:
        """Take the phone off the list: it gets information again."""
        return commit(self, self._removed)

    def _removed(self) -> Done:
        found: OptOut = self.find()
        key = found.pk
        opt_outs.opt_in(found.phone)
        return Done({"message": f"Deleted {key} successfully"}, object_id=str(key))
