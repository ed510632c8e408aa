"""What `docs/api.md` says of webhooks is so: every event with every field, and a receiver that one can copy."""

import re
from http.server import HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from messaging import webhooks
from messaging.event_types import EVENT_TYPES, MESSAGE
from messaging.webhooks import schedule
from tests.messaging.hooks import deliver_all, listen, only

WRITTEN = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text().partition("## Webhooks\n")[2]
TABLE = {
    found[1]: found[0] for found in re.finditer(r"^\| `([a-z_.]+)` \|.*$", WRITTEN, re.MULTILINE) if found[1] != "type"
}


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.name)
def test_every_event_is_described_with_every_field(event: Any) -> None:
    row = TABLE[event.name]
    of_messages = WRITTEN.partition("\nOf a message: ")[2].partition("\n\n")[0]
    described = of_messages if set(event.sample) == set(MESSAGE) else row
    assert [name for name in event.sample if f"`{name}`" not in described] == []


def test_no_event_is_described_that_there_is_not() -> None:
    assert set(TABLE) == {event.name for event in EVENT_TYPES} | {"webhook.test"}


def test_the_tries_are_those_of_the_table() -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    tries = WRITTEN.partition("- **Tries**: ")[2].partition(", each up to")[0]
    named = re.findall(r"(\d+) (s|min|h)\b", tries)
    assert [0, *(int(number) * units[unit] for number, unit in named)] == list(schedule.PAUSES)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("network")
def test_the_receiver_that_is_printed_believes_the_portal_and_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    printed = re.findall(r"```python\n(.*?)```", WRITTEN, re.DOTALL)[0]
    known: dict[str, Any] = {"__name__": "receiver"}
    exec(compile(printed, "docs/api.md", "exec"), known)
    known["Receiver"].log_message = lambda *_: None
    with HTTPServer(("127.0.0.1", 0), known["Receiver"]) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/"
            webhook = listen("gateway.up", url=url)
            known["SECRET"] = webhook.secret
            webhooks.tell("gateway.up", {"sms_gateway": "main"})
            deliver_all()
            assert only(webhook).last_status == 204
            webhooks.replay(only(webhook))
            deliver_all()
            assert requests.post(url, json={"type": "gateway.up"}, timeout=10).status_code == 401
        finally:
            server.shutdown()
            thread.join()
    assert capsys.readouterr().out == "gateway.up {'sms_gateway': 'main'}\n"
