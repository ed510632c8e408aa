"""Errands, the base of calls that have one address for all that may be asked: each says what it comes for."""

from typing import ClassVar

from rest_framework.exceptions import APIException
from rest_framework.request import Request

from messaging.dropin.targetsms import known
from messaging.dropin.targetsms.fates import Sends
from messaging.dropin.targetsms.known import Errand
from portal.permissions import SENDING, Right


class Errands(Sends):
    """A call that sends, or asks about what was sent or about the account."""

    rights: ClassVar = {"GET": SENDING, "POST": SENDING}

    @property
    def errand(self) -> Errand:
        """What the call comes for. Raises what reading it does."""
        raise NotImplementedError

    def needed_rights(self, request: Request) -> tuple[Right, ...] | None:
        """Those for what the call comes for."""
        needed = super().needed_rights(request)
        return known.rights_for(self.errand, request.user) if needed else needed

    @property
    def audited(self) -> bool:  # type: ignore[override]
        """A question changes nothing; a call of which nobody can tell might have sent."""
        try:
            return self.errand is Errand.SMS
        except APIException:
            return True
