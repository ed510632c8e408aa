"""Login for a token that ends when it lies unused, as AxelNAC and PacketFence have it.

The answers: `go/plugin/caddy2/api-aaa/api-aaa.go` in https://github.com/inverse-inc/packetfence
"""

from dataclasses import dataclass

from gateways.auth.tokens import TokenWay, raise_unless_let_in, usable
from gateways.auth.way import Settings, Token
from gateways.http import HttpRequest, HttpResponse, join, object_of, post_json


@dataclass(frozen=True)
class LoginToken(TokenWay):
    """A token is good for 12 hours and for 15 minutes without use; we stop a little earlier.

    A 403 is about rights and never about the token.
    """

    path: str = "/api/v1/login"
    idles: float | None = 14 * 60.0
    lasts: float | None = (11 * 60 + 50) * 60.0

    def login(self, settings: Settings) -> HttpRequest:
        who = {"username": settings["login"], "password": settings["password"]}
        return post_json(join(settings["url"], self.path), who)

    def read_token(self, response: HttpResponse) -> Token:
        raise_unless_let_in(response)
        return Token(usable(object_of(response).get("token")), lasts=self.lasts, idles=self.idles)
