"""Each member of staff reads in a language and by a clock of their own."""

import time_machine
from django.test import Client
from django.urls import reverse

from portal.models import AuditEvent, User
from tests.portal.admin_pages import page, signed_in

NOON = "2026-12-01T12:00:00Z"


def choose(client: Client, language: str, time_zone: str) -> int:
    """Submits the page; the status of the answer."""
    return client.post(reverse("preferences"), {"language": language, "time_zone": time_zone}).status_code


def heading(client: Client, browser: str) -> str:
    """The page of preferences as a browser with this language gets it."""
    return client.get(reverse("preferences"), headers={"accept-language": browser}).content.decode()


def test_the_browser_decides_until_somebody_chooses(admin: User) -> None:
    client = signed_in(admin)
    assert '<html lang="en"' in heading(client, "en")
    assert '<html lang="ru"' in heading(client, "ru")
    assert choose(client, "ru", "") == 302
    assert '<html lang="ru"' in heading(client, "en")


def test_times_are_those_of_the_readers_zone(admin: User) -> None:
    client = signed_in(admin)
    AuditEvent.objects.create(action="send_sms", status=200)
    AuditEvent.objects.update(at=NOON)
    address = page(AuditEvent, "changelist")
    assert choose(client, "en", "Asia/Vladivostok") == 302
    assert "Dec. 1, 2026 22:00:00" in client.get(address).content.decode()
    assert choose(client, "en", "") == 302
    assert "Dec. 1, 2026 15:00:00" in client.get(address).content.decode()


def test_a_zone_that_is_none_is_refused_and_nothing_is_changed(admin: User) -> None:
    client = signed_in(admin)
    assert choose(client, "ru", "Mars/Olympus") == 200
    admin.refresh_from_db()
    assert (admin.language, admin.time_zone) == ("", "")


def test_the_switch_keeps_the_choice_for_whoever_is_signed_in(admin: User, operator: User) -> None:
    signed_in(admin).post(reverse("set_language"), {"language": "en", "next": "/admin/"})
    admin.refresh_from_db()
    operator.refresh_from_db()
    assert (admin.language, operator.language) == ("en", "")


def test_a_stranger_keeps_it_in_a_cookie(db: None) -> None:
    client = Client()
    assert client.post(reverse("set_language"), {"language": "en", "next": "/admin/login/"}).status_code == 302
    assert '<html lang="en"' in client.get(reverse("admin:login"), headers={"accept-language": "ru"}).content.decode()


def test_an_unknown_language_changes_nothing(admin: User) -> None:
    signed_in(admin).post(reverse("set_language"), {"language": "xx"})
    admin.refresh_from_db()
    assert admin.language == ""


def test_nobody_chooses_for_others(admin: User, nobody: User) -> None:
    assert choose(signed_in(nobody), "ru", "Europe/Samara") == 302
    admin.refresh_from_db()
    nobody.refresh_from_db()
    assert (admin.language, nobody.language, nobody.time_zone) == ("", "ru", "Europe/Samara")


def test_a_call_without_a_session_asks_for_no_user(db: None, django_assert_num_queries: object) -> None:
    with time_machine.travel(NOON), django_assert_num_queries(0):  # type: ignore[operator]
        assert Client().get("/healthz").status_code == 200
