"""A program that was written for another system: it calls that system's addresses with a key of the portal."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client

from portal import keys
from portal.models import ApiKey, User

PHONE = "+79161234567"


def call(url: str, method: str = "GET", **fields: Any) -> Any:
    """The answer to a call with these fields, in the address of a GET or in the form of a POST."""
    client = Client(raise_request_exception=False)
    return client.get(url, fields) if method == "GET" else client.post(url, fields)


def key_of(user: User, **scope: Any) -> str:
    """A key of this user."""
    return keys.issue(user, f"key {ApiKey.objects.count()}", **scope)[1]


def a_second_passes_in(module: Any, name: str, clock: time_machine.Traveller, patch: pytest.MonkeyPatch) -> None:
    """Whenever this function of a module is called, time goes on by a second."""
    done: Callable[..., Any] = getattr(module, name)

    def slow(*given: Any, **named: Any) -> Any:
        clock.shift(1)
        return done(*given, **named)

    patch.setattr(module, name, slow)


both_methods = pytest.mark.parametrize("method", ["GET", "POST"])
