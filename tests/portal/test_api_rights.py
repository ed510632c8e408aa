"""Who may call what, and what is said about paths that do not exist."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from portal.api.unknown_path import UnknownPath
from portal.api.views import SAFE, ApiView
from portal.models import User
from portal.permissions import Right
from tests.conftest import Api

METHODS = ("get", "post", "put", "patch", "delete", "trace")


def views(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route of the portal below /api/v1/, with the class of its view."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and "api/v1" in path:
            yield path, getattr(pattern.callback, "cls", None)


def test_every_route_of_the_api_declares_its_rights_for_every_method() -> None:
    routes = list(views(get_resolver("portal.urls").url_patterns))
    assert len(routes) > 5
    for path, view in routes:
        assert view is not None, f"{path} is no view of the API"
        assert issubclass(view, ApiView), f"{path} does not check rights"
        has = {method.upper() for method in METHODS if getattr(view, method, None)}
        assert view.public or view is UnknownPath or has == set(view.rights), f"{path} declares {set(view.rights)}"


def test_only_known_routes_are_public() -> None:
    public = {view.__name__ for _, view in views(get_resolver("portal.urls").url_patterns) if view.public}
    assert public == {"Login", "Sessions", "TokenInfo", "OpenApi"}


@pytest.mark.urls("tests.portal.routes")
class TestRights:
    def test_a_call_without_its_right_names_it_in_the_documented_sentence(self, api: Api, nobody: User) -> None:
        answer = api(nobody).post("/api/v1/members", {"name": "mia"}, format="json")
        message = "Unauthorized access, lacking the USERS_CREATE administrative role"
        assert (answer.status_code, answer.json()) == (403, {"message": message})
        assert not User.objects.filter(username="mia").exists()

    def test_each_method_has_its_own_right(self, api: Api, auditor: User) -> None:
        client = api(auditor)
        assert client.get("/api/v1/members").status_code == 200
        assert client.head("/api/v1/members").status_code == 200
        assert client.post("/api/v1/members/search", {}, format="json").status_code == 200
        assert client.post("/api/v1/members", {}, format="json").status_code == 403
        assert client.delete("/api/v1/member/mia").status_code == 403

    def test_rights_are_asked_before_the_body_is_read(self, api: Api, nobody: User) -> None:
        assert api(nobody).generic("POST", "/api/v1/members", "{").status_code == 403

    def test_a_stranger_is_401_before_anything_else(self, db: None) -> None:
        for path in ("/api/v1/members", "/api/v1/nowhere", "/api/v1/undeclared", "/api/v1"):
            for method in ("GET", "POST", "DELETE", "PROPFIND", "OPTIONS"):
                assert APIClient().generic(method, path, "{").status_code == 401

    def test_a_view_without_rights_is_refused_to_everybody(self, api: Api, admin: User) -> None:
        assert api(admin).get("/api/v1/undeclared").status_code == 403
        assert api(admin).head("/api/v1/undeclared").status_code == 403

    def test_a_wrong_method_is_405_and_names_the_right_ones(self, api: Api, admin: User, nobody: User) -> None:
        for user in (admin, nobody):
            answer = api(user).delete("/api/v1/members")
            assert (answer.status_code, answer.json()["status"]) == (405, 405)
            assert "POST" in answer.headers["Allow"]

    def test_head_answers_without_a_body(self, api: Api, admin: User) -> None:
        answer = api(admin).head("/api/v1/members")
        assert (answer.status_code, answer.content) == (200, b"")

    def test_options_needs_the_right_to_read(self, api: Api, nobody: User, auditor: User) -> None:
        assert api(nobody).options("/api/v1/members").status_code == 403
        assert api(auditor).options("/api/v1/members").status_code == 200

    def test_options_describes_the_fields(self, api: Api, admin: User) -> None:
        meta = api(admin).options("/api/v1/members").json()["meta"]
        assert meta["name"] == {"type": "string", "required": True, "default": None, "placeholder": "mia"}
        assert meta["staff"] == {"type": "boolean", "required": False, "default": False, "placeholder": None}
        assert meta["settings"]["type"] == "object"


@pytest.mark.urls("tests.portal.routes")
class TestUnknownPaths:
    @pytest.mark.parametrize(
        ("method", "path", "right"),
        [
            ("GET", "/api/v1/x", Right.SYSTEM_READ),
            ("HEAD", "/api/v1/x", Right.SYSTEM_READ),
            ("OPTIONS", "/api/v1/x", Right.SYSTEM_READ),
            ("POST", "/api/v1/x", Right.SYSTEM_CREATE),
            ("POST", "/api/v1/x/search", Right.SYSTEM_READ),
            ("POST", "/api/v1/x/search/", Right.SYSTEM_READ),
            ("PUT", "/api/v1/x", Right.SYSTEM_UPDATE),
            ("PATCH", "/api/v1/x/search", Right.SYSTEM_UPDATE),
            ("DELETE", "/api/v1/x/y/", Right.SYSTEM_DELETE),
            ("GET", "/api/v1", Right.SYSTEM_READ),
            ("GET", "/api/v1/", Right.SYSTEM_READ),
            ("GET", "/api/v1/logins", Right.SYSTEM_READ),
            ("GET", "/api/v1/x%0Ay", Right.SYSTEM_READ),
        ],
    )
    def test_the_weak_get_403_and_the_strong_404(
        self, api: Api, admin: User, nobody: User, method: str, path: str, right: Right
    ) -> None:
        weak, strong = api(nobody).generic(method, path), api(admin).generic(method, path)
        assert weak.status_code == 403
        assert strong.status_code == 404
        if method != "HEAD":
            assert weak.json() == {"message": f"Unauthorized access, lacking the {right} administrative role"}
            assert strong.json() == {"message": f"Unknown path {unquote(path)}", "status": 404}

    def test_an_unknown_method_is_405(self, api: Api, admin: User) -> None:
        assert api(admin).generic("PROPFIND", "/api/v1/x").status_code == 405


@pytest.mark.urls("tests.portal.routes")
@pytest.mark.parametrize("path", ["/api/v1/members", "/api/v1/members/", "/api/v1/login", "/api/v1/login/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_slash_is_answered_with_a_redirect(api: Api, admin: User, path: str, method: str) -> None:
    answer = api(admin).generic(method, path, '{"name": "mia"}')
    assert answer.status_code in {200, 201, 401, 405}


def test_safe_methods_are_never_audited() -> None:
    assert {"GET", "HEAD", "OPTIONS"} == SAFE
