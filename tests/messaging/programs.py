"""A program that was written for another system: it calls that system's addresses with a key of the portal."""

from typing import Any

import pytest
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


both_methods = pytest.mark.parametrize("method", ["GET", "POST"])
