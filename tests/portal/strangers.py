"""Callers at hosts of their own, and what they try."""

from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.conftest import PASSWORD

OFFICE, STRANGER, ELSEWHERE = "192.0.2.7", "198.51.100.9", "203.0.113.20"
LOGIN, PAGE, INFO, LIST = "/api/v1/login", "/admin/login/", "/api/v1/token_info", "/api/v1/messages"
BROWSER: dict[str, Any] = {"accept": "text/html,application/xhtml+xml", "accept-language": "en"}


class Caller:
    """A program and a browser at one host."""

    def __init__(self, host: str, **forwarded: str) -> None:
        self.client = Client(REMOTE_ADDR=host, **forwarded)  # type: ignore[arg-type]

    def by_api(self, name: str = "admin", password: str = PASSWORD) -> HttpResponse:
        """Signs in for a token."""
        body = {"username": name, "password": password}
        return self.client.post(LOGIN, body, content_type="application/json")  # type: ignore[return-value]

    def by_page(self, name: str = "admin", password: str = PASSWORD) -> HttpResponse:
        """Signs in as people do."""
        body = {"username": name, "password": password}
        return self.client.post(PAGE, body, headers=BROWSER)  # type: ignore[return-value]

    def with_token(self, token: str, url: str = LIST) -> HttpResponse:
        """Asks for something."""
        return self.client.get(url, headers={"authorization": f"Bearer {token}"})  # type: ignore[return-value]

    def guess(self, times: int, name: str = "admin") -> list[int]:
        """Wrong passwords by API; the statuses of the answers."""
        return [self.by_api(name, f"wrong {number}").status_code for number in range(times)]
