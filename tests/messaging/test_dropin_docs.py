"""What `docs/api.md` prints for programs of other systems can be copied: by curl, and in Python."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from gateways.models import Gateway
from messaging.models import DeliveryReport, Message
from tests.conftest import with_role
from tests.messaging.programs import key_of

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN = (
    (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text().partition("## Calls of other systems\n")[2]
)


@pytest.fixture
def key(sandbox: Gateway) -> str:
    return key_of(with_role("hotel-desk", "Administrator"))


def printed(system: str, kind: str, live_server: LiveServer, place: int = 0) -> str:
    """An example of this kind in the section of this system, the first one, with the address of a portal that runs."""
    section = WRITTEN.partition(f"### {system}\n")[2].partition("\n### ")[0]
    found = re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)
    return str(found[place]).replace("https://sms.example.org", str(live_server.url))


def run(command: list[str], key: str) -> str:
    environment = {**os.environ, "PORTAL_KEY": key}
    return subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout


SYSTEMS = pytest.mark.parametrize("system", ["SMSmobileAPI", "SMSC.ru", "Kannel"])


@SYSTEMS
def test_curl(live_server: LiveServer, key: str, system: str) -> None:
    said = run(["sh", "-c", printed(system, "sh", live_server)], key)
    answer = printed(system, "json" if system != "Kannel" else "text", live_server)
    if system == "Kannel":
        assert said == answer.strip()
        assert DeliveryReport.objects.get().mask == 19
    elif system == "SMSC.ru":
        assert json.loads(said) == json.loads(answer)
    else:
        told, shown = json.loads(said)["result"], json.loads(answer)["result"]
        assert told.keys() == shown.keys()
        assert (told["error"], told["sent"], told["note"]) == (shown["error"], shown["sent"], shown["note"])
    assert {message.text for message in Message.objects.all()} == {"Wi-Fi is back"}


@SYSTEMS
def test_python(live_server: LiveServer, key: str, system: str) -> None:
    said = run([sys.executable, "-c", printed(system, "python", live_server)], key)
    assert Message.objects.get().text == "Wi-Fi is back"
    if system == "SMSC.ru":
        assert said.split(maxsplit=1)[1].strip() == "Ожидает отправки"
    elif system == "Kannel":
        assert said.strip() == "202 0: Accepted for delivery"
    else:
        assert re.fullmatch("[0-9a-f]{40}", said.strip())


class TestSmsGate:
    """In JSON, which comes first in its section, and by an address or a form."""

    SECTION = "SMSGate in JSON and by GET"

    def test_curl_with_json(self, live_server: LiveServer, key: str) -> None:
        told = json.loads(run(["sh", "-c", printed(self.SECTION, "sh", live_server)], key))
        message = Message.objects.get()
        shown = json.loads(printed(self.SECTION, "json", live_server))
        assert told == {"sms": [{**shown["sms"][0], "id_sms": str(message.pk)}]}
        assert (message.text, message.caller_reference) == ("Wi-Fi is back", "101")

    def test_python_with_json(self, live_server: LiveServer, key: str) -> None:
        assert run([sys.executable, "-c", printed(self.SECTION, "python", live_server)], key) == "send send\n"
        assert Message.objects.get().text == "Wi-Fi is back"

    def test_curl_with_an_address(self, live_server: LiveServer, key: str) -> None:
        told = run(["sh", "-c", printed(self.SECTION, "sh", live_server, 1)], key)
        first, second = Message.objects.order_by("pk")
        assert told == f"{first.pk},{second.pk}"
        assert re.fullmatch(r"[0-9]+,[0-9]+\n", printed(self.SECTION, "text", live_server))

    def test_python_with_a_form(self, live_server: LiveServer, key: str) -> None:
        assert run([sys.executable, "-c", printed(self.SECTION, "python", live_server, 1)], key) == "send\n"
        assert Message.objects.get().text == "Wi-Fi is back"
