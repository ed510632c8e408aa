"""A provider with secrets, which no test opens a socket to."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from django import forms

from gateways import providers, transport
from gateways.provider import BaseProvider
from gateways.providers.sandbox import Provider as SandboxProvider


class Telegraph(BaseProvider):
    """Needs an address and a password, and has one setting with a default."""

    label = "Telegraph"
    secrets: ClassVar = ("password", "second_password")

    class Config(forms.Form):
        url = forms.URLField(assume_scheme="https")
        password = forms.CharField()
        second_password = forms.CharField(required=False)
        tries = forms.IntegerField(min_value=1, initial=3)
        flash = forms.BooleanField(required=False)


@pytest.fixture
def telegraph(monkeypatch: pytest.MonkeyPatch) -> type[BaseProvider]:
    """The provider `telegraph`, beside the sandbox."""
    known: dict[str, type[BaseProvider]] = {"sandbox": SandboxProvider, "telegraph": Telegraph}
    monkeypatch.setattr(providers, "names", lambda: tuple(known))
    monkeypatch.setattr(providers, "load", known.__getitem__)
    return Telegraph


@pytest.fixture
def network() -> Iterator[None]:
    """Ends the event loop after the test, and with it the sandbox's own connection to the database."""
    yield
    transport.stop()
