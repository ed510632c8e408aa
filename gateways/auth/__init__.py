"""The ways a provider lets us in: what a request is given so that it is believed, and how a token is come by.

Pure: they build requests and read answers. Who asks for a token, when, and that only one asks, is `sessions.py`.
"""

from gateways.auth.envelope import ActionEnvelope
from gateways.auth.keys import ApiKey, Basic, Bearer
from gateways.auth.login_token import LoginToken
from gateways.auth.oauth2 import OAuth2ClientCredentials
from gateways.auth.session import Session
from gateways.auth.tokens import without_tokens
from gateways.auth.way import OPEN, Settings, Token, Way

__all__ = [
    "OPEN",
    "ActionEnvelope",
    "ApiKey",
    "Basic",
    "Bearer",
    "LoginToken",
    "OAuth2ClientCredentials",
    "Session",
    "Settings",
    "Token",
    "Way",
    "without_tokens",
]
