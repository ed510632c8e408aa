"""What `docs/api.md` prints for each way in can be copied: by curl, and in Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from gateways.models import Gateway
from messaging.models import Message
from portal import clients, keys
from portal.models import ApiToken, User
from tests.conftest import PASSWORD, with_role

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()


@pytest.fixture
def desk(sandbox: Gateway) -> User:
    Gateway.objects.create(name="main", provider="sandbox")
    return with_role("hotel-desk", "SMS operator")


def printed(heading: str, kind: str, place: int = 0) -> str:
    """An example of the section with this heading, by its place among those of its kind."""
    section = WRITTEN.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found: list[str] = re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)
    return found[place]


def said_by(example: str, live_server: LiveServer, **environment: str) -> str:
    """What it prints once its address, its user and its password are real ones."""
    for shown, real in (("https://sms.example.org", live_server.url), ("terminal", "hotel-desk"), ("…", PASSWORD)):
        example = example.replace(shown, real)
    command = [sys.executable, "-c", example] if "import " in example else ["sh", "-ec", example]
    everything = {**os.environ, "portal": f"{live_server.url}/api/v1", **environment}
    return subprocess.run(command, env=everything, capture_output=True, check=True, text=True).stdout


def test_login(live_server: LiveServer, desk: User) -> None:
    said = said_by(printed("Ways in", "sh"), live_server)
    assert '"id":"sandbox"' in said
    assert "Logged out" in said
    assert not ApiToken.objects.filter(expiry__gt=timezone.now()).exists()
    assert "'id': 'sandbox'" in said_by(printed("Ways in", "python"), live_server)


def test_basic(live_server: LiveServer, desk: User) -> None:
    key = keys.issue(desk, "the till")[1]
    assert '"id":"sandbox"' in said_by(printed("Ways in", "sh", 1), live_server, key=key)
    assert "'id': 'sandbox'" in said_by(printed("Ways in", "python", 1), live_server, PORTAL_KEY=key)


def test_api_keys(live_server: LiveServer, desk: User) -> None:
    key = keys.issue(desk, "the till")[1]
    assert '"state":"queued"' in said_by(printed("API keys", "sh"), live_server, key=key)
    sent = said_by(printed("API keys", "python"), live_server, PORTAL_KEY=key)
    assert Message.objects.latest("pk").pk == int(sent)


def test_sessions(live_server: LiveServer, desk: User) -> None:
    heading = "Sessions, as Mobile SMARTS has them"
    first_call = printed(heading, "sh").partition("\ncurl")[0]
    assert '"Token_type":"bearer"' in said_by(first_call, live_server).replace('": "', '":"')
    assert "'id': 'sandbox'" in said_by(printed(heading, "python"), live_server)


def test_oauth2_clients(live_server: LiveServer, desk: User) -> None:
    client, secret = clients.make("Monitoring", desk)
    first_call = printed("OAuth2 clients", "sh").partition("\ncurl")[0]
    said = said_by(first_call, live_server, client_id=client.client_id, client_secret=secret)
    assert '"access_token"' in said
    named = {"CLIENT_ID": client.client_id, "CLIENT_SECRET": secret, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    assert "'id': 'sandbox'" in said_by(printed("OAuth2 clients", "python"), live_server, **named)
