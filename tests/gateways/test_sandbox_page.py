"""The page /sandbox/: what administrators see on the sandbox phone, and nobody else."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from gateways.models import Gateway, SandboxSms
from gateways.outcomes import ReceiptState
from gateways.sandbox import MAGIC
from gateways.views import SHOWN
from portal.models import User
from portal.permissions import INCLUDED, Right

PAGE, INBOX = "/sandbox/", "/sandbox/inbox/"


def received(gateway: Gateway, text: str = "Hello", **changes: object) -> SandboxSms:
    details = {
        "key": "key",
        "phone": "+79161234567",
        "state": ReceiptState.DELIVERED,
        "settles_at": timezone.now() - timedelta(seconds=1),
    }
    return SandboxSms.objects.create(gateway=gateway, text=text, **{**details, **changes})


@pytest.fixture
def browser(client: Client, admin: User) -> Client:
    """The administrator's."""
    client.force_login(admin)
    return client


@pytest.mark.parametrize("url", [PAGE, INBOX])
class TestDoor:
    def test_a_stranger_is_sent_to_sign_in(self, client: Client, db: None, url: str) -> None:
        answer = client.get(url)
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={url}")

    def test_an_auditor_reads_no_passwords_there(
        self, client: Client, auditor: User, sandbox: Gateway, caplog: pytest.LogCaptureFixture, url: str
    ) -> None:
        received(sandbox, "password: canary")
        client.force_login(auditor)
        answer = client.get(url, HTTP_ACCEPT_LANGUAGE="en")
        assert answer.status_code == 403
        assert answer.content == b"Only administrators may see this page."
        assert "Traceback" not in caplog.text

    @pytest.mark.parametrize("lacking", sorted(set(Right) - set(INCLUDED)))
    def test_every_right_is_needed(self, client: Client, nobody: User, url: str, lacking: Right) -> None:
        others = Permission.objects.filter(content_type__app_label="portal", codename__in=set(Right) - {lacking})
        nobody.user_permissions.set(others)
        client.force_login(nobody)
        assert client.get(url).status_code == 403

    def test_the_role_of_administrators_is_enough(self, client: Client, nobody: User, url: str) -> None:
        nobody.groups.add(Group.objects.get(name="Administrator"))
        client.force_login(nobody)
        assert client.get(url).status_code == 200

    def test_it_is_kept_by_no_cache(self, browser: Client, url: str) -> None:
        assert "no-store" in browser.get(url)["Cache-Control"]

    def test_it_is_for_reading(self, browser: Client, url: str) -> None:
        assert browser.post(url).status_code == 405


@pytest.mark.parametrize("url", [PAGE, INBOX])
class TestInbox:
    def test_it_shows_the_newest_first(self, browser: Client, sandbox: Gateway, url: str) -> None:
        for text in ("first text", "second text", "third text"):
            received(sandbox, text)
        page = browser.get(url).content.decode()
        assert page.index("third text") < page.index("second text") < page.index("first text")

    def test_a_text_is_shown_and_never_run(self, browser: Client, sandbox: Gateway, url: str) -> None:
        received(sandbox, "<script>alert(1)</script>\nsecond line", sender="<b>")
        page = browser.get(url).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;\nsecond line" in page
        assert "<script>alert" not in page
        assert "<b>" not in page

    def test_a_message_that_was_lost_on_its_way_is_not_there(self, browser: Client, sandbox: Gateway, url: str) -> None:
        received(sandbox, "never came", times_submitted=0)
        assert "never came" not in browser.get(url).content.decode()

    def test_an_empty_inbox_says_so(self, browser: Client, url: str) -> None:
        assert "No message yet." in browser.get(url, HTTP_ACCEPT_LANGUAGE="en").content.decode()

    def test_a_text_whose_key_is_missing_does_not_hide_the_others(
        self, browser: Client, sandbox: Gateway, settings: Settings, url: str
    ) -> None:
        received(sandbox, "out of reach")
        settings.ENCRYPTION_KEYS = ["another key, long enough to be one of ours"]
        received(sandbox, "within reach")
        page = browser.get(url).content.decode()
        assert "within reach" in page
        assert "out of reach" not in page


class TestMessage:
    def test_it_says_to_whom_from_whom_and_how_often(self, browser: Client, sandbox: Gateway) -> None:
        received(sandbox, sender="Hotel", times_submitted=3)
        page = browser.get(INBOX, HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "Hotel" in page
        assert "to +79161234567" in page
        assert "submitted 3 times" in page
        assert "передано 3 раза" in browser.get(INBOX, HTTP_ACCEPT_LANGUAGE="ru").content.decode()

    def test_without_a_sender_it_names_the_gateway(self, browser: Client, sandbox: Gateway) -> None:
        received(sandbox)
        assert "<strong>sandbox</strong>" in browser.get(INBOX).content.decode()

    @pytest.mark.parametrize("state", [ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.EXPIRED])
    def test_it_shows_the_receipt_once_it_has_settled(
        self, browser: Client, sandbox: Gateway, state: ReceiptState
    ) -> None:
        sms = received(sandbox, state=state, settles_at=timezone.now() + timedelta(hours=1))
        assert 'class="receipt pending"' in browser.get(INBOX).content.decode()
        SandboxSms.objects.filter(pk=sms.pk).update(settles_at=timezone.now() - timedelta(seconds=1))
        assert f'class="receipt {state}"' in browser.get(INBOX).content.decode()

    def test_only_the_latest_are_shown(self, browser: Client, sandbox: Gateway) -> None:
        for number in range(SHOWN + 5):
            received(sandbox, f"text {number};")
        page = browser.get(INBOX).content.decode()
        assert page.count("<article") == SHOWN
        assert "text 4;" not in page
        assert f"text {SHOWN + 4};" in page


class TestPage:
    def test_it_explains_the_magic_numbers(self, browser: Client) -> None:
        page = browser.get(PAGE).content.decode()
        assert all(phone in page for phone in MAGIC)

    def test_it_speaks_the_readers_language(self, browser: Client) -> None:
        english = browser.get(PAGE, HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert '<html lang="en">' in english
        assert "Magic numbers" in english
        russian = browser.get(PAGE, HTTP_ACCEPT_LANGUAGE="ru").content.decode()
        assert '<html lang="ru">' in russian
        assert "Волшебные номера" in russian
        assert "срок истёк" in russian

    def test_what_it_loads_is_ours(self, browser: Client) -> None:
        page = browser.get(PAGE).content.decode()
        for name in ("gateways/sandbox.css", "gateways/sandbox.js"):
            assert f"/static/{name}" in page
            assert finders.find(name)
        assert "://" not in page

    def test_the_inbox_alone_is_no_whole_page(self, browser: Client, sandbox: Gateway) -> None:
        received(sandbox)
        assert "<html" not in browser.get(INBOX).content.decode()
