"""Why nobody is let in, in the documented words. Whoever may be guessing is told to the Defender by who finds out."""

from rest_framework.exceptions import AuthenticationFailed, PermissionDenied


class NotSignedIn(AuthenticationFailed):
    """401: no token, or one that was left idle. `guessed` is true where somebody may be trying tokens."""

    default_detail = "Invalid token. Login again using /api/v1/login"
    guessed = False


class UnknownToken(NotSignedIn):
    """401: a token we never gave out, or one that ended too long ago for anybody to know."""

    guessed = True


class PastLimit(NotSignedIn):
    """401: a token in steady use that reached its longest life."""

    default_detail = "Invalid token info"


class UnknownKey(NotSignedIn):
    """401: an API key we never gave out."""

    default_detail = "Invalid API key"
    guessed = True


class KeyEnded(NotSignedIn):
    """401: an API key that was good once. It is no guess, and whoever has it is told why."""

    default_detail = "This API key was revoked, has expired, or its user may not sign in any more"


class Elsewhere(PermissionDenied):
    """403: what is good, from an address that it is not for."""


class KeyElsewhere(Elsewhere):
    """403: a good API key, from an address that it is not for."""

    default_detail = "This API key may not be used from this address"


class ClientElsewhere(Elsewhere):
    """403: a good token of an OAuth2 client, from an address that the client is not for."""

    default_detail = "This OAuth2 client may not be used from this address"


class ForSomeGateways(PermissionDenied):
    """403: a good API key or client for some gateways, and a call that concerns all of them."""

    default_detail = "This API key or client is for some gateways only, and the call concerns all of them"


class BadCredentials(AuthenticationFailed):
    """401: no active user has this name and password."""

    default_detail = "Wasn't able to authenticate those credentials"


class PasswordInUrl(AuthenticationFailed):
    """401: a password in an address, which nobody has looked at."""

    default_detail = (
        "A password must not be in an address, where others may write it down: use an API key, or the body of a POST."
    )


class PasswordNotEnough(PermissionDenied):
    """403: the password is right, and this user's opens the web admin only. Nobody else is told."""

    default_detail = (
        "This account may not sign in to the API with its password. "
        "Use an account made for a program, or ask an administrator to allow it."
    )
