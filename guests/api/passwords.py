"""`user/{pid}/password`: whether a guest has a password, another one, or none."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from guests import accounts, passwords
from guests.api.fields import PasswordField
from guests.api.users import GuestRows
from guests.models import Guest
from portal.api.collection import ReadView
from portal.api.commit import Done, commit
from portal.api.inputs import Input, Moment
from portal.api.resources import Resource, moment, text
from portal.api.views import Example, Ref
from portal.errors import DUPLICATE, Refusal, Why
from portal.permissions import Right

#: There where a guest has one; the hash itself is nobody's business.
PASSWORDS = Resource(
    singular="user",
    key="pid",
    rows=lambda: Guest.objects.exclude(password=""),
    columns={"pid": text("username"), "valid_from": moment("valid_from"), "expiration": moment("valid_until")},
    example={"pid": "bob", "valid_from": "2026-11-22T09:00:00Z", "expiration": "2026-12-23T09:00:00Z"},
    shape_name="UserPasswordItem",
)


class PasswordInput(Input):
    """A guest's password, and the stay that PacketFence keeps with it."""

    password = PasswordField()
    valid_from = Moment(required=False)
    expiration = Moment(source="valid_until", required=False)


class UserPassword(GuestRows, ReadView):
    """The password of a guest. Only its hash is kept, and nothing of it is shown."""

    resource = PASSWORDS
    tag = "users"
    rights: ClassVar = {
        "GET": (Right.USERS_READ_SPONSORED,),
        "POST": (Right.USERS_UPDATE,),
        "PATCH": (Right.USERS_UPDATE,),
        "PUT": (Right.USERS_UPDATE,),
        "DELETE": (Right.USERS_UPDATE,),
    }
    inputs: ClassVar = {"POST": PasswordInput, "PATCH": PasswordInput, "PUT": PasswordInput}
    wire_names: ClassVar = {"guest": "pid", "valid_until": "expiration"}
    examples: ClassVar = {
        "POST": Example({"id": "bob", "message": "'bob' created", "status": 201}, {"password": "…"}, 201),
        "PATCH": Example({"id": "bob", "message": "'bob' updated", "status": 200}, {"password": "…"}),
        "PUT": Example({"id": "bob", "message": "'bob' updated", "status": 200}, {"password": "…"}),
        "DELETE": Example({"message": "Deleted bob successfully", "status": 200}),
    }

    def post(self, request: Request, **named: str) -> Response:
        """Give a password to a guest who has none."""
        return self._set(self.validated(PasswordInput), is_new=True)

    def put(self, request: Request, **named: str) -> Response:
        """Give a guest another password."""
        return self._set(self.validated(PasswordInput))

    def patch(self, request: Request, **named: str) -> Response:
        """Change the password, the stay, or both."""
        return self._set(self.validated(PasswordInput, partial=True))

    def delete(self, request: Request, **named: str) -> Response:
        """Forget the guest's password."""
        return commit(self, self._cleared)

    def answer_shape(self, method: str, ref: Ref) -> dict[str, Any]:
        shape = super().answer_shape(method, ref)
        return shape if method in {"GET", "DELETE"} else {"id": self.id_shape()} | shape

    def _set(self, fields: dict[str, Any], *, is_new: bool = False) -> Response:
        password_hash = passwords.hash_password(fields.pop("password")) if "password" in fields else ""

        def work() -> Done:
            guest = accounts.named(self.kwargs["pid"], self.caller)
            if is_new and guest.has_password:
                raise Refusal(DUPLICATE, why=Why.CONFLICT)
            accounts.change(guest, by=self.caller, **fields)
            if password_hash:
                passwords.put(guest, password_hash)
            return self._done(guest, is_new=is_new)

        return commit(self, work)

    def _done(self, guest: Guest, *, is_new: bool) -> Done:
        pid = guest.username
        if not is_new:
            return Done({"id": pid, "message": f"'{pid}' updated"}, object_id=pid)
        headers = {"Location": f"{self.resource.location(guest)}/password"}
        return Done({"id": pid, "message": f"'{pid}' created"}, 201, object_id=pid, headers=headers)

    def _cleared(self) -> Done:
        guest = self.find()
        passwords.clear(guest)
        return Done({"message": f"Deleted {guest.username} successfully"}, object_id=guest.username)
