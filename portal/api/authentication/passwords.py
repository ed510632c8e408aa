"""Passwords: the one place where the API has one looked at, for a token once or with every call."""

import secrets
from hmac import HMAC, compare_digest
from threading import Lock

from django.contrib.auth import authenticate
from django.http import HttpRequest
from rest_framework.request import Request

from portal import defender, expiry, permissions, versions
from portal.api.authentication import keys
from portal.api.authentication.refusals import BadCredentials, PasswordInUrl, PasswordNotEnough, UnknownKey
from portal.keys import SHAPE
from portal.models import ApiKey, User
from portal.rows import copied
from portal.versions import Kept
from portal.ways import WayIn, is_open

#: Of name and password, keyed with what no other process knows: who reads this memory finds no password in it.
_PEPPER = secrets.token_bytes(32)
_kept: Kept[bytes, User] = Kept()
#: Of many that bring one password at a time one has it hashed, and the others believe what came of it. Which lock is
#: whose follows from the digest, so that nobody can choose to hold up somebody else.
_turns = [Lock() for _ in range(64)]


def sign_in(request: HttpRequest | Request, username: str, password: str) -> User:
    """The user, for a way that gives a token once. Raises BadCredentials, or PasswordNotEnough."""
    user = authenticate(_plain(request), username=username, password=password)
    if not isinstance(user, User):
        raise BadCredentials
    if not user.password_opens_api:
        raise PasswordNotEnough
    # Not before: who knows a password alone would take his guesses at the second factor off the count.
    defender.forgive(request, user)
    return user


def each_time(
    request: HttpRequest | Request, username: str, password: str, *, in_url: bool = False
) -> tuple[User, ApiKey | None]:
    """The user of a call that brings its password, or one of the user's API keys instead of it; and that key.

    `in_url` says that they came in an address. A right password is believed for a few seconds without being hashed
    again, as long as nothing has changed. Raises BadCredentials, PasswordNotEnough, PasswordInUrl, and what
    `keys.key_of` raises.
    """
    if keys.looks_like_one(password):
        if is_open(WayIn.API_KEY):
            return _by_key(request, username, password)
        if SHAPE.fullmatch(password):
            # Nobody guesses keys while they open nothing, and a program that has one goes on trying.
            raise BadCredentials
    if in_url and not is_open(WayIn.PASSWORD_IN_URL):
        raise PasswordInUrl
    if not in_url and not is_open(WayIn.BASIC):
        # In the form of another system's call: no other way takes a password with every call.
        raise BadCredentials
    return _believed(request, username, password) or _looked_at_once(request, username, password), None


def _by_key(request: HttpRequest | Request, username: str, presented: str) -> tuple[User, ApiKey]:
    key = keys.key_of(request, presented)
    # The name must be the right one: a key that opens whatever name is typed would make the audit trail a riddle.
    if username and not compare_digest(username.encode(), key.user.get_username().encode()):
        defender.report(request, username, way=defender.Way.KEY)
        raise UnknownKey
    return key.user, key


def _believed(request: HttpRequest | Request, username: str, password: str) -> User | None:
    kept = _kept.get(_digest(username, password))
    if kept is None or not expiry.may_act(kept) or not defender.may_try(request, kept):
        return None
    return copied(kept)


def _looked_at_once(request: HttpRequest | Request, username: str, password: str) -> User:
    with _turns[_digest(username, password)[0] % len(_turns)]:
        return _believed(request, username, password) or _looked_at(request, username, password)


def _looked_at(request: HttpRequest | Request, username: str, password: str) -> User:
    version = versions.now()
    # A call that is dealt with anew would count a wrong password twice.
    versions.confirm()
    user = sign_in(request, username, password)
    # With the user's rights, so that they are not asked for with every call either.
    permissions.granted_to(user)
    _kept.put(_digest(username, password), version, copied(user))
    return user


def _digest(username: str, password: str) -> bytes:
    parts = f"{len(username)}:{username}{password}".encode(errors="surrogatepass")
    return HMAC(_PEPPER, parts, "sha256").digest()


def _plain(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
