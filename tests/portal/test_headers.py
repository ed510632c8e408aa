"""What browsers are told to refuse: on every route, for everybody, and on every kind of error."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from pytest_django import Settings

from gateways import views
from gateways.models import Gateway
from portal import headers
from portal.models import User
from tests.conftest import PASSWORD

#: What stands for a group of an address; "1" for all others.
VALUES = {"app_label": "portal", "name": "sandbox"}


def addresses(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """One address of every route there is."""
    resolver = resolver or get_resolver()
    for name in resolver.reverse_dict:
        for possibilities, *_rest in resolver.reverse_dict.getlist(name):
            for pattern, groups in possibilities:
                yield prefix + pattern % {group: VALUES.get(group, "1") for group in groups}
    for inner, below in resolver.namespace_dict.values():
        yield from addresses(below, prefix + inner)


EVERY_ADDRESS = sorted(set(addresses()))


def directives(answer: object) -> dict[str, list[str]]:
    policy: str = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


def assert_guarded(answer: object, path: str) -> None:
    found = directives(answer)
    said = answer.headers  # type: ignore[attr-defined]
    assert found["default-src"] == found["base-uri"] == found["frame-ancestors"] == ["'none'"]
    assert "'unsafe-inline'" not in found.get("script-src", [])
    in_admin = path.startswith("/admin/")
    assert ("'unsafe-eval'" in found.get("script-src", [])) is in_admin
    assert ("'unsafe-inline'" in found.get("style-src", [])) is in_admin
    assert "*" not in said["Content-Security-Policy"]
    assert "http" not in said["Content-Security-Policy"]
    assert said["X-Frame-Options"] == "DENY"
    assert said["X-Content-Type-Options"] == "nosniff"
    assert said["Referrer-Policy"] == "same-origin"
    assert said["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in said["Permissions-Policy"]
    if path.startswith(("/admin/", "/api/v1", "/metrics")):
        assert "no-store" in said["Cache-Control"], path


def test_the_walk_finds_every_kind_of_route() -> None:
    assert len(EVERY_ADDRESS) > 100
    known = {"/", "/healthz", "/sandbox/", "/api/docs", "/api/v1/message/1", "/callbacks/1/1", "/admin/login/"}
    assert known <= set(EVERY_ADDRESS)


def test_every_route_tells_strangers_what_to_refuse(db: None) -> None:
    client = Client(raise_request_exception=False)
    for path in EVERY_ADDRESS:
        assert_guarded(client.get(path), path)


def test_every_route_tells_whoever_is_signed_in_what_to_refuse(admin: User, sandbox: Gateway) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    for path in EVERY_ADDRESS:
        assert_guarded(client.get(path), path)
    assert client.get("/sandbox/").status_code == 200


@pytest.mark.parametrize("path", ["/nowhere/", "/admin/nowhere/", "/api/v1/nowhere", "/callbacks/1/guess/"])
def test_what_is_not_there_is_guarded_too(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code in {302, 401, 404}
    assert_guarded(answer, path)


def test_what_is_forbidden_is_guarded_too(nobody: User) -> None:
    client = Client()
    client.force_login(nobody)
    answer = client.get("/sandbox/")
    assert answer.status_code == 403
    assert_guarded(answer, "/sandbox/")


def test_a_form_without_its_token_is_guarded_too(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {})
    assert answer.status_code == 403
    assert_guarded(answer, "/admin/login/")


def test_a_view_that_fails_is_guarded_too(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(views, "arrived_lately", fail)
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    answer = client.get("/sandbox/")
    assert answer.status_code == 500
    assert_guarded(answer, "/sandbox/")


def test_files_are_guarded_too() -> None:
    answer = Client().get("/static/portal/api_docs.css")
    assert (answer.status_code, b"".join(answer)) == (200, Path("static/portal/api_docs.css").read_bytes())
    assert_guarded(answer, "/static/portal/api_docs.css")


def test_over_https_browsers_are_told_to_stay_there(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    settings.SECURE_SSL_REDIRECT = True
    secure = Client().get("/healthz", secure=True)
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
    redirect = Client().get("/admin/")
    assert (redirect.status_code, redirect.headers["Location"]) == (301, "https://testserver/admin/")
    assert_guarded(redirect, "/admin/")


def test_cookies_are_for_the_server_alone(admin: User, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.get("/admin/login/", secure=True)
    client.post("/admin/login/", {"username": "admin", "password": PASSWORD, "next": "/admin/"}, secure=True)
    assert set(client.cookies) >= {"sessionid", "csrftoken"}
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")


def test_no_page_of_ours_has_a_script_inside_it(admin: User, sandbox: Gateway) -> None:
    client = Client()
    client.force_login(admin)
    for path in ("/admin/", "/admin/gateways/gateway/", f"/admin/gateways/gateway/{sandbox.pk}/change/", "/sandbox/"):
        html = client.get(path).content.decode().replace("type=", "").replace("defer", "")
        assert "<script>" not in html
        assert " onclick=" not in html
    assert "<script>" not in client.get("/api/docs/").content.decode()


def test_guests_pages_run_scripts_and_workers_of_ours_only() -> None:
    assert headers.policy_of("/register/")["worker-src"] == ["'self'"]
    assert headers.policy_of("/register/")["script-src"] == ["'self'"]
