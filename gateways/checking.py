"""Whether a gateway's settings work, found out without sending anything, at a person's wish."""

from dataclasses import dataclass

from gateways import health, sessions
from gateways.http import HttpRequest
from gateways.models import Gateway
from gateways.outcomes import GatewayFault, NotAccepted, Unreadable
from gateways.provider import BaseProvider
from portal.encryption import KeyMissing

ANOTHER_CHECK = "another login is under way; check again in a moment"
LOGIN_WORKS = "the login is accepted"
ONLY_A_TEST = "this provider cannot be asked anything but to send: a test message shows whether the settings work"


@dataclass(frozen=True)
class Finding:
    """What a check found: `works` is None where only a message can tell; the sentences are for the administrator."""

    works: bool | None
    says: str
    remedy: str = ""


class _Nothing(Exception):
    """The provider has no question that sends nothing; what the login alone showed."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.says)


def check(gateway: Gateway) -> Finding:
    """Logs in where a login is needed and asks what proves the rights. Sends no message.

    Credentials that were refused are tried once more: that is what pressing the button means. Where they work now,
    what waited goes out. Call it outside any transaction.
    """
    sessions.forget(gateway.pk)
    try:
        says = sessions.ask(
            gateway, _question, lambda provider, response: provider.read_check(response), knowingly=True
        )
    except (_Nothing, NotAccepted, Unreadable, sessions.Busy, KeyMissing) as error:
        finding = _told(error)
    else:
        finding = Finding(True, says)
    if finding.works:
        health.begin_anew(gateway.pk, proven=True)
    return finding


def _told(error: Exception) -> Finding:
    match error:
        case _Nothing():
            return error.finding
        case sessions.Busy():
            return Finding(None, ANOTHER_CHECK)
        case GatewayFault():
            return Finding(False, error.reason, error.remedy or health.CORRECT_CREDENTIALS)
        case NotAccepted():
            return Finding(False, error.reason)
        case _:
            return Finding(False, str(error))


def _question(provider: BaseProvider) -> HttpRequest:
    request = provider.check()
    if request is None:
        raise _Nothing(Finding(True, LOGIN_WORKS) if provider.way.logs_in else Finding(None, ONLY_A_TEST))
    return request
