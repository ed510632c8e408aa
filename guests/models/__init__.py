"""What is kept of guests: who they are, how they register themselves, how long they stay, and what they agree to."""

from guests.models.branding import Branding
from guests.models.captcha import SpentChallenge
from guests.models.code import CODE_TRIES, LIVES, Code, CodeMessage
from guests.models.device import Device
from guests.models.guest import CALLS, USUAL_STAY, Guest, usual_end
from guests.models.guest_import import Existing, GuestImport, GuestImportRow, Outlook, Sending
from guests.models.guest_type import CountsFrom, GuestType, PasswordStyle
from guests.models.limit import Brake, LimitCount, Scope
from guests.models.registration import Origin, Purpose, Registration, Stage
from guests.models.rules import Asked, RegistrationRules
from guests.models.sponsor import Approval, Sponsor
from guests.models.terms import Terms

__all__ = [
    "CALLS",
    "CODE_TRIES",
    "LIVES",
    "USUAL_STAY",
    "Approval",
    "Asked",
    "Brake",
    "Branding",
    "Code",
    "CodeMessage",
    "CountsFrom",
    "Device",
    "Existing",
    "Guest",
    "GuestImport",
    "GuestImportRow",
    "GuestType",
    "LimitCount",
    "Origin",
    "Outlook",
    "PasswordStyle",
    "Purpose",
    "Registration",
    "RegistrationRules",
    "Scope",
    "Sending",
    "SpentChallenge",
    "Sponsor",
    "Stage",
    "Terms",
    "usual_end",
]
