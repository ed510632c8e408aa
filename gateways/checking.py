"""Whether a gateway's settings work, found out without sending anything, at a person's wish."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from gateways import health, questions, sessions
from gateways.http import HttpRequest
from gateways.models import Gateway
from gateways.outcomes import CredentialsRefused, GatewayFault, NotAccepted, Unreadable
from gateways.provider import BaseProvider
from portal.encryption import KeyMissing

ANOTHER_CHECK = _("another login is under way; check again in a moment")
LOGIN_WORKS = _("the login is accepted")
ONLY_A_TEST = _("this provider cannot be asked anything but to send: a test message shows whether the settings work")
NO_PROVIDER = _("the provider's file is missing or does not take these settings")
SAVE_ANEW = _("choose the provider and enter its settings again")


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
    try:
        gateway.open()
    except KeyMissing as error:
        return Finding(False, str(error))
    except Exception:  # noqa: BLE001 — a provider's file may fail in any way
        return Finding(False, str(NO_PROVIDER), str(SAVE_ANEW))
    sessions.forget(gateway.pk)
    try:
        says = questions.ask(
            gateway, _question, lambda provider, response: provider.read_check(response), knowingly=True
        )
    except _Nothing as nothing:
        finding = nothing.finding
    except (NotAccepted, Unreadable, sessions.Busy) as error:
        return finding_of(error)
    else:
        finding = Finding(True, says)
    if finding.works is not False:
        # Where only a message can tell, the next one goes on trial: otherwise the gateway would stay stopped.
        health.begin_anew(gateway.pk, proven=bool(finding.works))
    return finding


def finding_of(error: Exception) -> Finding:
    """What it means that a question to a provider ended so."""
    match error:
        case sessions.Busy():
            return Finding(None, str(ANOTHER_CHECK))
        case CredentialsRefused():
            return Finding(False, error.reason, error.remedy or health.CORRECT_CREDENTIALS)
        case GatewayFault():
            return Finding(False, error.reason, error.remedy)
        case NotAccepted():
            return Finding(False, error.reason)
        case _:
            return Finding(False, str(error))


def _question(provider: BaseProvider) -> HttpRequest:
    try:
        request = provider.check()
    except Exception:  # noqa: BLE001 — as above
        raise _Nothing(Finding(False, str(NO_PROVIDER), str(SAVE_ANEW))) from None
    if request is None:
        raise _Nothing(Finding(True, str(LOGIN_WORKS)) if provider.way.logs_in else Finding(None, str(ONLY_A_TEST)))
    return request
