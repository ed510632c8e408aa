"""The collection `users`: guests under their wire names."""

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from guests import accounts, passwords, states
from guests.api.fields import PasswordField, Text
from guests.models import Guest, GuestType
from guests.states import State
from messaging.api.fields import PhoneText
from messaging.models import State as MessageState
from portal.api.collection import CollectionView, ItemView, ResourceView, SearchView
from portal.api.commit import commit
from portal.api.inputs import Input, Moment
from portal.api.resources import Column, Resource, choice, moment, shown, text, yes_no
from portal.errors import Refusal
from portal.models import User
from portal.permissions import Right

WIRE_NAMES = {
    "username": "pid",
    "phone": "telephone",
    "first_name": "firstname",
    "last_name": "lastname",
    "language": "lang",
}


def _rows() -> QuerySet[Guest]:
    # Texts of messages are encrypted: no list should decrypt what it does not show.
    hidden = ("last_credentials__text", "last_credentials__masked_text")
    return states.annotated(Guest.objects.select_related("sponsor", "guest_type", "last_credentials").defer(*hidden))


class LastCredentialsShape(serializers.Serializer[Any]):
    """The message that brought a guest's credentials last."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=MessageState.values)
    created = serializers.DateTimeField()


def _last_credentials(guest: Guest) -> dict[str, Any] | None:
    message = guest.last_credentials
    return {"id": message.pk, "state": message.state, "created": message.created} if message else None


USERS = Resource(
    singular="user",
    key="pid",
    rows=_rows,
    ordering=("username",),
    columns={
        "pid": text("username"),
        "telephone": Column("phone", PhoneText(allow_blank=True)),
        "firstname": text("first_name"),
        "lastname": text("last_name"),
        "email": text("email"),
        "company": text("company"),
        "notes": text("notes"),
        "lang": text("language"),
        "sponsor": text("sponsor__username", nullable=True),
        "state": choice("state", State.values),
        "guest_type": text("guest_type__name", nullable=True),
        "valid_from": moment("valid_from"),
        "valid_until": moment("valid_until"),
        "suspended": yes_no("suspended"),
        "suspended_why": text("suspended_why"),
        "banned": yes_no("banned"),
        "banned_why": text("banned_why"),
        "verified": moment("verified_at", nullable=True),
        "first_sign_in": moment("first_sign_in", nullable=True),
        "anonymised": moment("anonymised_at", nullable=True),
        "has_password": shown(lambda guest: guest.has_password, serializers.BooleanField()),
        "last_credentials": shown(_last_credentials, LastCredentialsShape(allow_null=True)),
        "created": moment("created"),
    },
    example={
        "pid": "bob",
        "telephone": "+79161234567",
        "firstname": "Bob",
        "lastname": "",
        "email": "bob@example.org",
        "company": "",
        "notes": "",
        "lang": "en",
        "sponsor": "admin",
        "state": "created",
        "guest_type": None,
        "valid_from": "2026-11-22T09:00:00Z",
        "valid_until": "2026-12-23T09:00:00Z",
        "suspended": False,
        "suspended_why": "",
        "banned": False,
        "banned_why": "",
        "verified": None,
        "first_sign_in": None,
        "anonymised": None,
        "has_password": False,
        "last_credentials": None,
        "created": "2026-11-22T09:00:00Z",
    },
)


class GuestDetails(Input):
    """What may be said of a guest. A PUT empties texts that are left out and keeps the rest."""

    telephone = Text(source="phone", style={"placeholder": "+79161234567"})
    firstname = Text(source="first_name")
    lastname = Text(source="last_name")
    email = Text()
    company = Text()
    notes = Text()
    lang = serializers.ChoiceField(settings.LANGUAGES, source="language", required=False, allow_blank=True, default="")
    sponsor = serializers.SlugRelatedField(
        slug_field="username", queryset=User.objects.filter(is_active=True), required=False, allow_null=True
    )
    guest_type = serializers.SlugRelatedField(
        slug_field="name", queryset=GuestType.objects.all(), required=False, allow_null=True
    )
    valid_from = Moment(required=False)
    valid_until = Moment(
        required=False, help_text="Unless given, as long after `valid_from` as the type says, or 31 days without one"
    )
    suspended = serializers.BooleanField(required=False)
    suspended_why = Text()


class GuestInput(GuestDetails):
    """A new guest."""

    pid = serializers.CharField(source="username", trim_whitespace=False)
    password = PasswordField(required=False)


class GuestChange(GuestDetails):
    """A guest's new details. The pid may be repeated and cannot be changed."""

    pid = serializers.CharField(source="username", trim_whitespace=False, required=False)


class GuestRows(ResourceView):
    """Guests, for those who see their own only no others."""

    def rows(self) -> QuerySet[Guest]:
        return accounts.visible_to(self.caller, super().rows())


class Users(GuestRows, CollectionView):
    """Guests."""

    resource = USERS
    tag = "users"
    rights: ClassVar = {"GET": (Right.USERS_READ_SPONSORED,), "POST": (Right.USERS_CREATE,)}
    inputs: ClassVar = {"POST": GuestInput}
    named_by: ClassVar = "pid"
    wire_names: ClassVar = WIRE_NAMES

    def post(self, request: Request) -> Response:
        """Create a guest; you are the sponsor unless another one is named."""
        fields = self.validated(GuestInput)
        if "password" in fields:
            fields["password_hash"] = passwords.hash_password(fields.pop("password"))
        return commit(self, lambda: self._created(fields))

    def create(self, fields: dict[str, Any]) -> Guest:
        return accounts.create(by=self.caller, **fields)


class UserSearch(GuestRows, SearchView):
    """Search guests."""

    resource = USERS
    tag = "users"
    rights: ClassVar = {"POST": (Right.USERS_READ_SPONSORED,)}


class UserItem(GuestRows, ItemView):
    """One guest. The password is never shown, only whether there is one."""

    resource = USERS
    tag = "users"
    rights: ClassVar = {
        "GET": (Right.USERS_READ_SPONSORED,),
        "PATCH": (Right.USERS_UPDATE,),
        "PUT": (Right.USERS_UPDATE,),
        "DELETE": (Right.USERS_DELETE,),
    }
    inputs: ClassVar = {"PATCH": GuestChange, "PUT": GuestChange}
    wire_names: ClassVar = WIRE_NAMES

    def update(self, found: Guest, fields: dict[str, Any]) -> Guest:
        if fields.pop("username", found.username) != found.username:
            raise Refusal("The pid of a guest cannot be changed.", field="username")
        return accounts.change(found, by=self.caller, **fields)

    def remove(self, found: Guest) -> None:
        accounts.remove(found)
