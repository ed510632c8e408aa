"""A provider with secrets, which no test opens a socket to; and a race between workers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import ClassVar, TypeVar

import pytest
from django import forms
from django.db import connections
from django.test import Client

from gateways import accounts, providers, transport
from gateways.models import Gateway
from gateways.provider import BaseProvider
from gateways.providers.sandbox import Provider as SandboxProvider
from portal.models import User
from tests.portal.admin_pages import SECRET, signed_in

T = TypeVar("T")


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
def browser(admin: User) -> Client:
    """The administrator's, in English."""
    client = signed_in(admin)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def wire(telegraph: object, db: None) -> Gateway:
    """A gateway with a secret."""
    return accounts.create(
        name="wire", provider="telegraph", settings={"url": "https://t.example/", "password": SECRET, "tries": 5}
    )


@pytest.fixture
def network() -> Iterator[None]:
    """Ends the event loop after the test, and with it the sandbox's own connection to the database."""
    yield
    transport.stop()


def at_once(work: Callable[[], T], workers: int = 4) -> list[T]:
    """What the work gave to each of several workers that began it together."""
    start = Barrier(workers)

    def worker(_number: int) -> T:
        start.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(worker, range(workers)))
