"""One page may post to hosts that it names, and no other page may."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from portal import headers


def forms_of(path: str, *targets: str) -> list[str]:
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        headers.may_post_to(response, *targets)
        return response

    return policy_of(headers.SecurityHeaders(view)(RequestFactory().get(path)))["form-action"]


def policy_of(answer: object) -> dict[str, list[str]]:
    policy: str = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


def test_a_page_may_post_to_the_hosts_it_names() -> None:
    targets = ["http://10.1.0.1:3990", "https://login.example.org", "http://*.network-auth.com", "http://router"]
    assert forms_of("/guest/online/", *targets) == ["'self'", *targets]


def test_a_host_that_is_named_twice_stands_there_once() -> None:
    assert forms_of("/guest/", "http://a.example", "http://a.example") == ["'self'", "http://a.example"]


def test_nothing_else_of_the_policy_changes() -> None:
    def plain(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def wide(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        headers.may_post_to(response, "http://a.example")
        return response

    def policy(view: Callable[[HttpRequest], HttpResponse]) -> dict[str, list[str]]:
        return policy_of(headers.SecurityHeaders(view)(RequestFactory().get("/guest/")))

    before = policy(plain)
    assert policy(wide) == before | {"form-action": ["'self'", "http://a.example"]}
    assert policy(plain) == before, "the next page knows nothing of it"


def test_several_calls_add_up() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        headers.may_post_to(response, "http://a.example")
        headers.may_post_to(response)
        headers.may_post_to(response, "http://b.example")
        return response

    answer = headers.SecurityHeaders(view)(RequestFactory().get("/guest/"))
    assert policy_of(answer)["form-action"] == ["'self'", "http://a.example", "http://b.example"]


def test_answers_for_programs_post_nowhere_all_the_same() -> None:
    assert forms_of("/api/v1/users", "http://a.example") == ["'none'"]


@pytest.mark.parametrize(
    "target",
    [
        *(
            "",
            "*",
            "http:",
            "https://",
            "http://*",
            "http://*.",
            "a.example",
            "'unsafe-inline'",
            "data:",
            "ftp://a.example",
        ),
        *("http://a.example/path", "http://a.example;script-src *", "http://a.example http://b.example"),
        *("http://a.example\n", "http://u@a.example", "http://A.example", "http://a.example:", "http://*.*.example"),
        *("http://[::1]", "http://é.example", "http://a.example, default-src *"),
    ],
)
def test_what_is_no_host_never_gets_into_a_policy(target: str) -> None:
    with pytest.raises(ValueError, match=r"^\["):
        headers.may_post_to(HttpResponse(), "http://good.example", target)
