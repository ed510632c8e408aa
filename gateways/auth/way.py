"""What every way in can do, and the way that asks for nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateways.http import HttpRequest, HttpResponse

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Token:
    """What a login gave. `lasts`: seconds it is good for at most; `idles`: those it may lie unused; None: unknown."""

    value: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    lasts: float | None = None
    idles: float | None = None


class Way:
    """A way in that needs nothing but the settings, and leaves a request as it is: the provider's file did all."""

    #: A token must be come by before the first request.
    logs_in: bool = False

    def sign(self, request: HttpRequest, settings: Settings, token: Token | None) -> HttpRequest:
        """The request as it will be believed."""
        return request

    def login(self, settings: Settings) -> HttpRequest:
        """The request that asks for a token."""
        raise NotImplementedError

    def read_login(self, settings: Settings, response: HttpResponse) -> Token:
        """The token in the answer. Raises CredentialsRefused, GatewayFault, RefusedForNow or Ambiguous; never else."""
        raise NotImplementedError

    def refresh(self, settings: Settings, token: Token) -> HttpRequest | None:
        """The request for a new token by the old one, or None where only a login gives one."""
        return None

    def read_refresh(self, settings: Settings, response: HttpResponse) -> Token:
        """As `read_login`; CredentialsRefused means here: log in anew."""
        return self.read_login(settings, response)

    def logout(self, settings: Settings, token: Token) -> HttpRequest | None:
        """The request that gives the token back, or None where that is not known."""
        return None

    def ended(self, response: HttpResponse) -> bool:
        """Whether this answer to an ordinary request means that its token is good no more, and nothing was done."""
        return False


#: The provider's file signs its requests itself, or nothing is asked.
OPEN = Way()


def with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    """The request with this header, in place of one of the same name."""
    others = {key: kept for key, kept in request.headers.items() if key.lower() != name.lower()}
    return replace(request, headers={**others, name: value})
