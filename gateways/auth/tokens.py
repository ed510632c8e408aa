"""What all logins for a token share: the token in every request, and what an answer without one means."""

import math
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from gateways.auth.way import Settings, Token, Way, with_header
from gateways.http import HttpRequest, HttpResponse, retry_after
from gateways.outcomes import Ambiguous, CredentialsRefused, GatewayFault, NotAccepted, RefusedForNow, Unreadable

#: Printable and without blanks, so that it cannot end its header; a longer one fits into no server's headers.
TOKEN = re.compile(r"[!-~]{1,8000}")
#: Seconds, where the provider does not say how long its token lasts.
USUAL_LIFE = 3600.0
#: A provider that gives less would be asked to log in all the time, and those that count logins block the host.
SHORTEST_LIFE = 10.0
LONGEST_LIFE = 30 * 24 * 3600.0
#: Seconds between two logins where the provider asks for fewer and does not say how few.
PAUSE = 30.0

REFUSED = frozenset({401, 403})
#: The error codes of RFC 6749 that are about the login and not about how it was asked.
REFUSALS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client", "access_denied"})
CORRECT_ADDRESS = "Correct the address in the gateway's settings."

#: A secret by the name of its key in JSON, also where the key has no quotes; up to its end or that of the text.
IN_TEXT = re.compile(r'(?i)(\b(?:access_?|refresh_?|auth_?)?token"?\s{0,9}:\s{0,9}")[^"]*')


class TokenWay(Way):
    """A login gives a token, and every request carries it as `Authorization: Bearer`."""

    logs_in = True
    #: The statuses that say of an ordinary request that its token is good no more.
    ends: Collection[int] = frozenset({401})

    def read_token(self, response: HttpResponse) -> Token:
        """The token in the answer to a login. Raises what the answer means where there is none."""
        raise NotImplementedError

    def sign(self, request: HttpRequest, settings: Settings, token: Token | None) -> HttpRequest:
        return with_header(request, "authorization", f"Bearer {token.value}") if token else request

    def read_login(self, settings: Settings, response: HttpResponse) -> Token:
        try:
            return self.read_token(response)
        except NotAccepted:
            raise
        except Unreadable as error:
            raise Ambiguous(f"the answer to the login ({response.status}) could not be read: {error}") from None
        except Exception as error:  # noqa: BLE001 — whatever it was, nobody was let in and nobody was turned away
            raise Ambiguous(f"the answer to the login could not be read ({type(error).__name__})") from None

    def ended(self, response: HttpResponse) -> bool:
        return response.status in self.ends


def raise_unless_let_in(response: HttpResponse, refused: Collection[int] = REFUSED) -> None:
    """Raises what an answer means whose status says that there is no token in it."""
    status = response.status
    if status == 429:
        raise RefusedForNow("the provider asks for fewer logins", retry_after(response, PAUSE))
    if status in refused:
        raise CredentialsRefused(f"the provider refuses the login ({status})")
    if 300 <= status < 400:
        raise GatewayFault(f"the address sends us elsewhere ({status})", CORRECT_ADDRESS)
    if status in {404, 405, 410}:
        raise GatewayFault(f"nobody logs in at this address ({status})", CORRECT_ADDRESS)
    if 400 <= status < 500:
        raise GatewayFault(f"the provider does not understand our login ({status})", CORRECT_ADDRESS)
    if not 200 <= status < 300:
        raise Ambiguous(f"the login was answered with {status}")


def raise_if_refused(answer: Mapping[str, Any]) -> None:
    """Raises CredentialsRefused where the body says so, whatever the status is."""
    error = answer.get("error")
    if isinstance(error, str) and error in REFUSALS:
        raise CredentialsRefused(f"the provider refuses the login ({error})")


def usable(found: object) -> str:
    """The token as it may stand in a header. Raises Unreadable for anything else."""
    if isinstance(found, str) and TOKEN.fullmatch(found):
        return found
    raise Unreadable("there is no usable token in it")


def life(found: object, otherwise: float = USUAL_LIFE) -> float:
    """Seconds the token lasts, as a number or spelled as one; within reason."""
    if isinstance(found, bool) or not isinstance(found, int | float | Decimal | str):
        return otherwise
    try:
        seconds = float(found)
    except (ValueError, OverflowError):
        return otherwise
    if not math.isfinite(seconds) or seconds <= 0:
        return otherwise
    return min(max(seconds, SHORTEST_LIFE), LONGEST_LIFE)


def without_tokens(text: str) -> str:
    """An answer as it may be shown: what stands under `token`, `access_token` and the like is taken out."""
    return IN_TEXT.sub(r"\1…", text)
