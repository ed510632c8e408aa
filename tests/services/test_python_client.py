"""The Python client of the documents, at a portal that runs: through the sandbox to the end of each message."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from docs.examples.portal_client import PortalClient, PortalError, Text, Unanswered
from tests.engine import REPOSITORY
from tests.services.stack import ADMIN_PASSWORD, Portal
from tests.waiting import PATIENCE

pytestmark = pytest.mark.both_engines

PHONE = "+79161234567"
SOON = 0.2


@pytest.fixture(scope="module")
def key(installation: Portal) -> str:
    if not installation.is_running():
        installation.start()
    found: str = installation.ask_desk("key_for_program()")
    return found


@pytest.fixture
def client(portal: Portal, key: str) -> PortalClient:
    """Comes in with an API key."""
    return PortalClient(portal.address, api_key=key, pause=SOON)


def texts_to(portal: Portal, phone: str) -> list[str]:
    """What the sandbox phone of this number got."""
    found: list[str] = portal.look(f"[sms.text for sms in SandboxSms.objects.filter(phone={phone!r}).order_by('pk')]")
    return found


class Between:
    """Hands calls on to a portal and loses answers on their way back, the first so many."""

    def __init__(self, portal: Portal, lost: int) -> None:
        self.portal, self.left, self.calls = portal, lost, 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Between":
        threading.Thread(target=self.server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sent = {name: value for name, value in self.headers.items() if name != "Host"}
                answer = requests.post(between.portal.address + self.path, body, headers=sent, timeout=PATIENCE)
                between.calls += 1
                if between.left:
                    between.left -= 1
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — as the standard library calls it
                pass

        return Handler


class TestComingIn:
    def test_with_a_name_and_a_password(self, portal: Portal) -> None:
        client = PortalClient(portal.address, username="admin", password=ADMIN_PASSWORD)
        assert client.call("GET", "token_info")["item"]["username"] == "admin"

    def test_a_token_that_has_ended_is_renewed(self, portal: Portal) -> None:
        client = PortalClient(portal.address, username="admin", password=ADMIN_PASSWORD)
        client.call("POST", "logout")
        assert client.call("GET", "sms_gateways")["items"]

    def test_a_wrong_password_is_an_error(self, portal: Portal) -> None:
        with pytest.raises(PortalError) as refused:
            PortalClient(portal.address, username="admin", password="wrong").login()
        assert refused.value.status == 401


class TestSending:
    def test_a_text_arrives(self, portal: Portal, client: PortalClient) -> None:
        sent = client.send_sms("sandbox", PHONE, "Wi-Fi is back")
        assert client.wait_for(sent["id"])["state"] == "delivered"
        assert texts_to(portal, PHONE) == ["Wi-Fi is back"]

    def test_the_same_key_sends_nothing_twice(self, client: PortalClient) -> None:
        first, again = (client.send_sms("sandbox", PHONE, "Wi-Fi is back", key="booking-17") for _ in range(2))
        assert first == again

    def test_a_call_whose_answer_is_lost_is_made_again_and_sends_once(self, portal: Portal, key: str) -> None:
        with Between(portal, lost=2) as between:
            sent = PortalClient(between.address, api_key=key, pause=SOON).send_sms("sandbox", "+79161230001", "Once")
        assert between.calls == 3
        assert portal.look("[message.pk for message in Message.objects.filter(phone='+79161230001')]") == [sent["id"]]

    def test_what_might_be_done_twice_is_called_once(self, portal: Portal, key: str) -> None:
        with Between(portal, lost=9) as between, pytest.raises(Unanswered):
            PortalClient(between.address, api_key=key, pause=SOON).call("POST", "messages/search", {})
        assert between.calls == 1

    def test_a_batch_tells_which_of_its_texts_it_refused(self, portal: Portal, client: PortalClient) -> None:
        good: Text = {"phone_number": "+79161230002", "message": "Wi-Fi is back"}
        batch, refused = client.send_sms_batch("sandbox", [good, {"phone_number": "12", "message": "Wi-Fi is back"}])
        assert [(one["index"], one["field"]) for one in refused] == [(1, "phone_number")]
        (number,) = portal.look(f"[message.pk for message in Message.objects.filter(batch={batch})]")
        assert client.wait_for(number)["state"] == "delivered"


def test_a_guest_is_made_and_gets_credentials(portal: Portal, client: PortalClient) -> None:
    pid = client.create_guest("ann", "8 916 123-00-03", firstname="Ann")
    sent = client.send_credentials("sandbox", pid, "river-stone", set_it=True)
    assert client.wait_for(sent["id"])["state"] == "delivered"
    (text,) = texts_to(portal, "+79161230003")
    assert "ann" in text
    assert "river-stone" in text
    assert portal.look("Guest.objects.get(username='ann').check_password('river-stone')")


class TestErrors:
    def test_the_field_at_fault_is_named(self, client: PortalClient) -> None:
        with pytest.raises(PortalError) as refused:
            client.send_sms("sandbox", "12", "Wi-Fi is back")
        assert (refused.value.status, refused.value.field) == (422, "phone_number")
        assert "phone_number" in str(refused.value)

    def test_what_does_not_exist_is_404(self, client: PortalClient) -> None:
        with pytest.raises(PortalError) as refused:
            client.send_sms("nowhere", PHONE, "Wi-Fi is back")
        assert refused.value.status == 404

    def test_what_is_no_json_is_told_as_it_is(self, portal: Portal) -> None:
        elsewhere = PortalClient(f"{portal.address}/guest", api_key="x")
        with pytest.raises(PortalError) as refused:
            elsewhere.call("GET", "users")
        assert refused.value.status == 404


def test_it_fits_on_a_few_pages() -> None:
    assert len((REPOSITORY / "docs/examples/portal_client.py").read_text().splitlines()) < 150
