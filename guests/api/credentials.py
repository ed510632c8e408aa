"""`send_user_credentials`: a guest's user name and a password by SMS."""

from typing import ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from guests import accounts, credentials, passwords
from guests.api.fields import PasswordField
from messaging.api.sends import SENT_EXAMPLE, SendView, WaitInput
from messaging.models import Door
from portal.api.rights import lacking
from portal.api.views import Example
from portal.permissions import Right, missing_right


class CredentialsInput(WaitInput):
    """The body of `send_user_credentials`."""

    sms_gateway = serializers.CharField(max_length=100)
    pid = serializers.CharField(max_length=255, trim_whitespace=False)
    password = PasswordField(help_text="The password to send; kept nowhere but in the text, encrypted until it is sent")
    set_password = serializers.BooleanField(
        required=False, default=False, help_text="Whether it becomes the guest's password; needs USERS_UPDATE as well"
    )


class SendUserCredentials(SendView):
    """Send a guest's user name and a password by SMS."""

    inputs: ClassVar = {"POST": CredentialsInput}
    named_by: ClassVar = "pid"
    wire_names: ClassVar = {"guest": "pid", "phone": "pid", "text": "password", "gateway": "sms_gateway"}
    examples: ClassVar = {
        "POST": Example(SENT_EXAMPLE, {"sms_gateway": "sandbox", "pid": "bob", "password": "pa55word"}),
    }

    def post(self, request: Request) -> Response:
        """Accept one credentials message; 200 means that its fate will be on record."""
        asked = self.validated(CredentialsInput)
        password_hash = self._hash(asked["password"]) if asked["set_password"] else ""
        return self.answer(
            lambda: credentials.send(
                accounts.named(asked["pid"], self.caller),
                password=asked["password"],
                gateway_name=asked["sms_gateway"],
                by=self.caller,
                password_hash=password_hash,
                door=Door.API,
            ),
            asked["wait"],
        )

    def _hash(self, password: str) -> str:
        if missing := missing_right(self.caller, Right.USERS_UPDATE):
            raise lacking(missing)
        return passwords.hash_password(password)
